//! `oidc-credential-provider` as a process, unmodified, with every preset, in a world where vendors
//! have their real names: what is tested is the preset's own URL.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a test: it fails by panicking, writes its own files, and says where it is"
)]

mod annotated;
mod check;
mod cloud;
mod fixture;
mod local;
mod oauth;
mod overrides;
mod own;
mod vault;

use std::process::ExitCode;

use pullpass_tests::world::{self, Trial, World};

use crate::fixture::PLUGIN;

fn main() -> ExitCode {
    let presets = presets();
    let names: Vec<&'static str> = presets.iter().map(|(name, _)| *name).collect();
    let trials =
        presets.into_iter().map(|(name, test)| Trial::new(format!("preset::{name}"), test));
    let every = Trial::new("every_preset_has_a_test", move |world| has_a_test(world, &names));
    let others = [annotated::trials(), cloud::trials(), oauth::trials(), overrides::trials()];
    let others = others.into_iter().chain([local::trials(), own::trials(), vault::trials()]);
    world::main(&[PLUGIN], trials.chain([every]).chain(others.flatten()).collect())
}

/// A preset, and the test of its right answer and of its vendor's refusal.
type Preset = (&'static str, fn(&World));

fn presets() -> Vec<Preset> {
    vec![
        ("artifactory", own::artifactory),
        ("quay", annotated::quay),
        ("cloudsmith", annotated::cloudsmith),
        ("chainguard", annotated::chainguard),
        ("yandex", annotated::yandex),
        ("docker-hub", cloud::docker_hub),
        ("ibm", cloud::ibm),
        ("google-sts", cloud::google_sts),
        ("google-sts-impersonation", cloud::google_sts_impersonation),
        ("dex", oauth::dex),
        ("keycloak", oauth::keycloak),
        ("keycloak-grant", oauth::keycloak_grant),
        ("entra", oauth::entra),
        ("vault-kv", vault::kv),
        ("vault-kv1", vault::kv1),
        ("vault-artifactory", vault::artifactory),
        ("vault-harbor", vault::harbor),
        ("artifact-keeper", own::artifact_keeper),
        ("harbor-bridge", own::harbor_bridge),
        ("zot", local::zot),
        ("harbor-next", local::harbor_next),
        ("buildkite", local::buildkite),
        ("passthrough", local::passthrough),
        ("static", local::from_a_file),
    ]
}

/// The table above against what the plugin itself says it has.
fn has_a_test(world: &World, tested: &[&str]) {
    let help = world.plugin(PLUGIN).arg("--help").quiet().run(b"");
    let help = String::from_utf8(help.stdout).unwrap();
    let (_, table) = help.split_once("\nPresets").expect("`--help` lists the presets");
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    // Further lines of a row are indented more.
    let names = rows.filter_map(|row| row.strip_prefix("  ").filter(|row| !row.starts_with(' ')));
    let listed: Vec<&str> = names.filter_map(|row| row.split_whitespace().next()).collect();
    assert!(listed.len() > 20, "{listed:?}");
    let mut tested = tested.to_vec();
    tested.sort_unstable();
    assert_eq!(listed, tested);
}
