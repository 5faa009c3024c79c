use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::issuer::{Issuer, TokenBuilder};
use crate::judges::Answer;
use crate::jwt::{self, parts, tampered};
use crate::tls::{TestCa, plain_client};

const AUDIENCE: &str = "sso.example";
const TARGET: &str = "registry.example";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// A server with one client of each kind.
fn start(issuer: &Issuer, key: &SigningKey) -> Option<OidcProvider> {
    let options = Options::new(Cluster::of(issuer, AUDIENCE, None), TARGET)
        .client(client("basic", "client_secret_basic", &json!({"client_secret": "s:+% /"})))
        .client(client("post", "client_secret_post", &json!({"client_secret": "secret"})))
        .client(client("public", "none", &Value::Null))
        .client(client_with_key("key", key));
    OidcProvider::start(&options)
}

fn post(provider: &OidcProvider, fields: &[(&str, &str)], basic: Option<&str>) -> Answer {
    let mut request = plain_client().post(provider.token_endpoint()).form(fields);
    if let Some(basic) = basic {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(basic)));
    }
    Answer::to(request)
}

fn exchange(provider: &OidcProvider, token: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields =
        vec![("grant_type", TOKEN_EXCHANGE), ("subject_token", token), ("subject_token_type", JWT)];
    fields.extend(more);
    post(provider, &fields, None)
}

const PUBLIC: (&str, &str) = ("client_id", "public");

#[test]
fn a_pods_token_is_exchanged_and_a_spoilt_one_is_not() {
    let issuer = Issuer::start(None);
    let Some(provider) = start(&issuer, &SigningKey::generate()) else { return };
    let good = issuer.token(AUDIENCE).build();
    let answer = exchange(&provider, &good, &[PUBLIC, ("audience", TARGET), ("scope", "pull")]);
    let (_, claims) = parts(&answer.access_token()).unwrap();
    assert_eq!((&claims["aud"], &claims["iss"]), (&json!(TARGET), &json!(provider.url())));
    assert_eq!(claims["subject"], "system:serviceaccount:demo:web");
    let json = answer.json();
    assert_eq!((&json["expires_in"], &json["token_type"]), (&json!(600), &json!("Bearer")));
    assert_eq!(json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");

    let spoilt = |change: fn(TokenBuilder) -> TokenBuilder| change(issuer.token(AUDIENCE)).build();
    let refused = [
        issuer.token("other.example").build(),
        tampered(&good),
        spoilt(TokenBuilder::expired),
        spoilt(TokenBuilder::forged),
        spoilt(TokenBuilder::signed_by_stranger),
        spoilt(|token| token.issued_by("https://other.example")),
        "opaque".to_owned(),
    ];
    for token in refused {
        let answer = exchange(&provider, &token, &[PUBLIC]);
        assert_eq!(answer.refusal(), (400, "invalid_request".to_owned()), "{}", answer.text);
        assert!(answer.text.contains("subject_token: "), "{}", answer.text);
    }
}

#[test]
fn the_form_of_rfc_8693_is_required() {
    let issuer = Issuer::start(None);
    let Some(provider) = start(&issuer, &SigningKey::generate()) else { return };
    let good = issuer.token(AUDIENCE).build();
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("audience", "elsewhere.example")], "invalid_target"),
        (&[("resource", "https://elsewhere.example")], "invalid_target"),
        (&[("scope", "pull push")], "invalid_scope"),
        (&[("scope", "pull"), ("scope", "pull")], "invalid_request"),
        (&[("actor_token", &good)], "invalid_request"),
        (&[("requested_token_type", JWT)], "invalid_request"),
    ];
    for (more, error) in cases {
        let more: Vec<_> = [PUBLIC].iter().chain(more).copied().collect();
        let answer = exchange(&provider, &good, &more);
        assert_eq!(answer.refusal(), (400, error.to_owned()), "{more:?}: {}", answer.text);
    }
    let untyped = [("grant_type", TOKEN_EXCHANGE), ("subject_token", &good), PUBLIC];
    let answer = post(&provider, &untyped, None);
    assert_eq!(answer.refusal(), (400, "invalid_request".to_owned()));
    let unknown = post(&provider, &[("grant_type", "urn:example:grant"), PUBLIC], None);
    assert_eq!(unknown.refusal(), (400, "unsupported_grant_type".to_owned()));
}

#[test]
fn a_pods_token_is_an_assertion_too() {
    let issuer = Issuer::start(None);
    let Some(provider) = start(&issuer, &SigningKey::generate()) else { return };
    let bearer = |token: &str| {
        post(&provider, &[("grant_type", JWT_BEARER), ("assertion", token), PUBLIC], None)
    };
    let answer = bearer(&issuer.token(AUDIENCE).build());
    assert!(parts(&answer.access_token()).is_some());
    assert!(answer.json().get("issued_token_type").is_none());
    let other = bearer(&issuer.token("other.example").build());
    assert_eq!(other.refusal(), (400, "invalid_grant".to_owned()));
}

