//! The basis of the end-to-end tests and `cargo xtask demo`: servers on loopback that check what
//! they are sent, third-party programs as judges, and a harness that runs a plugin and looks for
//! leaked secrets.
//!
//! - [`issuer`] is a cluster: it signs tokens as the kubelet gets them and publishes its keys.
//! - [`fakes`] are the services a plugin talks to. They verify, refuse and remember.
//! - [`judges`] are programs that this project did not write: registries, clients, token services.
//! - [`fixtures`] is what all tests share: requests, checks, the interface of a fake.
//! - [`world`] is a test's own machine, where fakes have real names and addresses.
//! - [`cluster`] is a whole cluster on such a machine: API server, kubelet, containerd, registry.
//! - [`latency`] puts a server some way off, and notes what comes to it.
//! - [`plugin`] runs a plugin's binary the way the kubelet does, and fails on any leak.
//!
//! Every key and certificate is made at run time, nothing leaves loopback, nothing needs root.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a library for tests: it stops the test on the first surprise, and nothing here ships"
)]

pub mod cluster;
pub mod demo;
pub mod encodings;
pub mod fakes;
pub mod fixtures;
pub mod image;
pub mod issuer;
pub mod judges;
pub mod jwt;
pub mod latency;
pub mod leaks;
pub mod plugin;
pub mod server;
pub mod server_words;
pub mod tls;
pub mod verify;
pub mod world;
