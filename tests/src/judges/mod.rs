//! Programs that this project did not write. `cargo xtask test` fetches them and says where they
//! are; without one a test fails, so that it cannot pass by not judging.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::issuer::Issuer;

pub mod docker_registry;
mod form;
pub mod idpyoidc;
pub mod keycloak;
pub mod mock_oauth2;
pub mod moto;
pub mod oidc_provider;
mod server;
pub mod skopeo;
pub mod vault;

pub use form::Answer;

/// Whose tokens a judge is to believe.
#[derive(Clone)]
pub struct Cluster {
    /// The `iss` of the tokens, below which their keys are published.
    pub issuer: String,
    /// The `aud` that they must have, unless the judge requires its own.
    pub audience: String,
    /// The CA of the issuer, a PEM file; without one the issuer speaks plain HTTP.
    pub ca: Option<PathBuf>,
}

impl Cluster {
    /// That of an issuer.
    pub fn of(issuer: &Issuer, audience: &str, ca: Option<&Path>) -> Self {
        let (issuer, audience) = (issuer.url().to_owned(), audience.to_owned());
        Self { issuer, audience, ca: ca.map(Path::to_owned) }
    }

    /// Where its keys are.
    fn keys(&self) -> String {
        format!("{}/openid/v1/jwks", self.issuer)
    }
}

/// The program that `variable` names, or else the one called `name` on the path.
///
/// `None` only where `PULLPASS_HERMETIC=1` says that judges may be missing, or the tools of its
/// language are; it is then said loudly.
///
/// # Panics
/// If it is missing and must not be.
fn judge(variable: &str, name: &str) -> Option<PathBuf> {
    named(variable).or_else(|| on_path(name)).or_else(|| missing(variable, name))
}

/// As [`judge`], for a program of which only the version that this project pins will do: whatever
/// is on the path is not asked.
fn pinned_judge(variable: &str, name: &str) -> Option<PathBuf> {
    named(variable).or_else(|| missing(variable, name))
}

fn named(variable: &str) -> Option<PathBuf> {
    let file =
        env::var_os(variable).map(PathBuf::from).filter(|file| file != Path::new(MISSING))?;
    assert!(file.is_file(), "`{variable}` names `{}`, which is no file", file.display());
    Some(file)
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// No setting of the person who runs the tests may affect them.
fn without_settings(command: &mut Command, prefixes: &[&str]) {
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let proxy = text.to_ascii_lowercase().ends_with("_proxy");
        if proxy || prefixes.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
}

/// The value of a judge's variable if its language's tools are missing.
const MISSING: &str = "missing";

fn missing(variable: &str, name: &str) -> Option<PathBuf> {
    let may_be = env::var_os(variable).is_some_and(|value| value == MISSING)
        || env::var_os("PULLPASS_HERMETIC").is_some_and(|value| value == "1");
    assert!(
        may_be,
        "the judge `{name}` is missing: run the tests by `cargo xtask test`, which fetches it; \
         `eval \"$(cargo xtask judges)\"` fetches it too, and sets `{variable}` for a plain \
         `cargo test`; `PULLPASS_HERMETIC=1` goes without"
    );
    eprintln!("\n*** JUDGE MISSING: `{name}`. This test has proved nothing. ***\n");
    None
}
