//! The kubelet's own code as a judge, one program per Kubernetes minor, built from pinned sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use xshell::cmd;

use super::{Fetch, Wanted, run_tool, source_is_older};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The minors that `test --all` asks: the first two in which a pod's token reaches a plugin, whose
/// rules differ most, and the newest. `oracle --all` asks every pinned one.
pub(crate) const TESTED_MINORS: [&str; 3] = ["1.33", "1.34", NEWEST];

/// What `test` builds by itself: the others take minutes more, and share most rules with it.
const NEWEST: &str = "1.37";

/// The minors that a run asks; of those that it does not build, the ones that are here.
pub(super) fn minors(workspace: &Workspace, wanted: Wanted) -> Vec<&'static str> {
    let is_here = |minor: &str| program(workspace, minor, Fetch::Never).is_ok();
    let mut minors = TESTED_MINORS.to_vec();
    if wanted == Wanted::Usual {
        minors.retain(|&minor| minor == NEWEST || is_here(minor));
    }
    minors
}

/// The folder with the oracles of these minors, each named after its minor.
pub(super) fn programs(workspace: &Workspace, minors: &[&str], fetch: Fetch) -> Result<PathBuf> {
    for minor in minors {
        program(workspace, minor, fetch)?;
    }
    Ok(program_folder(workspace))
}

/// The oracle of one pinned minor, built if it is missing or older than its source.
pub(crate) fn program(workspace: &Workspace, minor: &str, fetch: Fetch) -> Result<PathBuf> {
    let sources = sources(workspace);
    let program = program_folder(workspace).join(minor);
    if !source_is_older(&program, &[&sources, &sources.join("pins").join(minor)])? {
        if fetch == Fetch::Never {
            return Err(
                format!("the kubelet of {minor} is not built, or older than its source").into()
            );
        }
        build(workspace, &sources, minor, &program)?;
    }
    Ok(program)
}

/// Where the oracles are, built or not.
pub(crate) fn program_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("kubelet-oracle")
}

fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("tests/kubelet-oracle")
}

fn build(workspace: &Workspace, sources: &Path, minor: &str, program: &Path) -> Result {
    if on_path("go").is_none() {
        return Err("it is built by Go 1.26 or newer, and there is no `go` on PATH".into());
    }
    eprintln!("building the kubelet's code of {minor}: some minutes on the first run");
    let start = Instant::now();
    let script = sources.join("build.sh");
    let jobs = env::var("KUBELET_ORACLE_JOBS").unwrap_or_else(|_| {
        thread::available_parallelism().map_or(1, std::num::NonZero::get).to_string()
    });
    let build = cmd!(workspace.shell, "sh {script} {minor} {program}");
    run_tool(build.env("KUBELET_ORACLE_JOBS", jobs))?;
    eprintln!("built the kubelet's code of {minor} in {} s", start.elapsed().as_secs());
    Ok(())
}

/// The Kubernetes minors that are pinned, sorted.
pub(crate) fn pinned_minors(workspace: &Workspace) -> Result<Vec<String>> {
    let mut minors = Vec::new();
    for entry in fs::read_dir(sources(workspace).join("pins"))? {
        minors.push(entry?.file_name().to_string_lossy().into_owned());
    }
    minors.sort();
    Ok(minors)
}
