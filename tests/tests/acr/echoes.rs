//! A service of Azure, or what answers in its place, repeats a secret that it was sent, in whatever
//! form: its words are not printed, at no level of the log. Entra's and the registry's own forms of
//! an error are in the conformance table.

use std::fs;

use pullpass_tests::encodings::encodings;
use pullpass_tests::fakes::azure::{
    AppService, Canned, Identity, IdentityBinding, Machine, Service,
};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::server::Socket;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{AUDIENCE, CLIENT_ID, Cloud, IMAGE, REGISTRY};

/// What is printed instead of the words.
const WITHHELD: &str = "(not shown: the server's words repeat a secret)";

/// With slashes, dots and dashes, so that no word of it looks like a token.
const SECRET: &str = "Gx8/the-secret.of/contoso-qV3/kLm9.tRw/0pZ-yHd7/bNc2.sXf/eJu5-aKi4/oWg6.lTv";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(entra_repeats_it_in_another_form),
        Trial::of(the_registry_repeats_its_own_refresh_token),
        Trial::of(the_challenge_points_to_a_host_named_by_the_token),
        Trial::of(the_api_server_repeats_the_pods_token),
        Trial::of(app_service_repeats_its_header),
        Trial::of(the_arc_agent_repeats_its_key),
        Trial::of(other_words_are_shown),
    ]
}

/// The run fails at trace, and says that it keeps words back.
fn withholds(cloud: &Cloud<'_>, plugin: &PluginCommand, request: &Value, echo: &str, name: &str) {
    let run = cloud.run_once(plugin, request);
    assert_ne!(run.code, Some(0), "{name}");
    assert!(run.stderr.contains(WITHHELD), "{name}: nothing is withheld: {}", run.stderr);
    let beginning: String = echo.chars().take(24).collect();
    assert!(!run.stderr.contains(&beginning), "{name}: the words are shown: {}", run.stderr);
}

/// As `withholds`, for each form of `secret` that a service answers.
fn withholds_each(
    cloud: &Cloud<'_>,
    service: Service,
    secret: &str,
    plugin: &PluginCommand,
    request: &Value,
) {
    for (name, echo) in encodings(secret) {
        cloud.azure.always(service, Some(Canned::error(service, 401, "denied", &echo)));
        withholds(cloud, plugin, request, &echo, name);
    }
}

/// What Entra, or IMDS, answers: an access token that a test knows.
fn grant(token: &str) -> Canned {
    Canned::json(200, &json!({"access_token": token, "expires_in": "3599", "token_type": "Bearer"}))
}

fn entra_repeats_it_in_another_form(world: &World) {
    let cloud = Cloud::new(world);
    let request = cloud.request_of(&cloud.pod());
    let token = request["serviceAccountToken"].as_str().unwrap().to_owned();
    for body in [
        json!({"error": "no", "message": token}),
        json!({"error": {"code": token, "message": "no"}}),
    ] {
        cloud.azure.always(Service::Entra, Some(Canned::json(400, &body)));
        withholds(&cloud, &cloud.plugin(), &request, &token, &body.to_string());
    }
}

fn the_registry_repeats_its_own_refresh_token(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud
        .azure
        .always(Service::Exchange, Some(Canned::json(200, &json!({"refresh_token": SECRET}))));
    let plugin = cloud.plugin_as_node().arg("--repository-scope").secret("refresh token", SECRET);
    withholds_each(&cloud, Service::PullToken, SECRET, &plugin, &request(IMAGE));
}

