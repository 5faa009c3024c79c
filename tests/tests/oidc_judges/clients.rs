//! How a client proves itself, judged by `oidc-provider`.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pullpass_tests::judges::oidc_provider::{client, client_with_key};
use pullpass_tests::jwt::SigningKey;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::fixture::{CLIENT_HINT, CONFIG, Fixture, Pull, REGISTRY, SSO, text};
use crate::oidc_provider::{NAME, asked, start};

/// Each of its characters has another meaning in a form, in Basic, or in a file.
const SECRET: &str = "s:+% /&=?#\"\\*~'{$}";
const REFUSED: [&str; 2] = ["HTTP 401 invalid_client", CLIENT_HINT];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_secret_in_basic),
        Trial::of(a_secret_in_the_form),
        Trial::of(a_key_of_a_curve),
        Trial::of(a_key_of_rsa),
        Trial::of(a_certificate),
    ]
}

fn exchange<'g>(fixture: &'g Fixture<'_>, auth: &Value, http: &Value) -> Pull<'g> {
    let exchange = json!({
        "type": "tokenExchange",
        "endpoint": format!("{NAME}/token"),
        "clientAuth": auth,
    });
    let more = if http.is_null() { json!({}) } else { json!({"http": http}) };
    fixture.profile(SSO, &exchange, &more)
}

/// The judge let this client in, and for the pod.
fn lets_in(pull: &Pull<'_>, client: &str) {
    let claims = pull.logs_in().claims();
    assert_eq!((&claims["client_id"], &claims["aud"]), (&json!(client), &json!(REGISTRY)));
}

fn by_secret(world: &World, method: &str, registered: &str) {
    let fixture = Fixture::new(world);
    // The name, too, is encoded before a colon parts it from the secret.
    let name = "node:1 +%";
    let known = client(name, registered, &json!({"client_secret": SECRET}));
    let Some((provider, _there)) = start(&fixture, |options| options.client(known)) else { return };
    let with = |content: &str, method: &str| {
        let file = fixture.file("secret", content);
        let auth = json!({"method": method, "clientId": name, "secretFile": file});
        exchange(&fixture, &auth, &Value::Null).keeping("the secret", content.trim_end())
    };
    lets_in(&with(SECRET, method), name);
    lets_in(&with(&format!("{SECRET}\n"), method), name);

    let before = asked(&provider);
    with("another secret", method).fails(CONFIG, &REFUSED);
    with(&format!("{SECRET} "), method).fails(CONFIG, &REFUSED);
    assert_eq!(asked(&provider) - before, 4, "asked again");
}

fn a_secret_in_basic(world: &World) {
    by_secret(world, "basic", "client_secret_basic");
}

fn a_secret_in_the_form(world: &World) {
    by_secret(world, "post", "client_secret_post");
}

fn private_key_jwt(file: &std::path::Path, more: &Value) -> Value {
    let mut auth = json!({"method": "privateKeyJwt", "clientId": "node", "keyFile": file});
    auth.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    auth
}

fn a_key_of_a_curve(world: &World) {
    let fixture = Fixture::new(world);
    let (key, stranger) = (SigningKey::generate(), SigningKey::generate());
    let node = client_with_key("node", &key);
    let Some((provider, _there)) = start(&fixture, |options| options.client(node)) else { return };
    let with = |key: &SigningKey, more: &Value| {
        let pem = key.certificate_key().serialize_pem();
        let file = fixture.file("key.pem", &pem);
        let pull = exchange(&fixture, &private_key_jwt(&file, more), &Value::Null);
        pull.keeping("the key", pem.lines().nth(1).unwrap())
    };
    let accepted = [
        json!({}),
        json!({"keyId": key.kid()}),
        json!({"keyId": key.kid(), "algorithm": "ES256"}),
        json!({"audience": NAME}),
    ];
    for more in &accepted {
        lets_in(&with(&key, more), "node");
    }
    let before = asked(&provider);
    with(&key, &json!({"keyId": "another"})).fails(CONFIG, &REFUSED);
    with(&key, &json!({"audience": "https://other.example"})).fails(CONFIG, &REFUSED);
    with(&stranger, &json!({"keyId": key.kid()})).fails(CONFIG, &REFUSED);
    assert_eq!(asked(&provider) - before, 6, "asked again");
    // Found by discovery, the endpoint is the assertion's audience as well.
    let file = fixture.file("key.pem", &key.certificate_key().serialize_pem());
    let found = json!({
        "type": "tokenExchange",
        "discovery": {"issuer": NAME},
        "clientAuth": private_key_jwt(&file, &json!({"keyId": key.kid()})),
    });
    lets_in(&fixture.profile(SSO, &found, &Value::Null), "node");
}

