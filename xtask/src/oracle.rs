//! `oracle`: compares the kubelet's own code with ours, on many generated cases.

use crate::judges::{Fetch, oracle};
use crate::workspace::Workspace;
use crate::{Result, flags};

const DEFAULT_CASES: &str = "5000";

/// Builds what is missing of the kubelet's code, asks both, and prints a summary per minor.
pub(crate) fn run(workspace: &Workspace, flags: &flags::Oracle) -> Result {
    let minors = choose_minors(&oracle::pinned_minors(workspace)?, flags)?;
    for minor in &minors {
        oracle::program(workspace, minor, Fetch::WhenMissing)?;
    }
    let mut cargo = workspace
        .cargo()
        // With the features of a whole build, so that nothing is compiled twice.
        .args(["test", "--quiet", "--workspace", "--test", "oracle", "--", "--nocapture"])
        .env("PULLPASS_ORACLE_DIR", oracle::program_folder(workspace))
        .env("PULLPASS_ORACLE_MINORS", minors.join(","))
        .env("PULLPASS_ORACLE_CASES", flags.cases.as_deref().unwrap_or(DEFAULT_CASES));
    if let Some(count) = flags.mutations {
        cargo = cargo.env("PULLPASS_ORACLE_MUTATIONS", count.to_string());
    }
    Ok(cargo.run()?)
}

/// The minors that the command line asks for.
fn choose_minors(pinned: &[String], flags: &flags::Oracle) -> Result<Vec<String>> {
    if flags.all && !flags.minor.is_empty() {
        return Err("`--all` cannot be combined with `--minor`".into());
    }
    if flags.all {
        return Ok(pinned.to_vec());
    }
    if flags.minor.is_empty() {
        return Ok(oracle::TESTED_MINORS.map(str::to_owned).to_vec());
    }
    if let Some(unknown) = flags.minor.iter().find(|minor| !pinned.contains(minor)) {
        let pinned = pinned.join(", ");
        return Err(format!("the kubelet of `{unknown}` is not pinned, only {pinned}").into());
    }
    Ok(flags.minor.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(all: bool, minors: &[&str]) -> Result<Vec<String>> {
        let minor = minors.iter().map(|minor| (*minor).to_owned()).collect();
        let flags = flags::Oracle { all, minor, cases: None, mutations: None };
        choose_minors(&["1.30", "1.33", "1.34", "1.37"].map(str::to_owned), &flags)
    }

    #[test]
    fn all_minors_are_asked_only_on_request() {
        assert_eq!(choose(false, &[]).unwrap(), oracle::TESTED_MINORS);
        assert_eq!(choose(true, &[]).unwrap(), ["1.30", "1.33", "1.34", "1.37"]);
        assert_eq!(choose(false, &["1.30"]).unwrap(), ["1.30"]);
    }

    #[test]
    fn a_minor_that_is_not_pinned_is_refused() {
        let error = choose(false, &["1.30", "1.29"]).unwrap_err().to_string();
        assert_eq!(error, "the kubelet of `1.29` is not pinned, only 1.30, 1.33, 1.34, 1.37");
        assert!(choose(true, &["1.30"]).is_err());
    }
}
