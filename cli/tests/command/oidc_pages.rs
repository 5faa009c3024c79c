//! The oidc plugin's pages: every profile in them loads, every entry for the kubelet is what its
//! profile needs, every preset, field and error text is the code's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pullpass::CacheType;
use pullpass_kubelet::{Config, KubeletVersion, Target};
use pullpass_oidc::{ParameterDefault, Preset, ProviderEntry, presets, provider_entries};
use secrecy::ExposeSecret as _;

use crate::oidc::oidc_plugin;
use crate::pages::{quoted, section, yaml};
use crate::readme::{agrees, words};
use crate::{Node, pullpass};

fn backend() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../backends/oidc")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The main page and the other pages, by their paths from the backend's folder.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::from([("docs.md".to_owned(), read(&backend().join("docs.md")))]);
    for folder in ["docs", "docs/presets"] {
        for entry in fs::read_dir(backend().join(folder)).expect(folder) {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.file_name().expect("a name").to_str().expect("UTF-8");
                pages.insert(format!("{folder}/{name}"), read(&path));
            }
        }
    }
    pages
}

fn is_profiles(block: &str) -> bool {
    block.contains("kind: OIDCExchangeConfig")
}

/// What the kubelet must be told for a file with this text.
fn needs(node: &Node, text: &str) -> Vec<ProviderEntry> {
    let file = node.write("oidc.yaml", text);
    provider_entries(Path::new(&file)).unwrap_or_else(|error| panic!("{}\n{text}", error.render()))
}

fn all_presets() -> Vec<Preset> {
    presets().unwrap_or_else(|error| panic!("{}", error.render()))
}

fn preset(name: &str) -> Preset {
    all_presets()
        .into_iter()
        .find(|preset| preset.name() == name)
        .unwrap_or_else(|| panic!("{name}"))
}

/// The file that says what a command line with `--preset` does.
fn as_file(args: &[String]) -> String {
    let mut joined = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        joined.push(match arg.as_str() {
            "--preset" | "--set" => format!("{arg}={}", args.next().expect("a value")),
            _ => arg.clone(),
        });
    }
    let (first, rest) = joined.split_first().expect("arguments");
    let preset = preset(first.strip_prefix("--preset=").expect("a preset"));
    let mut text = format!(
        "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n\
         - name: only\n  preset: {}\n{}",
        preset.name(),
        if rest.is_empty() { "" } else { "  variables:\n" }
    );
    for arg in rest {
        let pair = arg.strip_prefix("--set=").unwrap_or_else(|| panic!("{arg}"));
        let (name, value) = pair.split_once('=').expect("NAME=VALUE");
        let known = preset.parameters().any(|parameter| parameter.name == name);
        assert!(known, "`{}` has no `{name}`", preset.name());
        text.push_str(&format!("  - {{name: {name}, value: {value:?}}}\n"));
    }
    text
}

#[test]
fn every_profile_loads_and_has_entries_that_pass() {
    let node = Node::new();
    let mut all = pages();
    all.insert("README.md".to_owned(), read(&backend().join("../../README.md")));
    for (path, page) in &all {
        let profiles: Vec<String> = yaml(page).into_iter().filter(|it| is_profiles(it)).collect();
        assert!(!profiles.is_empty(), "{path}");
        for text in profiles {
            assert!(!needs(&node, &text).is_empty(), "{path}");
            let file = node.text("oidc.yaml");
            let ran = pullpass(["config", "oidc", "--profiles", &file]);
            assert_eq!(ran.code, Some(0), "{path}\n{text}\n{}", ran.stderr);
        }
    }
}

