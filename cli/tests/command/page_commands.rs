//! Every command line on a page is one that the program takes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pullpass::Plugin;

use crate::{Node, pullpass};

const PLUGINS: [&Plugin; 4] =
    [&pullpass_acr::PLUGIN, &pullpass_ecr::PLUGIN, &pullpass_gar::PLUGIN, &pullpass_oidc::PLUGIN];

/// The options that every plugin has.
const COMMON: [&str; 6] =
    ["--allow-audience", "--help", "--log", "--log-format", "--timeout", "--version"];

/// The pages of the repository.
fn pages() -> Vec<PathBuf> {
    fn add(folder: &Path, pages: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                add(&path, pages);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                pages.push(path);
            }
        }
    }
    let mut pages = Vec::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &mut pages);
    pages.sort();
    pages
}

/// The command lines of a page's blocks, each on one line.
fn lines(page: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = page.lines();
    while let Some(line) = rest.next() {
        let language = line.trim_start().strip_prefix("```");
        let Some("sh" | "console" | "text") = language else { continue };
        let block: Vec<&str> = rest.by_ref().take_while(|line| line.trim() != "```").collect();
        lines.extend(block.join("\n").replace("\\\n", " ").lines().map(str::to_owned));
    }
    lines
}

/// The words after `program` in each of its calls on a line, up to the end of the call.
fn calls(line: &str, program: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let is_end = |word: &&&str| {
        matches!(**word, "|" | "&&" | ";" | "\\") || word.starts_with(['>', '<', '#', '|'])
    };
    let starts = words.iter().enumerate().filter(|(index, word)| {
        let bare = word.trim_start_matches("$(").rsplit('/').next().unwrap_or_default();
        // In a sentence of another program's output, it is not a command.
        bare == program
            && index.checked_sub(1).is_none_or(|before| {
                matches!(words[before], "$" | "|" | "sudo" | "&&") || words[before].contains('=')
            })
    });
    starts
        .map(|(index, _)| {
            let call = words[index + 1..].iter().take_while(|word| !is_end(word));
            call.map(|word| word.trim_end_matches([')', ';']).replace(['\'', '"'], "")).collect()
        })
        .collect()
}

#[test]
fn pullpass_takes_every_line() {
    let mut seen = BTreeMap::new();
    for path in pages() {
        for line in lines(&fs::read_to_string(&path).expect("UTF-8")) {
            for call in calls(&line, "pullpass") {
                // What is left out is not a command line.
                if call.is_empty() || call.iter().any(|word| word.starts_with(['[', '(', '.'])) {
                    continue;
                }
                // Nothing of this machine is read or written.
                let node = Node::new();
                let folder = node.text("");
                let args: Vec<String> = call
                    .iter()
                    .map(|word| match word.find('/') {
                        Some(0) => format!("{folder}{word}"),
                        Some(at) if word[..at].ends_with('=') && word.starts_with("--") => {
                            format!("{}{folder}{}", &word[..at], &word[at..])
                        }
                        _ => word.clone(),
                    })
                    .collect();
                let ran = pullpass(args.iter().map(String::as_str));
                let is_usage = ran.stderr.contains("For more information, try '--help'");
                assert!(!is_usage, "{}: {line}\n{}", path.display(), ran.stderr);
                *seen.entry(call[0].clone()).or_insert(0) += 1;
            }
        }
    }
    assert!(seen["config"] > 5 && seen["check"] > 2 && seen["lookup"] > 1, "{seen:?}");
}

#[test]
fn plugins_take_every_option() {
    let mut seen = 0;
    for path in pages() {
        for line in lines(&fs::read_to_string(&path).expect("UTF-8")) {
            for plugin in PLUGINS {
                let own = plugin.options.iter().map(|option| option.written());
                let of_commands = plugin.commands.iter().flat_map(|command| command.options);
                let known: Vec<String> =
                    own.chain(of_commands.map(|option| option.written())).collect();
                for call in calls(&line, plugin.name) {
                    for word in call.iter().filter(|word| word.starts_with("--")) {
                        let name = word.split('=').next().expect("a name");
                        let is_known = COMMON.contains(&name)
                            || known.iter().any(|known| known.split(' ').next() == Some(name));
                        assert!(is_known, "{}: `{word}` of {line}", path.display());
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen > 10, "{seen}");
}
