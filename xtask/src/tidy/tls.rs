//! Rules about TLS: one stack, set up in one place.

use super::Faults;
use super::source;
use super::tree::Tree;

/// Second TLS stacks. Each is a crate, or the start of a family's names if it ends with `-`.
const OTHER_TLS: [&str; 6] =
    ["aws-lc-", "boring", "boring-sys", "native-tls", "openssl", "openssl-sys"];

/// One TLS stack: `ring`, through rustls. aws-lc-rs collects 40 to 60 ms of CPU jitter at the
/// first random byte of a process, which is more than all that a plugin does.
pub(super) fn one_tls_stack(tree: &Tree) -> Faults {
    let Some(lock) = tree.text("Cargo.lock") else {
        return vec!["Cargo.lock is missing: it is committed here".to_owned()];
    };
    locked_packages(lock)
        .filter(|name| OTHER_TLS.iter().any(|other| is_one_of(name, other)))
        .map(|name| format!("Cargo.lock has `{name}`"))
        .collect()
}

fn locked_packages(lock: &str) -> impl Iterator<Item = &str> {
    lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
}

fn is_one_of(name: &str, other: &str) -> bool {
    if other.ends_with('-') { name.starts_with(other) } else { name == other }
}

/// In the product, `ring` is named only where TLS is set up.
pub(super) fn ring_only_in_tls(tree: &Tree) -> Faults {
    let sources = tree
        .product_sources()
        .filter(|(path, _)| *path != "core/src/tls.rs" && !path.starts_with("core/src/tls/"))
        .filter(|(_, text)| source::strip_comments(text).lines().any(names_ring));
    let manifests = tree
        .product_manifests()
        .filter(|(path, _)| *path != "core/Cargo.toml")
        .filter(|(_, text)| text.lines().any(|line| key_of_line(line) == "ring"));
    sources
        .chain(manifests)
        .map(|(path, _)| format!("{path} names `ring`; only `core/src/tls` may"))
        .collect()
}

/// As a path's part or an import: a variable may have that name.
fn names_ring(line: &str) -> bool {
    let line = line.trim_start();
    let imports = ["use ", "pub use ", "extern "].iter().any(|start| line.starts_with(start));
    let spaced = line.replace("::", " :: ");
    source::has_word(&spaced, "ring ::")
        || source::has_word(&spaced, ":: ring")
        || (imports && source::has_word(line, "ring"))
}

/// What is before the first `.`, `=` or blank of a line in TOML.
fn key_of_line(line: &str) -> &str {
    line.split(|character: char| ".=".contains(character) || character.is_whitespace())
        .next()
        .unwrap_or(line)
        .trim_matches('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catches_another_tls_stack() {
        let check = |name: &str| {
            let lock = format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
            one_tls_stack(&Tree::from_files(&[("Cargo.lock", lock.as_str())]))
        };
        for name in
            ["aws-lc-rs", "aws-lc-sys", "aws-lc-fips-sys", "openssl", "openssl-sys", "native-tls"]
        {
            assert_eq!(check(name), [format!("Cargo.lock has `{name}`")]);
        }
        // Finds certificate bundles; has no TLS in it.
        assert_eq!(check("openssl-probe"), Faults::new());
        assert_eq!(one_tls_stack(&Tree::from_files(&[])).len(), 1);
    }

    #[test]
    fn catches_ring_outside_of_tls() {
        let check = |path, text| ring_only_in_tls(&Tree::from_files(&[(path, text)]));
        let naming = "use rustls::crypto::ring;\n";
        assert_eq!(check("core/src/tls.rs", naming), Faults::new());
        assert_eq!(check("core/src/tls/roots.rs", naming), Faults::new());
        assert_eq!(check("tests/src/tls.rs", naming), Faults::new());
        for (path, text) in [
            ("core/src/http.rs", naming),
            ("core/src/http.rs", "fn f() { let d = ring::digest::digest(); }\n"),
            ("core/src/tls_more.rs", naming),
            ("backends/oidc/src/lib.rs", "use ring as crypto;\n"),
            ("cli/Cargo.toml", "[dependencies]\nring.workspace = true\n"),
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}: {text}");
        }
        for text in [
            "use crate::keyring; // ring\n",
            "let mut ring = Keyring::for_version(version);\n",
            "let ring = keyring::new();\n",
        ] {
            assert_eq!(check("kubelet/src/keyring.rs", text), Faults::new(), "{text}");
        }
    }
}