#[test]
fn a_client_proves_itself_by_its_own_method_only() {
    let (issuer, key) = (Issuer::start(None), SigningKey::generate());
    let Some(provider) = start(&issuer, &key) else { return };
    let grant = ("grant_type", "client_credentials");
    let encoded = "basic:s%3A%2B%25+%2F";
    assert!(!post(&provider, &[grant], Some(encoded)).access_token().is_empty());
    let post_secret = [grant, ("client_id", "post"), ("client_secret", "secret")];
    assert!(!post(&provider, &post_secret, None).access_token().is_empty());

    let wrong = post(&provider, &[grant], Some("basic:wrong"));
    assert_eq!(wrong.refusal(), (401, "invalid_client".to_owned()));
    let challenge = wrong.challenge.unwrap();
    assert!(challenge.starts_with("Basic realm="), "{challenge}");
    // RFC 6749, section 2.3.1: form-encoded before it is base64.
    let raw = post(&provider, &[grant], Some("basic:s:+% /"));
    assert_eq!(raw.refusal(), (400, "invalid_request".to_owned()));
    let wrong = [grant, ("client_id", "post"), ("client_secret", "wrong")];
    assert_eq!(post(&provider, &wrong, None).refusal(), (401, "invalid_client".to_owned()));
    let nobody = post(&provider, &[grant], None);
    assert_eq!(nobody.refusal(), (400, "invalid_request".to_owned()));

    let assertion = |audience: &str, jti: &str| {
        let claims = json!({
            "iss": "key", "sub": "key", "aud": audience, "jti": jti,
            "exp": jwt::now() + 60, "iat": jwt::now(),
        });
        let assertion = key.sign(&claims);
        let proof = [("client_assertion_type", CLIENT_ASSERTION), ("client_assertion", &assertion)];
        post(&provider, &[grant, proof[0], proof[1]], None)
    };
    assert!(!assertion(provider.url(), "1").access_token().is_empty());
    assert!(!assertion(&provider.token_endpoint(), "2").access_token().is_empty());
    let refused = (401, "invalid_client".to_owned());
    assert_eq!(assertion(provider.url(), "1").refusal(), refused, "used twice");
    assert_eq!(assertion("https://other.example", "3").refusal(), refused);
}

/// A client that shows this certificate and trusts the CA.
fn client_showing(ca: &TestCa, certificate: &str, key: &str) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca.pem_file()).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap()
}

#[test]
fn a_client_proves_itself_by_its_certificate() {
    let ca = TestCa::new();
    let issuer = Issuer::start(None);
    let folder = TempDir::new().unwrap();
    let (certificate, key) = ca.certificate(&["127.0.0.1"]);
    let file = |name: &str, text: String| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let (certificate, key) = (file("certificate", certificate), file("key", key));
    let node = client("node", "tls_client_auth", &json!({"tls_client_auth_san_dns": "node-1"}));
    let options = Options {
        tls: Some(Tls { certificate, key, client_ca: Some(ca.pem_file()) }),
        ..Options::new(Cluster::of(&issuer, AUDIENCE, None), TARGET).client(node)
    };
    let Some(provider) = OidcProvider::start(&options) else { return };
    let token = issuer.token(AUDIENCE).build();
    let exchange = |client: &reqwest::Client| {
        let fields = [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", &token),
            ("subject_token_type", JWT),
            ("client_id", "node"),
        ];
        Answer::to(client.post(provider.token_endpoint()).form(&fields))
    };
    let shown = |name: &str| {
        let (certificate, key) = ca.certificate(&[name]);
        exchange(&client_showing(&ca, &certificate, &key))
    };
    assert!(parts(&shown("node-1").access_token()).is_some());
    let refused = (401, "invalid_client".to_owned());
    assert_eq!(shown("node-2").refusal(), refused, "another name");
    // Not from a CA with the same name as ours: Node then resets some connections before it has
    // answered.
    let own = rcgen::generate_simple_self_signed(["node-1".to_owned()]).unwrap();
    let own = client_showing(&ca, &own.cert.pem(), &own.signing_key.serialize_pem());
    assert_eq!(exchange(&own).refusal(), refused, "of no CA");
    assert_eq!(exchange(&ca.client()).refusal(), refused, "no certificate");
}

#[test]
fn its_discovery_is_at_its_issuer_and_tls_is_its_own() {
    let ca = TestCa::new();
    let issuer = Issuer::start(Some(&ca));
    let folder = TempDir::new().unwrap();
    let (certificate, key) = ca.certificate(&["127.0.0.1"]);
    let file = |name: &str, text: String| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file
    };
    let (certificate, key) = (file("certificate", certificate), file("key", key));
    let cluster = Cluster::of(&issuer, AUDIENCE, Some(&ca.pem_file()));
    let options = Options {
        tls: Some(Tls { certificate, key, client_ca: None }),
        ..Options::new(cluster, TARGET).client(client("public", "none", &Value::Null))
    };
    let Some(provider) = OidcProvider::start(&options) else { return };
    let document = format!("{}/.well-known/openid-configuration", provider.url());
    let document = Answer::to(ca.client().get(document)).json();
    assert_eq!(document["issuer"], provider.url());
    assert_eq!(document["token_endpoint"], provider.token_endpoint());
    // The issuer's keys are fetched by TLS too.
    let token = issuer.token(AUDIENCE).build();
    let fields = [
        ("grant_type", TOKEN_EXCHANGE),
        ("subject_token", &token),
        ("subject_token_type", JWT),
        PUBLIC,
    ];
    let request = ca.client().post(provider.token_endpoint()).form(&fields);
    assert!(parts(&Answer::to(request).access_token()).is_some());
}
