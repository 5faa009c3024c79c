//! `demo`: builds the demonstration and hands the terminal to it.

use std::process::{Command, ExitCode};

use crate::Result;
use crate::workspace::Workspace;

/// Runs the demonstration; its exit code is ours.
pub(crate) fn run(workspace: &Workspace) -> Result<ExitCode> {
    let packages = ["-p", "oidc-credential-provider", "-p", "pullpass-tests"];
    let binaries = ["--bin", "oidc-credential-provider", "--bin", "demo"];
    workspace.cargo().arg("build").args(packages).args(binaries).run()?;

    let folder = workspace.dev_binaries();
    let demo = folder.join("demo");
    let status = Command::new(&demo)
        .arg(&folder)
        .current_dir(&workspace.root)
        .status()
        .map_err(|error| format!("cannot run {}: {error}", demo.display()))?;
    match status.code() {
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(1))),
        None => Err(format!("the demonstration was stopped: {status}").into()),
    }
}
