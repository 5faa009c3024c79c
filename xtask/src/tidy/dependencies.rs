//! The rule that dependencies run one way: `core` to backends to plugins, and the kubelet's half
//! beside them.

use super::Faults;
use super::tree::Tree;

/// The folder of a crate, and the folders of our crates that it may depend on. `/*` means each
/// folder below.
const LAYERS: [(&str, &[&str]); 7] = [
    // Shared by both halves.
    ("core/duration", &[]),
    ("core", &["core/duration"]),
    ("kubelet", &["core/duration"]),
    ("backends/*", &["core"]),
    ("plugins/*", &["core", "backends/*"]),
    ("docker", &["core", "backends/*"]),
    ("cli", &["core", "core/duration", "kubelet", "backends/*"]),
];

/// These may depend on everything.
const ON_TOP: [&str; 3] = ["fuzz", "tests", "xtask"];

/// Every dependency between our own crates, also one that only tests have, goes down the layers.
/// A plugin has one backend.
pub(super) fn dependencies_follow_the_arrow(tree: &Tree) -> Faults {
    let ours: Vec<(&str, &str)> = tree
        .manifests()
        .filter_map(|(path, text)| Some((path.strip_suffix("/Cargo.toml")?, package_name(text)?)))
        .collect();
    let mut faults = Faults::new();
    for (folder, name) in ours.iter().filter(|(folder, _)| !ON_TOP.contains(folder)) {
        let manifest = format!("{folder}/Cargo.toml");
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| is_in(folder, layer)) else {
            faults.push(format!(
                "{manifest}: no rule says what a crate in this folder may depend on"
            ));
            continue;
        };
        let named = dependencies(tree.text(&manifest).unwrap_or_default());
        let used: Vec<&(&str, &str)> =
            ours.iter().filter(|(_, other)| other != name && named.contains(other)).collect();
        faults.extend(
            used.iter()
                .filter(|(other, _)| !allowed.iter().any(|layer| is_in(other, layer)))
                .map(|(_, other)| format!("{manifest} depends on `{other}`")),
        );
        let backends = used.iter().filter(|(other, _)| is_in(other, "backends/*")).count();
        if is_in(folder, "plugins/*") && backends > 1 {
            faults.push(format!("{manifest} depends on {backends} backends, 1 is allowed"));
        }
    }
    faults
}

fn is_in(folder: &str, layer: &str) -> bool {
    match layer.strip_suffix('*') {
        Some(parent) => folder.strip_prefix(parent).is_some_and(|rest| !rest.contains('/')),
        None => folder == layer,
    }
}

/// A line of a manifest: the table that it is in, its key, and what is after the `=`.
fn entries(manifest: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let mut table = "";
    manifest.lines().map(|line| line.split(" #").next().unwrap_or(line).trim()).filter_map(
        move |line| {
            if let Some(name) = line.strip_prefix('[') {
                table = name.trim_matches(['[', ']']);
                return Some((table, "", ""));
            }
            let (key, value) = line.split_once('=')?;
            (!line.starts_with('#')).then(|| (table, key.trim(), value.trim()))
        },
    )
}

fn package_name(manifest: &str) -> Option<&str> {
    entries(manifest)
        .find(|(table, key, _)| *table == "package" && *key == "name")
        .map(|(_, _, value)| value.trim_matches('"'))
}

/// The packages that a manifest depends on, in any way and for any target.
fn dependencies(manifest: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (table, key, value) in entries(manifest) {
        let Some((_, rest)) = table.split_once("dependencies") else { continue };
        // `[dependencies]` or `[dependencies.NAME]`.
        let name = match rest.strip_prefix('.') {
            Some(name) => name,
            None => key.split('.').next().unwrap_or(key),
        };
        names.push(name.trim_matches('"'));
        // A dependency under another name.
        let package = if key == "package" { Some(value) } else { value_of_package(value) };
        names.extend(package.and_then(|text| text.split('"').nth(1)));
    }
    names
}

