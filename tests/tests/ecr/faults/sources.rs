//! The node's keys, files and profiles are wrong, or their owner may not pull.

use std::fs;
use std::time::Duration;

use pullpass_tests::fakes::aws::{Canned, Instance, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use super::{CONFIG, DENIED, IDENTITY, UNAVAILABLE, calls_of, fails};
use crate::cloud::{ACCOUNT, AUDIENCE, Cloud, REGISTRY, role, with_keys};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(keys_that_aws_does_not_take),
        Trial::of(keys_that_may_not),
        Trial::of(half_of_a_pair_of_keys),
        Trial::of(keys_with_a_line_break),
        Trial::of(a_token_file_that_sts_does_not_take),
        Trial::of(a_profiles_role_that_is_refused),
        Trial::of(profiles_that_cannot_be_used),
    ]
}

fn keys_that_aws_does_not_take(world: &World) {
    let cloud = Cloud::new(world);
    let session = |seconds| cloud.aws.session(&role("node"), "i-0abc", seconds);
    let (good, other, over) = (session(3600), session(3600), session(-60));
    let unknown = "The security token included in the request is invalid";
    let hint = "hint: AWS does not know these credentials: the key was deleted, the session token is missing, or they belong to another partition";
    for (name, keys, code, refused, below) in [
        (
            "wrong secret",
            {
                let mut keys = good.clone();
                keys.secret_access_key = other.secret_access_key.clone();
                keys
            },
            DENIED,
            "InvalidSignatureException",
            [
                "The request signature we calculated does not match",
                "hint: the secret key does not belong to this access key, or this node's clock",
            ],
        ),
        (
            "unknown key",
            {
                let mut keys = good.clone();
                keys.access_key_id = "ASIAUNKNOWNUNKNOWN00".to_owned();
                keys
            },
            DENIED,
            "UnrecognizedClientException",
            [unknown, hint],
        ),
        (
            "no session token",
            {
                let mut keys = good.clone();
                keys.session_token = None;
                keys
            },
            DENIED,
            "UnrecognizedClientException",
            [unknown, hint],
        ),
        (
            "another session's token",
            {
                let mut keys = good.clone();
                keys.session_token = other.session_token.clone();
                keys
            },
            DENIED,
            "UnrecognizedClientException",
            [unknown, hint],
        ),
        (
            "expired session",
            over,
            IDENTITY,
            "ExpiredTokenException",
            [
                "The security token included in the request is expired",
                "hint: the credentials on this node have expired; check what renews them",
            ],
        ),
    ] {
        let plugin = with_keys(cloud.plugin(), &keys);
        let (run, calls) = calls_of(&cloud, Service::Ecr, plugin, &request(REGISTRY));
        let error = format!("ECR in `us-west-2` refused the node: HTTP 400 {refused}");
        fails(&run, REGISTRY, code, &error, &below, name);
        assert_eq!(calls, 1, "{name}");
    }
}

fn keys_that_may_not(world: &World) {
    let cloud = Cloud::new(world);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/poor");
    let keys = cloud.aws.add_user(&user, &["s3:GetObject"]);
    let plugin = with_keys(cloud.plugin(), &keys);
    let (run, calls) = calls_of(&cloud, Service::Ecr, plugin, &request(REGISTRY));
    let error = "ECR in `us-west-2` refused the node: HTTP 400 AccessDeniedException";
    let below = &[
        "says: User: arn:aws:iam::111122223333:user/poor is not authorized to perform: \
         ecr:GetAuthorizationToken",
        "hint: allow ecr:GetAuthorizationToken on `*` in an IAM policy of the node's role",
    ];
    fails(&run, REGISTRY, DENIED, error, below, "poor");
    assert_eq!(calls, 1);
}

/// The SDK would continue with the next source, which is another identity.
fn half_of_a_pair_of_keys(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let before = world.attempts();
    for (set, missing) in [
        ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
    ] {
        let plugin = cloud.plugin().env(set, "half-of-the-keys").secret("it", "half-of-the-keys");
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = format!("`{set}` is set without `{missing}`");
        fails(&run, REGISTRY, CONFIG, &error, &["hint: set both"], set);
    }
    assert_eq!(world.attempts(), before);
}

/// As read from a file with its end of line. The SDK would end the process.
fn keys_with_a_line_break(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    let keys = cloud.aws.session(&role("node"), "i-0abc", 3600);
    let token = keys.session_token.clone().unwrap();
    for (name, value) in [
        ("AWS_ACCESS_KEY_ID", format!("{}\n", keys.access_key_id)),
        ("AWS_ACCESS_KEY_ID", format!("{}\u{7f}", keys.access_key_id)),
        ("AWS_SESSION_TOKEN", format!("{} {}", &token[..20], &token[20..])),
    ] {
        let plugin = with_keys(cloud.plugin(), &keys).env(name, value);
        let run = cloud.run(plugin, &request(REGISTRY));
        let error =
            "environment variables gave AWS credentials with a space or a line break in them";
        let below = &[
            "hint: check the access key and the session token for a space or line break at the end",
        ];
        fails(&run, REGISTRY, IDENTITY, error, below, name);
    }
    assert_eq!(world.attempts(), before);
}

