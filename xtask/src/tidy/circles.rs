//! The rule that no two modules import each other, directly or through others.
//!
//! A module and its sub-modules count as one beside the other modules of their folder, and inside a
//! folder its modules are compared among themselves. A module and what is inside it may use each
//! other: that is one thing in several files. The crate's root only passes names on.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Faults;
use super::modules::{Crate, ModulePath};
use super::tree::Tree;

/// Within a crate, data flows one way. The fakes and judges of `tests` are not held to it.
pub(super) fn no_module_circles(tree: &Tree) -> Faults {
    let manifests = tree
        .product_manifests()
        .chain(tree.manifests().filter(|(path, _)| *path == "xtask/Cargo.toml"));
    let mut faults = Faults::new();
    for folder in manifests.filter_map(|(path, _)| path.strip_suffix("/Cargo.toml")) {
        for (parent, graph) in read_graphs(&Crate::read(tree, folder)) {
            faults.extend(graph.circles().iter().map(|circle| graph.describe(&parent, circle)));
        }
    }
    faults
}

/// Which modules of one folder use which, and where first.
#[derive(Default)]
struct Graph(BTreeMap<String, BTreeMap<String, String>>);

/// A graph for the crate's root and for each module that has modules in it.
fn read_graphs(modules: &Crate) -> BTreeMap<ModulePath, Graph> {
    let mut graphs: BTreeMap<ModulePath, Graph> = BTreeMap::new();
    for (user, used, one) in modules.uses() {
        let depth = user.iter().zip(&used).take_while(|(left, right)| left == right).count();
        let (Some(from), Some(to)) = (user.get(depth), used.get(depth)) else { continue };
        let graph = graphs.entry(user[..depth].to_vec()).or_default();
        let edges = graph.0.entry(from.clone()).or_default();
        edges.entry(to.clone()).or_insert_with(|| one.place.clone());
    }
    graphs
}

impl Graph {
    /// The shortest circles, without those that share a use with a shorter one: where one wrong
    /// use closes many circles, one of them is shown.
    fn circles(&self) -> Vec<Vec<&str>> {
        let mut all = BTreeSet::new();
        for (from, edges) in &self.0 {
            for to in edges.keys() {
                if let Some(mut circle) = self.shortest_way(to, from) {
                    // From its first name on, so that a circle is found once.
                    let first = circle.iter().enumerate().min_by_key(|(_, name)| **name);
                    let first = first.map_or(0, |(at, _)| at);
                    circle.rotate_left(first);
                    all.insert((circle.len(), circle));
                }
            }
        }
        let mut shown = BTreeSet::new();
        all.into_iter()
            .map(|(_, circle)| circle)
            .filter(|circle| {
                let is_new = uses(circle).all(|one| !shown.contains(&one));
                if is_new {
                    shown.extend(uses(circle));
                }
                is_new
            })
            .collect()
    }

    /// The modules on the shortest way, both ends included.
    fn shortest_way<'a>(&'a self, start: &'a str, end: &str) -> Option<Vec<&'a str>> {
        let mut ways = VecDeque::from([vec![start]]);
        let mut seen = BTreeSet::from([start]);
        while let Some(way) = ways.pop_front() {
            let last = *way.last()?;
            if last == end {
                return Some(way);
            }
            for next in self.0.get(last).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(next) {
                    ways.push_back([way.as_slice(), &[next]].concat());
                }
            }
        }
        None
    }

    fn describe(&self, parent: &[String], circle: &[&str]) -> String {
        let full = |name: &str| [parent, &[name.to_owned()]].concat().join("::");
        let uses: Vec<String> = uses(circle)
            .map(|(from, to)| {
                format!("`{}` uses `{}` ({})", full(from), full(to), self.0[from][to])
            })
            .collect();
        format!("a circle of modules: {}", uses.join(", "))
    }
}

