//! A failure has an exit code by who must act, and no login.

use std::time::Duration;

use pullpass_tests::fixtures::checks::{DENIED, PROTOCOL, UNAVAILABLE};

use super::Rule;
use crate::ground::{Ground, Reply};

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_refused_identity_is_denied),
        Rule::of(a_web_page_in_place_of_a_token_is_a_broken_contract),
        Rule::of(a_redirect_is_never_followed),
        Rule::of(an_overloaded_service_is_unavailable),
        Rule::of(a_silent_service_is_unavailable),
    ]
}

fn fails(ground: &Ground<'_>, reply: Reply, code: i32) {
    ground.service.answer(reply);
    let plugin = ground.plugin.clone().arg("--timeout=10s");
    ground.refuses(&plugin, &ground.request(), code, "");
}

fn a_refused_identity_is_denied(ground: &Ground<'_>) {
    fails(ground, Reply::Refused, DENIED);
}

fn a_web_page_in_place_of_a_token_is_a_broken_contract(ground: &Ground<'_>) {
    fails(ground, Reply::Page, PROTOCOL);
}

fn a_redirect_is_never_followed(ground: &Ground<'_>) {
    fails(ground, Reply::Redirect, PROTOCOL);
    assert_eq!(ground.world.unknown_names(), Vec::<String>::new(), "it was looked up");
}

fn an_overloaded_service_is_unavailable(ground: &Ground<'_>) {
    fails(ground, Reply::Unavailable, UNAVAILABLE);
}

fn a_silent_service_is_unavailable(ground: &Ground<'_>) {
    ground.service.answer(Reply::Late(Duration::from_secs(30)));
    let plugin = ground.plugin.clone().arg("--timeout=1500ms");
    ground.refuses(&plugin, &ground.request(), UNAVAILABLE, "");
}
