//! The files under check, in memory, so that a test can make up a tree.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::Result;

/// Folders whose Rust files end up in what users run.
const PRODUCT: [&str; 5] = ["core", "backends", "plugins", "kubelet", "cli"];

/// Text files by their path from the root, with `/` between the parts.
pub(super) struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Reads the listed files; what is not UTF-8 text or was deleted is left out.
    pub(super) fn read<'a>(root: &Path, list: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for path in list.filter(|path| !path.is_empty()) {
            match fs::read(root.join(path)) {
                Ok(bytes) => {
                    if let Ok(text) = String::from_utf8(bytes) {
                        files.insert(path.to_owned(), text);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(format!("cannot read {path}: {error}").into()),
            }
        }
        if !files.contains_key("Cargo.toml") {
            return Err("no Cargo.toml among the files that git lists".into());
        }
        Ok(Self(files))
    }

    /// A tree for a test.
    #[cfg(test)]
    pub(super) fn from_files(files: &[(&str, &str)]) -> Self {
        Self(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    /// Every file: path and text.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The text of one file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// The Rust files of the product: what is in a `src` folder of one of its crates.
    pub(super) fn product_sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| {
            PRODUCT.iter().any(|folder| is_below(path, folder))
                && path.contains("/src/")
                && path.ends_with(".rs")
        })
    }

    /// The manifests of the product's crates.
    pub(super) fn product_manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.manifests().filter(|(path, _)| PRODUCT.iter().any(|folder| is_below(path, folder)))
    }

    /// The manifests of all crates, without that of the workspace.
    pub(super) fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with("/Cargo.toml"))
    }

    /// The names of the folders below `parent` that are crates.
    pub(super) fn crates_in(&self, parent: &str) -> Vec<&str> {
        self.0
            .keys()
            .filter_map(|path| path.strip_prefix(parent)?.strip_prefix('/'))
            .filter_map(|rest| rest.strip_suffix("/Cargo.toml"))
            .filter(|name| !name.contains('/'))
            .collect()
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}
