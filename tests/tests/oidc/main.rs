//! `oidc-credential-provider` as a process, from request to registry.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![allow(clippy::disallowed_methods, reason = "a test writes its own files")]

mod answers;
mod attacks;
mod bad_input;
mod bytes;
mod commands;
mod profile;
mod proxies;
mod recurring;
mod registry;
mod server_faults;
