//! A kubelet's configuration, in YAML or JSON: the verdict against the kubelet, and all that we say
//! of it.

use std::fs;
use std::os::unix::fs::symlink;

use pullpass_kubelet::{StartupError, Target, lints, startup};
use serde_json::json;

use crate::{files, oracle};

/// What the configurations of the corpus name.
const PROGRAMS: [&str; 2] = ["p0", "p1"];

pub fn run(input: &[u8]) {
    let version = oracle::version(input);
    let target = Target::new(version);
    let path = files::write("config.yaml", input);
    let programs = path.with_file_name("bin");
    if fs::create_dir(&programs).is_ok() {
        for program in PROGRAMS {
            symlink("/bin/true", programs.join(program)).expect("a link");
        }
    }
    let ours = startup(&path, Some(&programs), &target);
    drop(lints::check(ours.providers()));
    let error = ours.error.as_ref();
    error.into_iter().for_each(|error| check_places(error, &target));
    let question = json!({"op": "register", "config": path, "bin_dir": programs});
    let Some(kubelet) = oracle::ask(version, &question) else { return };
    // The kubelet can read its internal version, in Go's field names, and any depth.
    let not_read = ["registered for the internal version", "nested deeper than"];
    if error.is_some_and(|error| not_read.iter().any(|words| error.message.contains(words))) {
        return;
    }
    let accepts = kubelet["verdict"] == "accepted";
    assert_eq!(error.is_none(), accepts, "{version}: {error:?}, the kubelet: {kubelet}");
}

/// Stops at a place that is not in the text, or a finding without a hint.
fn check_places(error: &StartupError, target: &Target) {
    assert!(!error.findings.is_empty());
    for finding in error.findings.iter().chain(&error.further) {
        assert!(!lints::hint(finding, target).is_empty());
        let Some(place) = &finding.location else { continue };
        assert!(place.line() >= 1 && place.column() >= 1);
        if let Some(excerpt) = place.excerpt(100) {
            assert!(excerpt.text.get(excerpt.marked).is_some());
        }
    }
}
