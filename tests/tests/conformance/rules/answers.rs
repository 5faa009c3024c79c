//! A success is one response in the kubelet's form, and never outlives the credential.

use std::time::Duration;

use pullpass_go_duration::GoDuration;
use pullpass_tests::jwt;
use pullpass_tests::plugin::PluginRun;
use serde_json::{Value, json};

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_good_request_gets_a_login_for_its_registry),
        Rule::of(nothing_is_kept_past_the_end_of_the_credential),
        Rule::of(a_credential_that_is_over_is_not_kept),
        Rule::of(no_credentials_are_kept_for_0s),
    ]
}

fn a_good_request_gets_a_login_for_its_registry(ground: &Ground<'_>) {
    let run = ground.run(&ground.plugin, &ground.request());
    let (key, user, password) = run.login();
    assert_eq!(key, ground.registry);
    assert!(!user.is_empty() && !password.is_empty());
    has_the_kubelets_form(&run, "credentialprovider.kubelet.k8s.io/v1");
    assert_eq!(run.stderr, "", "a success says nothing by default");
    assert_eq!(ground.world.unknown_names(), Vec::<String>::new(), "another host was asked for");
}

fn nothing_is_kept_past_the_end_of_the_credential(ground: &Ground<'_>) {
    for lifetime in [30, 60, 299, 301, 600, 3600, 43_200] {
        ground.service.set_lifetime(lifetime);
        let run = ground.run(&ground.plugin, &ground.request());
        // Seconds are cut off the clock's fractions on both sides.
        let left = ground.service.end_of(&run.login()) - jwt::now() as f64 + 1.0;
        let kept = kept(&run.response()).as_secs_f64();
        assert!(kept <= left, "kept for {kept} s, good for {left} s");
        // A pull at the end of the entry must still find the credential alive.
        let margin = (left / 20.0).min(240.0);
        assert!(kept <= left - margin, "no margin: kept for {kept} s, good for {left} s");
    }
}

/// Whether that is an error is the backend's to say.
fn a_credential_that_is_over_is_not_kept(ground: &Ground<'_>) {
    for lifetime in [0, -1, -3600] {
        ground.service.set_lifetime(lifetime);
        let run = ground.run(&ground.plugin, &ground.request());
        if run.code == Some(0) {
            assert_eq!(kept(&run.response()), Duration::ZERO);
        }
    }
}

fn no_credentials_are_kept_for_0s(ground: &Ground<'_>) {
    for (plugin, request) in &ground.without_credentials {
        let run = ground.run(plugin, request);
        let response = run.response();
        assert_eq!(response["auth"], json!({}));
        assert_eq!(response["cacheDuration"], "0s");
        has_the_kubelets_form(&run, request["apiVersion"].as_str().unwrap());
    }
}

fn kept(response: &Value) -> Duration {
    let text = response["cacheDuration"].as_str().expect("`cacheDuration` is always there");
    let duration: GoDuration = text.parse().expect("a duration in Go's form");
    duration.to_std().expect("not negative")
}

/// Stdout is one line of JSON with these fields and no others.
fn has_the_kubelets_form(run: &PluginRun, version: &str) {
    let text = std::str::from_utf8(&run.stdout).unwrap();
    assert!(text.ends_with("}\n") && text.lines().count() == 1, "not one line");
    let response = run.response();
    let names: Vec<&String> = response.as_object().unwrap().keys().collect();
    let expected = ["apiVersion", "auth", "cacheDuration", "cacheKeyType", "kind"];
    let mut sorted = names.clone();
    sorted.sort();
    assert!(sorted.iter().map(|name| name.as_str()).eq(expected), "{names:?}");
    assert_eq!(response["kind"], "CredentialProviderResponse");
    assert_eq!(response["apiVersion"], version);
    let key = response["cacheKeyType"].as_str().unwrap();
    assert!(["Image", "Registry", "Global"].contains(&key), "{key}");
}
