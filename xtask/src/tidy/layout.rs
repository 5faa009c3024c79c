//! Rules about files: what must be there, and how large it may be.

use super::Faults;
use super::source;
use super::tree::Tree;

/// A plugin is its backend's data; a `main.rs` that does more hides behaviour from the library.
const MAIN_LINES: usize = 3;
/// One file, one job.
const FILE_LINES: usize = 400;
/// The modules of every backend, in the order in which a request passes through them.
const ROOMS: [&str; 8] = [
    "registry",
    "settings",
    "identity",
    "credentials",
    "exchange",
    "response",
    "error_response",
    "error_codes",
];
/// In `oidc` a profile's exchange says how to get credentials, and an issuer's error codes
/// are those of RFC 6749, which core knows.
const ROOMS_NOT_NEEDED: [(&str, &[&str]); 1] = [("oidc", &["credentials", "error_codes"])];

/// Every plugin has a `main.rs`, of at most three lines of code.
pub(super) fn plugin_main_is_three_lines(tree: &Tree) -> Faults {
    let mut faults = Faults::new();
    for plugin in tree.crates_in("plugins") {
        let path = format!("plugins/{plugin}/src/main.rs");
        match tree.text(&path).map(source::count_code_lines) {
            None => faults.push(format!("{path} is missing")),
            Some(lines) if lines > MAIN_LINES => {
                faults.push(format!("{path} has {lines} lines of code, {MAIN_LINES} are allowed"));
            }
            Some(_) => {}
        }
    }
    faults
}

/// Every backend has the user's page, and its crate documentation includes it.
pub(super) fn backend_has_docs_page(tree: &Tree) -> Faults {
    let mut faults = Faults::new();
    for backend in tree.crates_in("backends") {
        if tree
            .text(&format!("backends/{backend}/docs.md"))
            .is_none_or(|text| text.trim().is_empty())
        {
            faults.push(format!("backends/{backend}/docs.md is missing or empty"));
        }
        let root = format!("backends/{backend}/src/lib.rs");
        let includes = |text: &str| {
            text.lines().any(|line| {
                line.trim_start().starts_with("#![doc")
                    && line.contains("include_str!(\"../docs.md\")")
            })
        };
        if !tree.text(&root).is_some_and(includes) {
            faults.push(format!("{root} does not include `../docs.md` in its documentation"));
        }
    }
    faults
}

/// Every backend has the same rooms: a reader who knows one backend finds the way in all of them.
pub(super) fn backends_have_the_same_rooms(tree: &Tree) -> Faults {
    let mut faults = Faults::new();
    for backend in tree.crates_in("backends") {
        let without = ROOMS_NOT_NEEDED.iter().find(|(name, _)| *name == backend);
        for room in ROOMS {
            if !without.is_some_and(|(_, rooms)| rooms.contains(&room))
                && !has_room(tree, backend, room)
            {
                faults.push(format!("backends/{backend}/src has no `{room}`, file or folder"));
            }
        }
    }
    faults
}

/// Whether there is such a file or folder, at most one folder down.
fn has_room(tree: &Tree, backend: &str, room: &str) -> bool {
    let start = format!("backends/{backend}/src/");
    tree.files().filter_map(|(path, _)| path.strip_prefix(&start)).any(|path| {
        let mut parts =
            path.split('/').take(2).map(|part| part.strip_suffix(".rs").unwrap_or(part));
        path.ends_with(".rs") && parts.any(|part| part == room)
    })
}

/// Every crate takes the workspace's lints, `unsafe_code = "forbid"` among them.
pub(super) fn crates_inherit_lints(tree: &Tree) -> Faults {
    tree.manifests()
        .filter(|(path, _)| !path.starts_with("fuzz/"))
        .filter(|(_, text)| !inherits_lints(text))
        .map(|(path, _)| format!("{path} lacks `[lints]` with `workspace = true`"))
        .collect()
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.by_ref().take_while(|line| !line.starts_with('[')).any(|line| line == "workspace = true")
}

/// No file of the product is longer than one can read in one sitting.
pub(super) fn files_fit_a_room(tree: &Tree) -> Faults {
    tree.product_sources()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(path, lines)| format!("{path} has {lines} lines, {FILE_LINES} are allowed"))
        .collect()
}

/// No file names a folder of one developer's machine.
pub(super) fn no_machine_paths(tree: &Tree) -> Faults {
    // Composed here, so that this file does not break its own rule.
    let folders = ["root", "work", "Users"].map(|name| format!("/{name}/"));
    let mut faults = Faults::new();
    for (path, text) in tree.files() {
        for (number, line) in text.lines().enumerate() {
            if folders.iter().any(|folder| starts_a_path(line, folder)) {
                faults.push(format!("{path}:{} names a machine's folder", number + 1));
            }
        }
    }
    faults
}

