//! What Google does not believe of a token, and servers that repeat what they were sent.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::StatusCode;
use pullpass_tests::fakes::google::{Canned, Expires, Provider, Service, TokenAnswer};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::world::{Trial, World};
use serde_json::json;
use url::form_urlencoded;

use crate::cloud::{Cloud, IMAGE, NUMBER, OPT_IN, PROVIDER, PULLER, SUBJECT};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_disabled_provider_and_one_that_is_not_there),
        Trial::of(an_attribute_condition),
        Trial::of(an_issuer_that_google_does_not_reach),
        Trial::of(a_subject_that_is_too_long),
        Trial::of(a_clock_that_is_wrong),
        Trial::of(a_long_lived_token),
        Trial::of(a_wrong_audience_by_annotation_is_the_pods),
        Trial::of(servers_that_repeat_what_they_were_sent),
        Trial::of(words_without_end),
    ]
}

fn a_disabled_provider_and_one_that_is_not_there(world: &World) {
    let cloud = Cloud::new(world);
    let off = Provider::new(NUMBER, "edge", "off", cloud.issuer.url()).disabled();
    let off = cloud.google.add_provider(off);
    let none = off.name().replace("off", "nowhere");
    for name in [off.name(), none] {
        let plugin = cloud.plugin().arg(format!("--workload-identity-provider={name}"));
        let run = cloud.run(plugin, &cloud.pod_request(&[]));
        let hint = format!("hint: check that pool and provider exist and are enabled: {name}\n");
        checks::fails(&run, 3, &["because it doesn't exist.", &hint]);
        let error = format!(
            "no credentials for `{IMAGE}`: Google's STS refused the pod `{SUBJECT}`: HTTP 400 \
             invalid_target"
        );
        assert_eq!(run.error(), error);
    }
    // A cluster that has no pool.
    let says = ["invalid_target", "are enabled: my-project.svc.id.goog for https://container."];
    cloud.fails(cloud.plugin_on_gke(), &cloud.gke_request(&[(OPT_IN, "true")]), 3, &says);
}

