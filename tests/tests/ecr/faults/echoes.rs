//! A service of AWS, or what answers in its place, repeats a secret that it was sent, in whatever
//! form: its words are not printed, at no level of the log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pullpass_tests::fakes::aws::{Canned, EcsTask, Instance, Service};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{ANNOTATION, AUDIENCE, Cloud, REGISTRY, role};

/// What is printed instead of the words.
const WITHHELD: &str = "(not shown: the server's words repeat a secret)";

/// As AWS makes them: with slashes, so that no word of it looks like a token.
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEJ7/wEaCXVzL/XdlcxrMi/JGMEQCIBk8u+/7Qz0fVn3d/Uo1rHG9\
                             y/Wf2hKkQ7/p0sLxB4tA/9v6Zr1CqT5/mEoYw8JdPj/3nHgUi0==";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(ecr_repeats_the_session_token),
        Trial::of(sts_repeats_the_pods_token),
        Trial::of(sts_repeats_the_token_of_the_nodes_file),
        Trial::of(ecr_repeats_the_signed_header),
        Trial::of(the_container_agent_repeats_its_token),
        Trial::of(the_metadata_service_repeats_its_token),
        Trial::of(other_words_are_shown),
    ]
}

/// The forms in which a text may come back.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let join = |size: usize, between: &str| {
        let pieces = secret.as_bytes().chunks(size);
        let pieces: Vec<_> = pieces.map(|part| String::from_utf8_lossy(part)).collect();
        pieces.join(between)
    };
    let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let half = &secret[secret.len() / 4..secret.len() * 3 / 4];
    vec![
        ("as it is", secret.to_owned()),
        ("in a sentence", format!("the token {secret} is not valid")),
        ("a part", format!("...{half}...")),
        ("in words of 19", join(19, " ")),
        ("in words of 11 with dashes", join(11, " - ")),
        ("with zero-width spaces", join(7, "\u{200b}")),
        ("hex", each(|byte| format!("{byte:02x}"))),
        ("hex with colons", each(|byte| format!("{byte:02X}:"))),
        ("JSON escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("entities", each(|byte| format!("&#{byte};"))),
        ("percent", each(|byte| format!("%{byte:02X}"))),
        ("percent twice", percent.replace('%', "%25")),
        ("base64", STANDARD.encode(secret)),
        ("base64 after one byte", STANDARD.encode(format!("\"{secret}\""))),
        ("base64 after two bytes", STANDARD.encode(format!("=\"{secret}"))),
        ("another case", secret.to_ascii_lowercase()),
        ("reversed", secret.chars().rev().collect()),
    ]
}

/// The run fails, and says that it keeps words back.
fn withholds(cloud: &Cloud<'_>, plugin: &PluginCommand, request: &Value, echo: &str, name: &str) {
    for plugin in [plugin.clone(), plugin.clone().quiet()] {
        let run = plugin.run(request.to_string().as_bytes());
        assert_ne!(run.code, Some(0), "{name}");
        assert!(run.stderr.contains(WITHHELD), "{name}: nothing is withheld");
        let begin: String = echo.chars().take(24).collect();
        let shows = run.stderr.contains(echo) || run.stderr.contains(&begin);
        assert!(!shows || begin.len() < 24, "{name}: the words are shown");
        assert_eq!(cloud.aws.leaks(&run), Vec::<String>::new(), "{name}");
    }
}

fn ecr_repeats_the_session_token(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud
        .plugin()
        .env("AWS_ACCESS_KEY_ID", "ASIAEXAMPLEEXAMPLE00")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret-access-key")
        .env("AWS_SESSION_TOKEN", SESSION_TOKEN)
        .secret("the secret key", "a-secret-access-key")
        .secret("the session token", SESSION_TOKEN);
    for (name, echo) in forms(SESSION_TOKEN) {
        let xml = format!("<Error><Code>Denied</Code><Message>{echo}</Message></Error>");
        for canned in [
            Canned::error(Service::Ecr, 400, "ExpiredTokenException", &echo),
            Canned::error(Service::Ecr, 403, "SomethingNew", &echo),
            Canned::answer(403, "text/xml", xml),
        ] {
            cloud.aws.always(Service::Ecr, Some(canned));
            withholds(&cloud, &plugin, &request(REGISTRY), &echo, name);
        }
    }
    // As the code, which is a word of the server's too.
    let hex: String = SESSION_TOKEN.bytes().take(30).map(|byte| format!("{byte:02x}")).collect();
    cloud.aws.always(Service::Ecr, Some(Canned::error(Service::Ecr, 400, &hex, "denied")));
    withholds(&cloud, &plugin, &request(REGISTRY), &hex, "as the code");
}

