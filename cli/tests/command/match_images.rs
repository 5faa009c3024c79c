//! `pullpass match`: the shared vectors, reasons, exit codes.

use serde_json::{Value, json};

use crate::{Node, entry, pullpass, vectors};

#[test]
fn every_vector_of_patterns_holds() {
    for row in vectors("match_images.json") {
        let text = |field: &str| row[field].as_str().expect("a text").to_owned();
        let pattern = format!("--pattern={}", text("pattern"));
        let image = text("image");
        let ran = pullpass(["match", "--raw", "--format", "json", &pattern, "--", &image]);
        let found = ran.json();
        assert_eq!(found[0]["lookup"], image, "{row}");
        assert_eq!(found[0]["matched"], row["match"], "{row} {ran:?}");
        let one = &found[0]["patterns"][0];
        assert_eq!(one["matched"], row["match"], "{row}");
        assert_eq!(one["error"], row["error"], "{row}");
        assert_eq!(one["provider"], Value::Null);
        let broken = row["error"].is_string() || found[0]["error"].is_string();
        let hit = row["match"] == true;
        let expected = if broken { 2 } else { i32::from(!hit) };
        assert_eq!(ran.code, Some(expected), "{row}");
        assert_eq!(one["reason"].is_null(), hit || row["error"].is_string(), "{row}");
    }
}

#[test]
fn every_vector_of_images_holds() {
    for row in vectors("image_lookup.json") {
        let image = row["pod_image"].as_str().expect("a text");
        let ran = pullpass(["match", "--format", "json", "--pattern=x.example", "--", image]);
        let found = ran.json();
        assert_eq!(found[0]["lookup"], row["lookup"], "{row}");
        let code = if row["lookup"].is_null() { 2 } else { 1 };
        assert_eq!(ran.code, Some(code), "{row}");
        assert_eq!(found[0]["error"].is_string(), row["lookup"].is_null(), "{row}");
    }
}

#[test]
fn a_configuration_names_its_providers() {
    let node = Node::new();
    let config = node.config(&format!(
        "{}{}",
        entry("one", ""),
        entry("two", "").replace("registry.example", "'*.example/app', r.example/app:1")
    ));
    let args =
        ["match", "registry.example/app:1", "r.example/app", "--config", &config, "--format=json"];
    let ran = pullpass(args);
    assert_eq!(ran.code, Some(0));
    let found = ran.json();
    let summary: Vec<Value> = found[1]["patterns"]
        .as_array()
        .expect("patterns")
        .iter()
        .map(|one| json!([one["provider"], one["pattern"], one["matched"], one["hint"]]))
        .collect();
    assert_eq!(
        summary,
        [
            json!(["one", "registry.example", false, null]),
            json!(["two", "*.example/app", true, null]),
            json!(["two", "r.example/app:1", false, "write `r.example/app`"]),
        ]
    );
    assert_eq!(found[0]["lookup"], "registry.example/app");
}

#[test]
fn exit_codes() {
    let code = |args: &[&str]| pullpass(args.iter().copied()).code;
    assert_eq!(code(&["match", "a.io/x", "b.io/x", "--pattern", "c.io", "b.io"]), Some(0));
    assert_eq!(code(&["match", "a.io/x", "--pattern", "b.io"]), Some(1));
    assert_eq!(code(&["match", "a.io/x", "--pattern", "a.io", "%"]), Some(2));
    assert_eq!(code(&["match", "A", "--pattern", "a.io"]), Some(2));
    assert_eq!(code(&["match", "a.io/x"]), Some(2));
    assert_eq!(code(&["match", "a.io/x", "--config", "no-such-file"]), Some(2));
    assert_eq!(code(&["match", "a.io/x", "--config", "f", "--pattern", "a"]), Some(2));
}

#[test]
fn a_broken_pattern_is_told_in_go_s_words() {
    let ran = pullpass(["match", "a.io/x", "--pattern", "%invalid%"]);
    assert_eq!(ran.code, Some(2));
    let words = r#"parse "https://%invalid%": invalid URL escape "%in""#;
    assert!(ran.stderr.starts_with("error: ") && ran.stderr.contains(words), "{ran:?}");
    assert!(ran.stderr.contains("\nhint: "), "{ran:?}");
    let ran = pullpass(["match", "a.io/x", "--pattern", "a.io:*"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("no `*` covers one: write each, such as "), "{ran:?}");
}

#[test]
fn an_image_with_a_bad_name_gets_a_cure() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    node.script("p", "true");
    for (image, cure) in [
        ("https://a.io/x", "hint: write `a.io/x`: an image's name has no scheme"),
        ("a.io/Team/x", "hint: correct the name, such as `registry.example/team/app:v1`"),
    ] {
        let ran = pullpass(["match", image, "--config", &config]);
        assert!(ran.code == Some(2) && ran.stderr.contains(cure), "{ran:?}");
        let ran = pullpass(["lookup", image, "--config", &config, "--bin-dir", &node.text("bin")]);
        assert!(ran.code == Some(2) && ran.stderr.contains(cure), "{ran:?}");
    }
}

/// 1.36 was the first that was written for Go 1.26, where a host has one colon.
#[test]
fn patterns_are_judged_for_the_version_that_is_named() {
    let node = Node::new();
    let config = node.config(&entry("p", "").replace("registry.example", "'registry.io:80:80'"));
    for (version, code) in [("1.33", 1), ("1.34", 1), ("1.35", 1), ("1.36", 2), ("1.37", 2)] {
        let version = format!("--kubelet-version={version}");
        let pattern = ["match", "a.io/x", &version, "--pattern", "registry.io:80:80"];
        assert_eq!(pullpass(pattern).code, Some(code), "{version}");
        let file = ["match", "a.io/x", &version, "--config", &config];
        assert_eq!(pullpass(file).code, Some(code), "{version}");
    }
}

/// Escapes that are not UTF-8 are longer as a text than as bytes.
#[test]
fn escapes_that_are_not_utf_8_are_only_a_miss() {
    let node = Node::new();
    for pattern in ["r.io/:%e8%e8%e8", "r.io/@%ff%ff", "r.io/a:%ff/@%ff"] {
        let ran = pullpass(["match", "r.io/a", "--pattern", pattern]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let config =
            node.config(&entry("p", "").replace("registry.example", &format!("'{pattern}'")));
        let ran = pullpass(["match", "r.io/a", "--config", &config]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        node.script("p", "true");
        let ran =
            pullpass(["lookup", "r.io/a", "--config", &config, "--bin-dir", &node.text("bin")]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
}
