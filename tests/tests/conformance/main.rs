//! The kubelet's contract and Pullpass's own rules, over every plugin: each rule is one function,
//! each plugin one description of how it gets a login. A plugin without a description fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test: it fails by panicking, and reads and writes its own files"
)]

mod echoes;
mod ground;
mod grounds;
mod rules;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pullpass_tests::world::{self, Trial, World};

fn main() -> ExitCode {
    let plugins = plugins();
    let mut trials: Vec<Trial> = plugins.iter().flat_map(|plugin| trials_of(plugin)).collect();
    trials.extend(echoes::trials());
    trials.push(Trial::new("every_description_is_of_a_plugin", |_| {
        let plugins = self::plugins();
        for (name, _) in grounds::ALL {
            assert!(plugins.contains(&(*name).to_owned()), "there is no plugin `{name}`");
        }
    }));
    // The same for every trial of this process.
    let plugins: Vec<&'static str> = plugins.into_iter().map(|name| &*name.leak()).collect();
    world::main(plugins.leak(), trials)
}

/// Every plugin of this workspace, by its folder, so that a new one cannot be forgotten.
fn plugins() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| folder.join(name).join("Cargo.toml").is_file()).collect();
    names.sort();
    assert!(!names.is_empty(), "no plugins in {folder:?}");
    names
}

fn trials_of(plugin: &str) -> Vec<Trial> {
    let Some((_, build)) = grounds::ALL.iter().find(|(name, _)| *name == plugin) else {
        let plugin = plugin.to_owned();
        return vec![Trial::new(format!("is_described::{plugin}"), move |_: &World| {
            panic!("describe `{plugin}` in `tests/tests/conformance/grounds.rs`");
        })];
    };
    let trial = |rule: rules::Rule| {
        Trial::new(format!("{}::{plugin}", rule.name), move |world| (rule.check)(&build(world)))
    };
    rules::all().into_iter().map(trial).collect()
}
