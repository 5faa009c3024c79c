//! The project's README: its entries are what the command prints, and its advice for a failed
//! pull finds what kubelets log.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::pages::{page, yaml};
use crate::programs::{IMAGE, lookup};
use crate::{LOGIN, Node, answer, entry, pullpass};

/// A file without its comments.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let end = if line.starts_with('#') { Some(0) } else { line.find(" #") };
        line[..end.unwrap_or(line.len())].trim_end()
    });
    lines.filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_entry_and_the_role_are_what_the_command_prints() {
    let blocks = yaml(&page("README.md"));
    let [profiles, config, role] = blocks.as_slice() else { panic!("{blocks:?}") };
    let node = Node::new();
    let file = node.write("oidc.yaml", profiles);
    let ran = pullpass(["config", "oidc", "--profiles", &file]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let printed = without_comments(&ran.stdout).replace(&file, "/etc/pullpass/oidc.yaml");
    assert_eq!(without_comments(config), printed);
    let path = node.write("providers.yaml", config);
    node.script("oidc-credential-provider", "exit 1");
    let bin = node.text("bin");
    let ran = pullpass(["check", "--strict", &path, "--bin-dir", &bin]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = pullpass(["config", "oidc", "--profiles", &file, "--rbac"]);
    assert_eq!(role, &ran.stdout);
}

/// The pages that say how to find the kubelet's lines.
const PAGES: [&str; 4] =
    ["README.md", "backends/acr/docs.md", "backends/ecr/docs.md", "backends/gar/docs.md"];

/// The options of `grep` on a page.
fn grep_options(path: &str) -> Vec<String> {
    let page = page(path);
    let (_, rest) = page.split_once("journalctl -u kubelet").expect(path);
    let (_, rest) = rest.split_once("grep ").expect(path);
    let (options, rest) = rest.split_once('\'').expect(path);
    let (pattern, _) = rest.split_once('\'').expect(path);
    options.split_whitespace().chain([pattern]).map(str::to_owned).collect()
}

fn grep(options: &[String], text: &str) -> bool {
    let mut child = Command::new("grep")
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("grep");
    child.stdin.take().expect("stdin").write_all(text.as_bytes()).expect("written");
    child.wait().expect("an end").success()
}

#[test]
fn one_pattern_finds_the_failure_in_the_log_of_every_kubelet() {
    let tokens = "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    cacheType: \
                  ServiceAccount\n    requireServiceAccount: true\n";
    let token = "eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl";
    let echo = LOGIN.replace("correct-horse", token);
    let mut lines = vec![pullpass(["check", "/no/such/file"]).stdout];
    for minor in 34..=37 {
        let version = format!("--kubelet-version=1.{minor}");
        for body in [
            "echo no luck >&2; exit 3",
            "exec sleep 9",
            "echo no JSON",
            &answer("Imag", LOGIN),
            &answer("Image", LOGIN).replace("auth", "Auth"),
            &answer("Image", &echo),
        ] {
            let node = Node::new();
            let config = node.config(&entry("p", tokens));
            node.script("p", body);
            let file = node.write("token", token);
            let account = ["--service-account=shop/web", "--token-file", &file];
            for more in [&account[..], &account[..1]] {
                let options = [more, &["--timeout=300ms", &version]].concat();
                let ran = lookup(&node, &config, &options);
                let report = &ran.json()["providers"][0];
                let errors = report["log"].as_array().expect("a log").iter();
                let errors: Vec<_> = errors.filter(|line| line["level"] == "error").collect();
                assert_eq!(errors.len(), 1, "{report}");
                lines.push(errors[0]["text"].as_str().expect("a text").to_owned());
            }
        }
    }
    for path in PAGES {
        assert!(page(path).contains("is not authorized to request tokens for audience"), "{path}");
        let options = grep_options(path);
        for line in &lines {
            assert!(grep(&options, line), "{path}: {options:?} does not find\n{line}");
        }
        assert!(!grep(&options, "\"Pulling image\" image=\"registry.example/team/app\""));
    }
}

#[test]
fn what_the_kubelet_is_silent_about_has_a_sentence_in_lookup() {
    let page = page("README.md");
    let (_, table) = page.split_once("| cause | `pullpass lookup` says |").expect("a table");
    let required = "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    cacheType: Token\n    \
                    requireServiceAccount: true\n    requiredServiceAccountAnnotationKeys: [k]\n";
    let elsewhere = LOGIN.replace("registry.example", "other.example");
    for (more, body, options, sentence) in [
        ("", "", &["other.example/x"][..], "no pattern covers the image"),
        (required, "", &[IMAGE], "the pod has none"),
        (
            required,
            "",
            &[IMAGE, "--service-account=shop/web"],
            "the service account has no annotation",
        ),
        ("", &answer("Image", "{}"), &[IMAGE], "answered: no credentials"),
        ("", &answer("Image", &elsewhere), &[IMAGE], "none of which covers the image"),
    ] {
        let node = Node::new();
        let config = node.config(&entry("p", more));
        node.script("p", body);
        let bin = node.text("bin");
        let line = [options, &["--config", &config, "--bin-dir", &bin]].concat();
        let ran = pullpass(["lookup"].into_iter().chain(line));
        assert!(ran.stdout.contains(sentence), "{sentence}\n{ran:?}");
        assert!(table.contains(&format!("`{sentence}`")), "{sentence}");
    }
}
