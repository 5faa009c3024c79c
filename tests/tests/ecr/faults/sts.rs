//! STS refuses the pod its role, fails, or another server answers instead; and STS refuses the
//! node its role.

use pullpass_tests::fakes::aws::{Canned, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use super::End::{Fails, Login};
use super::{DENIED, End, IDENTITY, PROTOCOL, UNAVAILABLE, calls_of, fails, own, row, script};
use crate::cloud::{ACCOUNT, ANNOTATION, Cloud, REGISTRY, role, with_keys};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = rows()
        .into_iter()
        .map(|(name, answers, end)| row("sts", name, Service::Sts, answers, end))
        .collect();
    trials.extend([
        Trial::of(sts_is_off_in_the_region),
        Trial::of(the_node_is_refused_a_role),
        Trial::of(credentials_with_a_line_break),
    ]);
    trials
}

fn error(status: u16, code: &str, message: &str) -> Canned {
    Canned::error(Service::Sts, status, code, message)
}

fn xml(body: &str) -> Canned {
    Canned::answer(200, "text/xml", body)
}

/// An answer of `AssumeRoleWithWebIdentity` with this inside.
fn granted(inside: &str) -> Canned {
    xml(&format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult>{inside}</AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    ))
}

const NOT_STS: &str = "`https://sts.us-west-2.amazonaws.com/` answered 200, but the answer does not come from STS in `us-west-2`";
const NO_CREDENTIALS: &str = "STS answered AssumeRoleWithWebIdentity without credentials";

fn rows() -> Vec<(&'static str, Vec<Canned>, End)> {
    let unreachable = error(400, "IDPCommunicationError", "no answer from the issuer");
    vec![
        (
            "expired_token",
            vec![error(400, "ExpiredTokenException", "Token expired")],
            Fails(
                IDENTITY,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 ExpiredTokenException",
                &[
                    "`https://sts.us-west-2.amazonaws.com/` says: Token expired",
                    "hint: the kubelet renews tokens by itself; check this node's clock",
                ],
            ),
        ),
        (
            "invalid_token",
            vec![error(400, "InvalidIdentityToken", "No OpenIDConnect provider found")],
            Fails(
                DENIED,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 InvalidIdentityToken",
                &[
                    "says: No OpenIDConnect provider found",
                    "hint: IAM in the role's account needs an OIDC provider for \
                     `https://oidc.cluster.example` with the audience `sts.amazonaws.com`",
                ],
            ),
        ),
        ("issuer_unreachable_once", vec![unreachable.clone(), own()], Login),
        (
            "issuer_unreachable",
            vec![unreachable; 2],
            Fails(
                UNAVAILABLE,
                "STS in `us-west-2` could not serve the pod as \
                 `arn:aws:iam::111122223333:role/pull`: HTTP 400 IDPCommunicationError",
                &[
                    "says: no answer from the issuer",
                    "hint: AWS could not fetch the keys of `https://oidc.cluster.example`",
                ],
            ),
        ),
        (
            "issuer_rejects",
            vec![error(403, "IDPRejectedClaim", "the issuer said no")],
            Fails(
                DENIED,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 403 IDPRejectedClaim",
                &["says: the issuer said no", "hint: the issuer `https://oidc.cluster.example`"],
            ),
        ),
        (
            "denied",
            vec![error(403, "AccessDenied", "Not authorized to assume it")],
            Fails(
                DENIED,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 403 AccessDenied",
                &[
                    "says: Not authorized to assume it",
                    "hint: the role's trust policy must allow sts:AssumeRoleWithWebIdentity to the \
                     OIDC provider of `https://oidc.cluster.example`, with `sub` = \
                     `system:serviceaccount:demo:web` and `aud` = `sts.amazonaws.com`; annotation \
                     `eks.amazonaws.com/ecr-role-arn` names the role",
                ],
            ),
        ),
        (
            "malformed_policy",
            vec![error(400, "MalformedPolicyDocument", "which policy?")],
            Fails(
                PROTOCOL,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 MalformedPolicyDocument",
                &[
                    "says: which policy?",
                    "hint: this plugin sends no policy; check for a proxy between",
                ],
            ),
        ),
        (
            "packed_policy_too_large",
            vec![error(400, "PackedPolicyTooLarge", "which policy?")],
            Fails(
                PROTOCOL,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 PackedPolicyTooLarge",
                &[
                    "says: which policy?",
                    "hint: this plugin sends no policy; check for a proxy between",
                ],
            ),
        ),
        (
            "not_valid",
            vec![error(400, "ValidationError", "Request ARN is invalid")],
            Fails(
                IDENTITY,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 ValidationError",
                &[
                    "says: Request ARN is invalid",
                    "hint: check the role's ARN; annotation `eks.amazonaws.com/ecr-role-arn`",
                ],
            ),
        ),
        (
            "a_code_that_is_new",
            vec![error(400, "SomethingNew", "look it up")],
            Fails(
                PROTOCOL,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 400 SomethingNew",
                &["says: look it up", "hint: AWS does not document this answer"],
            ),
        ),
        ("throttled_once", vec![Canned::throttled(Service::Sts), own()], Login),
        ("broken_once", vec![Canned::broken(Service::Sts), own()], Login),
        (
            "a_load_balancers_503",
            vec![Canned::unavailable(); 2],
            Fails(
                UNAVAILABLE,
                "STS in `us-west-2` could not serve the pod as \
                 `arn:aws:iam::111122223333:role/pull`: HTTP 503",
                &["hint: AWS, or a proxy in front of it, is overloaded"],
            ),
        ),
        (
            "a_proxys_403",
            vec![Canned::answer(403, "text/html", "<html><title>Blocked</title>")],
            Fails(
                DENIED,
                "STS in `us-west-2` refused the pod as `arn:aws:iam::111122223333:role/pull`: HTTP \
                 403",
                &["hint: check these credentials and their permissions, and check for a proxy"],
            ),
        ),
        (
            "without_credentials",
            vec![granted("")],
            Fails(PROTOCOL, NO_CREDENTIALS, &["hint: check for a proxy"]),
        ),
        (
            "with_half_of_them",
            vec![granted("<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId></Credentials>")],
            Fails(PROTOCOL, NO_CREDENTIALS, &["hint: check for a proxy"]),
        ),
        (
            "other_xml",
            vec![xml("<other/>")],
            Fails(PROTOCOL, NOT_STS, &["a proxy or a login page"]),
        ),
        ("nothing", vec![xml("")], Fails(PROTOCOL, NOT_STS, &["a proxy or a login page"])),
        (
            "json",
            vec![Canned::other_json(200)],
            Fails(PROTOCOL, NOT_STS, &["a proxy or a login page"]),
        ),
        (
            "a_login_page",
            vec![Canned::answer(200, "text/html", "<!doctype html><title>Sign in</title>")],
            Fails(PROTOCOL, NOT_STS, &["a proxy or a login page"]),
        ),
    ]
}

