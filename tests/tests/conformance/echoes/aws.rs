//! ECR: STS for pods, ECR for keys, the metadata service and an agent of containers.

use std::fs;

use pullpass_tests::fakes::echo::{self, Echo};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::jwt;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::World;
use serde_json::json;
use tempfile::TempDir;

use super::{Build, Place, issuer};

pub(super) const PLACES: &[(&str, Build)] = &[
    ("ecr_sts", sts),
    ("ecr_session_token", session_token),
    ("ecr_signature", signature),
    ("ecr_metadata_token", metadata_token),
    ("ecr_agents_json", agents_json),
    ("ecr_agents_text", agents_text),
];

const REGISTRY: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/pull";

/// One attempt: what fails once is as telling as what fails three times.
fn plugin(world: &World) -> PluginCommand {
    world.plugin("ecr-credential-provider").env("AWS_MAX_ATTEMPTS", "1")
}

fn with_keys(world: &World) -> PluginCommand {
    plugin(world)
        .env("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", jwt::random_text(30))
        .env("AWS_SESSION_TOKEN", format!("IQoJb3JpZ2luX2VjEHoa{}==", jwt::random_text(300)))
}

fn sts(world: &World) -> Place {
    let issuer = issuer(world);
    let token = issuer.token("sts.amazonaws.com").build();
    let echo = Echo::new(echo::Place::Form("WebIdentityToken"), |code, message| {
        let xml = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let body = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender\
             </Type><Code>{}</Code><Message>{}</Message></Error><RequestId>r</RequestId>\
             </ErrorResponse>",
            xml(code),
            xml(message)
        );
        (400, "text/xml", body)
    });
    let server = world.https("sts.us-west-2.amazonaws.com", echo.router());
    Place {
        plugin: plugin(world),
        request: pod_request(REGISTRY, &token, &[("eks.amazonaws.com/ecr-role-arn", ROLE)]),
        echo,
        _held: vec![Box::new(server), Box::new(issuer)],
    }
}

fn ecr(world: &World, place: echo::Place) -> Place {
    let echo = Echo::new(place, |code, message| {
        (400, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string())
    });
    let server = world.https("api.ecr.us-west-2.amazonaws.com", echo.router());
    let (plugin, request) = (with_keys(world), request(REGISTRY));
    Place { plugin, request, echo, _held: vec![Box::new(server)] }
}

fn session_token(world: &World) -> Place {
    ecr(world, echo::Place::Header("x-amz-security-token"))
}

fn signature(world: &World) -> Place {
    ecr(world, echo::Place::Signature)
}

fn metadata_token(world: &World) -> Place {
    let place = echo::Place::Header("x-aws-ec2-metadata-token");
    let refusal: echo::Refusal = |code, message| (400, "text/plain", [code, message].join(" "));
    let token = "AQAEAFTNrA4eEGx0AQgJ1arIq_Cc-t4tWt3fB0Hd8RKhXlKc5ccvhg==";
    let lifetime = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    let echo = Echo::with_preface(place, refusal, (token, lifetime));
    let server = world.http("169.254.169.254", echo.router());
    let (plugin, request) = (plugin(world), request(REGISTRY));
    Place { plugin, request, echo, _held: vec![Box::new(server)] }
}

fn agent(world: &World, refusal: echo::Refusal) -> Place {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("token");
    let issuer = issuer(world);
    fs::write(&file, issuer.token("pods.eks.amazonaws.com").build()).unwrap();
    let echo = Echo::new(echo::Place::Whole("authorization"), refusal);
    let server = world.http("169.254.170.23", echo.router());
    let plugin = plugin(world)
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file);
    let held: Vec<Box<dyn std::any::Any>> =
        vec![Box::new(server), Box::new(folder), Box::new(issuer)];
    Place { plugin, request: request(REGISTRY), echo, _held: held }
}

fn agents_json(world: &World) -> Place {
    agent(world, |code, message| {
        (400, "application/json", json!({"Code": code, "Message": message}).to_string())
    })
}

fn agents_text(world: &World) -> Place {
    agent(world, |code, message| (400, "text/plain", [code, message].join(": ")))
}
