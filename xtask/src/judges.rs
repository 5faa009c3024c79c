//! Programs that we did not write and that judge what our plugins print.
//!
//! Each judge is one function from the workspace to the path of a program, or of a folder of
//! them. It is looked for on `PATH`, then in `target/`, and fetched or built there at last, so a
//! second run fetches nothing. A test finds its judge by the environment variable beside it.

mod debian;
pub(crate) mod oracle;

use std::path::PathBuf;

use crate::workspace::{Workspace, on_path};

/// May a judge be fetched?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// Yes, if it is not here.
    WhenMissing,
    /// No: the caller asked for a run without network.
    Never,
}

/// One judge: where it is, or why it is not here.
pub(crate) struct Judge {
    /// The program's name.
    pub(crate) name: &'static str,
    /// The environment variable by which the tests find it.
    pub(crate) variable: &'static str,
    /// The program's path, or the reason why there is none.
    pub(crate) program: Result<PathBuf, String>,
    /// May it be missing where it cannot be had? It is said loudly all the same.
    pub(crate) optional: bool,
}

/// Finds or fetches every judge.
pub(crate) fn prepare(workspace: &Workspace, fetch: Fetch) -> Vec<Judge> {
    let find = |name, variable, judge: fn(&Workspace, Fetch) -> crate::Result<PathBuf>| Judge {
        name,
        variable,
        program: judge(workspace, fetch).map_err(|error| error.to_string()),
        optional: false,
    };
    let oracle = find("kubelet-oracle", "PULLPASS_ORACLE_DIR", oracle::folder);
    vec![
        find("docker-registry", "PULLPASS_JUDGE_DOCKER_REGISTRY", docker_registry),
        find("skopeo", "PULLPASS_JUDGE_SKOPEO", skopeo),
        // A compiler for another language is more than a test run may ask for.
        Judge { optional: on_path("go").is_none(), ..oracle },
    ]
}

/// The registry of the Distribution project, with token authentication.
fn docker_registry(workspace: &Workspace, fetch: Fetch) -> crate::Result<PathBuf> {
    match on_path("docker-registry") {
        Some(program) => Ok(program),
        None => debian::program(workspace, "docker-registry", fetch),
    }
}

/// A client that pulls with the login it is given.
fn skopeo(workspace: &Workspace, fetch: Fetch) -> crate::Result<PathBuf> {
    match on_path("skopeo") {
        Some(program) => Ok(program),
        None => debian::program(workspace, "skopeo", fetch),
    }
}
