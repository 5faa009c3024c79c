//! The private world that end-to-end tests run in: what is reachable, what is not, and that nothing
//! passes unseen.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, prints on purpose, and reads its own environment and files"
)]

mod exchange;
mod names;
mod network;
mod report;
mod servers;

use std::process::ExitCode;

use pullpass_tests::world;

const PLUGIN: &str = "oidc-credential-provider";

fn main() -> ExitCode {
    let trials = if report::hidden() {
        report::trials()
    } else {
        [exchange::trials(), names::trials(), network::trials(), report::about(), servers::trials()]
            .into_iter()
            .flatten()
            .collect()
    };
    world::main(&[PLUGIN], trials)
}
