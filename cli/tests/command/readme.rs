//! The README's examples are what the command says.

use std::fs;

use crate::{LOGIN, Node, answer, command};

const README: &str = include_str!("../../README.md");

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("```{language}\n");
    let starts = README.match_indices(&fence).map(|(at, _)| &README[at + fence.len()..]);
    starts.map(|rest| &rest[..rest.find("```").expect("a closed block")]).collect()
}

/// The words of a command line; quotes keep words together.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            _ => words.last_mut().expect("a word").push(c),
        }
    }
    words
}

/// Whether a line is as expected, where `[..]` matches anything.
pub(crate) fn agrees(expected: &str, actual: &str) -> bool {
    let Some((start, rest)) = expected.split_once("[..]") else { return expected == actual };
    let Some(actual) = actual.strip_prefix(start) else { return false };
    (0..=actual.len()).any(|at| actual.is_char_boundary(at) && agrees(rest, &actual[at..]))
}

#[test]
fn every_example_is_true() {
    let node = Node::new();
    let config = blocks("yaml")[0];
    node.write("providers.yaml", config);
    node.write("fixed.yaml", &config.replace("/team/*", ""));
    node.write(
        "entry.yaml",
        "name: zot-login\napiVersion: credentialprovider.kubelet.k8s.io/v1\n\
         matchImages: [\"zot.example:5000\"]\ndefaultCacheDuration: 10m\n",
    );
    node.write("token", "a-token-of-the-pod");
    node.script("registry-login", &answer("Registry", LOGIN));
    fs::rename(node.bin_dir(), node.path("good")).expect("renamed");
    fs::create_dir(node.bin_dir()).expect("a folder");
    node.script("registry-login", &answer("ServiceAccount", LOGIN));
    crate::records::write_records(&node);
    let examples = blocks("console");
    assert_eq!(examples.len(), 12);
    for example in examples {
        let (line, expected) = example.split_once('\n').expect("a command line");
        let line = line.strip_prefix("$ pullpass ").expect("a run of pullpass");
        let mut run = command();
        // The test only has a token that is not a JWT.
        let warning = "warning: the token is not a signed JWT; tokens of the API server are\n";
        let output = run.args(words(line)).current_dir(node.path("")).output().expect("a run");
        let actual = format!(
            "{}{}[exit {}]\n",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr).replace(warning, ""),
            output.status.code().expect("a code")
        );
        assert_eq!(expected.lines().count(), actual.lines().count(), "{line}\n{actual}");
        for (expected, actual) in expected.lines().zip(actual.lines()) {
            assert!(agrees(expected, actual), "{line}\nexpected {expected}\nactual   {actual}");
        }
    }
}

#[test]
fn every_option_is_in_it() {
    for name in [
        "check",
        "match",
        "lookup",
        "config",
        "config merge",
        "config remove",
        "records",
        "doctor",
        "man",
    ] {
        let output = command().args(name.split(' ')).arg("--help").output().expect("a run");
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        let options = help.lines().filter_map(|line| line.trim_start().split_once("--"));
        let mut seen = 0;
        for (before, option) in options.filter(|(before, _)| before.len() <= 4) {
            let end = option.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
            let option = &option[..end.unwrap_or(option.len())];
            seen += 1;
            assert!(
                option == "help" || README.contains(&format!("--{option}")),
                "`{before}--{option}` of `{name}`"
            );
        }
        assert!(seen > 1, "{name}");
    }
}
