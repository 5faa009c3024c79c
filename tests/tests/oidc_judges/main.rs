//! `oidc-credential-provider` as a process, unmodified, against servers that this project did not
//! write: each in a world, under a real name, over TLS, trusting a cluster whose keys are served
//! over TLS too. A token of that cluster goes in, and the judge's credential must come out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and writes its own files"
)]

mod clients;
mod fixture;
mod front;
mod idpyoidc;
mod keycloak;
mod mock_oauth2;
mod oidc_provider;
mod probe;
mod vault;

use std::process::ExitCode;

use pullpass_tests::world;

use crate::fixture::PLUGIN;

fn main() -> ExitCode {
    let trials = [
        clients::trials(),
        idpyoidc::trials(),
        keycloak::trials(),
        mock_oauth2::trials(),
        oidc_provider::trials(),
        probe::trials(),
        vault::trials(),
    ];
    world::main(&[PLUGIN], trials.into_iter().flatten().collect())
}
