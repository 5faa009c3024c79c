//! `GetAuthorizationToken` is refused, fails, or is answered by another server.

use pullpass_tests::fakes::aws::{Canned, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use super::End::{Fails, Login};
use super::{
    CONFIG, DENIED, End, PROTOCOL, UNAVAILABLE, calls_of, explains, fails, own, row, script,
};
use crate::cloud::{ACCOUNT, Cloud, REGISTRY, role, with_keys};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = rows()
        .into_iter()
        .map(|(name, answers, end)| row("ecr", name, Service::Ecr, answers, end))
        .collect();
    trials.extend([
        Trial::of(the_request_that_aws_repeats_is_not_repeated_by_us),
        Trial::of(as_often_as_the_operator_says),
        Trial::of(codes_for_too_much_and_for_broken),
        Trial::of(ecr_public_with_credentials_of_another_partition),
    ]);
    trials
}

fn error(status: u16, code: &str, message: &str) -> Canned {
    Canned::error(Service::Ecr, status, code, message)
}

fn json(status: u16, body: &str) -> Canned {
    Canned::answer(status, "application/x-amz-json-1.1", body)
}

const NOT_ECR: &str = "`https://api.ecr.us-west-2.amazonaws.com/` answered 200, but the answer does not come from ECR in `us-west-2`";
const NO_DATA: &str = "ECR in `us-west-2` answered without authorization data";
const BETWEEN: &str = "hint: check for a proxy between this node and AWS";

