use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::*;
use crate::fakes::google::{ServiceAccountKey, TOKEN_URI};
use crate::jwt;

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Signs as a client does, with what its file says.
fn signed(key: &ServiceAccountKey, header: &Value, claims: &Value) -> String {
    let file = key.json();
    let pem = file["private_key"].as_str().unwrap();
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let padding: &dyn RsaEncoding =
        if header["alg"] == "RS512" { &RSA_PKCS1_SHA512 } else { &RSA_PKCS1_SHA256 };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn an_assertion_by_a_registered_key_is_a_proof() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let key = google.add_key(ServiceAccountKey::generate(NODE));
    let stranger = ServiceAccountKey::generate(NODE);
    let server = serve(google.services());
    let post = |form: &[(&str, &str)]| {
        let request = plain_client().post(format!("{}/token", server.url())).form(form);
        answer(request.header("host", "oauth2.googleapis.com"))
    };
    let now = jwt::now();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": key.id});
    let claims = json!({
        "iss": NODE,
        "sub": NODE,
        "aud": TOKEN_URI,
        "scope": CLOUD_PLATFORM,
        "iat": now,
        "exp": now + 3600,
    });
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(&key, &header, &claims)
    };
    let kid = |kid: Value| json!({"alg": "RS256", "typ": "JWT", "kid": kid});
    let good = signed(&key, &header, &claims);
    let grant = "invalid_grant";
    let signature = "Invalid JWT Signature.";
    let time = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                timeframe. Check your iat and exp values in the JWT claim.";
    for (assertion, error, words) in [
        (good.clone(), None, ""),
        (changed("sub", Value::Null), None, ""),
        (jwt::tampered(&good), Some(grant), signature),
        (signed(&stranger, &header, &claims), Some(grant), signature),
        (signed(&stranger, &kid(json!(stranger.id)), &claims), Some(grant), signature),
        (signed(&key, &kid(Value::Null), &claims), Some(grant), signature),
        (signed(&key, &json!({"alg": "RS512", "kid": key.id}), &claims), Some(grant), signature),
        (changed("iss", json!("x@y.example")), Some(grant), "Invalid grant: account not found"),
        (changed("aud", json!("https://oauth2.googleapis.com/")), Some(grant), "audience check"),
        (changed("exp", json!(now + 3601)), Some(grant), time),
        (changed("exp", json!(now - 1)), Some(grant), time),
        (changed("exp", Value::Null), Some(grant), time),
        (changed("iat", json!(now + 900)), Some(grant), time),
        (changed("iat", Value::Null), Some(grant), time),
        (changed("sub", json!("admin@contoso.example")), Some("unauthorized_client"), "Client is"),
        (changed("scope", Value::Null), Some("invalid_scope"), "Invalid OAuth scope"),
        ("not a JWT".to_owned(), Some(grant), "Bad Request"),
    ] {
        let (status, body) = post(&[("grant_type", JWT_BEARER), ("assertion", &assertion)]).await;
        assert_eq!(status, if error.is_some() { 400 } else { 200 }, "{words}: {body}");
        assert_eq!(body["error"].as_str(), error, "{body}");
        let message = body["error_description"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{message}");
        if error.is_none() {
            assert_eq!(
                (&body["expires_in"], &body["token_type"]),
                (&json!(3599), &json!("Bearer"))
            );
            let token = google.accepts("_token", body["access_token"].as_str().unwrap()).unwrap();
            assert_eq!(token.principal, format!("serviceAccount:{NODE}"));
            assert_eq!(token.scopes, [CLOUD_PLATFORM]);
        }
    }
    for (form, error) in [
        (vec![("grant_type", "password"), ("assertion", &*good)], "unsupported_grant_type"),
        (vec![("assertion", &*good)], "unsupported_grant_type"),
        (vec![("grant_type", JWT_BEARER)], "invalid_request"),
    ] {
        let (status, body) = post(&form).await;
        assert_eq!((status, &body["error"]), (400, &error.into()), "{body}");
    }
    assert_eq!(google.tokens().len(), 2);
    assert!(!format!("{:?}", google.calls()).contains(&good));
    let secrets = google.secrets();
    assert!(secrets.iter().any(|(name, _)| name.starts_with("private key of")));
}

#[tokio::test]
async fn a_key_may_be_for_an_endpoint_on_loopback() {
    let google = Google::new(plain_client());
    let socket = Socket::bind(None);
    let uri = format!("{}/token", socket.url());
    let key = google.add_key(ServiceAccountKey::generate(NODE).token_uri(&uri));
    assert_eq!(key.json()["token_uri"], uri.as_str());
    assert_eq!(key.json()["type"], "service_account");
    let _server = socket.serve(google.oauth());
    let now = jwt::now();
    let header = json!({"alg": "RS256", "kid": key.id});
    let post = |audience: &str| {
        let claims = json!({
            "iss": NODE, "aud": audience, "scope": CLOUD_PLATFORM, "iat": now, "exp": now + 60,
        });
        let assertion = signed(&key, &header, &claims);
        let form = [("grant_type", JWT_BEARER), ("assertion", &assertion)];
        answer(plain_client().post(&uri).form(&form))
    };
    assert_eq!(post(&uri).await.0, 200);
    assert_eq!(post(TOKEN_URI).await.0, 400);
}
