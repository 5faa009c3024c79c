//! How often a run waits for the network, and what it opens ahead of its calls.

use std::time::Duration;

use axum::Router;
use axum::routing::any_service;
use pullpass_tests::fakes::google::{Canned, GOOGLE, Service};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, PULLER};

const STS: &str = "sts.googleapis.com";
const IAM: &str = "iamcredentials.googleapis.com";
/// Much longer than a run works.
const ROUND_TRIP: Duration = Duration::from_millis(500);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pod_that_acts_for_an_account_waits_four_times),
        Trial::of(a_pod_by_itself_connects_to_sts_alone),
        Trial::of(a_call_to_the_same_host_takes_the_same_connection),
        Trial::of(an_answer_changes_nothing_of_what_is_connected_to),
    ]
}

fn a_pod_that_acts_for_an_account_waits_four_times(world: &World) {
    let latency = world.put_away(&[STS, IAM], ROUND_TRIP);
    let cloud = Cloud::new(world);
    cloud.puller();
    let plugin = cloud.plugin_for_pods().arg("--service-account").arg(PULLER);
    let run = cloud.run_once(&plugin, &cloud.pod_request(&[]));
    run.login();
    latency.check_two_calls(&run, STS, IAM);
}

fn a_pod_by_itself_connects_to_sts_alone(world: &World) {
    let latency = world.put_away(&[STS, IAM], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let run = cloud.run_once(&cloud.plugin_for_pods(), &cloud.pod_request(&[]));
    run.login();
    assert_eq!(latency.round_trips(run.duration), 3, "{:?}", run.duration);
    assert_eq!(latency.connections().len(), 1);
}

/// As where an operator's own gateway has both APIs.
fn a_call_to_the_same_host_takes_the_same_connection(world: &World) {
    const GATEWAY: &str = "google.contoso.example";
    let latency = world.put_away(&[GATEWAY], ROUND_TRIP);
    let mut cloud = Cloud::new(world);
    cloud.puller();
    let both = Router::new()
        .route("/v1/token", any_service(cloud.google.sts(GOOGLE)))
        .fallback_service(cloud.google.iam_credentials(GOOGLE));
    cloud.keep(world.https(GATEWAY, both));
    let plugin = cloud.plugin_for_pods().arg("--service-account").arg(PULLER);
    let plugin = plugin.arg(format!("--sts-url=https://{GATEWAY}/v1/token"));
    let plugin = plugin.arg(format!("--iam-credentials-url=https://{GATEWAY}"));
    let run = cloud.run_once(&plugin, &cloud.pod_request(&[]));
    run.login();
    assert_eq!(latency.round_trips(run.duration), 4, "{:?}", run.duration);
    assert_eq!(latency.only(GATEWAY).requests.len(), 2);
}

/// Not by what it says, and not by a header that other clients follow.
fn an_answer_changes_nothing_of_what_is_connected_to(world: &World) {
    const EVIL: &str = "iamcredentials.evil.example";
    let latency = world.put_away(&[STS, IAM, EVIL], ROUND_TRIP / 10);
    let mut cloud = Cloud::new(world);
    cloud.puller();
    cloud.keep(world.https(EVIL, cloud.google.services()));
    let plugin = cloud.plugin_for_pods().arg("--service-account").arg(PULLER);
    for status in [200, 307, 400, 421] {
        let answer = json!({
            "error": "invalid_grant", "universe_domain": "evil.example",
            "service_account_impersonation_url": format!("https://{EVIL}"),
        });
        let hostile = Canned::json(status, &answer)
            .with_header("location", "https://iamcredentials.evil.example/")
            .with_header("link", "<https://iamcredentials.evil.example>; rel=preconnect")
            .with_header("alt-svc", "h2=\"iamcredentials.evil.example:443\"");
        cloud.google.next(Service::Sts, hostile);
        let run = cloud.run_once(&plugin, &cloud.pod_request(&[]));
        assert_ne!(run.code, Some(0), "{status}");
    }
    let connections = latency.connections();
    assert_eq!(connections.len(), 8, "two a run: {connections:?}");
    assert!(connections.iter().all(|it| it.host != EVIL), "{connections:?}");
    assert!(connections.iter().all(|it| it.host != IAM || it.requests.is_empty()));
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}
