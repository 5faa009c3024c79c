//! Completions, manual pages, help, and readers that go away.

use std::io::Read as _;
use std::process::Stdio;

use crate::{Node, command, pullpass};

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

#[test]
fn manual_pages() {
    let ran = pullpass(["man"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains(".TH pullpass 1"), "{}", ran.stdout);
    let node = Node::new();
    let ran = pullpass(["man", "--dir", &node.text("man")]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""));
    for name in ["pullpass", "pullpass-check", "pullpass-match", "pullpass-lookup"] {
        let page = node.path(&format!("man/{name}.1"));
        let page = std::fs::read_to_string(page).expect(name);
        assert!(page.contains(".TH"), "{name}");
    }
    let check = std::fs::read_to_string(node.path("man/pullpass-check.1")).expect("a page");
    assert!(check.contains("Exit codes"), "{check}");
}

#[test]
fn help_tells_the_exit_codes() {
    for name in ["check", "match", "lookup", "config"] {
        let ran = pullpass([name, "--help"]);
        assert_eq!(ran.code, Some(0));
        assert!(ran.stdout.contains("Exit codes:"), "{name}");
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
