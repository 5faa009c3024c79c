//! `test`: the judges first, then the binaries that the tests start, then every test.

use crate::Result;
use crate::flags;
use crate::judges::{Judges, Wanted};
use crate::workspace::Workspace;

/// Runs every test of the workspace, doc tests included.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Test) -> Result {
    let judges = Judges::prepare(workspace, Wanted::new(flags.hermetic, flags.all)?);
    judges.require()?;

    // Before the tests, which start them from `PULLPASS_BIN_DIR`. The same packages as in
    // `cargo test`, so that nothing is compiled with a second set of features.
    workspace.cargo().args(["build", "--workspace", "--bins"]).run()?;

    let mut cargo = workspace
        .cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .env("PULLPASS_BIN_DIR", workspace.dev_binaries());
    for (variable, value) in judges.environment() {
        cargo = match value {
            Some(value) => cargo.env(variable, value),
            None => cargo.env_remove(variable),
        };
    }
    if let Some(filter) = &flags.filter {
        cargo = cargo.args(["--", filter.as_str()]);
    }
    let tested = cargo.run();
    for line in judges.not_run() {
        eprintln!("NOT RUN: {line}");
    }
    Ok(tested?)
}
