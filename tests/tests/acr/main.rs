//! `acr-credential-provider` as a process, unmodified, in a world where Azure has its real names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and writes its own files"
)]

mod arc;
mod binding;
mod cloud;
mod custom;
mod defects;
mod echoes;
mod faults;
mod hosts;
mod node;
mod peer;
mod pod;
mod principal;
mod registry;
mod round_trips;

use std::process::ExitCode;

use pullpass_tests::world;

const PLUGIN: &str = "acr-credential-provider";

fn main() -> ExitCode {
    let trials = [
        arc::trials(),
        binding::trials(),
        custom::trials(),
        defects::trials(),
        echoes::trials(),
        faults::trials(),
        hosts::trials(),
        node::trials(),
        peer::trials(),
        pod::trials(),
        principal::trials(),
        registry::trials(),
        round_trips::trials(),
    ];
    world::main(&[PLUGIN], trials.into_iter().flatten().collect())
}
