//! How often a run waits for the network, and what it opens ahead of its calls.

use std::time::Duration;

use pullpass_tests::fakes::azure::{Canned, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, IMAGE, REGISTRY};

const ENTRA: &str = "login.microsoftonline.com";
/// Much longer than a run works.
const ROUND_TRIP: Duration = Duration::from_millis(500);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pod_waits_four_times),
        Trial::of(a_token_for_a_repository_is_one_more_request),
        Trial::of(the_registry_is_connected_to_while_the_machine_answers),
        Trial::of(after_a_refusal_the_registry_is_sent_nothing),
        Trial::of(an_answer_changes_nothing_of_what_is_connected_to),
        Trial::of(without_a_call_nothing_is_connected_to),
    ]
}

fn a_pod_waits_four_times(world: &World) {
    let latency = world.put_away(&[ENTRA, REGISTRY], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    let run = cloud.run_once(&cloud.plugin(), &cloud.request_of(&pod));
    run.login();
    latency.check_two_calls(&run, ENTRA, REGISTRY);
}

fn a_token_for_a_repository_is_one_more_request(world: &World) {
    let latency = world.put_away(&[ENTRA, REGISTRY], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    let plugin = cloud.plugin().arg("--repository-scope");
    let run = cloud.run_once(&plugin, &cloud.request_of(&pod));
    run.login();
    assert_eq!(latency.round_trips(run.duration), 5, "{:?}", run.duration);
    assert_eq!(latency.only(REGISTRY).requests.len(), 2);
}

fn the_registry_is_connected_to_while_the_machine_answers(world: &World) {
    let latency = world.put_away(&[REGISTRY], ROUND_TRIP);
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.azure.always(Service::Imds, Some(Canned::late(2 * ROUND_TRIP)));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    run.login();
    assert_eq!(latency.round_trips(run.duration), 3, "{:?}", run.duration);
    assert_eq!(latency.only(REGISTRY).requests.len(), 1);
}

fn after_a_refusal_the_registry_is_sent_nothing(world: &World) {
    let latency = world.put_away(&[ENTRA, REGISTRY], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    cloud.azure.next(Service::Entra, Canned::json(401, &json!({"error": "invalid_client"})));
    let run = cloud.run_once(&cloud.plugin(), &cloud.request_of(&pod));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let registry = latency.only(REGISTRY);
    assert!(registry.handshake.is_some() && registry.requests.is_empty());
}

/// Not by what it says, and not by a header that other clients follow.
fn an_answer_changes_nothing_of_what_is_connected_to(world: &World) {
    const EVIL: &str = "evil.azurecr.io";
    let latency = world.put_away(&[ENTRA, REGISTRY, EVIL], ROUND_TRIP / 10);
    let mut cloud = Cloud::new(world);
    cloud.keep(world.https(EVIL, cloud.azure.registries()));
    let pod = cloud.pod();
    for status in [200, 307, 401, 421] {
        let answer = json!({
            "error": "invalid_client", "login_server": EVIL, "service": EVIL,
            "resource": format!("https://{EVIL}"), "token_endpoint": format!("https://{EVIL}"),
        });
        let hostile = Canned::json(status, &answer)
            .with_header("location", "https://evil.azurecr.io/")
            .with_header("link", "<https://evil.azurecr.io>; rel=preconnect")
            .with_header("alt-svc", "h2=\"evil.azurecr.io:443\"; persist=1")
            .with_header("www-authenticate", "Bearer realm=\"https://evil.azurecr.io/\"");
        cloud.azure.next(Service::Entra, hostile);
        let run = cloud.run_once(&cloud.plugin(), &cloud.request_of(&pod));
        assert_ne!(run.code, Some(0), "{status}");
    }
    let connections = latency.connections();
    assert_eq!(connections.len(), 8, "two a run: {connections:?}");
    assert!(connections.iter().all(|it| it.host != EVIL), "{connections:?}");
    assert!(connections.iter().all(|it| it.host != REGISTRY || it.requests.is_empty()));
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// No token is asked for: the answer has no credentials, or the operator's own secret.
fn without_a_call_nothing_is_connected_to(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    let anonymous = cloud.plugin().arg("--without-token=anonymous");
    cloud.run_once(&anonymous, &request(IMAGE)).response();
    let secret = cloud.file(
        "azure.json",
        json!({
            "tenantId": cloud.tenant.id, "aadClientId": "00000000-0000-4000-8000-000000000001",
            "aadClientSecret": "a-secret-of-the-operators",
        })
        .to_string(),
    );
    let fixed = cloud.plugin().arg(secret).arg("--static-service-principal");
    cloud.run_once(&fixed, &request(IMAGE)).login();
    assert_eq!(world.attempts(), before);
}
