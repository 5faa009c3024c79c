//! `oracle`: the kubelet's own code and ours, on many generated cases.

use crate::judges::{Fetch, oracle};
use crate::workspace::Workspace;
use crate::{Result, flags};

const DEFAULT_CASES: &str = "5000";

/// Builds what is missing of the kubelet's code, asks both, and prints a summary per minor.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Oracle) -> Result {
    let pinned = oracle::minors(workspace)?;
    let minors = if flags.minor.is_empty() { &pinned } else { &flags.minor };
    for minor in minors {
        if !pinned.contains(minor) {
            return Err(format!(
                "the kubelet of `{minor}` is not pinned, only {}",
                pinned.join(", ")
            )
            .into());
        }
        oracle::program(workspace, minor, Fetch::WhenMissing)?;
    }
    workspace
        .cargo()
        // The features of a whole build, so that nothing is compiled a second time.
        .args(["test", "--quiet", "--workspace", "--test", "oracle", "--", "--nocapture"])
        .env("PULLPASS_ORACLE_DIR", oracle::place(workspace))
        .env("PULLPASS_ORACLE_MINORS", minors.join(","))
        .env("PULLPASS_ORACLE_CASES", flags.cases.as_deref().unwrap_or(DEFAULT_CASES))
        .run()?;
    Ok(())
}
