//! The rule that every promise of `SECURITY.md` names the tests that hold it.

use super::Faults;
use super::tree::Tree;

const PAGE: &str = "SECURITY.md";

/// Every numbered promise names at least one test as `PATH.rs::NAME`, and each of them is there.
pub(super) fn promises_name_their_tests(tree: &Tree) -> Faults {
    let mut faults = Faults::new();
    for promise in promises(tree.text(PAGE).unwrap_or_default()) {
        let (number, _) = promise.split_once('.').unwrap_or_default();
        let tests: Vec<(&str, &str)> = promise.split('`').filter_map(name_test).collect();
        if tests.is_empty() {
            faults.push(format!("{PAGE}: promise {number} names no test"));
        }
        for (path, name) in tests {
            let is_there =
                tree.text(path).is_some_and(|text| text.contains(&format!("fn {name}(")));
            if !is_there {
                faults.push(format!("{PAGE}: promise {number}: {path} has no test `{name}`"));
            }
        }
    }
    faults
}

/// The items of the numbered list, each with its number and its further lines.
fn promises(page: &str) -> Vec<String> {
    let mut promises: Vec<String> = Vec::new();
    let mut is_within = false;
    for line in page.lines() {
        let is_first = line.split_once(". ").is_some_and(|(number, _)| {
            !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit())
        });
        is_within = is_first || is_within && (line.is_empty() || line.starts_with(' '));
        match promises.last_mut() {
            _ if is_first => promises.push(line.to_owned()),
            Some(last) if is_within => {
                last.push('\n');
                last.push_str(line);
            }
            _ => {}
        }
    }
    promises
}

/// `PATH.rs::NAME`, where a path is from the root.
fn name_test(text: &str) -> Option<(&str, &str)> {
    text.split_once("::").filter(|(path, _)| path.ends_with(".rs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(page: &str) -> Faults {
        let tests = ("a/b.rs", "fn one() {}\n    fn two(world: &World) {}\n");
        promises_name_their_tests(&Tree::from_files(&[(PAGE, page), tests]))
    }

    #[test]
    fn promises_with_their_tests_pass() {
        assert_eq!(
            faults("# S\n1. **A**\n   b.\n   (`a/b.rs::one`)\n2. C `a/b.rs::two`\n\nx"),
            [""; 0]
        );
    }

    #[test]
    fn a_promise_without_a_test_or_with_one_that_is_gone_is_found() {
        let found = faults("1. A `a/b.rs`\n2. B `a/b.rs::on` `c.rs::one`\n\ntext `x.rs::y`\n");
        assert_eq!(
            found,
            [
                "SECURITY.md: promise 1 names no test",
                "SECURITY.md: promise 2: a/b.rs has no test `on`",
                "SECURITY.md: promise 2: c.rs has no test `one`",
            ]
        );
    }
}