fn sts_is_off_in_the_region(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.disable_region("us-west-2");
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let (run, calls) = calls_of(&cloud, Service::Sts, cloud.plugin(), &pod);
    let error = format!(
        "STS in `us-west-2` refused the pod as `{}`: HTTP 403 RegionDisabledException",
        role("pull")
    );
    let below = &[
        "STS is not activated in this region",
        "hint: the region is not enabled for this account",
    ];
    fails(&run, REGISTRY, DENIED, &error, below, "off");
    assert_eq!((calls, cloud.aws.calls_to(Service::Ecr).len()), (1, 0));
}

fn the_node_is_refused_a_role(world: &World) {
    let cloud = Cloud::new(world);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/node");
    let keys = cloud.aws.add_user(&user, &["sts:AssumeRole"]);
    let plugin =
        || with_keys(cloud.plugin(), &keys).arg(format!("--role={ACCOUNT}={}", role("node")));
    let refused = |code: &str| {
        format!("STS in `us-west-2` refused the node as `{}`: HTTP {code}", role("node"))
    };
    let (run, calls) = calls_of(&cloud, Service::Sts, plugin(), &request(REGISTRY));
    let below = &[
        "says: User: arn:aws:iam::111122223333:user/node is not authorized to perform: \
         sts:AssumeRole on resource: arn:aws:iam::111122223333:role/node",
        "hint: allow sts:AssumeRole on `arn:aws:iam::111122223333:role/node` to the node, in an IAM \
         policy and in the role's trust policy",
    ];
    fails(&run, REGISTRY, DENIED, &refused("403 AccessDenied"), below, "not trusted");
    assert_eq!((calls, cloud.aws.calls_to(Service::Ecr).len()), (1, 0));

    let wrong = plugin()
        .env("AWS_SECRET_ACCESS_KEY", "another-secret-access-key")
        .secret("the wrong key", "another-secret-access-key");
    let run = cloud.run(wrong, &request(REGISTRY));
    let below =
        &["says: The request signature we calculated", "hint: the secret key does not belong to"];
    fails(&run, REGISTRY, DENIED, &refused("403 SignatureDoesNotMatch"), below, "wrong secret");
}

/// The SDK would end the process for a header that cannot be.
fn credentials_with_a_line_break(world: &World) {
    let cloud = Cloud::new(world);
    let answer = granted(
        "<Credentials><AccessKeyId>ASIA\nEXAMPLE</AccessKeyId>\
         <SecretAccessKey>a-secret-access-key</SecretAccessKey>\
         <SessionToken>a-session-token</SessionToken>\
         <Expiration>2037-01-01T00:00:00Z</Expiration></Credentials>",
    );
    script(&cloud, Service::Sts, &[answer]);
    let pod = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let plugin = cloud
        .plugin()
        .secret("the secret key", "a-secret-access-key")
        .secret("the session token", "a-session-token");
    let run = cloud.run(plugin, &pod);
    let error = "STS gave AWS credentials with a space or a line break in them";
    fails(
        &run,
        REGISTRY,
        IDENTITY,
        error,
        &["hint: check the access key and the session token"],
        "a line break",
    );
}
