//! The judges of token exchange in a world: each under a real name, over TLS, believing a cluster
//! whose keys are behind TLS as well. No plugin is run here; what is shown is that a judge judges
//! where plugins will meet it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops on the first surprise"
)]

use std::process::ExitCode;

use pullpass_tests::image::Image;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::judges::docker_registry::{DockerRegistry, Https};
use pullpass_tests::judges::idpyoidc::{self, Idpyoidc};
use pullpass_tests::judges::keycloak::{self, Keycloak};
use pullpass_tests::judges::mock_oauth2::MockOauth2;
use pullpass_tests::judges::oidc_provider::{
    self, CLIENT_ASSERTION, JWT_BEARER, OidcProvider, TOKEN_EXCHANGE, Tls, client,
};
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::judges::vault::{self, Vault};
use pullpass_tests::judges::{Answer, Cluster};
use pullpass_tests::jwt::{parts, tampered};
use pullpass_tests::world::{self, Trial, World};
use serde_json::{Value, json};

const ISSUER: &str = "oidc.cluster.example";
const SSO: &str = "sso.example";
const REGISTRY: &str = "registry.example";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

fn main() -> ExitCode {
    let trials = vec![
        Trial::of(oidc_provider_exchanges_a_pods_token),
        Trial::of(idpyoidc_exchanges_a_pods_token),
        Trial::of(keycloak_takes_a_pods_token_as_grant_and_as_client),
        Trial::of(mock_oauth2_server_answers_under_its_name),
        Trial::of(what_vault_keeps_for_a_pod_pulls),
    ];
    world::main(&[], trials)
}

/// A cluster of the world, and who believes it.
fn cluster(world: &World, audience: &str) -> (Issuer, Cluster) {
    let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
    let cluster = Cluster::of(&issuer, audience, Some(&world.ca().pem_file()));
    (issuer, cluster)
}

fn post(world: &World, url: &str, fields: &[(&str, &str)]) -> Answer {
    Answer::to(world.client().post(url).form(fields))
}

fn exchange<'a>(token: &'a str, client: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", JWT),
        ("client_id", client),
    ]
}

fn oidc_provider_exchanges_a_pods_token(world: &World) {
    let (issuer, cluster) = cluster(world, SSO);
    let files = world.certificate(&[SSO]);
    let name = format!("https://{SSO}");
    let options = oidc_provider::Options {
        issuer: Some(name.clone()),
        tls: Some(Tls { certificate: files.certificate, key: files.key, client_ca: None }),
        ..oidc_provider::Options::new(cluster, REGISTRY)
    };
    let options = options.client(client("public", "none", &Value::Null));
    let Some(provider) = OidcProvider::start(&options) else { return };
    let _there = world.http_to(&format!("{SSO}:443"), provider.address());
    let document = world.client().get(format!("{name}/.well-known/openid-configuration"));
    let document = Answer::to(document).json();
    assert_eq!(document["issuer"], name);
    let endpoint = document["token_endpoint"].as_str().unwrap();
    assert_eq!(endpoint, provider.token_endpoint());
    let good = issuer.token(SSO).build();
    let answer = post(world, endpoint, &exchange(&good, "public"));
    let (_, claims) = parts(&answer.access_token()).unwrap();
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(name), &json!(REGISTRY)));
    let spoilt = post(world, endpoint, &exchange(&tampered(&good), "public"));
    assert_eq!(spoilt.refusal(), (400, "invalid_request".to_owned()), "{}", provider.log());
}

fn idpyoidc_exchanges_a_pods_token(world: &World) {
    let (issuer, cluster) = cluster(world, SSO);
    let name = format!("https://{SSO}");
    let Some(server) = Idpyoidc::start(&cluster, REGISTRY, Some(&name)) else { return };
    let _there = world.https_to(SSO, server.address());
    let token = |token: &str| {
        let mut fields = exchange(token, idpyoidc::CLIENT);
        fields.push(("client_secret", idpyoidc::SECRET));
        post(world, &server.token_endpoint(), &fields)
    };
    let good = issuer.token(SSO).build();
    let (_, claims) = parts(&token(&good).access_token()).unwrap();
    assert_eq!(claims["iss"], name);
    assert_eq!(token(&tampered(&good)).refusal(), (400, "invalid_request".to_owned()));
    assert_eq!(token(&issuer.token("other").build()).status, 400);
}

