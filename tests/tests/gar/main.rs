//! `gar-credential-provider` as a process, unmodified, in a world where Google has its real names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and writes its own files"
)]

mod annotation;
mod cache;
mod cloud;
mod echoes;
mod external;
mod faults;
mod hosts;
mod impersonation;
mod key;
mod node;
mod peer;
mod pod;
mod registry;
mod round_trips;
mod universe;
mod without;

use std::process::ExitCode;

use pullpass_tests::world;

const PLUGIN: &str = "gar-credential-provider";

fn main() -> ExitCode {
    let trials = [
        annotation::trials(),
        cache::trials(),
        echoes::trials(),
        external::trials(),
        faults::trials(),
        hosts::trials(),
        impersonation::trials(),
        key::trials(),
        node::trials(),
        peer::trials(),
        pod::trials(),
        registry::trials(),
        round_trips::trials(),
        universe::trials(),
        without::trials(),
    ];
    world::main(&[PLUGIN], trials.into_iter().flatten().collect())
}
