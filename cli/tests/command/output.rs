//! Completions, manual pages, help, and readers that go away.

use std::io::Read as _;
use std::process::Stdio;

use crate::{Node, command, entry, pullpass};

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = pullpass(["completions", shell]);
        assert_eq!(ran.code, Some(0));
        for word in ["lookup", "bin-dir", "service-account-audience"] {
            assert!(ran.stdout.contains(word), "{word} in {shell}");
        }
    }
}

const COMMANDS: [&str; 10] = [
    "check",
    "match",
    "lookup",
    "config",
    "config-merge",
    "config-remove",
    "records",
    "doctor",
    "completions",
    "man",
];
const PLUGINS: [&str; 4] = ["acr", "ecr", "gar", "oidc"];

#[test]
fn every_command_and_plugin_has_a_manual_page() {
    let node = Node::new();
    let ran = pullpass(["man", "--dir", &node.text("man")]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{ran:?}");
    let ran = pullpass(["man"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut pages = vec![("pullpass".to_owned(), ran.stdout)];
    for name in COMMANDS {
        pages.push((format!("pullpass-{name}"), pullpass(["man", name]).stdout));
    }
    for name in PLUGINS {
        let page = pullpass(["man", name]).stdout;
        let long = format!("{name}-credential-provider");
        assert_eq!(page, pullpass(["man", &long]).stdout, "{name}");
        pages.push((long, page));
    }
    for (name, page) in &pages {
        let written = std::fs::read_to_string(node.path(&format!("man/{name}.1"))).expect(name);
        assert_eq!(&written, page, "{name}");
        assert!(page.contains(".TH ") && page.contains(".SH NAME\n"), "{name}: {page}");
        let (_, see_also) = page.split_once(".SH \"SEE ALSO\"\n").expect(name);
        assert!(see_also.contains("(1)") && !see_also.contains(&format!("{name}\\fR(1)")));
        let sections: &[&str] = match name.as_str() {
            "pullpass" => &[".SH SUBCOMMANDS\n"],
            _ => &[".SH \"EXIT STATUS\"\n", ".SH EXAMPLES\n", ".SH OPTIONS\n"],
        };
        for section in sections {
            assert!(page.contains(section), "{name}: {section}\n{page}");
        }
    }
    assert_eq!(std::fs::read_dir(node.path("man")).expect("pages").count(), pages.len());
    let ran = pullpass(["man", "nonsense"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("`ecr-credential-provider`"), "{ran:?}");
    assert!(ran.stderr.contains("such as `check`"), "{ran:?}");
}

#[test]
fn help_tells_the_exit_codes_gives_examples_and_fits_80_columns() {
    for name in COMMANDS {
        let ran = pullpass(name.split('-').chain(["--help"]));
        assert_eq!(ran.code, Some(0));
        for words in ["\nExit codes:\n  0  ", "\nExamples:\n  # "] {
            assert!(ran.stdout.contains(words), "{name}\n{}", ran.stdout);
        }
        for line in ran.stdout.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
    for line in pullpass(["--help"]).stdout.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

/// Runs a command without a stdout.
fn run_without_stdout(args: &[&str]) -> std::process::Output {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" >&-", env!("CARGO_BIN_EXE_pullpass")]);
    shell.args(args).output().expect("a run")
}

#[test]
fn what_would_be_lost_without_a_stdout_is_an_error() {
    for args in [
        vec!["config", "ecr"],
        vec!["man"],
        vec!["man", "check"],
        vec!["completions", "bash"],
        vec!["--help"],
        vec!["check", "--help"],
        vec!["--version"],
    ] {
        let ran = run_without_stdout(&args);
        let stderr = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(2), "{args:?}: {stderr}");
        assert_eq!(stderr.matches("error: ").count(), 1, "{args:?}: {stderr}");
        assert!(stderr.contains("stdout is closed"), "{args:?}: {stderr}");
        let ran = command().args(&args).stdout(Stdio::null()).output().expect("a run");
        assert_ne!(ran.status.code(), Some(2), "{args:?}: {ran:?}");
    }
}

/// Scripts discard the text in ways that cannot be told from a stdout that is closed.
#[test]
fn a_verdict_needs_no_stdout() {
    let node = Node::new();
    let config = node.config(&entry("p", ""));
    let broken = node.write("broken.yaml", "kind: CredentialProviderConfig\n");
    for (args, code) in [
        (vec!["check", &config], 0),
        (vec!["check", &broken], 1),
        (vec!["match", "registry.example/x", "--config", &config], 0),
        (vec!["match", "other.example/x", "--config", &config], 1),
    ] {
        assert_eq!(run_without_stdout(&args).status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_failure() {
    for args in [&["man"][..], &["check", "--help"], &["match", "a.io/x", "--pattern", "a.io"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut child =
            command().args(args).stdout(writer).stderr(Stdio::piped()).spawn().expect("a run");
        let mut stderr = String::new();
        child.stderr.take().expect("stderr").read_to_string(&mut stderr).expect("UTF-8");
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{args:?}: {stderr}");
        assert_eq!(stderr, "", "{args:?}");
    }
}