fn keycloak_takes_a_pods_token_as_grant_and_as_client(world: &World) {
    let (issuer, cluster) = cluster(world, "");
    let Some(keycloak) = Keycloak::start(&cluster, Some(&format!("https://{SSO}"))) else { return };
    let _there = world.https_to(SSO, keycloak.address());
    let document = format!("{}/.well-known/openid-configuration", keycloak.issuer());
    let document = Answer::to(world.client().get(document)).json();
    assert_eq!(document["issuer"], keycloak.issuer());
    assert_eq!(document["token_endpoint"], keycloak.token_endpoint());

    let good = issuer.token(&keycloak.issuer()).build();
    let other = issuer.token("other.example").build();
    let spoilt = tampered(&good);
    let grant = |token: &str| {
        let fields = [
            ("grant_type", JWT_BEARER),
            ("assertion", token),
            ("client_id", keycloak::GRANT_CLIENT),
            ("client_secret", keycloak::GRANT_SECRET),
        ];
        post(world, &keycloak.token_endpoint(), &fields)
    };
    let as_client = |token: &str| {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", token),
        ];
        post(world, &keycloak.token_endpoint(), &fields)
    };
    for answer in [grant(&good), as_client(&good)] {
        let (_, claims) = parts(&answer.access_token()).unwrap();
        assert_eq!(claims["iss"], keycloak.issuer());
    }
    for token in [&other, &spoilt] {
        assert_eq!(grant(token).refusal(), (400, "invalid_grant".to_owned()));
        assert_eq!(as_client(token).refusal().1, "invalid_client");
    }
}

fn mock_oauth2_server_answers_under_its_name(world: &World) {
    let (issuer, _) = cluster(world, SSO);
    let Some(server) = MockOauth2::start() else { return };
    let _there = world.https_to(SSO, server.address());
    let good = issuer.token(SSO).build();
    let mut fields = exchange(&good, "puller");
    fields.extend([("client_secret", "any"), ("audience", REGISTRY)]);
    let answer = post(world, &format!("https://{SSO}/default/token"), &fields);
    let (_, claims) = parts(&answer.access_token()).unwrap();
    assert_eq!(claims["aud"], REGISTRY);
}

fn what_vault_keeps_for_a_pod_pulls(world: &World) {
    let (user, password) = ("robot", "what only the registry and the vault know");
    let (issuer, cluster) = cluster(world, "vault.example");
    let Some(vault) = Vault::start(&cluster, user, password) else { return };
    let _there = world.https_to("vault.example", vault.address());
    let files = world.certificate(&[REGISTRY]);
    let https = Https {
        address: (world.address_of(REGISTRY), 443).into(),
        certificate: &files.certificate,
        key: &files.key,
    };
    let registry = DockerRegistry::start_with_password(user, password, Some(&https));
    let (Some(registry), Some(skopeo)) = (registry, Skopeo::find()) else { return };
    let image = Image::with_text("for whoever Vault lets in");
    registry.seed("team/app", "1", &image);

    let login = |token: &str| {
        let url = format!("https://vault.example/v1/auth/{}/login", vault::MOUNT);
        Answer::to(world.client().post(url).json(&json!({"role": vault::ROLE, "jwt": token})))
    };
    let good = issuer.token("vault.example").build();
    let auth = login(&good).json()["auth"].take();
    let secret = world.client().get(format!("https://vault.example/v1/{}", vault::SECRET));
    let secret = secret.header("x-vault-token", auth["client_token"].as_str().unwrap());
    let data = Answer::to(secret).json()["data"]["data"].take();
    let found = (data["username"].as_str().unwrap(), data["password"].as_str().unwrap());
    let reference = format!("{REGISTRY}/team/app:1");
    let skopeo = skopeo.trusting(&world.ca().pem_file());
    let pull = skopeo.pull(&reference, Some(found));
    assert_eq!(pull.digest, Some(image.digest()), "{}\n{}", pull.stderr, registry.log());
    assert!(!skopeo.pull(&reference, Some((user, "wrong"))).success);
    for token in [tampered(&good), issuer.token("other.example").build()] {
        assert_eq!(login(&token).status, 400);
    }
}
