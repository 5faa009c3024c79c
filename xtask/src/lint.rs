//! `lint`: format, clippy, rustdoc, dependencies, and the rules of this tree.

use std::time::Instant;

use xshell::cmd;

use crate::workspace::{Workspace, on_path};
use crate::{Result, tidy};

/// A check: its name, and the function that runs it.
type Check = (&'static str, fn(&Workspace) -> Result);

const CHECKS: [Check; 5] =
    [("tidy", tidy::run), ("fmt", fmt), ("clippy", clippy), ("doc", doc), ("deny", deny)];

/// Runs every check, also after one failed, and sums up at the end.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut failed = Vec::new();
    let mut summary = String::from("lint:");
    for (name, check) in CHECKS {
        eprintln!("lint: {name}");
        let start = Instant::now();
        let outcome = check(workspace);
        let seconds = start.elapsed().as_secs_f32();
        let word = if outcome.is_ok() { "passed" } else { "FAILED" };
        summary += &format!("\n  {name:<8}{word} in {seconds:>6.1} s");
        if let Err(error) = outcome {
            eprintln!("error: {error}");
            failed.push(name);
        }
    }
    eprintln!("{summary}");
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("lint failed: {}", failed.join(", ")).into())
}

fn fmt(workspace: &Workspace) -> Result {
    workspace.cargo().args(["fmt", "--all", "--check"]).run()?;
    // Not in the workspace.
    Ok(workspace.cargo().args(["fmt", "--check", "--manifest-path", "fuzz/Cargo.toml"]).run()?)
}

fn clippy(workspace: &Workspace) -> Result {
    let clippy = workspace.cargo().args(["clippy", "--workspace", "--all-targets"]);
    Ok(clippy.args(["--", "-D", "warnings"]).run()?)
}

fn doc(workspace: &Workspace) -> Result {
    let doc = workspace.cargo().args(["doc", "--workspace", "--no-deps"]);
    Ok(doc.env("RUSTDOCFLAGS", "-D warnings").run()?)
}

/// Bans, licenses, sources and advisories, by `deny.toml`. Its bans of second TLS stacks are in
/// `tidy` too, which needs nothing installed.
fn deny(workspace: &Workspace) -> Result {
    if on_path("cargo-deny").is_none() {
        return Err("`cargo-deny` is not installed, so `deny.toml` cannot be checked\n\
             hint: `cargo install --locked cargo-deny`"
            .into());
    }
    let shell = &workspace.shell;
    cmd!(shell, "cargo-deny --workspace check bans licenses sources").quiet().run()?;
    // Apart from the rest: the advisories are a Git repository on github.com, and a machine that
    // reaches the package registries may not reach that.
    if cmd!(shell, "cargo-deny fetch db").quiet().run().is_err() {
        eprintln!("warning: ADVISORIES NOT CHECKED: their database cannot be fetched");
        eprintln!("hint: run `cargo deny check advisories` where github.com can be reached");
        return Ok(());
    }
    Ok(cmd!(shell, "cargo-deny --workspace check advisories").quiet().run()?)
}
