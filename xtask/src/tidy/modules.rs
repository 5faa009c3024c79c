//! The modules of a crate and the paths that each uses, read from the source. Code that only
//! tests compile is left out.

use std::collections::BTreeMap;

use super::tokens::{Token, is_name, read_tokens, without_tests};
use super::tree::Tree;

/// A module by the names from the crate's root to it; the root has none.
pub(super) type ModulePath = Vec<String>;

/// One crate's modules.
pub(super) struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

#[derive(Default)]
struct Module {
    uses: Vec<Use>,
    /// What its `use` items bring into it: the name here, and the full path.
    imports: BTreeMap<String, ModulePath>,
}

/// A path of the same crate in the code of a module.
pub(super) struct Use {
    /// From the crate's root on.
    path: Vec<String>,
    /// File and line.
    pub(super) place: String,
}

impl Crate {
    /// Reads the crate whose manifest is in this folder.
    pub(super) fn read(tree: &Tree, folder: &str) -> Self {
        let start = format!("{folder}/src/");
        let files: Vec<(ModulePath, &str, Vec<Token>)> = tree
            .files()
            .filter_map(|(file, text)| {
                let path = module_of_file(file.strip_prefix(&start)?)?;
                Some((path, file, without_tests(read_tokens(text))))
            })
            .collect();
        let mut modules: BTreeMap<ModulePath, Module> = BTreeMap::new();
        for (path, _, tokens) in &files {
            modules.entry(path.clone()).or_default();
            let mut reader = Reader::new(path, tokens);
            while reader.step().is_some() {
                modules.entry(reader.module()).or_default();
            }
        }
        // A second time: a path may start with a module that is declared further down.
        let known: Vec<ModulePath> = modules.keys().cloned().collect();
        for (path, file, tokens) in &files {
            let mut reader = Reader::new(path, tokens);
            while let Some(found) = reader.step() {
                let here = reader.module();
                let Some(module) = modules.get_mut(&here) else { continue };
                for leaf in found.leaves {
                    let Some(full) = full_path(&here, &leaf.path, &known) else { continue };
                    if found.is_import {
                        module.imports.insert(leaf.name, full.clone());
                    }
                    module.uses.push(Use { path: full, place: format!("{file}:{}", found.line) });
                }
            }
        }
        Self { modules }
    }

    /// Every use of another module that is neither above nor below the user: the user, the other
    /// module, and the place.
    pub(super) fn uses(&self) -> impl Iterator<Item = (&ModulePath, ModulePath, &Use)> {
        self.modules.iter().flat_map(move |(user, module)| {
            module.uses.iter().filter_map(move |one| {
                let used = self.resolve(user, &one.path)?;
                (!used.starts_with(user)).then_some((user, used, one))
            })
        })
    }

    /// The module that a path leads to. A module above the user only passes names on, so there
    /// the path is followed to where the name comes from.
    fn resolve(&self, user: &[String], path: &[String]) -> Option<ModulePath> {
        let mut path = path.to_vec();
        // Bounded: two modules may pass a name on to each other.
        for _ in 0..16 {
            let depth =
                (0..=path.len()).rev().find(|depth| self.modules.contains_key(&path[..*depth]))?;
            let (module, rest) = path.split_at(depth);
            if !user.starts_with(module) {
                return Some(module.to_vec());
            }
            let (name, rest) = rest.split_first()?;
            let origin = self.modules[module].imports.get(name)?;
            path = [origin, rest].concat();
        }
        None
    }
}

/// `http.rs` and `http/mod.rs` are `http`; nothing for files of tests alone.
fn module_of_file(file: &str) -> Option<ModulePath> {
    let mut path: ModulePath = file.strip_suffix(".rs")?.split('/').map(str::to_owned).collect();
    if path.iter().any(|name| name == "tests") {
        return None;
    }
    let last = path.last()?.as_str();
    if last == "mod" || (path.len() == 1 && (last == "lib" || last == "main")) {
        path.pop();
    }
    Some(path)
}