#[test]
fn every_entry_is_what_its_profiles_need() {
    let node = Node::new();
    let target = Target::new(KubeletVersion::default());
    let mut with_preset = Vec::new();
    for (path, page) in pages() {
        let blocks = yaml(&page);
        let profiles = blocks.iter().filter(|it| is_profiles(it));
        let by_file: Vec<ProviderEntry> = profiles.flat_map(|text| needs(&node, text)).collect();
        for block in blocks.iter().filter(|it| it.contains("\n  defaultCacheDuration: ")) {
            let file = node.config(block);
            let text = read(Path::new(&file));
            let config = Config::parse(&file, text.as_bytes(), &target);
            let config = config.unwrap_or_else(|error| panic!("{path}: {}", error.message));
            for entry in &config.providers {
                let args: Vec<String> =
                    entry.args.iter().map(|arg| arg.expose_secret().to_owned()).collect();
                let choice = match args[0].starts_with("--preset") {
                    true => {
                        let file = as_file(&args);
                        with_preset.push(file.clone());
                        needs(&node, &file)
                    }
                    false => {
                        assert_eq!(args, ["--config", "/etc/pullpass/oidc.yaml"], "{path}");
                        by_file.clone()
                    }
                };
                let patterns: Vec<_> =
                    entry.match_images.iter().map(|one| one.as_str().to_owned()).collect();
                // An entry may be for less than its profile is.
                let covers = |it: &&ProviderEntry| {
                    patterns.iter().all(|text| it.match_images.contains(text))
                };
                let needed = choice.iter().find(covers);
                let needed = needed.unwrap_or_else(|| panic!("{path}: {patterns:?}\n{choice:?}"));
                let Some(tokens) = &entry.token_attributes else {
                    assert_eq!(needed.audience, None, "{path}: no `tokenAttributes`");
                    continue;
                };
                assert_eq!(Some(&tokens.audience.value), needed.audience.as_ref(), "{path}");
                let cache = match needed.cache_type {
                    CacheType::Token => "Token",
                    CacheType::ServiceAccount => "ServiceAccount",
                };
                assert_eq!(
                    tokens.cache_type.as_ref().expect("`cacheType`").as_str(),
                    cache,
                    "{path}"
                );
                let require = tokens.require_service_account.value;
                assert_eq!(require, needed.require_service_account, "{path}");
                for (listed, keys) in [
                    (&tokens.required_annotation_keys, &needed.required_annotations),
                    (&tokens.optional_annotation_keys, &needed.optional_annotations),
                ] {
                    let listed: Vec<_> = listed.iter().map(|key| key.value.clone()).collect();
                    assert_eq!(&listed, keys, "{path}");
                }
            }
        }
    }
    assert!(with_preset.len() > 14, "each page has one: {}", with_preset.len());
}

#[test]
fn every_preset_has_its_row_and_its_page() {
    let pages = pages();
    let main = &pages["docs.md"];
    let rows: Vec<&str> =
        section(main, "Presets").lines().filter(|row| row.starts_with("| [`")).collect();
    let presets = all_presets();
    let has_row = |name: &str| rows.iter().any(|row| row.starts_with(&format!("| [`{name}`](")));
    let row_to_add = |preset: &Preset| {
        let (name, needs) = (preset.name(), preset.needs().join(", "));
        let status = preset.status().as_str();
        format!("| [`{name}`](docs/presets/{name}.md) | WHAT | {needs} | {status} |")
    };
    let missing = presets.iter().filter(|preset| !has_row(preset.name())).map(row_to_add);
    assert_eq!(missing.collect::<Vec<_>>(), [""; 0], "add these rows to docs.md");
    assert_eq!(rows.len(), presets.len(), "a row of docs.md is for no preset, or there twice");
    for preset in &presets {
        let name = preset.name();
        let start = format!("| [`{name}`](");
        let row = rows.iter().find(|row| row.starts_with(&start)).expect(name);
        let path = row[start.len()..].split(')').next().expect("a link");
        let cells: Vec<&str> = row.trim_matches(['|', ' ']).split(" | ").collect();
        assert_eq!(cells[3], preset.status().as_str(), "{name}");
        let needs = match preset.needs().join(", ") {
            needs if needs.is_empty() => "nothing".to_owned(),
            needs => needs,
        };
        assert_eq!(cells[2].replace('`', ""), needs, "{name}");
        let page = pages.get(path).unwrap_or_else(|| panic!("{path}"));
        let title = page.lines().next().expect("a title");
        assert!(quoted(title).any(|it| it == name), "{path}: {title}");
        let (_, said) = page.split_once("\nStatus: ").unwrap_or_else(|| panic!("{path}"));
        let said = said.split("\n\n").next().expect("a paragraph").replace('\n', " ");
        assert!(said.contains(preset.status().as_str()), "{path}: {said}");
        let table: Vec<&str> = page.lines().filter(|row| row.starts_with("| `")).collect();
        for parameter in preset.parameters() {
            let names = |row: &&&str| {
                row.split(" | ")
                    .next()
                    .is_some_and(|cell| quoted(cell).any(|it| it == parameter.name))
            };
            let row = table.iter().find(names);
            let row = row.unwrap_or_else(|| panic!("{path}: no row of `{}`", parameter.name));
            if let ParameterDefault::Value(default) = &parameter.default {
                let bare = default.trim_start_matches("${").trim_end_matches('}');
                assert!(bare.is_empty() || row.contains(&format!("`{bare}`")), "{path}: {row}");
            }
        }
    }
}

