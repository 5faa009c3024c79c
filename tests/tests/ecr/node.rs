//! The node's identity: each source of the SDK's chain, and a role on top of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use pullpass_tests::fakes::aws::{EcsTask, Instance, PULL, PodIdentity, Role, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{ACCOUNT, AUDIENCE, Cloud, REGISTRY, SUBJECT, role, with_keys};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(environment),
        Trial::of(metadata_service),
        Trial::of(metadata_service_over_ipv6),
        Trial::of(metadata_service_is_never_proxied),
        Trial::of(container_credentials),
        Trial::of(pod_identity_agent),
        Trial::of(profile_with_a_process),
        Trial::of(profile_with_a_role_by_a_process),
        Trial::of(profile_with_a_role),
        Trial::of(a_profile_that_is_named_must_be_there),
        Trial::of(web_identity_file),
        Trial::of(an_accounts_role_is_assumed_by_the_node),
        Trial::of(off_ec2_the_metadata_service_costs_a_second),
        Trial::of(metadata_service_switched_off),
    ]
}

fn session_of(name: &str) -> String {
    format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/")
}

fn environment(world: &World) {
    let cloud = Cloud::new(world);
    let keys = cloud.aws.session(&role("node"), "i-0abc", 3600);
    let (key, principal, region) =
        cloud.login(with_keys(cloud.plugin(), &keys), &request(&format!("{REGISTRY}/a/b")));
    assert_eq!((&*key, &*principal, &*region), (REGISTRY, &*keys.principal, "us-west-2"));
    assert_eq!(cloud.aws.calls().len(), 2, "two runs, one call each");
}

fn metadata_service(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let (_, principal, _) = cloud.login(cloud.plugin(), &request(REGISTRY));
    assert!(principal.starts_with(&session_of("node")), "{principal}");
    let asked: Vec<String> =
        cloud.aws.calls_to(Service::Imds).into_iter().map(|call| call.operation).collect();
    // Three calls a run, and never for the region: the host says it.
    let role = "GET /latest/meta-data/iam/security-credentials/";
    let once = ["PUT /latest/api/token".to_owned(), role.to_owned(), format!("{role}node")];
    assert_eq!(asked, [once.clone(), once].concat());
}

fn metadata_service_over_ipv6(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("[fd00:ec2::254]:80", Instance::new(&role("node"), "us-west-2"));
    let plugin = cloud.plugin().env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert!(principal.starts_with(&session_of("node")), "{principal}");
}

/// The proxy refuses everything: a call that reached it would fail.
fn metadata_service_is_never_proxied(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let plugin = cloud
        .plugin()
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("HTTPS_PROXY", "http://127.0.0.1:9")
        .env("NO_PROXY", ".amazonaws.com");
    cloud.login(plugin, &request(REGISTRY));
    let proxied = cloud.plugin().env("HTTPS_PROXY", "http://127.0.0.1:9");
    let run = cloud.run(proxied, &request(REGISTRY));
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(run.error().contains("the call to ECR in `us-west-2` for"), "{}", run.stderr);
}

fn container_credentials(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.aws.add_role(Role::new(&role("task")).allow(&PULL));
    let path = "/v2/credentials/0f0e";
    let task = EcsTask { path: path.to_owned(), token: None, role: role("task") };
    let server = world.http("169.254.170.2", cloud.aws.ecs(task));
    cloud.keep(server);
    let plugin = cloud.plugin().env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", path);
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert!(principal.starts_with(&session_of("task")), "{principal}");
}

fn pod_identity_agent(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.aws.add_role(Role::new(&role("agent")).allow(&PULL));
    let verifier = cloud.issuer.verifier("pods.eks.amazonaws.com");
    let agent = PodIdentity::new(verifier, "demo", "web", &role("agent"));
    let server = world.http("169.254.170.23", cloud.aws.pod_identity(agent));
    cloud.keep(server);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    fs::write(&token, cloud.issuer.token("pods.eks.amazonaws.com").build()).unwrap();
    let plugin = cloud
        .plugin()
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token);
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert!(principal.starts_with(&session_of("agent")), "{principal}");
}

