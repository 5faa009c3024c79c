//! Which feature gates a kubelet knows, and which it does not let be changed.

use std::path::Path;

use pullpass_kubelet::{FeatureGates, FindingCode, Target, startup};
use serde_json::json;

use crate::bench::Bench;

/// The gates of all versions.
const TABLE: &str = include_str!("../../../kubelet/src/version/feature_gates.txt");

/// Gates that the kubelet's own command adds, which the oracle does not run.
const OF_THE_COMMAND: [&str; 3] =
    ["ContextualLogging", "LoggingAlphaOptions", "LoggingBetaOptions"];

/// Sets every gate of the table, and one that there is not, on and off.
pub(crate) fn compare_gates(bench: &mut Bench) {
    let names = TABLE.lines().map(|line| line.split(' ').next().unwrap());
    let mut differences = Vec::new();
    for name in names.chain(["NoSuchGate", "AllAlpha", "AllBeta"]) {
        if OF_THE_COMMAND.contains(&name) {
            continue;
        }
        for on in [true, false] {
            let question = json!({
                "op": "register", "config": "", "bin_dir": "/", "feature_gates": {name: on},
            });
            let answer = bench.judge.ask(&question);
            let message = answer["message"].as_str().unwrap();
            let theirs = ["unrecognized", "locked to"].iter().any(|word| message.contains(word));
            let mut gates = FeatureGates::default();
            gates.set(name, on);
            let target = Target { version: bench.version, gates };
            let error = startup(Path::new(""), None, &target).error.unwrap();
            let ours = error.findings[0].code == FindingCode::FeatureGate;
            // That a gate needs another one is not looked at.
            if theirs != ours || ours && message != error.message {
                differences.push(format!("{name}={on}: `{message}`, and we say `{error}`"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
