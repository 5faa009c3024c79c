//! `tidy`: the project's conventions as checks.
//!
//! A check is a plain function from the tree to the faults it found; the tests give each a tree
//! that breaks its rule.

mod circles;
mod dependencies;
mod layout;
mod modules;
mod presets;
mod promises;
mod source;
mod tls;
mod tokens;
mod tree;

use xshell::cmd;

use self::tree::Tree;
use crate::Result;
use crate::workspace::Workspace;

/// What a check found: the file, and what is wrong in it.
type Faults = Vec<String>;

/// A rule: its name, and the function that checks it.
type Check = (&'static str, fn(&Tree) -> Faults);

const CHECKS: [Check; 12] = [
    ("plugin-main-is-three-lines", layout::plugin_main_is_three_lines),
    ("backend-has-docs-page", layout::backend_has_docs_page),
    ("backends-have-the-same-rooms", layout::backends_have_the_same_rooms),
    ("crates-inherit-lints", layout::crates_inherit_lints),
    ("files-fit-a-room", layout::files_fit_a_room),
    ("no-machine-paths", layout::no_machine_paths),
    ("one-tls-stack", tls::one_tls_stack),
    ("ring-only-in-tls", tls::ring_only_in_tls),
    ("dependencies-follow-the-arrow", dependencies::dependencies_follow_the_arrow),
    ("no-module-circles", circles::no_module_circles),
    ("presets-are-complete", presets::presets_are_complete),
    ("promises-name-their-tests", promises::promises_name_their_tests),
];

/// Runs every check over the files that git knows, or would add.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let list = cmd!(workspace.shell, "git ls-files --cached --others --exclude-standard -z");
    let tree = Tree::read(&workspace.root, list.quiet().read()?.split('\0'))?;

    let mut count = 0;
    for (name, check) in CHECKS {
        for fault in check(&tree) {
            eprintln!("error: tidy `{name}`: {fault}");
            count += 1;
        }
    }
    if count == 0 {
        return Ok(());
    }
    Err(format!("tidy found {count} fault(s)").into())
}