fn an_attribute_condition(world: &World) {
    let cloud = Cloud::new(world);
    let provider = Provider::new(NUMBER, "edge", "k3s", cloud.issuer.url());
    cloud.google.add_provider(
        provider.condition(|claims| claims["kubernetes.io"]["namespace"] == "production"),
    );
    let says = ["HTTP 400 unauthorized_client", "rejected by the attribute condition", SUBJECT];
    cloud.fails(cloud.plugin_for_pods(), &cloud.pod_request(&[]), 3, &says);
    let token = cloud.issuer.token(&cloud.provider.token_audience());
    let token = token.service_account("production", "web").build();
    let run = cloud.run(cloud.plugin_for_pods(), &pod_request(IMAGE, &token, &[]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}

/// Its name does not resolve, and its keys were not uploaded.
fn an_issuer_that_google_does_not_reach(world: &World) {
    let cloud = Cloud::new(world);
    let issuer = "https://kubernetes.default.svc.cluster.local";
    let provider = Provider::new(NUMBER, "edge", "private", issuer);
    let provider = cloud.google.add_provider(provider);
    let token = cloud.issuer.token(&provider.token_audience()).issued_by(issuer).build();
    let plugin = cloud.plugin().arg(format!("--workload-identity-provider={}", provider.name()));
    let says = [
        "Error connecting to the given credential's issuer.",
        &format!("hint: Google cannot fetch the keys of `{issuer}`"),
        "(`--jwk-json-path`)",
    ];
    cloud.fails(plugin, &pod_request(IMAGE, &token, &[]), 3, &says);
}

fn a_subject_that_is_too_long(world: &World) {
    let cloud = Cloud::new(world);
    let token = cloud.issuer.token(&cloud.provider.token_audience());
    let token = token.service_account(&"n".repeat(63), &"s".repeat(63)).build();
    let says = [
        "HTTP 400 invalid_request",
        "exceeds the 127 bytes limit",
        "hint: Google accepts subjects of up to 127 bytes, but this one has 149: map another claim",
    ];
    cloud.fails(cloud.plugin_for_pods(), &pod_request(IMAGE, &token, &[]), 3, &says);
}

/// Google's clock is ahead of this node's, or slower.
fn a_clock_that_is_wrong(world: &World) {
    let cloud = Cloud::new(world);
    for seconds in [7200, -7200] {
        cloud.google.set_clock_offset(seconds);
        let run = cloud.run(cloud.plugin_for_pods(), &cloud.pod_request(&[]));
        let says = ["is stale to sign-in", "hint: the token has expired or is not yet valid"];
        checks::fails(&run, 4, &says);
        assert!(run.error().ends_with("HTTP 400 invalid_grant"), "{}", run.stderr);
    }
    // Google's token is over by this node's clock before it begins: none of the two is trusted.
    cloud.google.set_clock_offset(0);
    let over = TokenAnswer { expires: Expires::In(-7200), padding: 0 };
    cloud.google.set_token_answer(Service::Sts, over);
    let says = ["returned a token that has already expired", "check this node's clock"];
    cloud.fails(cloud.plugin_for_pods(), &cloud.pod_request(&[]), 5, &says);
}

/// Two days and more are too much for STS.
fn a_long_lived_token(world: &World) {
    let cloud = Cloud::new(world);
    let token = cloud.issuer.token(&cloud.provider.token_audience()).lifetime(49 * 3600).build();
    let run = cloud.run(cloud.plugin_for_pods(), &pod_request(IMAGE, &token, &[]));
    checks::fails(
        &run,
        4,
        &["HTTP 400 invalid_grant", "the token has expired or is not yet valid"],
    );
}

/// Who wrote the name must act: the operator, or the owner of the service account.
fn a_wrong_audience_by_annotation_is_the_pods(world: &World) {
    let cloud = Cloud::new(world);
    let name = cloud.provider.name();
    let invalid =
        Canned::error(Service::Sts, 400, "invalid_request", "Invalid value for \"audience\".");
    cloud.google.always(Service::Sts, Some(invalid));
    let says = ["HTTP 400 invalid_request", "with the project's number"];
    cloud.fails(cloud.plugin_for_pods(), &cloud.pod_request(&[]), 2, &says);
    let plugin = cloud.plugin().arg(format!("--allow-provider={name}"));
    cloud.fails(plugin, &cloud.pod_request(&[(PROVIDER, &name)]), 4, &says);
}

/// What a server was sent, whole and in every form that it has there.
type Sent = Arc<Mutex<Vec<String>>>;

/// Answers 400 with OAuth's and the API's error at once, in the words that it was sent.
fn parrot(sent: &Sent, is_api: bool) -> Router {
    let sent = Arc::clone(sent);
    Router::new().fallback(move |headers: axum::http::HeaderMap, body: String| {
        let bearer = headers.get("authorization").map(|it| it.to_str().unwrap().to_owned());
        let words = format!("refused: {} {body}", bearer.unwrap_or_default());
        sent.lock().unwrap().push(words.clone());
        let answer = match is_api {
            true => json!({"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": words}}),
            false => json!({"error": "invalid_grant", "error_description": words}),
        };
        async move { (StatusCode::BAD_REQUEST, answer.to_string()) }
    })
}

fn servers_that_repeat_what_they_were_sent(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.puller();
    let sent = Sent::default();
    cloud.keep(world.https("oauth.parrot.example", parrot(&sent, false)));
    cloud.keep(world.https("api.parrot.example", parrot(&sent, true)));
    let mut key: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(cloud.key_file()).unwrap()).unwrap();
    key["token_uri"] = json!("https://oauth.parrot.example/token");
    let key = cloud.file("parrot.json", key.to_string());
    let sts = cloud.plugin_for_pods().arg("--sts-url=https://oauth.parrot.example/v1/token");
    let iam = cloud
        .plugin_for_pods()
        .arg(format!("--service-account={PULLER}"))
        .arg("--iam-credentials-url=https://api.parrot.example");
    let with_key = cloud.plugin().arg("--credentials").arg(key);
    for (plugin, request, code) in [
        (sts, cloud.pod_request(&[]), 3),
        (iam, cloud.pod_request(&[]), 2),
        (with_key, request(IMAGE), 3),
    ] {
        let run = cloud.run(plugin, &request);
        checks::fails(&run, code, &["(not shown: the server's words repeat a secret)"]);
        for words in sent.lock().unwrap().drain(..) {
            for secret in secrets_in(&words) {
                assert!(!run.stderr.contains(&secret[..24]), "{}", run.stderr);
            }
        }
    }
}

/// Subject token, assertion and bearer, of whatever was sent.
fn secrets_in(words: &str) -> Vec<String> {
    let words = words.strip_prefix("refused: ").unwrap();
    let bearer = words.strip_prefix("Bearer ").and_then(|rest| rest.split(' ').next());
    let fields = form_urlencoded::parse(words.trim_start().as_bytes());
    let secrets = fields.filter(|(name, _)| ["subject_token", "assertion"].contains(&&**name));
    let mut found: Vec<String> = secrets.map(|(_, value)| value.into_owned()).collect();
    found.extend(bearer.map(str::to_owned));
    assert!(!found.is_empty(), "nothing secret was sent");
    found
}

fn words_without_end(world: &World) {
    let cloud = Cloud::new(world);
    let words = "no. ".repeat(5000);
    cloud
        .google
        .always(Service::Sts, Some(Canned::error(Service::Sts, 400, "invalid_grant", &words)));
    let run = cloud.run(cloud.plugin_for_pods(), &cloud.pod_request(&[]));
    checks::fails(&run, 3, &["HTTP 400 invalid_grant"]);
    assert!(run.stderr.len() < 4000, "{} bytes", run.stderr.len());
    assert_eq!(run.stderr.lines().count(), 3, "{}", run.stderr);
}