/// What follows `package =` in an inline table.
fn value_of_package(table: &str) -> Option<&str> {
    let (before, after) = table.split_once("package")?;
    let starts_a_key = before.trim_end().ends_with(['{', ',']);
    after.trim_start().strip_prefix('=').filter(|_| starts_a_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each crate of the tree with no dependency, but for this text in one manifest.
    fn check(folder: &str, dependencies: &str) -> Faults {
        const CRATES: [(&str, &str); 9] = [
            ("core", "pullpass"),
            ("core/duration", "pullpass-go-duration"),
            ("backends/acr", "pullpass-acr"),
            ("backends/oidc", "pullpass-oidc"),
            ("plugins/acr-credential-provider", "acr-credential-provider"),
            ("docker", "pullpass-docker"),
            ("kubelet", "pullpass-kubelet"),
            ("cli", "pullpass-cli"),
            ("tests", "pullpass-tests"),
        ];
        let files = CRATES.map(|(one, name)| {
            let text = if one == folder { dependencies } else { "" };
            let package =
                format!("[package]\nname = \"{name}\"\ndescription = \"pullpass-oidc\"\n");
            (format!("{one}/Cargo.toml"), package + text)
        });
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        dependencies_follow_the_arrow(&Tree::from_files(&files))
    }

    fn check_one(folder: &str, dependency: &str) -> Faults {
        check(
            folder,
            &format!("[dependencies]\nurl.workspace = true\n{dependency}.workspace = true\n"),
        )
    }

    #[test]
    fn dependencies_on_what_is_below_are_allowed() {
        for (folder, dependency) in [
            ("core", "pullpass-go-duration"),
            ("kubelet", "pullpass-go-duration"),
            ("backends/acr", "pullpass"),
            ("plugins/acr-credential-provider", "pullpass-acr"),
            ("docker", "pullpass-oidc"),
            ("cli", "pullpass-kubelet"),
            ("cli", "pullpass-acr"),
            ("tests", "pullpass-kubelet"),
        ] {
            assert_eq!(check_one(folder, dependency), Faults::new(), "{folder}: {dependency}");
        }
    }

    #[test]
    fn catches_a_dependency_against_the_arrow() {
        for (folder, dependency) in [
            ("core/duration", "pullpass"),
            ("core", "pullpass-acr"),
            ("core", "pullpass-tests"),
            ("backends/acr", "pullpass-oidc"),
            ("backends/acr", "pullpass-kubelet"),
            ("backends/acr", "pullpass-tests"),
            ("plugins/acr-credential-provider", "pullpass-kubelet"),
            ("kubelet", "pullpass"),
            ("kubelet", "pullpass-oidc"),
            ("cli", "acr-credential-provider"),
        ] {
            let fault = format!("{folder}/Cargo.toml depends on `{dependency}`");
            assert_eq!(check_one(folder, dependency), [fault]);
        }
    }

    #[test]
    fn catches_a_dependency_however_it_is_written() {
        let fault = "backends/acr/Cargo.toml depends on `pullpass-oidc`";
        for text in [
            "[dev-dependencies]\npullpass-oidc.workspace = true\n",
            "[build-dependencies]\n\"pullpass-oidc\" = { path = \"../oidc\" }\n",
            "[target.'cfg(unix)'.dependencies]\npullpass-oidc = { path = \"../oidc\" }\n",
            "[dependencies]\nx = { package = \"pullpass-oidc\", path = \"../oidc\" }\n",
            "[dependencies]\nx = { path = \"../oidc\", package = \"pullpass-oidc\" } # why\n",
            "[dependencies.pullpass-oidc]\nworkspace = true\n",
            "[dependencies.x]\npackage = \"pullpass-oidc\"\n",
        ] {
            assert_eq!(check("backends/acr", text)[..], [fault], "{text}");
        }
        for text in ["# [dependencies]\n# pullpass-oidc\n", "[features]\npullpass-oidc = []\n"] {
            assert_eq!(check("backends/acr", text), Faults::new(), "{text}");
        }
    }

    #[test]
    fn catches_a_plugin_of_two_backends() {
        let two = "[dependencies]\npullpass-acr.workspace = true\npullpass-oidc.workspace = true\n";
        let plugin = "plugins/acr-credential-provider";
        let fault = format!("{plugin}/Cargo.toml depends on 2 backends, 1 is allowed");
        assert_eq!(check(plugin, two), [fault]);
        assert_eq!(check("docker", two), Faults::new());
    }

    #[test]
    fn catches_a_crate_outside_of_the_layers() {
        let tree =
            Tree::from_files(&[("extra/Cargo.toml", "[package]\nname = \"pullpass-extra\"\n")]);
        let fault = "extra/Cargo.toml: no rule says what a crate in this folder may depend on";
        assert_eq!(dependencies_follow_the_arrow(&tree), [fault]);
    }
}