/// A key of 2048 bits in PEM, and its modulus as a JWK has it.
fn rsa(fixture: &Fixture<'_>) -> (std::path::PathBuf, String) {
    let openssl = |args: &[&str]| {
        let output = Command::new("openssl").args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let pem = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let file = fixture.file("rsa.pem", &pem);
    let modulus = openssl(&["rsa", "-in", &text(&file), "-noout", "-modulus"]);
    let digits = modulus.trim().strip_prefix("Modulus=").unwrap();
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..digits.len()).step_by(2).map(byte).collect();
    (file, URL_SAFE_NO_PAD.encode(bytes))
}

fn a_key_of_rsa(world: &World) {
    let fixture = Fixture::new(world);
    let (file, modulus) = rsa(&fixture);
    let (_, other) = rsa(&fixture);
    let key = |kid: &str, modulus: &str| json!({"kty": "RSA", "use": "sig", "kid": kid, "n": modulus, "e": "AQAB"});
    // Two keys: only the name says which.
    let keys = json!({"keys": [key("key-1", &modulus), key("key-2", &other)]});
    let by = |algorithm: &str| {
        let proof = json!({"jwks": keys, "token_endpoint_auth_signing_alg": algorithm});
        client(algorithm, "private_key_jwt", &proof)
    };
    let Some((provider, _there)) =
        start(&fixture, |options| options.client(by("RS256")).client(by("PS256")))
    else {
        return;
    };
    let with = |client: &str, more: &Value| {
        let mut auth = private_key_jwt(&file, more);
        auth["clientId"] = json!(client);
        exchange(&fixture, &auth, &Value::Null)
    };
    for algorithm in ["RS256", "PS256"] {
        let named = json!({"keyId": "key-1", "algorithm": algorithm});
        lets_in(&with(algorithm, &named), algorithm);
        let wrong = json!({"keyId": "key-2", "algorithm": algorithm});
        with(algorithm, &wrong).fails(CONFIG, &REFUSED);
        let other = if algorithm == "RS256" { "PS256" } else { "RS256" };
        let wrong = json!({"keyId": "key-1", "algorithm": other});
        with(algorithm, &wrong).fails(CONFIG, &REFUSED);
    }
    lets_in(&with("PS256", &json!({"keyId": "key-1"})), "PS256");
    let before = asked(&provider);
    let says = ["signs with PS256, not with the `algorithm` of the profile"];
    with("RS256", &json!({"algorithm": "ES256"})).is_not_sent(CONFIG, &says);
    assert_eq!(asked(&provider), before);
}

fn a_certificate(world: &World) {
    let fixture = Fixture::new(world);
    let proof = json!({"tls_client_auth_san_dns": "node-1"});
    let node = client("node", "tls_client_auth", &proof);
    let Some((_provider, _there)) = start(&fixture, |options| options.client(node)) else { return };
    let auth = json!({"method": "mtls", "clientId": "node"});
    let shown = |name: &str| {
        let files = world.certificate(&[name]);
        let http = json!({"clientCertFile": files.certificate, "clientKeyFile": files.key});
        exchange(&fixture, &auth, &http)
    };
    lets_in(&shown("node-1"), "node");
    // Both in one file, and the server's CA by name.
    let files = world.certificate(&["node-1"]);
    let read = |file| std::fs::read_to_string(file).unwrap();
    let both = fixture.file("node.pem", &(read(files.certificate) + &read(files.key)));
    let http = json!({"clientCertFile": both, "caFile": world.ca().pem_file()});
    lets_in(&exchange(&fixture, &auth, &http), "node");

    shown("node-2").fails(CONFIG, &REFUSED);
    // The client's name alone proves nothing.
    let none = json!({"method": "none", "clientId": "node"});
    exchange(&fixture, &none, &Value::Null).fails(CONFIG, &REFUSED);
}