/// As with IAM Roles Anywhere: another program prints the keys.
fn profile_with_a_process(world: &World) {
    let cloud = Cloud::new(world);
    let keys = cloud.aws.session(&role("node"), "anywhere", 3600);
    let folder = tempfile::tempdir().unwrap();
    let answer = serde_json::json!({
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    });
    let program = folder.path().join("signing-helper");
    fs::write(&program, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!("[profile hybrid]\ncredential_process = {}\n", program.display());
    let config = write(folder.path(), "config", &config);
    let plugin = || {
        cloud
            .plugin()
            .env("PATH", "/usr/bin:/bin")
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_PROFILE", "hybrid")
    };
    let (_, principal, _) = cloud.login(plugin(), &request(REGISTRY));
    assert_eq!(principal, keys.principal);
    fs::write(&program, format!("#!/bin/sh\necho '{answer}' >&2\nexit 1\n")).unwrap();
    let run = cloud.run(plugin(), &request(REGISTRY));
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.error().contains("the profile gave no AWS credentials"), "{}", run.stderr);
}

/// The program's keys are for a role, of another profile or of its own.
fn profile_with_a_role_by_a_process(world: &World) {
    let cloud = Cloud::new(world);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/base");
    let keys = cloud.aws.add_user(&user, &["sts:AssumeRole"]);
    cloud.aws.add_role(Role::new(&role("chained")).allow(&PULL).trust(&user));
    let folder = tempfile::tempdir().unwrap();
    let answer = serde_json::json!({
        "version": 1,
        "accessKeyId": keys.access_key_id,
        "secretAccessKey": keys.secret_access_key,
        "Expiration": "2037-01-01T00:00:00Z",
    });
    let output = write(folder.path(), "output", &answer.to_string());
    let process = format!("credential_process = cat {output}\n");
    let chained = format!("role_arn = {}\n", role("chained"));
    for config in [
        format!("[default]\n{chained}source_profile = base\n[profile base]\n{process}"),
        format!("[profile default]\n{chained}source_profile = default\n{process}"),
    ] {
        let file = write(folder.path(), "config", &config);
        let plugin = cloud.plugin().env("PATH", "/usr/bin:/bin").env("AWS_CONFIG_FILE", &file);
        let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
        assert!(principal.starts_with(&session_of("chained")), "{principal}");
    }
}

fn profile_with_a_role(world: &World) {
    let cloud = Cloud::new(world);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/base");
    let keys = cloud.aws.add_user(&user, &["sts:AssumeRole"]);
    cloud.aws.add_role(Role::new(&role("chained")).allow(&PULL).trust(&user));
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "[profile pull]\nrole_arn = {}\nsource_profile = base\n\
         [profile base]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        role("chained"),
        keys.access_key_id,
        keys.secret_access_key
    );
    fs::create_dir(folder.path().join(".aws")).unwrap();
    write(folder.path(), ".aws/config", &config);
    let plugin = cloud.plugin().env("HOME", folder.path()).env("AWS_PROFILE", "pull");
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert!(principal.starts_with(&session_of("chained")), "{principal}");
}

