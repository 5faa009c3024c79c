//! How often a run waits for the network, and what it opens ahead of its calls.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use pullpass_tests::fakes::aws::{Canned, Endpoint, Instance, PULL, Role, Service};
use pullpass_tests::fixtures::fake::Fake as _;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::server::Socket;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};
use serde_json::Value;

use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role, with_keys};

const STS: &str = "sts.us-west-2.amazonaws.com";
const API: &str = "api.ecr.us-west-2.amazonaws.com";
/// Much longer than a run works.
const ROUND_TRIP: Duration = Duration::from_millis(500);

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pod_waits_four_times),
        Trial::of(a_node_waits_three_times),
        Trial::of(the_api_is_connected_to_while_the_instance_answers),
        Trial::of(the_api_is_connected_to_before_the_nodes_role_is_assumed),
        Trial::of(a_named_endpoint_is_the_one_that_is_connected_to),
        Trial::of(after_a_refusal_the_api_is_sent_nothing),
        Trial::of(a_refusal_does_not_wait_for_the_connection),
        Trial::of(an_answer_changes_nothing_of_what_is_connected_to),
        Trial::of(a_connection_that_fails_is_the_calls_error),
    ]
}

/// A request of the pod's for its role.
fn pod(cloud: &Cloud<'_>) -> Value {
    cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))])
}

