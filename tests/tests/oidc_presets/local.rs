//! Presets that make no call: the pod's own token as the password, and a file.

use std::fs;

use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::fixture::{CONFIG, Fixture, IDENTITY, IMAGE, Pull, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_file_is_read_anew_and_kept_as_the_profile_says),
        Trial::of(a_file_that_is_none_is_the_operators_to_fix),
    ]
}

fn passes_through(world: &World, preset: &'static str) {
    let fixture = Fixture::new(world);
    let pull = fixture.pull(preset, IMAGE, REGISTRY).set("registry", REGISTRY);
    pull.passes_the_token(REGISTRY, "jwt", "Registry");
    let named = pull.clone().set("username", "robot");
    named.passes_the_token(REGISTRY, "robot", "Registry");
    let other = fixture.pull(preset, IMAGE, "zot").set("registry", REGISTRY);
    other.clone().is_not_sent(IDENTITY, &["is for the audience `zot`"]);
    other.set("audience", "zot").passes_the_token(REGISTRY, "jwt", "Registry");
    let elsewhere = pull.of("registry.corp.example/team/app");
    elsewhere.is_not_sent(CONFIG, &["no profile covers the registry `registry.corp.example`"]);
}

pub(crate) fn zot(world: &World) {
    passes_through(world, "zot");
}

pub(crate) fn harbor_next(world: &World) {
    passes_through(world, "harbor-next");
}

pub(crate) fn passthrough(world: &World) {
    passes_through(world, "passthrough");
}

pub(crate) fn buildkite(world: &World) {
    let fixture = Fixture::new(world);
    let audience = "https://packages.buildkite.com/corp/images";
    let image = "packages.buildkite.com/corp/images/app";
    let pull = fixture.pull("buildkite", image, audience).set("audience", audience);
    pull.passes_the_token("packages.buildkite.com", "buildkite", "Registry");
    // Of one registry of the vendor, and of no other.
    let part = pull.set("registry", "packages.buildkite.com/corp/images");
    part.passes_the_token("packages.buildkite.com/corp/images", "buildkite", "Image");
    let other = part.of("packages.buildkite.com/corp/images2/app");
    other.is_not_sent(CONFIG, &["no profile covers the registry"]);
}

fn with_file<'g>(fixture: &'g Fixture<'_>, content: &str) -> Pull<'g> {
    let file = fixture.file("login.json", content);
    let pull = fixture.pull("static", IMAGE, "whoever").set("registry", REGISTRY);
    pull.set("file", file.to_str().unwrap())
}

pub(crate) fn from_a_file(world: &World) {
    let fixture = Fixture::new(world);
    let content = json!({"username": "puller", "password": "a-password-of-the-file"});
    let pull = with_file(&fixture, &content.to_string());
    pull.answers_at_once(REGISTRY, "puller", "a-password-of-the-file", "0s");
    let says = ["no profile covers the registry"];
    pull.of("registry.corp.example:5444/team/app").is_not_sent(CONFIG, &says);
}

fn a_file_is_read_anew_and_kept_as_the_profile_says(world: &World) {
    let fixture = Fixture::new(world);
    let pull = with_file(&fixture, "username: puller\npassword: the-first-password\n");
    let kept = pull.clone().over(json!({"response": {"maxCacheDuration": "8h"}}));
    kept.answers_at_once(REGISTRY, "puller", "the-first-password", "8h0m0s");
    fixture.file("login.json", "{\"username\": \"other\", \"password\": \"the-second-password\"}");
    kept.answers_at_once(REGISTRY, "other", "the-second-password", "8h0m0s");
    pull.answers_at_once(REGISTRY, "other", "the-second-password", "0s");
}

fn a_file_that_is_none_is_the_operators_to_fix(world: &World) {
    let fixture = Fixture::new(world);
    for (content, says) in [
        ("{", "is neither JSON nor YAML"),
        ("{\"username\": \"puller\"}", "without a string at `/password`"),
        ("{\"password\": \"a-password-of-the-file\"}", "without a string at `/username`"),
        ("{\"username\": \"a:b\", \"password\": \"a-password-of-the-file\"}", "`:`"),
        ("{\"username\": \"puller\", \"password\": \"\"}", "without a string at `/password`"),
    ] {
        with_file(&fixture, content).is_not_sent(CONFIG, &[says]);
    }
    let pull = with_file(&fixture, "{}");
    fs::remove_file(fixture.file("login.json", "")).unwrap();
    pull.is_not_sent(CONFIG, &["cannot read"]);
}
