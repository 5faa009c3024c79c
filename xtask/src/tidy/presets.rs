//! The rule that every preset of the `oidc` backend is documented.

use super::Faults;
use super::tree::Tree;

const PRESETS: &str = "backends/oidc/presets/";
const PAGES: &str = "backends/oidc/docs/presets/";
const TABLE: &str = "backends/oidc/docs.md";

/// Every preset has its row in the backend's table and a page that names it; every page belongs to
/// a preset. A page may serve several.
pub(super) fn presets_are_complete(tree: &Tree) -> Faults {
    let presets = names(tree, PRESETS, ".yaml");
    let rows: Vec<(&str, &str)> =
        tree.text(TABLE).unwrap_or_default().lines().filter_map(row).collect();
    let mut faults = Faults::new();
    for preset in &presets {
        let Some((_, page)) = rows.iter().find(|(name, _)| name == preset) else {
            faults.push(format!("{TABLE} has no row for the preset `{preset}`"));
            continue;
        };
        let path = format!("{PAGES}{page}.md");
        match tree.text(&path) {
            None => {
                faults.push(format!("{TABLE} leads from `{preset}` to {path}, which is missing"))
            }
            Some(text) if !text.contains(&format!("`{preset}`")) => {
                faults.push(format!("{path} does not name the preset `{preset}`"));
            }
            Some(_) => {}
        }
    }
    for page in names(tree, PAGES, ".md") {
        if !rows.iter().any(|(preset, of)| *of == page && presets.contains(preset)) {
            faults.push(format!("{PAGES}{page}.md belongs to no preset"));
        }
    }
    faults
}

/// The names of the files in a folder that end so, without the end.
fn names<'a>(tree: &'a Tree, folder: &str, end: &str) -> Vec<&'a str> {
    tree.files().filter_map(|(path, _)| path.strip_prefix(folder)?.strip_suffix(end)).collect()
}

/// The preset and its page, of a row that starts with "| [`NAME`](docs/presets/PAGE.md) |".
fn row(line: &str) -> Option<(&str, &str)> {
    let (preset, rest) = line.strip_prefix("| [`")?.split_once("`](docs/presets/")?;
    Some((preset, rest.split_once(".md)")?.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "| preset | for |\n|---|---|\n\
        | [`vault-kv`](docs/presets/vault.md) | Vault |\n\
        | [`vault-kv1`](docs/presets/vault.md) | Vault |\n";
    const PAGE: (&str, &str) =
        ("backends/oidc/docs/presets/vault.md", "# Vault: `vault-kv`, `vault-kv1`\n");

    fn check(table: &str, pages: &[(&str, &str)]) -> Faults {
        let mut files = vec![
            ("backends/oidc/docs.md", table),
            ("backends/oidc/presets/vault-kv.yaml", ""),
            ("backends/oidc/presets/vault-kv1.yaml", ""),
        ];
        files.extend(pages);
        presets_are_complete(&Tree::from_files(&files))
    }

    #[test]
    fn one_page_may_serve_several_presets() {
        assert_eq!(check(ROWS, &[PAGE]), Faults::new());
    }

    #[test]
    fn catches_a_preset_without_its_row_or_page() {
        let one_row = &ROWS[..ROWS.find("| [`vault-kv1`").unwrap()];
        let fault = "backends/oidc/docs.md has no row for the preset `vault-kv1`";
        assert_eq!(check(one_row, &[PAGE]), [fault]);
        let fault = "backends/oidc/docs/presets/vault.md does not name the preset `vault-kv1`";
        assert_eq!(check(ROWS, &[(PAGE.0, "# Vault: `vault-kv`\n")]), [fault]);
        assert_eq!(check(ROWS, &[]).len(), 2);
    }

    #[test]
    fn catches_a_page_of_no_preset() {
        let other = ("backends/oidc/docs/presets/quay.md", "# Quay: `quay`\n");
        let fault = "backends/oidc/docs/presets/quay.md belongs to no preset";
        assert_eq!(check(ROWS, &[PAGE, other]), [fault]);
        let row = format!("{ROWS}| [`quay`](docs/presets/quay.md) | Quay |\n");
        assert_eq!(check(&row, &[PAGE, other]), [fault]);
    }
}