fn rows() -> Vec<(&'static str, Vec<Canned>, End)> {
    let throttled = Canned::throttled(Service::Ecr);
    let broken = Canned::broken(Service::Ecr);
    vec![
        ("throttled_twice", vec![throttled.clone(), throttled.clone(), own()], Login),
        (
            "throttled_for_good",
            vec![throttled; 3],
            Fails(
                UNAVAILABLE,
                "ECR in `us-west-2` could not serve the node: HTTP 400 ThrottlingException",
                &[
                    "`https://api.ecr.us-west-2.amazonaws.com/` says: Rate exceeded",
                    "hint: AWS limits calls per account and region; the kubelet tries the pull \
                     again later",
                ],
            ),
        ),
        ("broken_once", vec![broken.clone(), own()], Login),
        (
            "broken_for_good",
            vec![broken; 2],
            Fails(
                UNAVAILABLE,
                "ECR in `us-west-2` could not serve the node: HTTP 500 ServerException",
                &["says: internal failure", "hint: AWS is overloaded or broken; the kubelet tries"],
            ),
        ),
        (
            "a_load_balancers_503",
            vec![Canned::unavailable(); 2],
            Fails(
                UNAVAILABLE,
                "ECR in `us-west-2` could not serve the node: HTTP 503",
                &["hint: AWS, or a proxy in front of it, is overloaded"],
            ),
        ),
        ("a_proxys_429_once", vec![Canned::answer(429, "text/plain", "slow down"), own()], Login),
        (
            "a_proxys_429",
            vec![Canned::answer(429, "text/plain", "slow down"); 3],
            Fails(
                UNAVAILABLE,
                "ECR in `us-west-2` could not serve the node: HTTP 429",
                &["hint: AWS, or a proxy in front of it, is overloaded"],
            ),
        ),
        (
            "denied_by_header_alone",
            vec![json(400, "").with_header("x-amzn-errortype", "AccessDeniedException:http://x")],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 400 AccessDeniedException",
                &["hint: allow ecr:GetAuthorizationToken on `*`"],
            ),
        ),
        (
            "denied_in_xml",
            vec![Canned::answer(
                403,
                "text/xml",
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not by this endpoint's \
                 policy</Message></Error></ErrorResponse>",
            )],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 403 AccessDenied",
                &["says: not by this endpoint's policy", "allow ecr:GetAuthorizationToken on `*`"],
            ),
        ),
        (
            "a_proxys_403",
            vec![Canned::answer(403, "text/html", "<html><title>Blocked</title>")],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 403",
                &["hint: check these credentials and their permissions, and check for a proxy"],
            ),
        ),
        (
            "a_region_that_is_off",
            vec![error(403, "OptInRequired", "subscribe first")],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 403 OptInRequired",
                &["says: subscribe first", "hint: the region is not enabled for this account"],
            ),
        ),
        (
            "signature_expired",
            vec![error(
                400,
                "InvalidSignatureException",
                "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
            )],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 400 InvalidSignatureException",
                &["says: Signature expired: 2026", "or this node's clock is wrong"],
            ),
        ),
        (
            "signature_lost_on_the_way",
            vec![error(400, "MissingAuthenticationTokenException", "Missing Authentication Token")],
            Fails(
                PROTOCOL,
                "ECR in `us-west-2` refused the node: HTTP 400 MissingAuthenticationTokenException",
                &["hint: the request arrived without its signature; check the proxies"],
            ),
        ),
        (
            "an_error_without_words",
            vec![error(400, "com.amazon.coral.service#UnknownOperationException", "")],
            Fails(
                PROTOCOL,
                "ECR in `us-west-2` refused the node: HTTP 400 UnknownOperationException",
                &["hint: AWS does not document this answer"],
            ),
        ),
        (
            "words_with_control_characters",
            vec![error(400, "AccessDeniedException", "not \u{1b}[31mallowed\u{202e}\nerror: x")],
            Fails(
                DENIED,
                "ECR in `us-west-2` refused the node: HTTP 400 AccessDeniedException",
                &["caused by: `https://api.ecr.us-west-2.amazonaws.com/` says: not [31mallowed"],
            ),
        ),
        (
            "a_code_that_is_none",
            vec![error(400, "a code\nhint: of theirs", "hello")],
            Fails(PROTOCOL, "ECR in `us-west-2` refused the node: HTTP 400", &["says: hello"]),
        ),
        (
            "a_400_with_nothing",
            vec![json(400, "")],
            Fails(
                PROTOCOL,
                "ECR in `us-west-2` refused the node: HTTP 400",
                &["hint: AWS does not document this answer"],
            ),
        ),
        (
            "a_404",
            vec![Canned::answer(404, "text/html", "<html><title>Not here</title>")],
            Fails(
                PROTOCOL,
                "ECR in `us-west-2` refused the node: HTTP 404",
                &["hint: AWS does not document this answer"],
            ),
        ),
        (
            "a_redirect",
            vec![
                Canned::answer(302, "text/html", "")
                    .with_header("location", "https://login.example/?next=x"),
            ],
            Fails(
                PROTOCOL,
                "the call to ECR in `us-west-2` for the node failed",
                &[
                    "`https://api.ecr.us-west-2.amazonaws.com/` answered 302 with a redirect; redirects are never followed",
                    "hint: a redirect would send the credentials to another host",
                ],
            ),
        ),
        (
            "a_login_page",
            vec![Canned::answer(200, "text/html", "<!doctype html><title>Sign in</title>")],
            Fails(PROTOCOL, NOT_ECR, &["a proxy or a login page"]),
        ),
        ("a_list", vec![json(200, "[1]")], Fails(PROTOCOL, NOT_ECR, &["a proxy or a login page"])),
        ("other_json", vec![Canned::other_json(200)], Fails(PROTOCOL, NO_DATA, &[BETWEEN])),
        ("nothing", vec![json(200, "")], Fails(PROTOCOL, NO_DATA, &[BETWEEN])),
    ]
}