fn a_token_file_that_sts_does_not_take(world: &World) {
    let cloud = Cloud::new(world);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let plugin = || {
        cloud
            .plugin()
            .env("AWS_ROLE_ARN", role("pull"))
            .env("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
            .env("AWS_MAX_ATTEMPTS", "1")
    };
    let error = "`AWS_WEB_IDENTITY_TOKEN_FILE` gave no AWS credentials";
    let run = cloud.run(plugin(), &request(REGISTRY));
    let missing = format!("cannot read the file `{}`", file.display());
    fails(&run, REGISTRY, CONFIG, &missing, &["No such file", "the token's file"], "no file");
    let half = cloud.plugin().env("AWS_WEB_IDENTITY_TOKEN_FILE", &file);
    let run = cloud.run(half, &request(REGISTRY));
    let missing = "`AWS_WEB_IDENTITY_TOKEN_FILE` is set without `AWS_ROLE_ARN`";
    fails(&run, REGISTRY, CONFIG, missing, &["hint: set both"], "half");

    let token = cloud.issuer.token(AUDIENCE).service_account("demo", "other").build();
    fs::write(&file, &token).unwrap();
    let run = cloud.run(plugin().secret("the token", &token), &request(REGISTRY));
    let below = &[
        "caused by: STS in `us-west-2` refused the node: HTTP 403 AccessDenied",
        "`https://sts.us-west-2.amazonaws.com/` says: Not authorized",
        "hint: the role that `AWS_ROLE_ARN` or the profile names must allow this caller",
    ];
    fails(&run, REGISTRY, DENIED, error, below, "not trusted");

    let token = cloud.issuer.token("another.example").build();
    fs::write(&file, &token).unwrap();
    let run = cloud.run(plugin().secret("the token", &token), &request(REGISTRY));
    let below = &[
        "caused by: STS in `us-west-2` refused the node: HTTP 400 InvalidIdentityToken",
        "says: Incorrect token audience",
        "hint: IAM in the role's account needs an OIDC provider",
    ];
    fails(&run, REGISTRY, DENIED, error, below, "another audience");

    cloud.aws.always(Service::Sts, Some(Canned::unavailable()));
    let run = cloud.run(plugin().secret("the token", &token), &request(REGISTRY));
    let below = &[
        "caused by: STS in `us-west-2` could not serve the node: HTTP 503",
        "hint: AWS, or a proxy in front of it, is overloaded",
    ];
    fails(&run, REGISTRY, UNAVAILABLE, error, below, "STS broken");
}

fn a_profiles_role_that_is_refused(world: &World) {
    let cloud = Cloud::new(world);
    let keys = cloud.aws.add_user(&format!("arn:aws:iam::{ACCOUNT}:user/base"), &[]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let config = format!(
        "[default]\nrole_arn = {}\nsource_profile = base\n\
         [profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        role("node"),
        keys.access_key_id,
        keys.secret_access_key
    );
    fs::write(&file, config).unwrap();
    let run = cloud.run(cloud.plugin().env("AWS_CONFIG_FILE", &file), &request(REGISTRY));
    let error = "the profile gave no AWS credentials";
    let below = &[
        "caused by: STS in `us-west-2` refused the node: HTTP 403 AccessDenied",
        "says: User: arn:aws:iam::111122223333:user/base is not authorized",
        "hint: the role that `AWS_ROLE_ARN` or the profile names must allow",
    ];
    fails(&run, REGISTRY, DENIED, error, below, "a profile's role");
}

fn profiles_that_cannot_be_used(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let before = world.attempts();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let understood = "is not a valid profile file";
    let credentials = "profile `default` gives no credentials";
    let chain: String = (0..5000)
        .map(|at| format!("[profile p{at}]\nrole_arn = x\nsource_profile = p{}\n", at + 1))
        .collect();
    let chain = format!("[default]\nrole_arn = x\nsource_profile = p0\n{chain}");
    let circle =
        "[default]\nrole_arn = x\nsource_profile = a\n[profile a]\nsource_profile = default\n";
    let too_many = "leads through more than 16 profiles by `source_profile`";
    let large = format!("[default]\n{}", "a = b\n".repeat(100_000));
    for (text, error, why) in [
        (chain.as_str(), too_many, "hint: shorten the chain"),
        (circle, too_many, "look for a circle"),
        (large.as_str(), "is larger than 524288 bytes; keep only what this node uses", "hint: "),
        ("[default\n", understood, "hint: a profile file has section names in brackets"),
        ("[default]\nrole_arn = x\nsource_profile = none\n", credentials, "`none` was not defined"),
        ("[default]\nuse_fips_endpoint = yes\n", "neither `true` nor `false`", "hint: "),
        ("[default]\nsso_session = x\n", "which is not supported", "hint: "),
    ] {
        fs::write(&file, text).unwrap();
        let run = cloud.run(cloud.plugin().env("AWS_CONFIG_FILE", &file), &request(REGISTRY));
        assert_eq!(run.code, Some(CONFIG), "{text:.80}: {}", run.stderr);
        assert!(run.duration < Duration::from_secs(5), "{text:.80}: {:?}", run.duration);
        assert!(run.error().contains(error) && run.stderr.contains(why), "{}", run.stderr);
    }
    for (text, why) in [
        ("[default]\naws_access_key_id = AKIAX\n", "missing aws_secret_access_key"),
        ("[default]\nrole_arn = x\ncredential_source = Nobody\n", "`Nobody` provider"),
    ] {
        fs::write(&file, text).unwrap();
        let plugin = cloud.plugin().env("PATH", "/usr/bin:/bin").env("AWS_CONFIG_FILE", &file);
        let run = cloud.run(plugin, &request(REGISTRY));
        let below = &[why, "hint: check `AWS_PROFILE` and `AWS_CONFIG_FILE`"];
        fails(&run, REGISTRY, IDENTITY, "the profile gave no AWS credentials", below, text);
    }
    assert_eq!(world.attempts(), before);
}
