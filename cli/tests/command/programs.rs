//! `pullpass lookup` against shell scripts: one that behaves correctly, and one that
//! misbehaves in every way.

use std::io::Read as _;
use std::process::Stdio;
use std::time::Instant;

use serde_json::{Value, json};
use wait4::Wait4 as _;

use crate::{LOGIN, Node, Ran, answer, command, entry, pullpass};

pub(crate) const IMAGE: &str = "registry.example/team/app:1";

/// Looks [`IMAGE`] up, as JSON.
pub(crate) fn lookup(node: &Node, config: &str, more: &[&str]) -> Ran {
    let bin = node.text("bin");
    let args = ["lookup", IMAGE, "--format=json", "--config", config, "--bin-dir", &bin];
    pullpass(args.into_iter().chain(more.iter().copied()))
}

/// Runs a script with this body as the only provider.
fn outcome(body: &str, more: &[&str]) -> (Ran, Value) {
    let node = Node::new();
    let config = node.config(&entry("script", ""));
    node.script("script", body);
    let ran = lookup(&node, &config, more);
    let report = ran.json()["providers"][0].clone();
    (ran, report)
}

/// What the kubelet logs of a provider.
pub(crate) fn message(report: &Value) -> &str {
    report["message"].as_str().unwrap_or_else(|| panic!("no message in {report}"))
}

#[test]
fn a_script_gets_what_the_kubelet_gives() {
    let node = Node::new();
    let out = node.text("out");
    let config = node.config(&entry(
        "script",
        "  args: [get-credentials, 'a b']\n  env: [{name: SEEN, value: config}]\n",
    ));
    node.script(
        "script",
        &format!(
            "cat > {out}.stdin\necho \"$0|$1|$2|$#|$SEEN|$KEPT\" > {out}.args\n\
             echo noise >&2\n{}",
            answer("Registry", LOGIN)
        ),
    );
    let bin = node.text("bin");
    let output = command()
        .args(["lookup", IMAGE, "--format=json", "--config", &config, "--bin-dir", &bin])
        .env("SEEN", "own")
        .env("KEPT", "kept")
        .output()
        .expect("a run");
    assert_eq!(output.status.code(), Some(0));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        found["credentials"],
        json!([{"provider": "script", "key": "registry.example", "username": "user",
            "password": "REDACTED"}])
    );
    let report = &found["providers"][0];
    assert_eq!(report["outcome"], "credentials");
    assert_eq!(report["stderr"], "noise\n");
    assert_eq!(report["message"], Value::Null, "stderr is thrown away with exit 0");
    assert_eq!(
        (&report["cache"]["decision"], &report["cache"]["key"]),
        (&"stored".into(), &"Registry".into())
    );
    assert!(report["cache"]["expires"].as_str().is_some_and(|at| at.ends_with('Z')));
    let written = |name: &str| std::fs::read_to_string(node.path(name)).expect(name);
    assert_eq!(
        written("out.stdin"),
        "{\"kind\":\"CredentialProviderRequest\",\
         \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
         \"image\":\"registry.example/team/app\"}\n"
    );
    assert_eq!(written("out.args"), format!("{bin}/script|get-credentials|a b|2|config|kept\n"));

    let ran = lookup(&node, &config, &["--show-secrets"]);
    assert_eq!(ran.json()["credentials"][0]["password"], "correct-horse");
    let ran = pullpass(["lookup", IMAGE, "--config", &config, "--bin-dir", &bin]);
    assert!(!ran.stdout.contains("correct-horse"), "{}", ran.stdout);
}

