//! The log at trace: our own events and nothing else, with no header, no query and no key in it.

use pullpass_tests::fakes::aws::{Canned, EcsTask, Instance, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::Value;

use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::of(of_runs_that_succeed), Trial::of(of_runs_that_fail)]
}

/// What only a library, a header or a body would say.
const FOREIGN: [&str; 18] = [
    "aws_config",
    "aws_smithy",
    "aws_sigv4",
    "aws_runtime",
    "hyper",
    "reqwest",
    "rustls",
    "x-amz",
    "x-aws",
    "authorization:",
    "aws4-hmac",
    "credential=",
    "aws-sdk-rust",
    "user-agent",
    "content-type",
    "authorizationtoken",
    "webidentitytoken",
    "secretaccesskey",
];

/// Runs it at trace and checks every line of the log.
fn check(cloud: &Cloud<'_>, plugin: PluginCommand, request: &Value) -> String {
    let run = plugin.run(request.to_string().as_bytes());
    assert_eq!(cloud.aws.leaks(&run), Vec::<String>::new());
    let told = ["error: ", "caused by: ", "hint: "];
    let log = run.stderr.lines().filter(|line| !told.iter().any(|start| line.starts_with(start)));
    let mut lines = 0;
    for line in log {
        // Time, level, place: `2026-01-01T00:00:00.000000Z DEBUG pullpass::run: ...`.
        let place = line.split_whitespace().nth(2).unwrap_or_default();
        assert!(place.starts_with("pullpass"), "{line}");
        lines += 1;
    }
    assert!(lines >= 2, "{}", run.stderr);
    let text = run.stderr.to_lowercase();
    for foreign in FOREIGN {
        assert!(!text.contains(foreign), "`{foreign}`: {}", run.stderr);
    }
    // Not secret, but it need not be shown either.
    assert!(!text.contains("asia") && !text.contains("akia"), "{}", run.stderr);
    run.stderr
}

fn of_runs_that_succeed(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let log = check(&cloud, cloud.plugin(), &request(REGISTRY));
    assert!(log.contains("PUT http://169.254.169.254/latest/api/token: 200 in "), "{log}");
    assert!(log.contains("POST https://api.ecr.us-west-2.amazonaws.com/: 200 in "), "{log}");

    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let log = check(&cloud, cloud.plugin(), &pod);
    assert!(log.contains("POST https://sts.us-west-2.amazonaws.com/: 200 in "), "{log}");

    let path = "/v2/credentials/0f0e";
    let task = EcsTask { path: path.to_owned(), token: None, role: role("node") };
    let server = world.http("169.254.170.2", cloud.aws.ecs(task));
    cloud.keep(server);
    let uri = format!("http://169.254.170.2{path}?id=hidden-in-the-query");
    let plugin = cloud
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
        .secret("the query", "hidden-in-the-query");
    let log = check(&cloud, plugin, &request(REGISTRY));
    assert!(log.contains(&format!("GET http://169.254.170.2{path}: 200 in ")), "{log}");
}

fn of_runs_that_fail(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    for service in [Service::Sts, Service::Ecr] {
        for canned in [
            Canned::throttled(service),
            Canned::unavailable(),
            Canned::other_json(200),
            Canned::answer(302, "text/html", "").with_header("location", "https://evil.example"),
        ] {
            cloud.aws.always(service, Some(canned));
            let plugin = cloud.plugin().env("AWS_MAX_ATTEMPTS", "2");
            let log = check(&cloud, plugin, &pod);
            assert!(log.contains("error: "), "{log}");
            assert!(!log.contains("evil.example"), "{log}");
        }
        cloud.aws.always(service, None);
    }
}