/// Labels of a host have 63 letters and digits at most.
fn the_challenge_points_to_a_host_named_by_the_token(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.azure.always(Service::Imds, Some(grant(SECRET)));
    cloud.azure.always(Service::Exchange, Some(Canned::status(404)));
    let plugin = cloud.plugin_as_node().secret("Entra's token", SECRET);
    let letters: String = SECRET.chars().filter(char::is_ascii_alphanumeric).collect();
    let named = |name: &str| {
        let forms = encodings(SECRET);
        forms.into_iter().find(|(form, _)| *form == name).expect("a form").1
    };
    for form in [
        letters.clone(),
        letters.chars().rev().collect(),
        named("in hex"),
        named("in hex, reversed"),
        named("in base32"),
        named("in base32 after one byte"),
    ] {
        let form = &form[..form.len().min(180)];
        let labels: Vec<_> =
            form.as_bytes().chunks(60).map(|label| String::from_utf8_lossy(label)).collect();
        let host = labels.join(".").to_ascii_lowercase();
        let realm = format!(r#"Bearer realm="https://{host}.evil.example/token",service="x""#);
        cloud.azure.always(Service::Challenge, Some(Canned::challenge(&realm)));
        withholds(&cloud, &plugin, &request(IMAGE), &host, form);
    }
}

fn the_api_server_repeats_the_pods_token(world: &World) {
    let mut cloud = Cloud::new(world);
    let pod = cloud.allow(Identity::user_assigned(&cloud.tenant, "web"));
    let name = "0f0e.ests.aks";
    let address = (world.address_of("10.0.0.1"), 443).into();
    let binding = IdentityBinding::new(name, cloud.issuer.verifier(IdentityBinding::AUDIENCE));
    let socket = Socket::bind_as(name, address, Some(world.ca()));
    cloud.keep(socket.serve(cloud.azure.identity_binding(binding)));
    let token = cloud.issuer.token(IdentityBinding::AUDIENCE).build();
    let plugin = cloud
        .plugin()
        .arg(format!("--ib-sni-name={name}"))
        .arg("--ib-apiserver-ip=10.0.0.1")
        .arg("--ib-ca-file")
        .arg(world.ca().pem_file());
    let request = pod_request(IMAGE, &token, &[(CLIENT_ID, &pod.client_id)]);
    withholds_each(&cloud, Service::IdentityBinding, &token, &plugin, &request);
}

fn app_service_repeats_its_header(world: &World) {
    let mut cloud = Cloud::new(world);
    let service = AppService::new(Machine::new());
    let server = cloud.world.http("127.0.0.1:41741", cloud.azure.app_service(service));
    let endpoint = AppService::endpoint(server.url());
    cloud.keep(server);
    let plugin = cloud
        .plugin_as_node()
        .env("IDENTITY_ENDPOINT", &endpoint)
        .env("IDENTITY_HEADER", SECRET)
        .secret("header", SECRET);
    withholds_each(&cloud, Service::AppService, SECRET, &plugin, &request(IMAGE));
}

fn the_arc_agent_repeats_its_key(world: &World) {
    let mut cloud = Cloud::new(world);
    let tokens = world.folder("/var/opt/azcmagent/tokens");
    let agent = pullpass_tests::fakes::azure::ArcAgent::new(Machine::new(), &tokens);
    cloud.keep(world.http("127.0.0.1:40342", cloud.azure.arc(agent)));
    let key = tokens.join("a.key");
    fs::write(&key, SECRET).unwrap();
    let plugin = cloud
        .plugin_as_node()
        .env("IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token")
        .env("IMDS_ENDPOINT", "http://127.0.0.1:40342")
        .secret("key", SECRET);
    for (name, echo) in encodings(SECRET) {
        let canned = Canned::error(Service::Arc, 401, "denied", &echo)
            .with_header("www-authenticate", &format!("Basic realm={}", key.display()));
        cloud.azure.always(Service::Arc, Some(canned));
        withholds(&cloud, &plugin, &request(IMAGE), &echo, name);
    }
}

/// What Azure says otherwise comes through.
fn other_words_are_shown(world: &World) {
    let cloud = Cloud::new(world);
    let request = cloud.request_of(&cloud.pod());
    for words in [
        "AADSTS700211: No matching federated identity record found for presented assertion issuer \
         'https://oidc.cluster.example'.",
        "AADSTS700212: No matching federated identity record found for presented assertion \
         audience 'api://AzureADTokenExchange'. Check your federated identity credential",
        "AADSTS700213: No matching federated identity record found for presented assertion subject \
         'system:serviceaccount:demo:web'. Check your federated identity credential Subject",
        "AADSTS90002: Tenant '11111111-1111-1111-1111-111111111111' not found. Check to make sure \
         you have the correct tenant ID and are signing into the correct cloud.",
        "client with IP '203.0.113.9' is not allowed access.",
    ] {
        let canned = Canned::error(Service::Entra, 401, "invalid_client", words);
        cloud.azure.always(Service::Entra, Some(canned));
        let run = cloud.run_once(&cloud.plugin(), &request);
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    assert_eq!(cloud.count(Service::Exchange), 0, "{REGISTRY} for {AUDIENCE}");
}
