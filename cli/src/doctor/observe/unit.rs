//! The files of systemd units, and files of variables.

use std::path::{Path, PathBuf};

use crate::doctor::node::{EnvFile, UnitFile};
use crate::doctor::tree::Tree;

/// The directories of units, the strongest first.
const UNIT_DIRS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// A unit's file, then its drop-ins by name; of two with the same name, the one of the stronger
/// directory.
pub(super) fn unit(tree: &Tree, name: &str) -> Vec<UnitFile> {
    let own = UNIT_DIRS.iter().map(|dir| Path::new(dir).join(name));
    let own = own.filter_map(|path| read_unit(tree, path)).take(1);
    own.chain(drop_ins(tree, name)).collect()
}

pub(super) fn drop_ins(tree: &Tree, name: &str) -> Vec<UnitFile> {
    let mut paths: Vec<(String, PathBuf)> = Vec::new();
    for dir in UNIT_DIRS {
        let dir = Path::new(dir).join(format!("{name}.d"));
        for file in tree.names(&dir).into_iter().filter(|file| file.ends_with(".conf")) {
            if !paths.iter().any(|(known, _)| *known == file) {
                paths.push((file.clone(), dir.join(file)));
            }
        }
    }
    paths.sort();
    paths.into_iter().filter_map(|(_, path)| read_unit(tree, path)).collect()
}

fn read_unit(tree: &Tree, path: PathBuf) -> Option<UnitFile> {
    let text = tree.read(&path).ok()?;
    let changed = tree.metadata(&path).ok()?.modified().ok();
    let mut file = UnitFile { path, changed, ..UnitFile::default() };
    for line in text.replace("\\\n", " ").lines().map(str::trim) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim();
        match key.trim() {
            "Environment" => {
                let words = words(value);
                let pairs = words.iter().filter_map(|word| word.split_once('='));
                file.environment.extend(pairs.map(|(name, value)| (name.into(), value.into())));
            }
            "EnvironmentFile" => {
                let path = value.strip_prefix('-').unwrap_or(value);
                file.environment_files.push(path.into());
            }
            "ExecStart" => file.exec_start.push(value.to_owned()),
            _ => {}
        }
    }
    Some(file)
}

/// A file of lines `NAME=value`, as systemd and shells read them.
pub(super) fn env_file(tree: &Tree, path: &Path) -> Option<EnvFile> {
    let text = tree.read(path).ok()?.replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let pairs = lines.filter_map(|line| line.split_once('='));
    let unquote = |value: &str| {
        let value = value.trim();
        let inner = ['"', '\'']
            .iter()
            .find_map(|mark| value.strip_prefix(*mark).and_then(|rest| rest.strip_suffix(*mark)));
        inner.unwrap_or(value).to_owned()
    };
    let assignments = pairs.map(|(name, value)| {
        (name.trim().trim_start_matches("export ").to_owned(), unquote(value))
    });
    Some(EnvFile { path: path.to_owned(), assignments: assignments.collect() })
}

/// The words of a line; blanks in quotes are kept.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote) = (String::new(), None);
    for c in line.chars() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (c, _) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
