//! The pages of the backends say what their code has, and their examples are accepted.

use std::fs;
use std::path::Path;

use pullpass::{OptionSpec, Plugin};

use crate::{Node, pullpass};

/// Each plugin, and its page from the root of the repository.
const PAGES: [(&Plugin, &str); 4] = [
    (&pullpass_acr::PLUGIN, "backends/acr/docs.md"),
    (&pullpass_ecr::PLUGIN, "backends/ecr/docs.md"),
    (&pullpass_gar::PLUGIN, "backends/gar/docs.md"),
    (&pullpass_oidc::PLUGIN, "backends/oidc/docs.md"),
];

/// The options that every plugin has.
const COMMON: [&str; 6] =
    ["--allow-audience", "--help", "--log", "--log-format", "--timeout", "--version"];

pub(crate) fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path)
}

/// From the heading of that text to the next one.
pub(crate) fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).expect(heading);
    rest.split("\n## ").next().expect("a section")
}

/// The texts in backquotes.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The fenced blocks of YAML, also those within a list, without that list's indent.
pub(crate) fn yaml(page: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(indent) = line.strip_suffix("```yaml") else { continue };
        assert!(indent.trim().is_empty(), "{line}");
        let within = lines.by_ref().take_while(|line| line.trim() != "```");
        let mut block = String::new();
        for line in within {
            block.push_str(line.strip_prefix(indent).unwrap_or(line));
            block.push('\n');
        }
        blocks.push(block);
    }
    blocks
}

#[test]
fn every_option_is_in_the_table_with_its_variable_and_default() {
    for (plugin, path) in PAGES {
        let page = page(path);
        let rows: Vec<&str> =
            section(&page, "Command line").lines().filter(|row| row.starts_with("| `")).collect();
        for opt in plugin.options {
            let written = opt.written();
            let short = written.split(' ').next().expect("a name");
            // A second name may follow the first without the value.
            let names = |row: &&&str| {
                row.split(" | ").next().is_some_and(|cell| {
                    quoted(cell).any(|name| name == written || name.len() == 2 && name == short)
                })
            };
            let row = rows.iter().find(names).unwrap_or_else(|| panic!("{path}: no `{written}`"));
            let variables: Vec<&str> = quoted(row.split('|').nth(2).expect("a cell")).collect();
            assert_eq!(variables, Vec::from_iter(opt.env), "{path}: {row}");
            if let Some(default) = opt.default {
                let (_, said) = row.split_once("Default: ").unwrap_or_else(|| panic!("{row}"));
                let said = said.trim_start_matches('`');
                assert!(said.starts_with(default), "{path}: {default}: {row}");
            }
        }
    }
}

#[test]
fn every_option_of_the_table_is_one() {
    for (plugin, path) in PAGES {
        let page = page(path);
        let mut seen = 0;
        for row in section(&page, "Command line").lines().filter(|row| row.starts_with("| `-")) {
            for name in quoted(row.split(" | ").next().expect("a cell")) {
                let name = name.split(' ').next().expect("a name");
                let own = |opt: &OptionSpec| opt.written().split(' ').next() == Some(name);
                assert!(COMMON.contains(&name) || plugin.options.iter().any(own), "{path}: {name}");
                seen += 1;
            }
        }
        assert!(seen > COMMON.len() - 2, "{path}");
    }
}

#[test]
fn every_annotation_and_variable_is_named() {
    for (plugin, path) in PAGES {
        let page = page(path);
        for annotation in plugin.annotations {
            assert!(page.contains(&format!("| `{}` |", annotation.key)), "{path}: {annotation:?}");
        }
        for variable in plugin.environment {
            for name in variable.name.split(", ") {
                // `AWS_EC2_METADATA_*` means all that begin like that.
                let looked_for = match name.strip_suffix('*') {
                    Some(start) => format!("`{start}"),
                    None => format!("`{name}`"),
                };
                assert!(page.contains(&looked_for), "{path}: {name}");
            }
        }
    }
}

#[test]
fn the_kubelet_takes_every_configuration() {
    let node = Node::new();
    let mut pages: Vec<&str> = PAGES.iter().map(|(_, path)| *path).collect();
    pages.push("README.md");
    for path in pages {
        let mut seen = 0;
        for block in yaml(&page(path)) {
            // An entry may also be alone.
            let file = match block.contains("kind: CredentialProviderConfig") {
                true => node.write("config.yaml", &block),
                false if block.contains("\n  defaultCacheDuration: ") => node.config(&block),
                false => continue,
            };
            for name in block.lines().filter_map(|line| line.strip_prefix("- name: ")) {
                node.script(name.split(' ').next().expect("a name"), "exit 1");
            }
            let bin_dir = node.text("bin");
            let ran = pullpass(["check", &file, "--bin-dir", &bin_dir]);
            assert_eq!(ran.code, Some(0), "{path}\n{block}\n{}{}", ran.stdout, ran.stderr);
            let warning = ran.stdout.lines().find(|line| line.starts_with("warning: "));
            assert_eq!(warning, None, "{path}\n{block}");
            seen += 1;
        }
        assert!(seen > 0, "{path}");
    }
}

#[test]
fn every_link_within_a_page_leads_somewhere() {
    for (_, path) in PAGES {
        let page = page(path);
        let mut code = false;
        let mut anchors = Vec::new();
        for line in page.lines() {
            code ^= line.trim_start().starts_with("```");
            if !code && line.starts_with("##") {
                let heading = line.trim_start_matches('#').trim().to_lowercase();
                let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
                anchors.push(heading.chars().filter(kept).collect::<String>().replace(' ', "-"));
            }
        }
        for link in page.split("](#").skip(1) {
            let anchor = link.split(')').next().expect("a link");
            assert!(anchors.iter().any(|known| known == anchor), "{path}: #{anchor}");
        }
    }
}

#[test]
fn every_role_is_what_the_command_prints() {
    let mut seen = 0;
    for path in PAGES.iter().map(|(_, path)| *path).chain(["README.md"]) {
        for block in yaml(&page(path)) {
            if !block.contains("request-serviceaccounts-token-audience") {
                continue;
            }
            let (_, rest) = block.split_once("resources: [\"").expect(path);
            let audience = rest.split('"').next().expect("an audience");
            let ran = pullpass(["config", "--rbac", "--service-account-audience", audience]);
            assert_eq!(block, ran.stdout, "{path}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn a_default_cache_duration_is_what_the_command_prints() {
    let printed = pullpass(["config", "ecr"]).stdout;
    let printed = printed.lines().find(|line| line.contains("defaultCacheDuration:"));
    let printed = printed.expect("a duration").trim();
    for path in PAGES.iter().map(|(_, path)| *path).chain(["README.md"]) {
        let page = page(path);
        let first = page.lines().find(|line| line.contains("defaultCacheDuration: "));
        let first = first.expect(path).split(" #").next().unwrap_or_default().trim();
        assert_eq!(first, printed, "{path}");
    }
}
