//! Judges from PyPI, each in its own Python environment.

use std::fs;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::{Fetch, is_current, run_tool};
use crate::Result;
use crate::workspace::{Workspace, on_path};

/// The oldest Python that what is pinned runs on, as Python writes it.
const OLDEST_PYTHON: &str = "3, 10";

/// What is made: an environment from a file of pins, which is
/// `xtask/src/judges/<name>-requirements.txt`.
struct Environment {
    /// The judge's name, and its folder's.
    name: &'static str,
    /// The program in `bin` that tests start.
    program: &'static str,
    /// The arguments with which `program` is tried, to see whether it runs.
    probe: &'static [&'static str],
}

/// The program `moto_server`. Not one on `PATH`: what it checks differs from version to version.
pub(super) fn moto(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    Environment { name: "moto", program: "moto_server", probe: &["--help"] }
        .install(workspace, fetch)
}

/// A Python that has `idpyoidc`, a library; the server made of it is a file of the tests.
pub(super) fn idpyoidc(workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
    let probe = &["-c", "import idpyoidc.server"];
    Environment { name: "idpyoidc", program: "python", probe }.install(workspace, fetch)
}

impl Environment {
    fn install(&self, workspace: &Workspace, fetch: Fetch) -> Result<PathBuf> {
        let requirements = format!("xtask/src/judges/{}-requirements.txt", self.name);
        let requirements = workspace.root.join(requirements);
        let pins = fs::read_to_string(&requirements)
            .map_err(|error| format!("cannot read {}: {error}", requirements.display()))?;
        let folder = workspace.target.join("judges").join(self.name);
        let program = folder.join("bin").join(self.program);
        let stamp = folder.join("made-from.txt");
        if is_current(&stamp, &pins) && self.starts(&program)? {
            return Ok(program);
        }
        if fetch == Fetch::Never {
            return Err("not made yet, or not from these pins, and fetching was not allowed".into());
        }

        eprintln!("making a Python environment with {} in {}", self.name, folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        create(&folder, &requirements)?;
        if !self.starts(&program)? {
            return Err(format!("{} does not start", program.display()).into());
        }
        // Last: if it is there, the rest is.
        fs::write(&stamp, pins)?;
        Ok(program)
    }

    /// Whether it runs. It does not if its Python is gone or newer, or if the checkout has moved.
    fn starts(&self, program: &Path) -> Result<bool> {
        let (shell, probe) = (Shell::new()?, self.probe);
        let probe = cmd!(shell, "{program} {probe...}").quiet().ignore_stdout().ignore_stderr();
        Ok(probe.run().is_ok())
    }
}

fn create(folder: &Path, requirements: &Path) -> Result {
    let shell = Shell::new()?;
    let python = on_path("python3").ok_or(
        "it needs Python 3.10 or newer with `venv` and `pip`, and there is no `python3` on PATH",
    )?;
    let is_new = format!("import sys; sys.exit(sys.version_info < ({OLDEST_PYTHON}))");
    if cmd!(shell, "{python} -c {is_new}").quiet().run().is_err() {
        return Err(format!("it needs Python 3.10 or newer, not {}", python.display()).into());
    }
    run_tool(cmd!(shell, "{python} -m venv {folder}"))?;
    // Pip's own configuration chooses the index.
    let python = folder.join("bin/python");
    let quiet = ["--quiet", "--disable-pip-version-check"];
    let install = ["install", "--no-deps", "--requirement"];
    run_tool(cmd!(shell, "{python} -m pip {quiet...} {install...} {requirements}"))?;
    // Fails unless the pins are the whole set.
    run_tool(cmd!(shell, "{python} -m pip {quiet...} check"))?;
    // It is no longer needed, and takes a seventh of the space.
    run_tool(cmd!(shell, "{python} -m pip {quiet...} uninstall --yes pip"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_package_is_pinned_to_one_version() {
        let judges = [
            (include_str!("moto-requirements.txt"), "moto==5."),
            (include_str!("idpyoidc-requirements.txt"), "idpyoidc==5."),
        ];
        for (pins, judge) in judges {
            let packages = pins.lines().filter(|line| !line.starts_with('#'));
            for line in packages.clone() {
                assert!(line.contains("==") && !line.contains("://"), "{line}");
            }
            assert!(packages.clone().any(|line| line.starts_with(judge)));
        }
    }
}
