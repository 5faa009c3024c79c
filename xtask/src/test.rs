//! `test`: the judges first, then the binaries that the tests start, then every test.

use crate::Result;
use crate::flags;
use crate::judges::{self, Fetch, Judge};
use crate::workspace::Workspace;

/// Runs every test of the workspace, doc tests included.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Test) -> Result {
    let fetch = if flags.hermetic { Fetch::Never } else { Fetch::WhenMissing };
    let judges = judges::prepare(workspace, fetch);
    let missing: Vec<&Judge> = judges.iter().filter(|judge| judge.program.is_err()).collect();
    if !missing.is_empty() {
        let allowed = flags.hermetic || missing.iter().all(|judge| judge.optional);
        report(&missing, allowed);
        if !allowed {
            return Err("a judge is missing, so the tests would prove less than they claim".into());
        }
    }

    // Before the tests, which start them from `PULLPASS_BIN_DIR`. The same packages as in
    // `cargo test`, so that nothing is compiled with a second set of features.
    workspace.cargo().args(["build", "--workspace", "--bins"]).run()?;

    let mut cargo = workspace
        .cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .env("PULLPASS_BIN_DIR", workspace.dev_binaries());
    for judge in &judges {
        cargo = match &judge.program {
            Ok(program) => cargo.env(judge.variable, program),
            // Not even one that the caller's environment names: what was printed must be true.
            Err(_) if judge.optional => cargo.env(judge.variable, "missing"),
            Err(_) => cargo.env_remove(judge.variable),
        };
    }
    cargo = if flags.hermetic {
        cargo.env("PULLPASS_HERMETIC", "1")
    } else {
        cargo.env_remove("PULLPASS_HERMETIC")
    };
    if let Some(filter) = &flags.filter {
        cargo = cargo.args(["--", filter.as_str()]);
    }
    Ok(cargo.run()?)
}

fn report(missing: &[&Judge], allowed: bool) {
    let word = if allowed { "warning" } else { "error" };
    for judge in missing {
        if let Err(reason) = &judge.program {
            eprintln!("{word}: judge `{}` is missing: {reason}", judge.name);
        }
    }
    if allowed {
        eprintln!("warning: {} JUDGE(S) MISSING, their tests prove nothing", missing.len());
    } else {
        eprintln!("hint: `cargo xtask test --hermetic` runs without what is missing");
    }
}
