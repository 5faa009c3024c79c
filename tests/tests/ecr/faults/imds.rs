//! The instance metadata service does not exist, slow, closed, or not the one of EC2.

use std::time::Duration;

use pullpass_tests::fakes::aws::{Canned, Instance, RoleCredentials, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use super::End::{Fails, Login};
use super::{End, IDENTITY, PROTOCOL, UNAVAILABLE, calls_of, explains, fails, own, script};
use crate::cloud::{Cloud, REGISTRY, role};

const ADDRESS: &str = "169.254.169.254";

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::of(unreachable),
        Trial::of(refused),
        Trial::of(silent_as_beyond_its_hop_limit),
        Trial::of(an_instance_without_a_role),
        Trial::of(a_role_that_ec2_may_not_assume),
        Trial::of(credentials_that_are_over),
    ];
    for (name, answers, end) in rows() {
        trials.push(Trial::new(format!("faults::imds::{name}"), move |world| {
            let mut cloud = Cloud::new(world);
            cloud.serve_imds(ADDRESS, Instance::new(&role("node"), "us-west-2"));
            script(&cloud, Service::Imds, &answers);
            let (run, calls) = calls_of(&cloud, Service::Imds, cloud.plugin(), &request(REGISTRY));
            end.check(&run, name);
            assert_eq!(calls, answers.len(), "{name}: {}", run.stderr);
        }));
    }
    trials
}

fn status(status: u16) -> Canned {
    Canned::error(Service::Imds, status, "", "")
}

fn text(body: &str) -> Canned {
    Canned::answer(200, "text/plain", body)
}

const NONE: &str = "the node has no AWS credentials";
const BROKEN: &str = "the instance metadata service gave no AWS credentials";
const HINT: &str =
    "hint: check the instance's role and metadata options: IMDSv2 on, and a hop limit";

