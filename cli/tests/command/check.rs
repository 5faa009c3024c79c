//! `pullpass check`: verdicts, versions, lints, shapes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::{Node, entry, pullpass};

#[test]
fn refusals_carry_the_kubelet_s_words_and_places() {
    let node = Node::new();
    let config = node.config(
        "- name: a b\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
         matchImages: ['%']\n  defaultCacheDuration: 1h\n",
    );
    let ran = pullpass(["check", &config, "--format", "json"]);
    assert_eq!(ran.code, Some(1));
    let found = ran.json();
    assert_eq!(found["verdict"], "refused");
    assert_eq!(
        found["message"],
        "failed to validate credential provider config: \
         [providers.name: Invalid value: \"a b\": provider name cannot contain spaces, \
         providers.matchImages: Invalid value: \"%\": match image is invalid: \
         parse \"https://%\": invalid URL escape \"%\"]"
    );
    let errors = found["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 2);
    assert_eq!(
        errors[0]["message"],
        "providers.name: Invalid value: \"a b\": provider name cannot contain spaces"
    );
    assert_eq!((&errors[0]["line"], &errors[0]["column"]), (&4.into(), &9.into()));
    assert_eq!(errors[0]["file"], config.as_str());
    assert_eq!((&errors[1]["line"], &errors[1]["column"]), (&6.into(), &17.into()));

    let ran = pullpass(["check", &config]);
    assert!(ran.stdout.starts_with("refused: kubelet 1.37 would not start\nkubelet: "), "{ran:?}");
    let lines = "4 | - name: a b\n  |         ^^^\n";
    assert!(ran.stdout.contains(lines), "{}", ran.stdout);
    assert!(!ran.stdout.contains('\x1b') && ran.stderr.is_empty(), "{ran:?}");
}

#[test]
fn versions_and_gates_change_the_verdict() {
    let node = Node::new();
    let tokens = |cache: &str| {
        node.config(&entry(
            "p",
            &format!(
                "  tokenAttributes:\n    serviceAccountTokenAudience: a\n    \
                 requireServiceAccount: true\n{cache}"
            ),
        ))
    };
    let check = |config: &str, more: &[&str]| {
        let args = ["check", config, "--format=json"].into_iter();
        let ran = pullpass(args.chain(more.iter().copied()));
        (ran.code, ran.json()["message"].as_str().unwrap_or_default().to_owned())
    };
    let gate = "--feature-gates=KubeletServiceAccountTokenForCredentialProviders=true";
    let config = tokens("");
    let (code, message) = check(&config, &["--kubelet-version", "1.33"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("tokenAttributes is not supported when"), "{message}");
    assert_eq!(check(&config, &["--kubelet-version", "v1.33.4", gate]).0, Some(0));
    let (code, message) = check(&config, &["--kubelet-version", "1.34"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("cacheType: Required value"), "{message}");
    let config = tokens("    cacheType: Token\n");
    assert_eq!(check(&config, &[]).0, Some(0));
    let (code, message) = check(&config, &["--kubelet-version=1.33", gate]);
    assert_eq!(code, Some(1));
    assert!(message.contains("unknown field \"providers[0].tokenAttributes.cacheType\""));
}

#[test]
fn programs_are_looked_for() {
    let node = Node::new();
    let names = ["good", "missing", "dangling", "folder", "plain"];
    let config = node.config(&names.map(|name| entry(name, "")).concat());
    node.script("good", "true");
    symlink("nowhere", node.bin_dir().join("dangling")).expect("a link");
    fs::create_dir(node.bin_dir().join("folder")).expect("a folder");
    fs::write(node.bin_dir().join("plain"), "").expect("a file");
    let bin = node.text("bin");
    let found = pullpass(["check", &config, "--bin-dir", &bin, "--format=json"]).json();
    assert_eq!(found["message"], "plugin binary executable  did not exist");
    assert_eq!(found["errors"][0]["line"], 8);
    let further: Vec<&str> = found["further"]
        .as_array()
        .expect("further")
        .iter()
        .filter_map(|one| one["message"].as_str())
        .collect();
    assert_eq!(further.len(), 3, "{found}");
    assert_eq!(further[0], "plugin binary executable  did not exist");
    assert!(further[1].ends_with("is a directory"));
    assert!(further[2].ends_with("permission denied"));

    let ran = pullpass(["check", &config, "--bin-dir", &bin]);
    for words in [
        format!("hint: there is no `{bin}/missing`"),
        format!("hint: `{bin}/dangling` is a broken symbolic link"),
        format!("hint: `{bin}/folder` is a directory"),
        format!("hint: run `chmod +x {bin}/plain`"),
    ] {
        assert!(ran.stdout.contains(&words), "{words}\n{}", ran.stdout);
    }
    let ran = pullpass(["check", &config, "--bin-dir", "/no/such/dir"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("plugin binary directory /no/such/dir did not exist"));
}

#[test]
fn a_directory_is_read_from_1_34() {
    let node = Node::new();
    fs::create_dir(node.path("conf.d")).expect("a folder");
    let config = node.config(&entry("two", ""));
    fs::copy(&config, node.path("conf.d/1.yaml")).expect("a copy");
    fs::copy(&config, node.path("conf.d/2.yml")).expect("a copy");
    let path = node.text("conf.d");
    let ran = pullpass(["check", &path]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("duplicate provider name \"two\""), "{}", ran.stdout);
    fs::remove_file(node.path("conf.d/1.yaml")).expect("removed");
    assert_eq!(pullpass(["check", &path]).code, Some(0));
    assert_eq!(pullpass(["check", &path, "--kubelet-version=1.33"]).code, Some(1));
}

#[test]
fn strict_fails_on_warnings_only() {
    let node = Node::new();
    let config = node.config(&entry("p", "  env: [{name: PASSWORD, value: correct-horse}]\n"));
    fs::set_permissions(&config, fs::Permissions::from_mode(0o644)).expect("a mode");
    assert_eq!(pullpass(["check", &config]).code, Some(0));
    let ran = pullpass(["check", &config, "--strict"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("[secret-in-env]"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("correct-horse"), "the secret is shown again: {}", ran.stdout);
    let found = pullpass(["check", &config, "--strict", "--format=json"]).json();
    assert_eq!(found["verdict"], "accepted");
    assert_eq!(found["errors"], serde_json::json!([]));
    let warning = &found["warnings"][0];
    assert_eq!(
        (&warning["code"], &warning["severity"]),
        (&"secret-in-env".into(), &"warning".into())
    );
    assert!(warning["hint"].is_string() && warning["line"].is_u64());

    let config = node.config(&entry("p", ""));
    fs::set_permissions(&config, fs::Permissions::from_mode(0o666)).expect("a mode");
    let ran = pullpass(["check", &config, "--strict"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("hint: chmod o-w"), "{}", ran.stdout);
}

#[test]
fn values_are_not_shown_where_the_file_is_refused() {
    let node = Node::new();
    let config = node.config(&entry("p", "  env:\n  - {name: PIN, value: 24681357, x: 1}\n"));
    let ran = pullpass(["check", &config]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stdout.contains("{name: PIN, value: ********, x: *}"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("24681357"), "{}", ran.stdout);
}

#[test]
fn a_file_is_never_quoted_whole() {
    let node = Node::new();
    let config = node.write("secret.yaml", "password: correct-horse\n");
    let bin = node.text("bin");
    for args in [
        &["check", &config][..],
        &["check", &config, "--format=json"],
        &["match", "r.io/a", "--config", &config],
        &["match", "r.io/a", "--config", &config, "--format=json"],
        &["lookup", "r.io/a", "--config", &config, "--bin-dir", &bin],
    ] {
        let ran = pullpass(args.iter().copied());
        assert!(ran.code == Some(1) || ran.code == Some(2), "{ran:?}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains("Object 'Kind' is missing in '...'"), "{all}");
        assert!(!all.contains("correct-horse"), "{all}");
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let node = Node::new();
    let pipe = node.text("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
    assert!(made.success());
    let config = node.config(&entry("p", ""));
    node.script("p", "true");
    let bin = node.text("bin");
    for args in [
        &["check", &pipe][..],
        &["match", "r.io/a", "--config", &pipe],
        &["lookup", "r.io/a", "--config", &pipe, "--bin-dir", &bin],
        &[
            "lookup",
            "r.io/a",
            "--config",
            &config,
            "--bin-dir",
            &bin,
            "--service-account",
            "n/s",
            "--token-file",
            &pipe,
        ],
    ] {
        let ran = pullpass(args.iter().copied());
        assert_ne!(ran.code, Some(0), "{ran:?}");
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(all.contains("not a regular file"), "{all}");
    }
}

/// As the page says: `pullpass config ... | pullpass check --strict /dev/stdin`.
#[test]
fn a_pipe_that_is_written_to_is_read() {
    let printed = pullpass(["config", "ecr"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_pullpass"))
        .args(["check", "--strict", "/dev/stdin"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a run");
    let mut stdin = child.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut stdin, printed.stdout.as_bytes()).expect("a reader");
    drop(stdin);
    let output = child.wait_with_output().expect("an end");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.starts_with("accepted: "), "{stdout}");
}

#[test]
fn usage_errors_exit_with_2() {
    for args in [
        &["check"][..],
        &["check", "f", "--kubelet-version", "1.29"],
        &["check", "f", "--kubelet-version", "1.38"],
        &["check", "f", "--feature-gates", "X"],
        &["check", "f", "--format", "xml"],
        &["nonsense"],
        &[],
    ] {
        let ran = pullpass(args.iter().copied());
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert!(ran.stdout.is_empty() && !ran.stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn a_thousand_providers_are_judged() {
    let node = Node::new();
    let many: String = (0..1000)
        .map(|n| {
            entry(&format!("p{n}"), "").replace("registry.example", &format!("r{n}.example/*"))
        })
        .collect();
    let config = node.config(&many);
    let found = pullpass(["check", &config, "--format=json"]).json();
    assert_eq!(found["warnings"].as_array().map(Vec::len), Some(1000));
    let ran = pullpass(["check", &config]);
    assert!(ran.stdout.contains("would start with 1000 providers"));
    assert_eq!(ran.stdout.matches("hint: write `r").count(), 1000);
}
