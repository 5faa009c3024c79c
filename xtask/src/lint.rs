//! `lint`: format, clippy, rustdoc, dependencies, and the rules of this tree.

use xshell::cmd;

use crate::workspace::{Workspace, on_path};
use crate::{Result, tidy};

/// A check: its name, and the function that runs it.
type Check = (&'static str, fn(&Workspace) -> Result);

const CHECKS: [Check; 5] =
    [("tidy", tidy::run), ("fmt", fmt), ("clippy", clippy), ("doc", doc), ("deny", deny)];

/// Runs every check, also after one failed, and names those that failed at the end.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        eprintln!("lint: {name}");
        if let Err(error) = check(workspace) {
            eprintln!("error: {error}");
            failed.push(name);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("lint failed: {}", failed.join(", ")).into())
}

fn fmt(workspace: &Workspace) -> Result {
    Ok(workspace.cargo().args(["fmt", "--all", "--check"]).run()?)
}

fn clippy(workspace: &Workspace) -> Result {
    let clippy = workspace.cargo().args(["clippy", "--workspace", "--all-targets"]);
    Ok(clippy.args(["--", "-D", "warnings"]).run()?)
}

fn doc(workspace: &Workspace) -> Result {
    let doc = workspace.cargo().args(["doc", "--workspace", "--no-deps"]);
    Ok(doc.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Licenses, bans, sources and advisories, by `deny.toml`. Its bans of second TLS stacks are in
/// `tidy` too, which needs nothing installed.
fn deny(workspace: &Workspace) -> Result {
    if on_path("cargo-deny").is_none() {
        eprintln!("warning: `cargo-deny` is not installed, so `deny.toml` was not checked");
        eprintln!("hint: `cargo install --locked cargo-deny`");
        return Ok(());
    }
    Ok(cmd!(workspace.shell, "cargo-deny --workspace check").quiet().run()?)
}
