//! The pod's identity: its token for its role, at the regional STS.

use pullpass_tests::fakes::aws::{Instance, PULL, PULL_PUBLIC, Role, Service};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::world::{Trial, World};

use crate::cloud::{ANNOTATION, AUDIENCE, Cloud, REGISTRY, SUBJECT, role};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_annotations_role_pulls),
        Trial::of(another_annotation_where_the_operator_says_so),
        Trial::of(the_options_role_pulls_where_no_annotation_names_one),
        Trial::of(the_accounts_role_pulls_last),
        Trial::of(sts_is_asked_as_the_registrys_host_is_of),
        Trial::of(ecr_public_as_the_pod),
        Trial::of(a_pod_never_becomes_the_node_by_itself),
        Trial::of(a_pod_becomes_the_node_where_the_operator_says_so),
        Trial::of(a_refused_role_does_not_become_the_node),
        Trial::of(tokens_that_the_api_server_may_accept_are_not_sent),
        Trial::of(tokens_that_are_not_the_pods_are_refused),
        Trial::of(the_cache_follows_the_ecr_token),
    ]
}

/// A node that could pull, if it were allowed to.
fn node_with_a_role(cloud: &mut Cloud<'_>) {
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
}

fn the_annotations_role_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    node_with_a_role(&mut cloud);
    let request = cloud.pod_request(&format!("{REGISTRY}/a"), &[(ANNOTATION, &role("pull"))]);
    let (key, principal, _) = cloud.login(cloud.plugin(), &request);
    assert_eq!(key, REGISTRY);
    assert_eq!(principal, "arn:aws:sts::111122223333:assumed-role/pull/ns=demo,sa=web");
    let asked = cloud.aws.calls_to(Service::Sts);
    assert_eq!(asked.len(), 2, "two runs, one call each");
    for call in asked {
        assert_eq!(call.operation, "AssumeRoleWithWebIdentity");
        assert_eq!(call.host, "sts.us-west-2.amazonaws.com");
        assert!(!call.authorization, "it is not signed");
        assert_eq!(call.subject.as_deref(), Some(SUBJECT));
        assert_eq!(call.field("RoleSessionName"), Some("ns=demo,sa=web"));
        assert_eq!(call.field("RoleArn"), Some(&*role("pull")));
    }
    assert!(cloud.aws.calls_to(Service::Imds).is_empty(), "the node is not asked");
}

fn another_annotation_where_the_operator_says_so(world: &World) {
    let cloud = Cloud::new(world);
    let key = "eks.amazonaws.com/role-arn";
    let request = cloud.pod_request(REGISTRY, &[(key, &role("pull"))]);
    let run = cloud.run(cloud.plugin(), &request);
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    let plugin = cloud.plugin().arg(format!("--role-annotation={key}"));
    let (_, principal, _) = cloud.login(plugin, &request);
    assert!(principal.ends_with("/pull/ns=demo,sa=web"), "{principal}");
}

fn the_options_role_pulls_where_no_annotation_names_one(world: &World) {
    let cloud = Cloud::new(world);
    let trusted = Role::new(&role("default")).allow(&PULL);
    cloud.aws.add_role(trusted.trust_issuer(cloud.issuer.url(), AUDIENCE, &[SUBJECT]));
    let plugin = || cloud.plugin().env("AWS_ECR_ROLE_ARN", role("default"));
    let (_, principal, _) = cloud.login(plugin(), &cloud.pod_request(REGISTRY, &[]));
    assert!(principal.contains("assumed-role/default/"), "{principal}");
    let annotated = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let (_, principal, _) = cloud.login(plugin(), &annotated);
    assert!(principal.contains("assumed-role/pull/"), "{principal}");
}

fn the_accounts_role_pulls_last(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud.plugin().arg("--role").arg(format!("111122223333={}", role("pull")));
    let (_, principal, _) = cloud.login(plugin, &cloud.pod_request(REGISTRY, &[]));
    assert!(principal.contains("assumed-role/pull/"), "{principal}");
}

fn sts_is_asked_as_the_registrys_host_is_of(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("us-gov-west-1");
    let gov = "arn:aws-us-gov:iam::111122223333:role/pull";
    let trusted = Role::new(gov).allow(&PULL);
    cloud.aws.add_role(trusted.trust_issuer(cloud.issuer.url(), AUDIENCE, &[SUBJECT]));
    let pull = role("pull");
    for (host, arn, sts) in [
        ("dkr.ecr-fips.us-west-2.amazonaws.com", &*pull, "sts-fips.us-west-2.amazonaws.com"),
        ("dkr-ecr.us-west-2.on.aws", &*pull, "sts.us-west-2.api.aws"),
        ("dkr-ecr-fips.us-west-2.on.aws", &*pull, "sts-fips.us-west-2.api.aws"),
        ("dkr.ecr-fips.us-gov-west-1.amazonaws.com", gov, "sts.us-gov-west-1.amazonaws.com"),
    ] {
        let image = format!("111122223333.{host}/a");
        cloud.login(cloud.plugin(), &cloud.pod_request(&image, &[(ANNOTATION, arn)]));
        assert_eq!(cloud.aws.calls_to(Service::Sts).last().unwrap().host, sts);
    }
    // A role of another partition cannot work; the token stays here.
    let before = world.attempts();
    let run = cloud.run(cloud.plugin(), &cloud.pod_request(REGISTRY, &[(ANNOTATION, gov)]));
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.error().contains("the role is in partition `aws-us-gov`"), "{}", run.stderr);
    assert_eq!(world.attempts(), before);
}