/// Each module of a circle with the next one.
fn uses<'a>(circle: &[&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    circle.iter().copied().zip(circle.iter().copied().cycle().skip(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate of these files below `core/src`.
    fn check(files: &[(&str, &str)]) -> Faults {
        let paths: Vec<String> = files.iter().map(|(path, _)| format!("core/src/{path}")).collect();
        let sources = paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text));
        let files: Vec<(&str, &str)> = sources.chain([("core/Cargo.toml", "")]).collect();
        no_module_circles(&Tree::from_files(&files))
    }

    #[test]
    fn catches_two_modules_that_use_each_other() {
        let one_way =
            [("lib.rs", "mod a;\nmod b;\n"), ("a.rs", "use crate::b::B;\n"), ("b.rs", "\n")];
        assert_eq!(check(&one_way), Faults::new());
        let both = [one_way[0], one_way[1], ("b.rs", "\nfn f() { super::a::g() }\n")];
        let fault = "a circle of modules: `a` uses `b` (core/src/a.rs:1), \
                     `b` uses `a` (core/src/b.rs:2)";
        assert_eq!(check(&both), [fault]);
    }

    #[test]
    fn catches_a_longer_circle_and_one_in_a_folder() {
        let longer = [
            ("lib.rs", "mod a; mod b; mod c;"),
            ("a.rs", "use crate::{b::{B, self}, Other};"),
            ("b.rs", "use super::c as third;"),
            ("c.rs", "mod deep;"),
            ("c/deep.rs", "use crate::a::A;"),
        ];
        let fault = "a circle of modules: `a` uses `b` (core/src/a.rs:1), `b` uses `c` \
                     (core/src/b.rs:1), `c` uses `a` (core/src/c/deep.rs:1)";
        assert_eq!(check(&longer), [fault]);
        let inside = [
            ("http.rs", "mod a; mod b;"),
            ("http/a.rs", "use super::b;"),
            ("http/b.rs", "use super::a;"),
        ];
        let fault = "a circle of modules: `http::a` uses `http::b` (core/src/http/a.rs:1), \
                     `http::b` uses `http::a` (core/src/http/b.rs:1)";
        assert_eq!(check(&inside), [fault]);
    }

    #[test]
    fn follows_a_name_that_a_module_above_passes_on() {
        let root = ("lib.rs", "mod a;\nmod error;\npub use error::{Error, Kind as ErrorKind};\n");
        let a = ("a.rs", "use crate::ErrorKind;\n");
        let fault = "a circle of modules: `a` uses `error` (core/src/a.rs:1), \
                     `error` uses `a` (core/src/error.rs:1)";
        assert_eq!(check(&[root, a, ("error.rs", "use crate::a::A;")]), [fault]);
        // A name that the root itself has is not a use of another module.
        assert_eq!(
            check(&[root, ("a.rs", "use crate::VERSION;"), ("error.rs", "use crate::a::A;")]),
            Faults::new()
        );
    }

    #[test]
    fn a_module_and_what_is_inside_it_may_use_each_other() {
        let files = [
            ("tree.rs", "mod yaml;\npub use yaml::parse;\nfn f() { self::yaml::g() }\n"),
            ("tree/yaml.rs", "use super::Tree;\nuse crate::tree::Node;\n"),
        ];
        assert_eq!(check(&files), Faults::new());
    }

    #[test]
    fn code_that_only_tests_compile_does_not_count() {
        let a = ("a.rs", "use crate::b::B;");
        for b in [
            "#[cfg(test)]\nmod tests {\n    use crate::a::A;\n    fn f() {}\n}\n",
            "#[cfg(test)]\nuse crate::a::A;\n",
            "#[cfg(test)]\npub(crate) fn of(x: [u8; 2]) -> crate::a::A {\n    crate::a::A(x)\n}\n",
            "// use crate::a::A;\nconst TEXT: &str = \"crate::a::A\";\n",
        ] {
            assert_eq!(check(&[a, ("b.rs", b)]), Faults::new(), "{b}");
            assert_eq!(check(&[a, ("b.rs", &format!("{b}use crate::a::A;\n"))]).len(), 1, "{b}");
        }
        for file in ["b/tests.rs", "b/tests/more.rs"] {
            assert_eq!(check(&[a, ("b.rs", ""), (file, "use crate::a::A;")]), Faults::new());
        }
    }

    #[test]
    fn a_module_with_a_block_is_inside_its_file() {
        let b = ("b.rs", "mod inner {\n    use super::super::a::A;\n}\nuse inner::C;\n");
        assert_eq!(check(&[("a.rs", "use crate::b::B;"), b]).len(), 1);
        assert_eq!(check(&[("a.rs", ""), b]), Faults::new());
    }

    #[test]
    fn one_wrong_use_is_shown_once() {
        let files = [
            ("a.rs", "use crate::{b, c};"),
            ("b.rs", "use crate::d;"),
            ("c.rs", "use crate::d;"),
            ("d.rs", "use crate::a;"),
        ];
        assert_eq!(check(&files).len(), 1);
    }
}
