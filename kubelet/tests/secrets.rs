//! No value of a configuration that may be secret is shown: in no message, in no excerpt, in
//! no `Debug`, whether the file is accepted or not.

#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

use pullpass_kubelet::{Config, KubeletVersion, Target};

const SECRET: &str = "hunter2";

/// A provider with `more` lines, which are indented by two.
fn config(more: &str) -> String {
    format!(
        "kind: CredentialProviderConfig\napiVersion: kubelet.config.k8s.io/v1\nproviders:\n\
         - name: p\n  matchImages: [r.io]\n  defaultCacheDuration: 1h\n  \
         apiVersion: credentialprovider.kubelet.k8s.io/v1\n{more}"
    )
}

/// All that can be shown of what is read from `text`.
fn shown(text: &str, minor: u8) -> String {
    let target = Target::new(KubeletVersion::new(minor).expect("known"));
    match Config::parse("c", text.as_bytes(), &target) {
        Ok(config) => format!("{config:?} {:?}", config.providers[0].env),
        Err(error) => {
            let findings = error.findings.iter().chain(&error.further);
            let places = findings.filter_map(|finding| finding.location.as_ref());
            let excerpts: Vec<String> =
                places.filter_map(|place| place.excerpt(1000)).map(|line| line.text).collect();
            format!("{error} {error:?} {error:#?} {excerpts:?}")
        }
    }
}

#[test]
fn environments_of_any_shape() {
    for (number, more) in [
        "  env:\n  - {name: A, value: hunter2}\n",
        "  env:\n  - {name: A, value: hunter2, x: 1}\n",
        "  env: {PASSWORD: hunter2}\n",
        "  env: [\"PASSWORD=hunter2\"]\n",
        "  env:\n  - AWS_SECRET_ACCESS_KEY: hunter2\n",
        "  env:\n  - {name: A, valeu: hunter2}\n",
        "  env:\n  - {name: \"A=hunter2\", x: 1}\n",
        "  env: hunter2\n",
        "  args: hunter2\n",
        "  args: [a, {b: hunter2}]\n",
        "  args: [a, [hunter2]]\n",
        "  tokenAttributes: {password: hunter2}\n",
        "  tokenAttributes: hunter2\n",
        "  password: hunter2\n",
        "  x: 1 # hunter2\n",
        "  x: [1, \"hunter2\n    hunter2\"]\n",
        "  x: |\n    hunter2\n  y: 1\n",
        "  x: hunter2\n  x: 1\n",
        "  env: [{name: A, value: *hunter2}]\n",
        "  env: [{name: A, value: !!int hunter2}]\n",
        "  env: [{name: A, value: \"hunter2\n",
        "  env: [{name: A, value: hunter2}\n",
        "  env: [{name: A, value: %hunter2}]\n",
        "  env: [{name: A, value: hunter2}]]\n",
        "  env: [{name: A, value: &hunter2}}\n",
    ]
    .into_iter()
    .enumerate()
    {
        for minor in [30, 34, 37] {
            let text = config(more);
            let shown = shown(&text, minor);
            assert!(!shown.contains(SECRET), "{number} {minor}: {shown}");
            let in_json = shown.replace("\\\"", "\"");
            assert!(!in_json.contains(SECRET), "{number} {minor}");
        }
    }
}

#[test]
fn files_that_are_no_configuration() {
    for text in [
        "hunter2",
        "password: hunter2\n",
        "- hunter2\n",
        "kind: Secret\ndata: hunter2\n",
        "apiVersion: v1\nkind: Secret\ndata: {a: hunter2}\n",
        "{\"password\": \"hunter2\"}",
        "{\"kind\": \"X\", \"password\": \"hunter2\"}",
        "{\"password\": \"hunter2\", }",
        "{\"password\": \"hunter2",
        "password=hunter2\nx: [\n",
        "a: 'hunter2\n",
    ] {
        let shown = shown(text, 37);
        assert!(!shown.contains(SECRET), "{text}: {shown}");
    }
}