/// `some_name` as the file has it.
fn camel_case(name: &str) -> String {
    let mut parts = name.trim_start_matches("r#").split('_');
    let first = parts.next().expect("a part").to_owned();
    parts.fold(first, |name, part| format!("{name}{}{}", part[..1].to_uppercase(), &part[1..]))
}

#[test]
fn every_field_has_its_row() {
    let page = read(&backend().join("docs/no-preset.md"));
    let known: Vec<&str> =
        quoted(section(&page, "Fields")).chain(quoted(section(&page, "Names"))).collect();
    let code = read(&backend().join("src/profile/raw.rs"));
    let mut seen = 0;
    for line in code.lines() {
        let Some(field) = line.strip_prefix("    pub(crate) ") else { continue };
        let Some((name, _)) = field.split_once(": ").filter(|(name, _)| !name.contains(' ')) else {
            continue;
        };
        let name = camel_case(name);
        let stands =
            |text: &&str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == name);
        assert!(known.iter().any(stands), "no `{name}`");
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

/// Every text of the code, without line breaks in the middle.
fn sources() -> String {
    fn add(folder: &Path, all: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => add(&path, all),
                false => {
                    let mut lines = fs::read_to_string(&path).expect("UTF-8").replace("\\\"", "\"");
                    while let Some(at) = lines.find("\\\n") {
                        let rest = lines.split_off(at);
                        lines.push_str(rest["\\\n".len()..].trim_start());
                    }
                    all.push_str(&lines);
                }
            }
        }
    }
    let mut all = String::new();
    add(&backend().join("src"), &mut all);
    add(&backend().join("../../core/src"), &mut all);
    all.replace("{{", "{").replace("}}", "}")
}

#[test]
fn every_error_text_is_the_code_s() {
    let page = read(&backend().join("docs/no-preset.md"));
    let code = sources();
    let rows = section(&page, "Errors").lines().filter(|row| row.starts_with("| "));
    let mut seen = 0;
    for row in rows.filter(|row| !row.starts_with("| message")) {
        let text = row[2..].split(" | ").next().expect("a cell");
        // Serde's own words.
        if text.starts_with("unknown field") {
            continue;
        }
        let text = text.replace("`${…}`", "…");
        for part in text.split('…').map(|part| part.trim_matches(['`', ' '])) {
            assert!(code.contains(part), "`{part}` of `{text}`");
            seen += usize::from(part.len() > 8);
        }
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn the_walk_through_is_true() {
    let node = Node::new();
    let page = read(&backend().join("docs/no-preset.md"));
    let profiles = yaml(&page).into_iter().find(|it| is_profiles(it)).expect("a profile");
    node.write("oidc.yaml", &profiles);
    let blocks: Vec<&str> = page.split("```console\n").skip(1).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let block = block.split("```").next().expect("a block");
        let (line, expected) = block.split_once('\n').expect("a command line");
        let line = line.strip_prefix("$ oidc-credential-provider ").expect("a run");
        let output = Command::new(oidc_plugin())
            .args(words(line))
            .current_dir(node.path(""))
            .output()
            .expect("a run");
        let actual = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(expected.lines().count(), actual.lines().count(), "{line}\n{actual}");
        for (expected, actual) in expected.lines().zip(actual.lines()) {
            assert!(agrees(expected, actual), "{line}\nexpected {expected}\nactual   {actual}");
        }
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for (path, page) in pages() {
        let folder = backend().join(&path);
        let folder = folder.parent().expect("a folder");
        let mut seen = 0;
        for link in page.split("](").skip(1).map(|rest| rest.split(')').next().expect("a link")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                page.clone()
            } else {
                assert!(!file.contains("://"), "{path}: {link}");
                let target = folder.join(file);
                assert!(target.exists(), "{path}: {link}");
                if target.is_dir() { String::new() } else { read(&target) }
            };
            let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
            let heading = |line: &&str| {
                let heading: String = line.trim_start_matches('#').trim().to_lowercase();
                line.starts_with("##")
                    && heading.chars().filter(kept).collect::<String>().replace(' ', "-") == anchor
            };
            assert!(
                anchor.is_empty() || target.lines().any(|line| heading(&line)),
                "{path}: {link}"
            );
            seen += 1;
        }
        assert!(seen > 0 || path.starts_with("docs/presets/"), "{path}");
    }
}
