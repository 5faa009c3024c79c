//! moto, a fake of AWS by other hands, in a Python environment of its own.

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::{Fetch, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The oldest Python that what is pinned runs on, as Python writes it.
const OLDEST_PYTHON: &str = "3, 10";

/// The program `moto_server`. Not one on `PATH`: what it checks differs from version to version.
pub(super) fn server(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let requirements = workspace.root.join("xtask/src/judges/moto-requirements.txt");
    let pins = fs::read_to_string(&requirements)
        .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
    let folder = workspace.target.join("judges/moto");
    let server = folder.join("bin/moto_server");
    let stamp = folder.join("made-from.txt");
    if is_current(&stamp, &pins) && starts(&server)? {
        return Ok(server);
    }
    if fetch == Fetch::Never {
        return Err("not made yet, or not from these pins, and fetching was not allowed".into());
    }

    eprintln!("making a Python environment with moto in {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    make(&folder, &requirements)?;
    if !starts(&server)? {
        return Err(format!("{} does not start", server.display()).into());
    }
    // Last: if it is there, the rest is.
    fs::write(&stamp, pins)?;
    Ok(server)
}

/// Was the environment finished, and from these pins?
fn is_current(stamp: &Path, pins: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|made_from| made_from == pins)
}

/// Does it run? Not if its Python is gone or newer, or if the checkout has moved.
fn starts(server: &Path) -> Result<bool> {
    let shell = Shell::new()?;
    let help = cmd!(shell, "{server} --help").quiet().ignore_stdout().ignore_stderr();
    Ok(help.run().is_ok())
}

fn make(folder: &Path, requirements: &Path) -> Result {
    let shell = Shell::new()?;
    let python = on_path("python3").ok_or(
        "it needs Python 3.10 or newer with `venv` and `pip`, and there is no `python3` on PATH",
    )?;
    let is_new = format!("import sys; sys.exit(sys.version_info < ({OLDEST_PYTHON}))");
    if cmd!(shell, "{python} -c {is_new}").quiet().run().is_err() {
        return Err(format!("it needs Python 3.10 or newer, not {}", python.display()).into());
    }
    run_tool(cmd!(shell, "{python} -m venv {folder}"))?;
    // Which index is asked is for pip's own configuration to say.
    let python = folder.join("bin/python");
    let quiet = ["--quiet", "--disable-pip-version-check"];
    let install = ["install", "--no-deps", "--requirement"];
    run_tool(cmd!(shell, "{python} -m pip {quiet...} {install...} {requirements}"))?;
    // Are the pins the whole set?
    run_tool(cmd!(shell, "{python} -m pip {quiet...} check"))?;
    // It is not needed any more, and a seventh of the size.
    run_tool(cmd!(shell, "{python} -m pip {quiet...} uninstall --yes pip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_of_other_pins_is_not_current() {
        let stamp = std::env::temp_dir().join(format!("pullpass-moto-{}", std::process::id()));
        let unfinished = is_current(&stamp, "moto==1\n");
        fs::write(&stamp, "moto==1\n").unwrap();
        let same = is_current(&stamp, "moto==1\n");
        let other = is_current(&stamp, "moto==2\n");
        fs::remove_file(&stamp).unwrap();
        assert_eq!((unfinished, same, other), (false, true, false));
    }

    #[test]
    fn every_package_is_pinned_to_one_version() {
        let pins = include_str!("moto-requirements.txt");
        let packages = pins.lines().filter(|line| !line.starts_with('#'));
        for line in packages.clone() {
            assert!(line.contains("==") && !line.contains("://"), "{line}");
        }
        assert!(packages.clone().any(|line| line.starts_with("moto==5.")));
    }
}