fn sts_repeats_the_pods_token(world: &World) {
    let cloud = Cloud::new(world);
    let token = cloud.issuer.token(AUDIENCE).build();
    let pod = pod_request(REGISTRY, &token, &[(ANNOTATION, &role("pull"))]);
    let plugin = cloud.plugin().secret("the pod's token", &token);
    for (name, echo) in forms(&token) {
        let canned = Canned::error(Service::Sts, 400, "InvalidIdentityToken", &echo);
        cloud.aws.always(Service::Sts, Some(canned));
        withholds(&cloud, &plugin, &pod, &echo, name);
    }
}

fn sts_repeats_the_token_of_the_nodes_file(world: &World) {
    let cloud = Cloud::new(world);
    let token = cloud.issuer.token(AUDIENCE).build();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, &token).unwrap();
    let plugin = cloud
        .plugin()
        .env("AWS_ROLE_ARN", role("pull"))
        .env("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
        .secret("the node's token", &token);
    for (name, echo) in forms(&token) {
        let canned = Canned::error(Service::Sts, 400, "InvalidIdentityToken", &echo);
        cloud.aws.always(Service::Sts, Some(canned));
        withholds(&cloud, &plugin, &request(REGISTRY), &echo, name);
    }
}

fn ecr_repeats_the_signed_header(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud.plugin_as_user();
    cloud.aws.echo(Service::Ecr, Some("authorization"));
    withholds(&cloud, &plugin, &request(REGISTRY), "AWS4-HMAC-SHA256 Credent", "the whole header");
}

fn the_container_agent_repeats_its_token(world: &World) {
    let cloud = Cloud::new(world);
    let path = "/v2/credentials/0f0e";
    for token in [SESSION_TOKEN, "Basic the-token/of+the-task=="] {
        let task =
            EcsTask { path: path.to_owned(), token: Some(token.to_owned()), role: role("node") };
        let server = cloud.world.http("169.254.170.2", cloud.aws.ecs(task));
        let plugin = cloud
            .plugin()
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", token)
            .secret("the agent's token", token);
        for (name, echo) in forms(token) {
            for body in [
                json!({"Code": "Denied", "Message": echo}),
                json!({"Code": echo, "Message": "denied"}),
            ] {
                let canned = Canned::json(200, &body);
                cloud.aws.always(Service::Container, Some(canned));
                withholds(&cloud, &plugin, &request(REGISTRY), &echo, name);
            }
        }
        drop(server);
    }
}

/// As the name of the role: a URL is made of it, which is logged.
fn the_metadata_service_repeats_its_token(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let token = "AQAEAKg5cVqg3XuoRxgpYyv8i2RrXcKt1nNqSxzTkk34mc5wXPk8kw==";
    let ttl = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    for level in ["trace", "warn"] {
        let grants = Canned::answer(200, "text/plain", token).with_header(ttl.0, ttl.1);
        cloud.aws.next(Service::Imds, grants);
        cloud.aws.next(Service::Imds, Canned::answer(200, "text/plain", token));
        let plugin = cloud.plugin().env("PULLPASS_LOG", level);
        let run = plugin
            .secret("the metadata token", token)
            .run(request(REGISTRY).to_string().as_bytes());
        assert_eq!(run.code, Some(super::IDENTITY), "{}", run.stderr);
        assert!(run.stderr.contains("its answer is not the name of a role"), "{}", run.stderr);
    }
}

/// AWS's other words are printed, including the parts of a signature that are not secret.
fn other_words_are_shown(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud.plugin_as_user();
    for words in [
        "User: arn:aws:iam::111122223333:user/node is not authorized to perform: \
         ecr:GetAuthorizationToken on resource: * with an explicit deny in a service control policy",
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header",
        "The security token included in the request is expired",
        "Credential should be scoped to a valid region, not 'us-east-1'",
        "'content-type' must be a 'SignedHeader' in the AWS Authorization",
    ] {
        let canned = Canned::error(Service::Ecr, 400, "SomethingNew", words);
        cloud.aws.always(Service::Ecr, Some(canned));
        let run = cloud.run(plugin.clone(), &request(REGISTRY));
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
}
