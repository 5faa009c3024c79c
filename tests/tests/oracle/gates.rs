//! Which feature gates a kubelet knows, and which it does not let be changed.

use std::path::Path;

use pullpass_kubelet::{FeatureGates, FindingCode, Target, startup};
use serde_json::{Map, Value, json};

use crate::bench::Bench;

/// The gates of all versions.
const TABLE: &str = include_str!("../../../kubelet/src/version/feature_gates.txt");

/// Gates that the kubelet's own command adds, which the oracle does not run.
const OF_THE_COMMAND: [&str; 3] =
    ["ContextualLogging", "LoggingAlphaOptions", "LoggingBetaOptions"];

/// The gates that need another one, or are needed.
const NEEDS: &str = include_str!("../../../kubelet/src/version/gate_needs.txt");

/// Sets every gate of the table, and one that there is not, on and off; then each gate that needs
/// another one on, with that one off.
pub(crate) fn compare_gates(bench: &mut Bench) {
    let first_word = |line: &'static str| line.split(' ').next().unwrap();
    let names = TABLE.lines().map(first_word).filter(|name| !OF_THE_COMMAND.contains(name));
    let names = names.chain(["NoSuchGate", "AllAlpha", "AllBeta"]);
    let single = names.flat_map(|name| [vec![(name, true)], vec![(name, false)]]);
    let pairs = NEEDS.lines().flat_map(|line| {
        let needs = line.split(' ').skip(4).map(|need| need.split('@').next().unwrap());
        needs.map(move |need| vec![(first_word(line), true), (need, false)])
    });
    let differences: Vec<String> =
        single.chain(pairs).filter_map(|gates| find_difference(bench, &gates)).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn find_difference(bench: &mut Bench, set: &[(&'static str, bool)]) -> Option<String> {
    let feature_gates: Map<String, Value> =
        set.iter().map(|(name, on)| ((*name).to_owned(), Value::from(*on))).collect();
    let question =
        json!({"op": "register", "config": "", "bin_dir": "/", "feature_gates": feature_gates});
    let answer = bench.judge.ask(&question);
    let message = answer["message"].as_str().unwrap();
    let words = ["unrecognized", "locked to", "depends on features"];
    let theirs = words.iter().any(|word| message.contains(word));
    let mut gates = FeatureGates::default();
    for (name, on) in set {
        gates.set(*name, *on);
    }
    let target = Target { version: bench.version, gates };
    let error = startup(Path::new(""), None, &target).error.unwrap();
    let ours = error.findings[0].code == FindingCode::FeatureGate;
    // Of several faults the order is random; at a gate that it does not know it stops, and 1.30
    // stops at any.
    let (mut rest, mut unsaid) = (message.to_owned(), 0);
    // The longest first: one name may begin another.
    let mut faults: Vec<&String> = error.findings.iter().map(|finding| &finding.message).collect();
    faults.sort_by_key(|fault| std::cmp::Reverse(fault.len()));
    for fault in faults {
        unsaid += usize::from(!rest.contains(fault));
        rest = rest.replacen(fault, "", 1);
    }
    let may_stop = bench.version.minor() <= 30 || error.message.contains("unrecognized");
    let is_same = rest.trim_matches(['[', ']', ',', ' ']).is_empty() && (unsaid == 0 || may_stop);
    (theirs != ours || ours && !is_same)
        .then(|| format!("{set:?}: `{message}`, and we say `{error}`"))
}