/// The path from the root, if it is one of this crate.
fn full_path(here: &[String], path: &[String], known: &[ModulePath]) -> Option<Vec<String>> {
    let (first, mut rest) = path.split_first()?;
    let mut full = match first.as_str() {
        "crate" => Vec::new(),
        "self" => here.to_vec(),
        "super" => here.split_last()?.1.to_vec(),
        _ => {
            let full = [here, path].concat();
            return known.contains(&full[..=here.len()].to_vec()).then_some(full);
        }
    };
    while let Some(("super", after)) = rest.split_first().map(|(name, after)| (&**name, after)) {
        full.pop()?;
        rest = after;
    }
    full.extend_from_slice(rest);
    Some(full)
}

/// Walks through a file and finds the paths in it.
struct Reader<'a> {
    file: &'a [String],
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// The modules with a block here, with the depth of what is in it.
    inline: Vec<(String, usize)>,
}

/// What one step found.
struct Found {
    leaves: Vec<Leaf>,
    is_import: bool,
    line: usize,
}

/// A path, and the name that it has where it is imported.
struct Leaf {
    path: Vec<String>,
    name: String,
}

impl<'a> Reader<'a> {
    fn new(file: &'a [String], tokens: &'a [Token]) -> Self {
        Self { file, tokens, at: 0, depth: 0, inline: Vec::new() }
    }

    /// The module that the walk is in.
    fn module(&self) -> ModulePath {
        self.file.iter().chain(self.inline.iter().map(|(name, _)| name)).cloned().collect()
    }

    /// Moves to the next token, item or path; nothing at the end.
    fn step(&mut self) -> Option<Found> {
        let line = self.tokens.get(self.at)?.line;
        let before = self.at.checked_sub(1).map_or("", |before| self.text(before));
        let mut leaves = Vec::new();
        let mut is_import = false;
        match self.text(self.at) {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                self.inline.retain(|(_, depth)| *depth <= self.depth);
            }
            "mod" if self.text(self.at + 2) == "{" => {
                self.inline.push((self.text(self.at + 1).to_owned(), self.depth + 1));
                self.at += 1;
            }
            "use" if self.text(self.at + 1) != "<" => {
                self.at += 1;
                self.read_use_tree(&[], &mut leaves);
                is_import = true;
            }
            "crate" | "self" | "super" if before != "::" && self.text(self.at + 1) == "::" => {
                let mut path = vec![self.text(self.at).to_owned()];
                while self.text(self.at + 1) == "::" && is_name(self.text(self.at + 2)) {
                    self.at += 2;
                    path.push(self.text(self.at).to_owned());
                }
                leaves.push(Leaf { path, name: String::new() });
            }
            _ => {}
        }
        self.at += 1;
        Some(Found { leaves, is_import, line })
    }

    /// Reads one branch of a `use`, and stops before what follows it.
    fn read_use_tree(&mut self, prefix: &[String], leaves: &mut Vec<Leaf>) {
        let mut path = prefix.to_vec();
        loop {
            match self.text(self.at) {
                "::" => self.at += 1,
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(self.at), "}" | "") {
                        self.read_use_tree(&path, leaves);
                        if self.text(self.at) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    return leaves.push(Leaf { path, name: "*".to_owned() });
                }
                "as" => {
                    let name = self.text(self.at + 1).to_owned();
                    self.at += 2;
                    return leaves.push(Leaf { path, name });
                }
                // In braces `self` means the path before them.
                "self" if !path.is_empty() => self.at += 1,
                name if is_name(name) => {
                    path.push(name.to_owned());
                    self.at += 1;
                }
                _ => {
                    let name = path.last().cloned().unwrap_or_default();
                    return leaves.push(Leaf { path, name });
                }
            }
        }
    }

    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }
}
