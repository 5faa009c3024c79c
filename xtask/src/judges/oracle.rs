//! The kubelet's own code as a judge, one program per Kubernetes minor, built from pinned sources.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Instant, SystemTime};

use xshell::cmd;

use super::{Fetch, Wanted, run_tool};
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
    if !is_current(&program, &[&sources, &sources.join("pins").join(minor)])? {
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

/// Whether the program is there and no file of these folders is newer.
fn is_current(program: &Path, folders: &[&Path]) -> Result<bool> {
    let Ok(built) = fs::metadata(program).and_then(|metadata| metadata.modified()) else {
        return Ok(false);
    };
    let mut newest = SystemTime::UNIX_EPOCH;
    for folder in folders {
        for entry in fs::read_dir(folder)? {
            let metadata = entry?.metadata()?;
            if metadata.is_file() {
                newest = newest.max(metadata.modified()?);
            }
        }
    }
    Ok(newest <= built)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_program_older_than_its_source_is_not_current() {
        let folder = env::temp_dir().join(format!("pullpass-oracle-{}", std::process::id()));
        fs::create_dir_all(folder.join("source")).unwrap();
        let (program, source) = (folder.join("1.34"), folder.join("source/main.go"));
        File::create(&source).unwrap();
        let check = || is_current(&program, &[&folder.join("source")]).unwrap();
        let without = check();
        let file = File::create(&program).unwrap();
        let now = SystemTime::now();
        file.set_modified(now + Duration::from_secs(1)).unwrap();
        let newer = check();
        file.set_modified(now - Duration::from_secs(60)).unwrap();
        let older = check();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((without, newer, older), (false, true, false));
    }
}
