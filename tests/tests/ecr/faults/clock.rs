//! The node's clock is wrong. The SDK signs once more by AWS's; what else follows of the time must
//! not go wrong.

use std::time::Duration;

use pullpass_tests::fakes::aws::{Canned, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use super::tokens::seconds;
use super::{DENIED, IDENTITY, PROTOCOL, calls_of, explains, fails, script};
use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};

const HOUR: Duration = Duration::from_secs(3600);

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(an_hour_behind),
        Trial::of(an_hour_ahead),
        Trial::of(a_day_ahead),
        Trial::of(a_pods_token_that_only_aws_takes_for_dead),
        Trial::of(a_clock_that_is_not_the_reason),
    ]
}

/// Runs for the node: how long may the login be kept?
fn kept(cloud: &Cloud<'_>) -> Duration {
    let (run, calls) = calls_of(cloud, Service::Ecr, cloud.plugin_as_user(), &request(REGISTRY));
    assert_eq!(calls, 2, "signed by this node's clock, and by AWS's");
    let refused = cloud.aws.calls_to(Service::Ecr)[0].error.clone();
    assert_eq!(refused.as_deref(), Some("InvalidSignatureException"));
    let (_, user, password) = run.login();
    cloud.aws.accepts(&user, &password).expect("a login of this AWS");
    seconds(run.response()["cacheDuration"].as_str().unwrap())
}

/// By this clock the token lives for 13 hours.
fn an_hour_behind(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.set_clock_offset(3600);
    let kept = kept(&cloud);
    assert!(kept > 11 * HOUR && kept < 12 * HOUR, "{kept:?}");
}

/// By this clock it lives for 11.
fn an_hour_ahead(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.set_clock_offset(-3600);
    let kept = kept(&cloud);
    assert!(kept > 10 * HOUR && kept < 11 * HOUR, "{kept:?}");
}

/// By this clock it is dead, and the kubelet would not know better.
fn a_day_ahead(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.set_clock_offset(-86_400);
    let run = cloud.run(cloud.plugin_as_user(), &request(REGISTRY));
    assert_eq!(run.code, Some(PROTOCOL), "{}", run.stderr);
    assert!(run.error().contains("AWS sent a token that expired 432"), "{}", run.stderr);
    explains(&run, &["hint: check this node's clock"], "a day ahead");
}

fn a_pods_token_that_only_aws_takes_for_dead(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.set_clock_offset(86_400);
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let (run, calls) = calls_of(&cloud, Service::Sts, cloud.plugin(), &pod);
    let error = format!(
        "STS in `us-west-2` refused the pod as `{}`: HTTP 400 ExpiredTokenException",
        role("pull")
    );
    let below = &[
        "says: Token expired",
        "hint: the kubelet renews tokens by itself; check this node's clock",
    ];
    fails(&run, REGISTRY, IDENTITY, &error, below, "an expired pod");
    assert_eq!(calls, 1);
}

fn a_clock_that_is_not_the_reason(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.set_clock_offset(3600);
    let refused =
        Canned::error(Service::Ecr, 400, "InvalidSignatureException", "Signature expired");
    script(&cloud, Service::Ecr, &[refused.clone(), refused]);
    let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "2");
    let (run, calls) = calls_of(&cloud, Service::Ecr, plugin, &request(REGISTRY));
    let error = "ECR in `us-west-2` refused the node: HTTP 400 InvalidSignatureException";
    let below = &["says: Signature expired", "or this node's clock is wrong"];
    fails(&run, REGISTRY, DENIED, error, below, "always expired");
    assert_eq!(calls, 2);
}