#[test]
fn logs_on_stdout_spoil_the_answer() {
    let (ran, report) = outcome(&format!("echo INFO start\n{}", answer("Image", LOGIN)), &[]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(report["outcome"], "not-json");
    assert!(message(&report).contains("couldn't get version/kind; json parse error"), "{report}");
    assert!(report["hint"].as_str().is_some_and(|hint| hint.contains("stderr")));
}

#[test]
fn failures_show_stderr_and_not_the_password() {
    let body = format!("{}\necho 'no luck' >&2\nexit 3", answer("Image", LOGIN));
    let (ran, report) = outcome(&body, &[]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(report["outcome"], "exit-status");
    assert!(
        message(&report).contains(
            "error execing credential provider plugin script for image \
             registry.example/team/app: exit status 3: no luck"
        ),
        "{report}"
    );
    assert!(!ran.stdout.contains("correct-horse"));
    let (_, report) = outcome(&answer("Image", LOGIN).replace("auth", "Auth"), &[]);
    assert_eq!(report["outcome"], "undecodable");
    assert!(message(&report).contains("error decoding credential provider plugin response"));
    assert!(report["detail"].as_str().is_some_and(|detail| detail.contains("Auth")), "{report}");
}

#[test]
fn foreign_texts_are_tame_and_short() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    let bin = node.text("bin");
    for end in ["exit 1", &answer("Image", LOGIN)] {
        node.script("p", &format!("printf '\\033[2Jcorrect-horse\\n' >&2\nseq 1 9999 >&2\n{end}"));
        let version = "--kubelet-version=1.34";
        let ran = pullpass(["lookup", IMAGE, "--config", &config, "--bin-dir", &bin, version]);
        assert!(ran.stdout.contains("?[2J") && !ran.stdout.contains('\x1b'), "{}", ran.stdout);
        assert!(ran.stdout.len() < 8000, "{} bytes", ran.stdout.len());
        assert!(ran.stdout.contains(" more; `--format json` has them)"), "{}", ran.stdout);
        // With credentials their password is known, and taken out.
        assert_eq!(ran.stdout.contains("correct-horse"), end == "exit 1", "{}", ran.stdout);
    }
}

#[test]
fn a_death_by_signal() {
    let (ran, report) = outcome("ulimit -c 0; kill -SEGV $$", &[]);
    assert_eq!((ran.code, &report["outcome"]), (Some(1), &"signal".into()));
    assert!(message(&report).contains("signal: segmentation fault"), "{report}");
}

#[test]
fn a_hang_ends_at_the_timeout() {
    let start = Instant::now();
    let (ran, report) = outcome("exec sleep 30", &["--timeout", "300ms"]);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    assert_eq!((ran.code, &report["outcome"]), (Some(1), &"timed-out".into()));
    assert!(message(&report).contains("context deadline exceeded"), "{report}");
    assert!(report["duration_ms"].as_u64().is_some_and(|time| time >= 300), "{report}");
}

#[test]
fn a_grandchild_that_holds_stdout_holds_the_pull() {
    let body = format!("{}\nsleep 1 &\nexit 0", answer("Image", LOGIN));
    let (ran, report) = outcome(&body, &[]);
    assert_eq!((ran.code, &report["outcome"]), (Some(0), &"credentials".into()));
    assert!(report["duration_ms"].as_u64().is_some_and(|time| time >= 900), "{report}");

    let body = body.replace("sleep 1", "sleep 20");
    let (ran, report) = outcome(&body, &["--timeout", "300ms"]);
    assert_eq!((ran.code, &report["outcome"]), (Some(1), &"held".into()));
    assert!(report["duration_ms"].as_u64().is_some_and(|time| time < 10_000), "{report}");
    assert!(report["detail"].as_str().is_some_and(|detail| detail.contains("had ended")));
}

#[test]
fn a_hundred_megabytes_are_read_in_bounded_memory() {
    let flood = "head -c 100000000 /dev/zero | tr '\\0' x";
    // The command's own pages come first: a debug build has many.
    let mut own = 0;
    for (body, expected) in [
        ("echo x".to_owned(), "not-json"),
        (flood.to_owned(), "not-json"),
        (format!("printf '{{\"kind\":\"'; {flood}; printf '\"}}'"), "too-long"),
        (format!("({flood}) >&2; exit 1"), "exit-status"),
    ] {
        let node = Node::new();
        let config = node.config(&entry("script", ""));
        node.script("script", &body);
        let bin = node.text("bin");
        let mut child = command()
            .args(["lookup", IMAGE, "--format=json", "--config", &config, "--bin-dir", &bin])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a run");
        let mut stdout = String::new();
        child.stdout.take().expect("stdout").read_to_string(&mut stdout).expect("UTF-8");
        let ended = child.wait4().expect("an end");
        let found: Value = serde_json::from_str(&stdout).expect("JSON");
        assert_eq!(found["providers"][0]["outcome"], expected, "{body}");
        assert_eq!(ended.status.code(), Some(1));
        let memory = ended.rusage.maxrss;
        if own == 0 {
            own = memory;
        }
        // In bytes; 8 MB were measured (2026-11, x86-64, glibc).
        assert!(memory < own + (24 << 20), "{body}: {memory} bytes, of them {own} its own");
        assert!(stdout.len() < 1 << 20, "{} bytes of output", stdout.len());
    }
}

#[test]
fn credentials_of_several_providers_come_in_the_kubelet_s_order() {
    let node = Node::new();
    let config = node.config(&format!(
        "{}{}{}{}",
        entry("first", ""),
        entry("broken", ""),
        entry("second", ""),
        entry("other", "").replace("registry.example", "other.example")
    ));
    let login = |key: &str, user: &str| {
        format!("{{\"{key}\":{{\"username\":\"{user}\",\"password\":\"long-password\"}}}}")
    };
    node.script("first", &answer("Image", &login("*.example", "wide")));
    node.script("broken", "exit 1");
    node.script("second", &answer("Image", &login("registry.example/team", "deep")));
    node.script("other", "exit 1");
    let ran = lookup(&node, &config, &[]);
    assert_eq!(ran.code, Some(0), "another provider's failure is no failure of the pull");
    let found = ran.json();
    let column = |list: &str, field: &str| -> Vec<String> {
        let rows = found[list].as_array().expect("rows").iter();
        rows.filter_map(|row| row[field].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(column("credentials", "username"), ["deep", "wide"]);
    assert_eq!(column("providers", "name"), ["first", "broken", "second", "other"]);
    let outcomes = ["credentials", "exit-status", "credentials", "no-match"];
    assert_eq!(column("providers", "outcome"), outcomes);
}

#[test]
fn nothing_is_no_failure() {
    let (ran, report) = outcome(&answer("Image", "{}"), &[]);
    assert_eq!((ran.code, &report["outcome"]), (Some(0), &"no-credentials".into()));
    assert!(report["hint"].as_str().is_some_and(|hint| hint.contains("cacheDuration")));
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    node.script("p", "exit 1");
    let bin = node.text("bin");
    let ran = pullpass(["lookup", "other.example/x", "--config", &config, "--bin-dir", &bin]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("no pattern covers the image: p"), "{}", ran.stdout);
}

#[test]
fn usage_and_configuration_exit_with_2() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    let bin = node.text("bin");
    let lookup = |image: &str, more: &[&str]| {
        let args = ["lookup", image, "--config", &config, "--bin-dir", &bin];
        pullpass(args.into_iter().chain(more.iter().copied()))
    };
    let ran = lookup(IMAGE, &[]);
    assert_eq!(ran.code, Some(2), "the program is missing");
    assert!(ran.stderr.starts_with("error: plugin binary executable  did not exist\nhint: "));
    node.script("p", "exit 1");
    assert_eq!(lookup(IMAGE, &[]).code, Some(1));
    assert_eq!(lookup("UPPER", &[]).code, Some(2));
    assert_eq!(lookup(IMAGE, &["--service-account=x"]).code, Some(2));
    assert_eq!(lookup(IMAGE, &["--annotation=a=b"]).code, Some(2));
    assert_eq!(lookup(IMAGE, &["--service-account=a/b", "--token-file=/no/file"]).code, Some(2));
    assert_eq!(lookup(IMAGE, &["--timeout=0s"]).code, Some(2));
}
