//! `ecr-credential-provider` as a process, unmodified, in a world where AWS has its real names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and writes its own files"
)]

mod cloud;
mod faults;
mod hosts;
mod moto;
mod node;
mod peer;
mod pod;
mod registry;
mod round_trips;

use std::process::ExitCode;

use pullpass_tests::world;

const PLUGIN: &str = "ecr-credential-provider";

fn main() -> ExitCode {
    let trials = [
        faults::trials(),
        hosts::trials(),
        moto::trials(),
        node::trials(),
        peer::trials(),
        pod::trials(),
        registry::trials(),
        round_trips::trials(),
    ];
    world::main(&[PLUGIN], trials.into_iter().flatten().collect())
}