fn ecr_public_as_the_pod(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("us-east-1");
    cloud.serve_region("eu-central-1");
    let trusted = Role::new(&role("public")).allow(&PULL_PUBLIC);
    cloud.aws.add_role(trusted.trust_issuer(cloud.issuer.url(), AUDIENCE, &[SUBJECT]));
    let request = cloud.pod_request("public.ecr.aws/a", &[(ANNOTATION, &role("public"))]);
    // No region is set on the node, and one is.
    cloud.login(cloud.plugin(), &request);
    let near = cloud.aws.calls_to(Service::Sts).last().unwrap().host.clone();
    assert_eq!(near, "sts.us-east-1.amazonaws.com");
    cloud.login(cloud.plugin().env("AWS_REGION", "eu-central-1"), &request);
    let near = cloud.aws.calls_to(Service::Sts).last().unwrap().host.clone();
    assert_eq!(near, "sts.eu-central-1.amazonaws.com");
}

fn a_pod_never_becomes_the_node_by_itself(world: &World) {
    let mut cloud = Cloud::new(world);
    node_with_a_role(&mut cloud);
    let before = world.attempts();
    for annotations in [
        &[][..],
        &[("eks.amazonaws.com/role-arn", &*role("pull"))],
        &[(ANNOTATION, "")],
        &[(ANNOTATION, "not an ARN")],
    ] {
        let request = cloud.pod_request(REGISTRY, annotations);
        let run = cloud.run(cloud.plugin_as_user(), &request);
        assert_eq!(run.code, Some(4), "{annotations:?}: {}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}

fn a_pod_becomes_the_node_where_the_operator_says_so(world: &World) {
    let mut cloud = Cloud::new(world);
    node_with_a_role(&mut cloud);
    let plugin = || cloud.plugin().arg("--without-role=node");
    let (_, principal, _) = cloud.login(plugin(), &cloud.pod_request(REGISTRY, &[]));
    assert!(principal.contains("assumed-role/node/"), "{principal}");
    // With a role it is still the pod.
    let request = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let (_, principal, _) = cloud.login(plugin(), &request);
    assert!(principal.contains("assumed-role/pull/"), "{principal}");
}

fn a_refused_role_does_not_become_the_node(world: &World) {
    let mut cloud = Cloud::new(world);
    node_with_a_role(&mut cloud);
    // It trusts another service account.
    let trusted = Role::new(&role("other")).allow(&PULL);
    let other = "system:serviceaccount:demo:other";
    cloud.aws.add_role(trusted.trust_issuer(cloud.issuer.url(), AUDIENCE, &[other]));
    let request = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("other"))]);
    let run = cloud.run(cloud.plugin().arg("--without-role=node"), &request);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(
        run.error(),
        format!(
            "no credentials for `{REGISTRY}`: STS in `us-west-2` refused the pod as `{}`: HTTP 403 \
             AccessDenied",
            role("other")
        )
    );
    for part in ["trust policy", SUBJECT, AUDIENCE, cloud.issuer.url()] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
    assert!(cloud.aws.calls_to(Service::Imds).is_empty());
    assert!(cloud.aws.calls_to(Service::Ecr).is_empty());
}

fn tokens_that_the_api_server_may_accept_are_not_sent(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    let audiences = [
        cloud.issuer.url(),
        "https://kubernetes.default.svc",
        "Kubernetes.Default.svc",
        "https://10.96.0.1",
        "k3s",
        "api",
    ];
    for audience in audiences {
        let token = cloud.issuer.token(audience).build();
        let request = pod_request(REGISTRY, &token, &[(ANNOTATION, &role("pull"))]);
        let run = cloud.run(cloud.plugin().secret("token", &token), &request);
        assert_eq!(run.code, Some(4), "{audience}: {}", run.stderr);
        let error = "the Kubernetes API server may accept the service account token";
        assert!(run.error().contains(error), "{audience}: {}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}

fn tokens_that_are_not_the_pods_are_refused(world: &World) {
    let cloud = Cloud::new(world);
    let token = || cloud.issuer.token(AUDIENCE);
    for (token, code, says) in [
        (token().forged().build(), 3, "InvalidIdentityToken"),
        (token().signed_by_stranger().build(), 3, "InvalidIdentityToken"),
        (cloud.issuer.token("other.example").build(), 3, "InvalidIdentityToken"),
        (token().issued_by("https://other.example").build(), 3, "InvalidIdentityToken"),
        (token().service_account("demo", "other").build(), 3, "AccessDenied"),
        (token().expired().build(), 4, "the service account token expired"),
        ("DEADBEEF=".to_owned(), 6, "`serviceAccountToken` is not a signed JWT"),
    ] {
        let request = pod_request(REGISTRY, &token, &[(ANNOTATION, &role("pull"))]);
        let run = cloud.run(cloud.plugin().secret("token", &token), &request);
        assert_eq!(run.code, Some(code), "{says}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
        let other_audience = run.stderr.contains("audience `other.example`");
        let convention = "by convention `serviceAccountTokenAudience` and the provider have \
                          `sts.amazonaws.com`";
        assert_eq!(run.stderr.contains(convention), other_audience, "{}", run.stderr);
    }
}

/// The session in STS ends after an hour, the registry's token after twelve.
fn the_cache_follows_the_ecr_token(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    for (plugin, request) in [(cloud.plugin(), pod), (cloud.plugin_as_user(), request(REGISTRY))] {
        let response = cloud.run(plugin, &request).response();
        assert_eq!(response["cacheKeyType"], "Registry");
        let duration = response["cacheDuration"].as_str().unwrap();
        assert!(duration.starts_with("11h54m") || duration == "11h55m0s", "{duration}");
    }
}