/// What each call is answered: the token, the role's name, the role's credentials.
fn rows() -> Vec<(&'static str, Vec<Canned>, End)> {
    let page = || Canned::answer(200, "text/html", "<html><title>Sign in</title></html>\n");
    let slow = || Canned::late(Duration::from_millis(300));
    vec![
        ("slow", vec![slow(), slow(), slow()], Login),
        ("token_lost_once", vec![own(), status(401), own(), own()], Login),
        ("broken_once", vec![own(), own(), status(500), own()], Login),
        (
            "always_401",
            vec![status(401); 4],
            Fails(
                IDENTITY,
                BROKEN,
                &["`http://169.254.169.254/latest/api/token` answered 401", HINT],
            ),
        ),
        (
            "always_503",
            vec![status(503); 4],
            Fails(UNAVAILABLE, BROKEN, &["/latest/api/token` answered 503", HINT]),
        ),
        (
            "switched_off",
            vec![status(403)],
            Fails(IDENTITY, BROKEN, &["/latest/api/token` answered 403", HINT]),
        ),
        (
            "without_version_2",
            vec![status(404)],
            Fails(IDENTITY, BROKEN, &["/latest/api/token` answered 404", HINT]),
        ),
        (
            "closed_for_roles",
            vec![own(), status(403)],
            Fails(
                IDENTITY,
                BROKEN,
                &["/latest/meta-data/iam/security-credentials/` answered 403", HINT],
            ),
        ),
        (
            "without_that_role",
            vec![own(), own(), status(404)],
            Fails(
                IDENTITY,
                BROKEN,
                &["/latest/meta-data/iam/security-credentials/node` answered 404", HINT],
            ),
        ),
        (
            "a_page_for_a_token",
            vec![page()],
            Fails(IDENTITY, BROKEN, &["failed to load IMDS session token: invalid token", HINT]),
        ),
        (
            "a_page_for_a_role",
            vec![own(), page()],
            Fails(IDENTITY, BROKEN, &["its answer is not the name of a role", HINT]),
        ),
        (
            "a_page_for_credentials",
            vec![own(), own(), page()],
            Fails(IDENTITY, BROKEN, &["invalid JSON in response", HINT]),
        ),
        (
            "half_a_document",
            vec![own(), own(), text("{\"Code\": \"Success\", \"Acc")],
            Fails(IDENTITY, BROKEN, &["invalid JSON in response", HINT]),
        ),
        (
            "other_json",
            vec![own(), own(), Canned::other_json(200)],
            Fails(IDENTITY, BROKEN, &["Expected field `AccessKeyId`", HINT]),
        ),
        (
            "a_failure_in_words",
            vec![own(), own(), text(r#"{"Code": "Failed", "Message": "not today"}"#)],
            Fails(IDENTITY, BROKEN, &["Failed not today", HINT]),
        ),
        (
            "a_redirect",
            vec![own(), Canned::answer(302, "text/plain", "").with_header("location", "/x")],
            Fails(PROTOCOL, BROKEN, &["answered 302 with a redirect", HINT]),
        ),
    ]
}

/// Every source is named, with its reason.
fn has_none(world: &World, why: &str) {
    let cloud = Cloud::new(world);
    let run = cloud.run(cloud.plugin(), &request(REGISTRY));
    let below = &[
        "environment variables: ",
        "the profile: not set up",
        "`AWS_WEB_IDENTITY_TOKEN_FILE`: ",
        "the container credentials endpoint: ",
        "cannot connect to `http://169.254.169.254/latest/api/token`",
        why,
        "hint: on EC2, give the instance a role and let this node reach 169.254.169.254",
        "elsewhere, set `AWS_PROFILE` and `AWS_CONFIG_FILE`",
    ];
    fails(&run, REGISTRY, IDENTITY, NONE, below, why);
    assert!(run.duration < Duration::from_secs(1), "{:?}", run.duration);
}

fn unreachable(world: &World) {
    has_none(world, "Network ");
}

fn refused(world: &World) {
    world.address_of(ADDRESS);
    has_none(world, "Connection refused");
}

/// A connection is open, but the answer with the token is lost on its way into a container.
fn silent_as_beyond_its_hop_limit(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds(ADDRESS, Instance::new(&role("node"), "us-west-2"));
    cloud.aws.always(Service::Imds, Some(Canned::late(Duration::from_secs(60))));
    let (run, calls) = calls_of(&cloud, Service::Imds, cloud.plugin(), &request(REGISTRY));
    let below = &[
        "no answer from `http://169.254.169.254/latest/api/token` within 2.",
        "with a hop limit of 2 where the kubelet runs in a container",
    ];
    fails(&run, REGISTRY, IDENTITY, NONE, below, "silent");
    assert_eq!(calls, 1);
    assert!(run.duration < Duration::from_secs(4), "{:?}", run.duration);
}

fn an_instance_without_a_role(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds(ADDRESS, Instance::without_role("us-west-2"));
    let run = cloud.run(cloud.plugin(), &request(REGISTRY));
    let below = &[
        "the instance metadata service: the instance has no role",
        "hint: attach an instance profile",
    ];
    fails(&run, REGISTRY, IDENTITY, NONE, below, "no role");
}

fn a_role_that_ec2_may_not_assume(world: &World) {
    let mut cloud = Cloud::new(world);
    let instance = Instance {
        credentials: RoleCredentials::Unauthorized,
        ..Instance::new(&role("node"), "us-west-2")
    };
    cloud.serve_imds(ADDRESS, instance);
    let run = cloud.run(cloud.plugin(), &request(REGISTRY));
    let below = &["[AssumeRoleUnauthorizedAccess]", "Does this role have a trust relationship"];
    fails(&run, REGISTRY, IDENTITY, BROKEN, below, "unauthorized");
}

/// The SDK takes them for good where the metadata service is late; AWS decides.
fn credentials_that_are_over(world: &World) {
    let mut cloud = Cloud::new(world);
    let instance = Instance {
        credentials: RoleCredentials::For(-60),
        ..Instance::new(&role("node"), "us-west-2")
    };
    cloud.serve_imds(ADDRESS, instance);
    let run = cloud.run(cloud.plugin(), &request(REGISTRY));
    let error = "ECR in `us-west-2` refused the node: HTTP 400 ExpiredTokenException";
    let below = &["says: The security token included in the request is expired"];
    fails(&run, REGISTRY, IDENTITY, error, below, "over");
    explains(&run, &["hint: the credentials on this node have expired"], "over");
}