fn a_pod_waits_four_times(world: &World) {
    let latency = world.put_away(&[STS, API], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let run = cloud.aws.run_once(&cloud.plugin(), &pod(&cloud));
    run.login();
    latency.check_two_calls(&run, STS, API);
}

/// With keys there is no call to wait for.
fn a_node_waits_three_times(world: &World) {
    let latency = world.put_away(&[API], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let run = cloud.aws.run_once(&cloud.plugin_as_user(), &request(REGISTRY));
    run.login();
    assert_eq!(latency.round_trips(run.duration), 3, "{:?}", run.duration);
    assert_eq!(latency.only(API).requests.len(), 1);
}

/// Three calls to the instance's metadata service, and one connection to ECR.
fn the_api_is_connected_to_while_the_instance_answers(world: &World) {
    let latency = world.put_away(&[API], ROUND_TRIP);
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    cloud.aws.always(Service::Imds, Some(Canned::late(ROUND_TRIP)));
    cloud.aws.run_once(&cloud.plugin(), &request(REGISTRY)).login();
    assert_eq!(cloud.aws.calls_to(Service::Imds).len(), 3);
    let api = latency.only(API);
    let early = api.requests[0] - api.opened;
    assert!(early >= 3 * ROUND_TRIP - ROUND_TRIP / 10, "{early:?}");
    assert_eq!(api.requests.len(), 1);
}

fn the_api_is_connected_to_before_the_nodes_role_is_assumed(world: &World) {
    let latency = world.put_away(&[STS, API], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let trusted = Role::new(&role("other")).allow(&PULL).trust(&role("node"));
    cloud.aws.add_role(trusted);
    let keys = cloud.aws.session(&role("node"), "i-0abc", 3600);
    let plugin = with_keys(cloud.plugin(), &keys);
    let plugin = plugin.arg(format!("--role=111122223333={}", role("other")));
    cloud.aws.run_once(&plugin, &request(REGISTRY)).login();
    let (sts, api) = (latency.only(STS), latency.only(API));
    assert!(api.handshake.unwrap() < sts.requests[0] + ROUND_TRIP);
}

/// By a variable and by a profile; the API's own name is left alone.
fn a_named_endpoint_is_the_one_that_is_connected_to(world: &World) {
    let named = "vpce-0a1.api.ecr.us-west-2.vpce.amazonaws.com";
    let latency = world.put_away(&[STS, API, named], ROUND_TRIP / 10);
    let mut cloud = Cloud::new(world);
    let endpoint = Endpoint::new(Service::Ecr, "us-west-2");
    cloud.keep(world.https(named, cloud.aws.router_at(endpoint)));
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("config");
    let text =
        format!("[default]\nservices=a\n[services a]\necr =\n  endpoint_url=https://{named}\n");
    fs::write(&profile, text).unwrap();
    for (name, value) in [
        ("AWS_ENDPOINT_URL_ECR", format!("https://{named}")),
        ("AWS_CONFIG_FILE", profile.display().to_string()),
    ] {
        let seen = latency.connections().len();
        cloud.aws.run_once(&cloud.plugin().env(name, value), &pod(&cloud)).login();
        let mut new = latency.connections().split_off(seen);
        new.sort_unstable_by_key(|it| it.host != STS);
        let [sts, api] = &new[..] else { panic!("{name}: {new:?}") };
        assert_eq!((&*sts.host, &*api.host), (STS, named), "{name}");
        assert!(api.handshake.unwrap() < sts.requests[0] + ROUND_TRIP / 10, "{name}");
    }
}

fn after_a_refusal_the_api_is_sent_nothing(world: &World) {
    let latency = world.put_away(&[STS, API], ROUND_TRIP);
    let cloud = Cloud::new(world);
    let refused = Canned::error(Service::Sts, 403, "AccessDenied", "no");
    cloud.aws.next(Service::Sts, refused);
    let run = cloud.aws.run_once(&cloud.plugin(), &pod(&cloud));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let api = latency.only(API);
    assert!(api.handshake.is_some() && api.requests.is_empty());
}

fn a_refusal_does_not_wait_for_the_connection(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.keep(world.https("sts.eu-west-1.amazonaws.com", cloud.aws.router()));
    world.black_hole("api.ecr.eu-west-1.amazonaws.com");
    let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a";
    let request = cloud.pod_request(image, &[(ANNOTATION, &role("pull"))]);
    let before = world.attempts();
    cloud.aws.next(Service::Sts, Canned::error(Service::Sts, 403, "AccessDenied", "no"));
    let run = cloud.aws.run_once(&cloud.plugin(), &request);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.duration < Duration::from_secs(2), "{:?}", run.duration);
    assert_eq!(world.attempts().connections - before.connections, 2, "STS, and nobody");
}

/// Not by what it says, and not by a header that other clients follow.
fn an_answer_changes_nothing_of_what_is_connected_to(world: &World) {
    const EVIL: &str = "evil.example";
    let latency = world.put_away(&[STS, API, EVIL], ROUND_TRIP / 10);
    let mut cloud = Cloud::new(world);
    cloud.keep(world.https(EVIL, cloud.aws.router()));
    let hostile = |status| {
        let body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult>\
                    <Endpoint>https://evil.example</Endpoint><Region>evil</Region>\
                    </AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
        Canned::answer(status, "text/xml", body)
            .with_header("location", "https://evil.example/")
            .with_header("link", "<https://evil.example>; rel=preconnect")
            .with_header("alt-svc", "h2=\"evil.example:443\"; persist=1")
            .with_header("x-amz-endpoint", "https://evil.example")
    };
    for status in [200, 307, 403, 421, 503] {
        cloud.aws.next(Service::Sts, hostile(status));
        let plugin = cloud.plugin().env("AWS_MAX_ATTEMPTS", "1");
        let run = cloud.aws.run_once(&plugin, &pod(&cloud));
        assert_ne!(run.code, Some(0), "{status}");
    }
    let connections = latency.connections();
    assert_eq!(connections.len(), 10, "two a run: {connections:?}");
    assert!(connections.iter().all(|it| it.host != EVIL), "{connections:?}");
    assert!(connections.iter().all(|it| it.host != API || it.requests.is_empty()));
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// What is printed, and the attempts that the log shows, are those of a call that had no
/// connection ahead of it: the node's with keys.
fn a_connection_that_fails_is_the_calls_error(world: &World) {
    const API: &str = "api.ecr.eu-west-1.amazonaws.com";
    const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a";
    let mut cloud = Cloud::new(world);
    cloud.keep(world.https("sts.eu-west-1.amazonaws.com", cloud.aws.router()));
    let address = world.address_of(API);
    let attempts = |plugin: &PluginCommand, request: &Value| {
        let plugin = plugin.clone().env("AWS_MAX_ATTEMPTS", "2");
        let run = cloud.aws.run_once(&plugin, request);
        let made = run.stderr.lines().filter(|line| line.contains(&format!("POST https://{API}")));
        let made = made.filter(|line| line.contains(" ms")).count();
        let told: Vec<String> = run
            .stderr
            .lines()
            .skip_while(|line| !line.starts_with("error: "))
            .skip(1)
            .map(|line| line.split(" within ").next().unwrap_or_default().to_owned())
            .collect();
        assert!(!told.is_empty(), "{}", run.stderr);
        (run.code, made, told)
    };
    let compare = |fault: &str| {
        let pod = cloud.pod_request(IMAGE, &[(ANNOTATION, &role("pull"))]);
        let ahead = attempts(&cloud.plugin(), &pod);
        assert_eq!(ahead, attempts(&cloud.plugin_as_user(), &request(IMAGE)), "{fault}");
    };
    compare("nobody listens");
    let other = TestCa::new();
    let server = Socket::bind_as(API, (address, 443).into(), Some(&other));
    let server = server.serve(cloud.aws.router());
    compare("another CA");
    drop(server);
    let listener = TcpListener::bind((address, 443)).unwrap();
    compare("no handshake");
    drop(listener);
}