/// Whether the folder is named as the start of a path, not as a part of a longer path or URL.
fn starts_a_path(line: &str, folder: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || "_-.}/".contains(character);
    line.match_indices(folder).any(|(at, _)| {
        let before = &line[..at];
        before.ends_with("file://") || !before.chars().next_back().is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"x\"\n\n[lints]\nworkspace = true\n";

    #[test]
    fn catches_a_main_with_more_than_three_lines() {
        let path = "plugins/a/src/main.rs";
        let good =
            "//! Docs.\n\nfn main() -> std::process::ExitCode {\n    pullpass::main(&A)\n}\n";
        let bad =
            "use std::process::ExitCode;\n\nfn main() -> ExitCode {\n    pullpass::main(&A)\n}\n";
        let check = |main| {
            plugin_main_is_three_lines(&Tree::from_files(&[
                ("plugins/a/Cargo.toml", MANIFEST),
                (path, main),
            ]))
        };
        assert_eq!(check(good), Faults::new());
        assert_eq!(check(bad), ["plugins/a/src/main.rs has 4 lines of code, 3 are allowed"]);
        let without = Tree::from_files(&[("plugins/a/Cargo.toml", MANIFEST)]);
        assert_eq!(plugin_main_is_three_lines(&without), ["plugins/a/src/main.rs is missing"]);
    }

    #[test]
    fn catches_a_backend_without_its_page() {
        let (manifest, root) = ("backends/a/Cargo.toml", "backends/a/src/lib.rs");
        let includes = "#![doc = include_str!(\"../docs.md\")]\n";
        let page = ("backends/a/docs.md", "# A\n");
        let good = Tree::from_files(&[(manifest, MANIFEST), (root, includes), page]);
        assert_eq!(backend_has_docs_page(&good), Faults::new());
        let no_page = Tree::from_files(&[(manifest, MANIFEST), (root, includes)]);
        assert_eq!(backend_has_docs_page(&no_page), ["backends/a/docs.md is missing or empty"]);
        let in_a_comment = Tree::from_files(&[
            (manifest, MANIFEST),
            (root, "// include_str!(\"../docs.md\")"),
            page,
        ]);
        assert_eq!(backend_has_docs_page(&in_a_comment).len(), 1);
    }

    #[test]
    fn catches_a_backend_that_lacks_a_room() {
        let check = |backend: &str, rooms: &[&str]| {
            let paths = rooms.iter().map(|room| format!("backends/{backend}/src/{room}"));
            let paths: Vec<String> =
                paths.chain([format!("backends/{backend}/Cargo.toml")]).collect();
            let files: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "")).collect();
            backends_have_the_same_rooms(&Tree::from_files(&files))
        };
        let rooms = [
            "registry.rs",
            "settings.rs",
            "identity.rs",
            "credentials/node.rs",
            "exchange.rs",
            "response.rs",
            "engine/error_response.rs",
            "error_codes.rs",
        ];
        assert_eq!(check("acr", &rooms), Faults::new());
        for (without, room) in rooms.iter().zip(ROOMS) {
            let others: Vec<&str> = rooms.into_iter().filter(|one| one != without).collect();
            let fault = format!("backends/acr/src has no `{room}`, file or folder");
            assert_eq!(check("acr", &others), [fault.as_str()]);
            // Neither two folders down, nor as a part of another name, nor as a page.
            for other in [format!("a/b/{room}.rs"), format!("my_{room}.rs"), format!("{room}.md")] {
                assert_eq!(check("acr", &[&others[..], &[&other]].concat()), [fault.as_str()]);
            }
            let is_needed = !ROOMS_NOT_NEEDED[0].1.contains(&room);
            assert_eq!(!check("oidc", &others).is_empty(), is_needed, "{room}");
        }
    }

    #[test]
    fn catches_a_crate_with_its_own_lints() {
        let own = "[package]\nname = \"x\"\n[lints]\nrust.unsafe_code = \"allow\"\n[bin]\nworkspace = true\n";
        assert_eq!(
            crates_inherit_lints(&Tree::from_files(&[("cli/Cargo.toml", MANIFEST)])),
            Faults::new()
        );
        assert_eq!(crates_inherit_lints(&Tree::from_files(&[("cli/Cargo.toml", own)])).len(), 1);
        assert_eq!(
            crates_inherit_lints(&Tree::from_files(&[("cli/Cargo.toml", "[package]\n")])).len(),
            1
        );
    }

    #[test]
    fn catches_a_file_that_is_too_long() {
        let lines = |count| "x\n".repeat(count);
        let check =
            |path, count| files_fit_a_room(&Tree::from_files(&[(path, lines(count).as_str())]));
        assert_eq!(check("core/src/http.rs", 400), Faults::new());
        assert_eq!(
            check("core/src/http.rs", 401),
            ["core/src/http.rs has 401 lines, 400 are allowed"]
        );
        assert_eq!(check("tests/src/world.rs", 401), Faults::new());
    }

    #[test]
    fn catches_a_machines_path() {
        let line = |folder: &str, before: &str| format!("ok\n{before}/{folder}/x\n");
        let check =
            |text: String| no_machine_paths(&Tree::from_files(&[("README.md", text.as_str())]));
        for before in ["", "`", "cd ", "\"", "x=", "file://"] {
            assert_eq!(
                check(line("root", before)),
                ["README.md:2 names a machine's folder"],
                "{before}"
            );
            assert_eq!(check(line("work", before)).len(), 1, "{before}");
        }
        assert_eq!(check(line("work", "https://host.example")), Faults::new());
        assert_eq!(check(line("root", "/var/lib")), Faults::new());
    }
}
