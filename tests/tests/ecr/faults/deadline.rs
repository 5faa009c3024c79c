//! Somebody does not answer: the run ends by its own limit, with the reason that it was waiting for.

use std::time::Duration;

use pullpass_tests::fakes::aws::{Canned, EcsTask, Instance, Service};
use pullpass_tests::fakes::faults::Fault;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::world::{Trial, World};

use super::{UNAVAILABLE, fails};
use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(silent_ecr),
        Trial::of(silent_sts),
        Trial::of(silent_metadata_service),
        Trial::of(silent_container_endpoint),
        Trial::of(silent_proxy),
        Trial::of(swallowed_packets),
        Trial::of(a_body_by_drops),
        Trial::of(throttled_until_the_end),
    ]
}

/// The limit of the runs, and by when they end.
const LIMIT: &str = "--timeout=1s";
const BY: Duration = Duration::from_secs(2);
const ERROR: &str = "the call to ECR in `us-west-2` for the node failed";

fn hang() -> Option<Canned> {
    Some(Canned::late(Duration::from_secs(60)))
}

fn in_time(run: &PluginRun, error: &str, below: &[&str]) {
    fails(run, REGISTRY, UNAVAILABLE, error, below, error);
    assert!(run.duration < BY, "{:?}", run.duration);
    assert!(run.duration > Duration::from_millis(500), "{:?}", run.duration);
}

fn silent_ecr(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.always(Service::Ecr, hang());
    let run = cloud.run(cloud.plugin_as_user().arg(LIMIT), &request(REGISTRY));
    in_time(&run, ERROR, &["no answer from `https://api.ecr.us-west-2.amazonaws.com/` within"]);
}

fn silent_sts(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.always(Service::Sts, hang());
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let run = cloud.run(cloud.plugin().arg(LIMIT), &pod);
    let error = format!("the call to STS in `us-west-2` for the pod as `{}` failed", role("pull"));
    in_time(&run, &error, &["no answer from `https://sts.us-west-2.amazonaws.com/` within"]);
}

fn silent_metadata_service(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    cloud.aws.always(Service::Imds, hang());
    let run = cloud.run(cloud.plugin().arg(LIMIT), &request(REGISTRY));
    let below = &["no answer from `http://169.254.169.254/latest/api/token` within"];
    in_time(&run, "no time was left to find the node's AWS credentials", below);
}

fn silent_container_endpoint(world: &World) {
    let mut cloud = Cloud::new(world);
    let path = "/v2/credentials/0f0e";
    let task = EcsTask { path: path.to_owned(), token: None, role: role("node") };
    let server = world.http("169.254.170.2", cloud.aws.ecs(task));
    cloud.keep(server);
    cloud.aws.always(Service::Container, hang());
    let plugin = cloud.plugin().env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path).arg(LIMIT);
    let run = cloud.run(plugin, &request(REGISTRY));
    let below = &["no answer from `http://169.254.170.2/v2/credentials/0f0e` within"];
    in_time(&run, "the container credentials endpoint gave no AWS credentials", below);
}

fn silent_proxy(world: &World) {
    let cloud = Cloud::new(world);
    let proxy = Fault::Silent.start();
    let plugin = cloud.plugin_as_user().env("HTTPS_PROXY", proxy.url()).arg(LIMIT);
    let run = cloud.run(plugin, &request(REGISTRY));
    in_time(&run, ERROR, &["no answer from `https://api.ecr.us-west-2.amazonaws.com/`", "proxy"]);
}

fn swallowed_packets(world: &World) {
    let cloud = Cloud::new(world);
    world.black_hole("vpce.example");
    let plugin = cloud.plugin_as_user().env("AWS_ENDPOINT_URL", "https://vpce.example").arg(LIMIT);
    let run = cloud.run(plugin, &request(REGISTRY));
    in_time(&run, ERROR, &["no answer from `https://vpce.example/` within"]);
}

fn a_body_by_drops(world: &World) {
    let cloud = Cloud::new(world);
    let server = Fault::SlowBody.start();
    let plugin = cloud.plugin_as_user().env("AWS_ENDPOINT_URL", server.url()).arg(LIMIT);
    let run = cloud.run(plugin, &request(REGISTRY));
    in_time(&run, ERROR, &[&format!("no answer from `{}/` within", server.url())]);
}

/// Its pauses must not outlast the run.
fn throttled_until_the_end(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.always(Service::Ecr, Some(Canned::throttled(Service::Ecr)));
    let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "20").arg(LIMIT);
    let run = cloud.run(plugin, &request(REGISTRY));
    assert_eq!(run.code, Some(UNAVAILABLE), "{}", run.stderr);
    assert!(run.duration < BY, "{:?}", run.duration);
}
