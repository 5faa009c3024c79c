//! A service of Google, or what answers in its place, repeats a secret that it was sent, in
//! whatever form: its words are not printed, at no level of the log. Google's own forms of an error
//! are in the conformance table. (A key's assertion is made during the run: `faults::here` has
//! servers that repeat it.)

use pullpass_tests::encodings::encodings;
use pullpass_tests::fakes::google::{Canned, Service};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::Cloud;

/// What is printed instead of the words.
const WITHHELD: &str = "(not shown: the server's words repeat a secret)";

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::of(sts_repeats_it_in_another_form), Trial::of(other_words_are_shown)]
}

/// The run fails at trace, and says that it keeps words back.
fn withholds(cloud: &Cloud<'_>, plugin: &PluginCommand, request: &Value, echo: &str, name: &str) {
    let run = cloud.run_once(plugin, request);
    assert_ne!(run.code, Some(0), "{name}");
    assert!(run.stderr.contains(WITHHELD), "{name}: nothing is withheld: {}", run.stderr);
    let beginning: String = echo.chars().take(24).collect();
    assert!(!run.stderr.contains(&beginning), "{name}: the words are shown: {}", run.stderr);
}

fn sts_repeats_it_in_another_form(world: &World) {
    let cloud = Cloud::new(world);
    let request = cloud.pod_request(&[]);
    let token = request["serviceAccountToken"].as_str().unwrap().to_owned();
    for (name, echo) in encodings(&token) {
        let body = json!({"error": "no", "message": echo});
        cloud.google.always(Service::Sts, Some(Canned::json(400, &body)));
        withholds(&cloud, &cloud.plugin_for_pods(), &request, &echo, name);
    }
}

/// What Google says otherwise comes through.
fn other_words_are_shown(world: &World) {
    let cloud = Cloud::new(world);
    let request = cloud.pod_request(&[]);
    for words in [
        "The audience in ID Token [https://iam.googleapis.com/projects/1] does not match the \
         expected audience.",
        "Error connecting to the given credential's issuer.",
        "The given credential is rejected by the attribute condition.",
        "Unable to verify the ID Token signature.",
        "Invalid value for \"audience\". This value should be the full resource name of the \
         Identity Provider.",
        "ID Token issued at 1700000000 is stale to sign-in.",
    ] {
        let canned = Canned::error(Service::Sts, 400, "invalid_grant", words);
        cloud.google.always(Service::Sts, Some(canned));
        let run = cloud.run_once(&cloud.plugin_for_pods(), &request);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}
