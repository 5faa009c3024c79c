//! The endpoint of the standards: grants, clients, certificates, discovery.

use std::process::Command;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;

use super::*;
use crate::fakes::vendors::{Client, ClientKey, Discovery, Grant, HarborBridge, OAuth};
use crate::jwt::SigningKey;
use crate::tls::TestCa;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn exchange(token: &str) -> Fields {
    fields(&[
        ("grant_type", EXCHANGE),
        ("subject_token", token),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
    ])
}

fn endpoint(client: Client) -> OAuth {
    OAuth::new(client, Grant::token_exchange())
}

#[tokio::test]
async fn a_subject_token_is_exchanged_for_the_right_service_only() {
    let grant = Grant::TokenExchange {
        subject_token_type: "id_token".to_owned(),
        audience: vec!["registry.example".to_owned()],
        resource: vec!["https://registry.example/".to_owned()],
    };
    let oauth = OAuth {
        scope: Some("pull".to_owned()),
        ..OAuth::new(Client::None { id: Some("node".to_owned()) }, grant)
    };
    let fixture = Fixture::new(Dialect::OAuth(oauth));
    let form = |token: &str| {
        fields(&[
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ("audience", "registry.example"),
            ("resource", "https://registry.example/"),
            ("scope", "pull"),
            ("client_id", "node"),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_request");
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[400], shape).await;
    assert_eq!(right["expires_in"], 3600);
    let good = form(&fixture.token());
    for (name, value, status, code) in [
        ("grant_type", Some("password"), 400, "unsupported_grant_type"),
        ("subject_token_type", Some("jwt"), 400, "invalid_request"),
        ("audience", None, 400, "invalid_target"),
        ("audience", Some("other.example"), 400, "invalid_target"),
        ("resource", Some("https://other.example/"), 400, "invalid_target"),
        ("scope", None, 400, "invalid_scope"),
        ("client_id", None, 401, "invalid_client"),
        ("client_id", Some("other"), 401, "invalid_client"),
    ] {
        let wrong = fixture.post().form(&with(&good, name, value));
        let body = fixture.refuses(wrong, status).await;
        assert!(oauth_error(&body, code), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_secret_is_taken_where_it_belongs() {
    let (id, secret) = ("node".to_owned(), "a-secret+of its own".to_owned());
    let basic = Client::Basic { id: id.clone(), secret: secret.clone() };
    let fixture = Fixture::new(Dialect::OAuth(endpoint(basic)));
    let form = exchange(&fixture.token());
    let posted = with(&with(&form, "client_id", Some("node")), "client_secret", Some(&secret));
    let in_header = |secret: &str| fixture.post().basic_auth("node", Some(secret)).form(&form);
    assert_eq!(answer(in_header("a-secret%2Bof+its+own")).await.0, 200);
    fixture.refuses(in_header(&secret), 401).await;
    fixture.refuses(fixture.post().form(&posted), 401).await;
    fixture.refuses(fixture.post().form(&form), 401).await;
    assert_eq!(fixture.vendor.violations(), Vec::<String>::new());

    let fixture =
        Fixture::new(Dialect::OAuth(endpoint(Client::Post { id, secret: secret.clone() })));
    let renewed = with(&posted, "subject_token", Some(&fixture.token()));
    assert_eq!(answer(fixture.post().form(&renewed)).await.0, 200);
    fixture.refuses(fixture.post().form(&with(&renewed, "client_secret", Some("x"))), 401).await;
    let twice = fixture.post().basic_auth("node", Some(&secret)).form(&renewed);
    fixture.refuses(twice, 400).await;
    assert_eq!(fixture.vendor.violations().len(), 1);
}

#[tokio::test]
async fn an_assertion_of_the_clients_own_is_taken_once() {
    let ours = SigningKey::generate();
    let key = ClientKey::of(&ours).with_kid("key-1");
    let client = Client::PrivateKeyJwt { id: "node".to_owned(), key };
    let fixture = Fixture::new(Dialect::OAuth(endpoint(client)));
    let url = fixture.vendor.endpoint();
    let header = json!({"alg": "ES256", "kid": "key-1"});
    let claims = || {
        json!({
            "iss": "node", "sub": "node", "aud": url, "jti": jwt::random_uuid(),
            "exp": jwt::now() + 60,
        })
    };
    let send = |assertion: &str| {
        let form = with(&exchange(&fixture.token()), "client_assertion", Some(assertion));
        fixture.post().form(&with(&form, "client_assertion_type", Some(ASSERTION)))
    };
    let good = ours.sign_with_header(&header, &claims());
    assert_eq!(answer(send(&good)).await.0, 200);
    fixture.refuses(send(&good), 401).await;
    assert_eq!(fixture.vendor.last_call().error.unwrap(), "the assertion was used before");
    let issuer = changed(&claims(), "aud", Some(json!([fixture.vendor.url()])));
    assert_eq!(answer(send(&ours.sign_with_header(&header, &issuer))).await.0, 200);
    for (name, value) in [
        ("iss", json!("other")),
        ("sub", json!("other")),
        ("aud", json!("https://other.example/token")),
        ("exp", json!(jwt::now() - 1)),
        ("exp", json!(jwt::now() + 3600)),
        ("jti", Value::Null),
    ] {
        let wrong = changed(&claims(), name, Some(value));
        let body = fixture.refuses(send(&ours.sign_with_header(&header, &wrong)), 401).await;
        assert!(oauth_error(&body, "invalid_client"), "{name}: {body}");
    }
    fixture.refuses(send(&ours.sign(&claims())), 401).await;
    let stranger = SigningKey::generate().sign_with_header(&header, &claims());
    fixture.refuses(send(&stranger), 401).await;
    fixture.refuses(fixture.post().form(&exchange(&fixture.token())), 401).await;
}

#[tokio::test]
async fn an_assertion_by_an_rsa_key_is_checked_too() {
    let (key, other) = (ClientKey::rsa(), ClientKey::rsa());
    let pem = key.pem().to_owned();
    let client = Client::PrivateKeyJwt { id: "node".to_owned(), key };
    let fixture = Fixture::new(Dialect::OAuth(endpoint(client)));
    for (pem, status) in [(other.pem(), 401), (pem.as_str(), 200)] {
        let claims = json!({
            "iss": "node", "sub": "node", "aud": fixture.vendor.endpoint(),
            "jti": jwt::random_uuid(), "exp": jwt::now() + 60,
        });
        let form = with(&exchange(&fixture.token()), "client_assertion_type", Some(ASSERTION));
        let form = with(&form, "client_assertion", Some(&rs256(pem, &claims)));
        let (got, body) = answer(fixture.post().form(&form)).await;
        assert_eq!(got, status, "{body} {:?}", fixture.vendor.last_call().error);
    }
}

/// A JWT that `openssl` signed.
fn rs256(pem: &str, claims: &Value) -> String {
    let folder = tempfile::TempDir::new().unwrap();
    let [key, text] = ["key.pem", "text"].map(|name| folder.path().join(name));
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(json!({"alg": "RS256"}).to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    std::fs::write(&key, pem).unwrap();
    std::fs::write(&text, &message).unwrap();
    let mut openssl = Command::new("openssl");
    let output = openssl.args(["dgst", "-sha256", "-sign"]).args([&key, &text]).output().unwrap();
    assert!(output.status.success());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(output.stdout))
}

#[tokio::test]
async fn the_pods_token_may_be_the_clients_assertion_or_the_grant() {
    let pod = Client::PodToken { id: Some("node".to_owned()) };
    let fixture = Fixture::new(Dialect::OAuth(OAuth::new(pod, Grant::ClientCredentials)));
    let form = |token: &str| {
        fields(&[
            ("grant_type", "client_credentials"),
            ("client_id", "node"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", token),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_client");
    fixture.judge(|token| fixture.post().form(&form(token)), &[401], shape).await;
    let other = with(&form(&fixture.token()), "client_id", Some("other"));
    fixture.refuses(fixture.post().form(&other), 401).await;

    let bearer = OAuth::new(Client::None { id: None }, Grant::JwtBearer);
    let fixture = Fixture::new(Dialect::OAuth(bearer));
    let form = |token: &str| {
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        fields(&[("grant_type", grant), ("assertion", token)])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_grant");
    fixture.judge(|token| fixture.post().form(&form(token)), &[400], shape).await;
}

#[tokio::test]
async fn discovery_is_after_the_path_or_before_it_and_may_lie() {
    let document = async |discovery: Discovery, path: &str| {
        let oauth = OAuth {
            prefix: "/tenant".to_owned(),
            discovery,
            ..endpoint(Client::None { id: None })
        };
        let fixture = Fixture::new(Dialect::OAuth(oauth));
        let url = fixture.vendor.url().to_owned();
        let (status, body) = answer(plain_client().get(format!("{url}{path}"))).await;
        (status, body, format!("{url}/tenant"))
    };
    let after = "/tenant/.well-known/openid-configuration";
    let before = "/.well-known/oauth-authorization-server/tenant";
    for path in [after, before] {
        let (status, body, issuer) = document(Discovery::Right, path).await;
        assert_eq!((status, &body["issuer"]), (200, &json!(issuer)));
        assert_eq!(body["token_endpoint"], format!("{issuer}/token"));
        assert_eq!(document(Discovery::None, path).await.0, 404);
    }
    assert_eq!(document(Discovery::Right, "/.well-known/openid-configuration").await.0, 404);
    let evil = "https://evil.example".to_owned();
    let (_, body, issuer) = document(Discovery::Issuer(evil.clone()), after).await;
    assert_eq!(
        (&body["issuer"], &body["token_endpoint"]),
        (&json!(evil), &json!(issuer + "/token"))
    );
    let (_, body, issuer) = document(Discovery::TokenEndpoint(evil.clone()), after).await;
    assert_eq!((&body["issuer"], &body["token_endpoint"]), (&json!(issuer), &json!(evil)));
}

/// A client that trusts `ca`, with a certificate of `clients`, if any.
fn client_of(ca: &TestCa, clients: Option<&TestCa>) -> reqwest::Client {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca.pem_file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match clients {
        None => config.with_no_client_auth(),
        Some(clients) => {
            let (certificate, key) = clients.certificate(&["node-1"]);
            let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    reqwest::Client::builder().tls_backend_preconfigured(config).no_proxy().build().unwrap()
}

#[tokio::test]
async fn without_the_right_certificate_nobody_gets_in() {
    let (ca, clients) = (TestCa::new(), TestCa::new());
    let issuer = Issuer::start(None);
    let bridge = HarborBridge { mtls: true, ..HarborBridge::new("robot$puller") };
    let mtls = Client::Mtls { id: "node".to_owned() };
    for (dialect, form) in
        [(Dialect::HarborBridge(bridge), false), (Dialect::OAuth(endpoint(mtls)), true)]
    {
        let settings = Settings::new(dialect, &issuer, AUDIENCE);
        let vendor = Vendor::start_mtls(settings, &ca, &clients);
        assert!(vendor.url().starts_with("https://127.0.0.1:"));
        let token = issuer.token(AUDIENCE).build();
        let send = |client: reqwest::Client, id: &str| {
            let request = client.post(vendor.endpoint());
            if form {
                request.form(&with(&exchange(&token), "client_id", Some(id)))
            } else {
                request.bearer_auth(&token).json(&json!({"image": "harbor.example/app"}))
            }
        };
        for stranger in [None, Some(&ca), Some(&TestCa::new())] {
            assert!(send(client_of(&ca, stranger), "node").send().await.is_err());
        }
        assert_eq!(vendor.count(), 0, "a stranger's request arrived");
        let (status, body) = answer(send(client_of(&ca, Some(&clients)), "node")).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(vendor.violations(), Vec::<String>::new());
        if form {
            let other = answer(send(client_of(&ca, Some(&clients)), "other")).await;
            assert_eq!(other.0, 401);
        }
    }
}
