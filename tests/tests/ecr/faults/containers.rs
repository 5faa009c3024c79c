//! The container credentials endpoint, or the agent of EKS Pod Identity, is set up and gives
//! nothing.

use std::fs;

use pullpass_tests::fakes::aws::{Canned, EcsTask, PodIdentity, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};

use super::{CONFIG, IDENTITY, UNAVAILABLE, calls_of, fails, script};
use crate::cloud::{Cloud, REGISTRY, role};

const PATH: &str = "/v2/credentials/0f0e";
const TOKEN: &str = "Basic the-token-of-the-task";
const ERROR: &str = "the container credentials endpoint gave no AWS credentials";
const HINT: &str = "hint: check `AWS_CONTAINER_CREDENTIALS_FULL_URI` and its token, and the agent";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(answers_without_credentials),
        Trial::of(asked_wrongly),
        Trial::of(asked_where_nobody_may),
        Trial::of(no_agent),
        Trial::of(an_agent_that_does_not_know_the_pod),
    ]
}

fn task(cloud: &mut Cloud<'_>) {
    let task = EcsTask { path: PATH.to_owned(), token: Some(TOKEN.to_owned()), role: role("node") };
    let server = cloud.world.http("169.254.170.2", cloud.aws.ecs(task));
    cloud.keep(server);
}

fn plugin(cloud: &Cloud<'_>) -> PluginCommand {
    cloud
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", PATH)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
}

fn answers_without_credentials(world: &World) {
    let mut cloud = Cloud::new(world);
    task(&mut cloud);
    cloud.run(plugin(&cloud), &request(REGISTRY)).login();
    let answer = |status, body| Canned::answer(status, "application/json", body);
    for (answers, why) in [
        (vec![Canned::error(Service::Container, 500, "", ""); 3], "500"),
        (vec![Canned::error(Service::Container, 403, "", "")], "403"),
        (vec![answer(200, r#"{"Code":"Sorry","Message":"not today"}"#)], "[Sorry]: not today"),
    ] {
        script(&cloud, Service::Container, &answers);
        let (run, calls) = calls_of(&cloud, Service::Container, plugin(&cloud), &request(REGISTRY));
        fails(&run, REGISTRY, IDENTITY, ERROR, &[why, HINT], why);
        assert_eq!(calls, answers.len(), "{why}");
    }
}

fn asked_wrongly(world: &World) {
    let mut cloud = Cloud::new(world);
    task(&mut cloud);
    for (name, value, why, called) in [
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "another-token", "401", 1),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a-token\nof two lines", "header value", 0),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/another", "400", 1),
    ] {
        let plugin = plugin(&cloud).env(name, value).secret("one of two lines", "of two lines");
        let (run, calls) = calls_of(&cloud, Service::Container, plugin, &request(REGISTRY));
        fails(&run, REGISTRY, IDENTITY, ERROR, &[why, HINT], why);
        assert_eq!(calls, called, "{why}");
    }
}

/// Otherwise a variable could send the token anywhere.
fn asked_where_nobody_may(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts().connections;
    for uri in ["http://192.0.2.1/v1/credentials", "http://agent.example/v1", "no URI", "localhost"]
    {
        let plugin = cloud
            .plugin()
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
            .secret("the task's token", TOKEN);
        let run = cloud.run(plugin, &request(REGISTRY));
        let error =
            "`AWS_CONTAINER_CREDENTIALS_FULL_URI` is not the URL of an agent on this machine";
        fails(&run, REGISTRY, CONFIG, error, &["hint: correct the `env`"], uri);
    }
    let plugin = cloud
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/nowhere/token");
    let run = cloud.run(plugin, &request(REGISTRY));
    let below = &["No such file", "hint: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`"];
    fails(&run, REGISTRY, CONFIG, "cannot read the file `/nowhere/token`", below, "no file");
    assert_eq!(world.attempts().connections, before);
}

fn no_agent(world: &World) {
    let cloud = Cloud::new(world);
    world.address_of("169.254.170.23");
    let plugin = cloud
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
    let run = cloud.run(plugin, &request(REGISTRY));
    let below =
        &["cannot connect to `http://169.254.170.23/v1/credentials`", "Connection refused", HINT];
    fails(&run, REGISTRY, UNAVAILABLE, ERROR, below, "no agent");
}

fn an_agent_that_does_not_know_the_pod(world: &World) {
    let mut cloud = Cloud::new(world);
    let verifier = cloud.issuer.verifier("pods.eks.amazonaws.com");
    let agent = PodIdentity::new(verifier, "demo", "other", &role("node"));
    let server = world.http("169.254.170.23", cloud.aws.pod_identity(agent));
    cloud.keep(server);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    for (audience, why) in [("pods.eks.amazonaws.com", "404"), ("sts.amazonaws.com", "400")] {
        let token = cloud.issuer.token(audience).build();
        fs::write(&file, &token).unwrap();
        let plugin = cloud
            .plugin()
            .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
            .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &file)
            .secret("the agent's token", &token);
        let run = cloud.run(plugin, &request(REGISTRY));
        fails(&run, REGISTRY, IDENTITY, ERROR, &[why, HINT], why);
    }
}