/// As AWS answers a wrong signature: with all that should have been signed.
fn the_request_that_aws_repeats_is_not_repeated_by_us(world: &World) {
    let cloud = Cloud::new(world);
    let keys = cloud.aws.session(&role("node"), "i-0abc", 3600);
    // A real session token is base64, and its slashes would part it into harmless words.
    let pieces = ["IQoJb3JpZ2luX2Vj", "EDeK08fCmf5OPnxv", "YQb8P377fR6wxb69"];
    let answer = |gap: &str| {
        error(
            403,
            "InvalidSignatureException",
            &format!(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method.{gap}The Canonical String for \
                 this request should have been\n'POST\n/\n\nhost:api.ecr.us-west-2.amazonaws.com\n\
                 x-amz-security-token:{}\n\nhost;x-amz-security-token\n44136fa355b3678a'",
                pieces.join("/")
            ),
        )
    };
    for gap in ["\n\n", " "] {
        script(&cloud, Service::Ecr, &[answer(gap)]);
        let plugin = with_keys(cloud.plugin(), &keys);
        let plugin = pieces.iter().fold(plugin, |plugin, piece| plugin.secret("a piece", piece));
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = "ECR in `us-west-2` refused the node: HTTP 403 InvalidSignatureException";
        let below = &["says: The request signature we calculated does not match"];
        fails(&run, REGISTRY, DENIED, error, below, "repeated");
        assert!(!run.stderr.contains("x-amz-security-token"), "{}", run.stderr);
    }
}

fn as_often_as_the_operator_says(world: &World) {
    let cloud = Cloud::new(world);
    cloud.aws.always(Service::Ecr, Some(Canned::throttled(Service::Ecr)));
    for (attempts, calls) in [("1", 1), ("2", 2)] {
        let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", attempts);
        let (run, called) = calls_of(&cloud, Service::Ecr, plugin, &request(REGISTRY));
        assert_eq!((run.code, called), (Some(UNAVAILABLE), calls), "{}", run.stderr);
    }
    for (name, value, error) in [
        ("AWS_MAX_ATTEMPTS", "0", "`AWS_MAX_ATTEMPTS` is not a number from 1 to 20"),
        ("AWS_MAX_ATTEMPTS", "three", "`AWS_MAX_ATTEMPTS` is not a number from 1 to 20"),
        ("AWS_RETRY_MODE", "often", "`AWS_RETRY_MODE` is neither `standard` nor `adaptive`"),
    ] {
        let plugin = cloud.plugin_as_user().env(name, value);
        let (run, called) = calls_of(&cloud, Service::Ecr, plugin, &request(REGISTRY));
        fails(&run, REGISTRY, CONFIG, error, &["`env` of this provider"], value);
        assert_eq!(called, 0);
    }
}

fn codes_for_too_much_and_for_broken(world: &World) {
    let cloud = Cloud::new(world);
    for (code, hint) in [
        ("Throttling", "limits calls"),
        ("TooManyRequestsException", "limits calls"),
        ("RequestThrottledException", "limits calls"),
        ("LimitExceededException", "limits calls"),
        ("SlowDown", "limits calls"),
        ("RequestTimeoutException", "is overloaded or broken"),
        ("InternalFailure", "is overloaded or broken"),
        ("ServiceUnavailableException", "is overloaded or broken"),
    ] {
        script(&cloud, Service::Ecr, &[error(400, code, "later")]);
        let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "1");
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = format!("ECR in `us-west-2` could not serve the node: HTTP 400 {code}");
        fails(&run, REGISTRY, UNAVAILABLE, &error, &["says: later", hint], code);
    }
}

fn ecr_public_with_credentials_of_another_partition(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("us-east-1");
    let arn = format!("arn:aws-cn:iam::{ACCOUNT}:user/node");
    let keys = cloud.aws.add_user(&arn, &["*"]);
    let image = "public.ecr.aws/team/app";
    let run = cloud.run(with_keys(cloud.plugin(), &keys), &request(image));
    let error = "ECR Public refused the node: HTTP 400 UnrecognizedClientException";
    let below = &["hint: ECR Public accepts credentials of partition `aws` only"];
    fails(&run, image, DENIED, error, below, "another partition");
    explains(&run, &["says: The security token included in the request is invalid"], "words");
}