/// Otherwise the node would pull with another identity: here as the instance.
fn a_profile_that_is_named_must_be_there(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let folder = tempfile::tempdir().unwrap();
    let config = write(folder.path(), "config", "[profile other]\nregion = us-west-2\n");
    let before = world.attempts();
    for (variables, error) in [
        (&[("AWS_PROFILE", "hybrid")][..], "profile `hybrid` does not exist"),
        (
            &[("AWS_PROFILE", "hybrid"), ("AWS_CONFIG_FILE", &*config)],
            "profile `hybrid` does not exist",
        ),
        (&[("AWS_CONFIG_FILE", "/nowhere/config")], "cannot read the file `/nowhere/config`"),
    ] {
        let plugin =
            variables.iter().fold(cloud.plugin(), |plugin, (name, value)| plugin.env(name, value));
        let run = cloud.run(plugin, &request(REGISTRY));
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.error().contains(error), "{}", run.stderr);
    }
    // An instance with a role needs no profile, whatever the variable was set for.
    let run = cloud.run(cloud.plugin().env("AWS_PROFILE", "default"), &request(REGISTRY));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.error().contains("profile `default` does not exist"), "{}", run.stderr);
    assert!(run.stderr.contains("remove `AWS_PROFILE`"), "{}", run.stderr);
    assert_eq!(world.attempts(), before);
    cloud.login(cloud.plugin(), &request(REGISTRY));
    // One that is there without credentials leaves them to the next source.
    let plugin = cloud.plugin().env("AWS_PROFILE", "other").env("AWS_CONFIG_FILE", config);
    cloud.login(plugin, &request(REGISTRY));
}

fn web_identity_file(world: &World) {
    let cloud = Cloud::new(world);
    let trusted = Role::new(&role("irsa")).allow(&PULL);
    cloud.aws.add_role(trusted.trust_issuer(cloud.issuer.url(), AUDIENCE, &[SUBJECT]));
    let folder = tempfile::tempdir().unwrap();
    let token = write(folder.path(), "token", &cloud.issuer.token(AUDIENCE).build());
    let plugin =
        cloud.plugin().env("AWS_ROLE_ARN", role("irsa")).env("AWS_WEB_IDENTITY_TOKEN_FILE", token);
    let (_, principal, _) = cloud.login(plugin, &request(REGISTRY));
    assert!(principal.starts_with(&session_of("irsa")), "{principal}");
    assert_eq!(cloud.aws.calls_to(Service::Sts)[0].host, "sts.us-west-2.amazonaws.com");
}

fn an_accounts_role_is_assumed_by_the_node(world: &World) {
    let cloud = Cloud::new(world);
    let user = format!("arn:aws:iam::{ACCOUNT}:user/node");
    let keys = cloud.aws.add_user(&user, &["sts:AssumeRole"]);
    let other = "arn:aws:iam::444455556666:role/pull";
    cloud.aws.add_role(Role::new(other).allow(&PULL).trust(&user));
    let plugin = || with_keys(cloud.plugin(), &keys).arg(format!("--role=444455556666={other}"));
    let image = "444455556666.dkr.ecr.us-west-2.amazonaws.com/a";
    let (_, principal, _) = cloud.login(plugin(), &request(image));
    assert_eq!(principal, "arn:aws:sts::444455556666:assumed-role/pull/ecr-credential-provider");
    // The map says nothing of other accounts: there the node is itself, and may not.
    let run = cloud.run(plugin(), &request(REGISTRY));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert_eq!(cloud.count(Service::Sts, "AssumeRole"), 2);
}

fn off_ec2_the_metadata_service_costs_a_second(world: &World) {
    let cloud = Cloud::new(world);
    world.black_hole("169.254.169.254");
    let run = cloud.run(cloud.plugin(), &request(REGISTRY));
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert!(run.error().contains("the node has no AWS credentials"), "{}", run.stderr);
    assert!(run.stderr.contains("169.254.169.254"), "{}", run.stderr);
    assert!(run.duration < Duration::from_secs(3), "{:?}", run.duration);
}

fn metadata_service_switched_off(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_imds("169.254.169.254", Instance::new(&role("node"), "us-west-2"));
    let before = world.attempts();
    let plugin = cloud.plugin().env("AWS_EC2_METADATA_DISABLED", "true");
    let run = cloud.run(plugin, &request(REGISTRY));
    assert_eq!(run.code, Some(4), "{}", run.stderr);
    assert_eq!(world.attempts(), before);
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file.display().to_string()
}