#[test]
fn keys_names_and_patterns_that_hold_secrets() {
    const TOKEN: &str = "ghp_hunter2hunter2hunter2";
    const MIXTURE: &str = "wJalrXUtnFEMI7K7MDENGhunter2Ab";
    for secret in [TOKEN, MIXTURE] {
        for more in [
            format!("  {secret}: x\n"),
            format!("  env: {{{secret}: x}}\n"),
            format!("  env:\n  - {secret}: x\n"),
            format!("  env:\n  - {{name: {secret}, value: x, y: 1}}\n"),
            format!("  env:\n  - {{name: a, value: x, {secret}: 1}}\n"),
            format!("  env:\n  - {{name: a, {secret}: 1, {secret}: 1}}\n"),
            format!("  tokenAttributes: {{{secret}: x}}\n"),
        ] {
            for minor in [30, 34, 37] {
                let text = config(&more);
                let shown = shown(&text, minor);
                assert!(!shown.contains(SECRET), "{minor}: {shown}");
            }
        }
    }
    for pattern in [
        "user:hunter2@r.io",
        "user:hunter2@r.io/%",
        "user:hunter2@r.io/a b",
        "https://user:hunter2@r.io",
        "user:hunter2@[::1",
        "user:hun/hunter2@%r.io",
    ] {
        for minor in [30, 34, 37] {
            let text = config("  x: 1\n").replace("r.io", &format!("'{pattern}'"));
            let refused = shown(&text, minor);
            assert!(!refused.contains(SECRET), "{minor} {pattern}: {refused}");
            let text = config("").replace("[r.io]", &format!("['{pattern}', '{pattern}']"));
            let target = Target::new(KubeletVersion::new(minor).expect("known"));
            let shown = shown(&text, minor);
            assert!(!shown.contains(SECRET), "{minor} {pattern}: {shown}");
            if let Ok(config) = Config::parse("c", text.as_bytes(), &target) {
                let lints = pullpass_kubelet::lints::check(&config.providers);
                let excerpts: Vec<_> =
                    lints.iter().filter_map(|lint| lint.location.as_ref()?.excerpt(1000)).collect();
                let shown =
                    format!("{lints:?} {excerpts:?} {:?}", config.providers[0].match_images);
                assert!(!shown.contains(SECRET), "{minor} {pattern}: {shown}");
            }
        }
    }
}

#[test]
fn what_holds_no_secret_is_shown() {
    let text = config("").replace("[r.io]", "['%']");
    let shown = shown(&text, 37);
    assert!(shown.contains("  matchImages: ['%']"), "{shown}");
    let text = config("  env:\n  - {name: PIN, value: 24681357, x: 1}\n");
    let shown = self::shown(&text, 37);
    assert!(shown.contains("  - {name: PIN, value: ********, x: *}"), "{shown}");
}

#[test]
fn a_configuration_that_is_a_pipe_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("c.yaml");
    let made = std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo");
    assert!(made.success());
    for path in [path.as_path(), folder.path()] {
        let error = Config::load(path, &Target::default()).expect_err("refused");
        assert!(
            error.message.ends_with("a pipe that nothing is written to, not a regular file"),
            "{error}"
        );
        assert!(!error.verbatim);
    }
}

#[test]
fn a_configuration_of_any_size_is_judged_in_bounds() {
    // Once 3.9 GB and 10 s.
    let key = "k".repeat(270_000);
    let aliases = format!("x: &a {key}\ny: {{{}}}\n", "*a : 1, ".repeat(30_000));
    let error =
        Config::parse("c", format!("{}{aliases}", config("")).as_bytes(), &Target::default())
            .expect_err("refused");
    assert!(error.message.len() < 8 << 20, "{}", error.message.len());
    // Once an overflow of the stack.
    let nested: String = std::iter::once("a0: &a0 x\n".to_owned())
        .chain((1..3000).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)))
        .collect();
    let error = Config::parse("c", nested.as_bytes(), &Target::default()).expect_err("refused");
    assert!(error.message.contains("nested deeper than"), "{error}");
}
