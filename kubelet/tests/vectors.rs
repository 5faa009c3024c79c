//! The shared vectors: every row must hold.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and counts what it did"
)]

use std::collections::BTreeMap;
use std::path::Path;

use pullpass_kubelet::KubeletVersion;
use pullpass_kubelet::exec::{AuthConfig, AuthConfigs};
use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::keyring::Keyring;
use pullpass_kubelet::pattern::Pattern;
use serde_json::Value;

fn rows(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = std::fs::read_to_string(path).expect("a vector file");
    let rows: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    assert!(!rows.is_empty());
    println!("{name}: {} rows", rows.len());
    rows
}

fn text<'a>(row: &'a Value, field: &str) -> &'a str {
    row[field].as_str().unwrap_or_else(|| panic!("{field} in {row}"))
}

#[test]
fn match_images() {
    for row in rows("match_images.json") {
        let pattern = Pattern::parse(text(&row, "pattern"), KubeletVersion::NEWEST);
        let matched = pattern.as_ref().is_ok_and(|pattern| pattern.matches(text(&row, "image")));
        assert_eq!(matched, row["match"], "{row}");
        assert_eq!(
            pattern.err().map(|error| error.to_string()).as_deref(),
            row["error"].as_str(),
            "{row}"
        );
    }
}

#[test]
fn image_lookup() {
    for row in rows("image_lookup.json") {
        let found = lookup_name(text(&row, "pod_image"));
        assert_eq!(found.as_deref().ok(), row["lookup"].as_str(), "{row}");
        if let (Err(error), Some(words)) =
            (found, text(&row, "note").strip_prefix("upstream: ").map(|words| words.trim()))
        {
            // The notes quote the reference library's words.
            assert!(
                error.to_string().contains(words.trim_start_matches("must ")),
                "{row}: {error}"
            );
        }
    }
}

#[test]
fn auth_lookup() {
    for row in rows("auth_lookup.json") {
        // Entries of one provider come one after another: each run of them is an answer.
        let mut answers: BTreeMap<u64, AuthConfigs> = BTreeMap::new();
        for entry in row["auth"].as_array().expect("auth") {
            let login =
                AuthConfig { username: text(entry, "user").into(), password: "secret".into() };
            let provider = entry["provider"].as_u64().expect("a number");
            answers.entry(provider).or_default().insert(text(entry, "key").into(), login);
        }
        let mut keyring = Keyring::new(KubeletVersion::NEWEST);
        for (provider, auth) in &answers {
            keyring.add(&provider.to_string(), auth);
        }
        let users: Vec<String> =
            keyring.lookup(text(&row, "image")).into_iter().map(|found| found.username).collect();
        let expected: Vec<&str> =
            row["users"].as_array().expect("users").iter().filter_map(Value::as_str).collect();
        assert_eq!(users, expected, "{row}");
    }
}
