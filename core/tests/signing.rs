//! JWTs signed by an operator's key, verified by another library.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pullpass::SigningKey;
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use secrecy::ExposeSecret as _;
use serde_json::Value;

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[test]
fn es256_in_the_form_of_jws() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut ids = BTreeMap::new();
    // Numbers of a signature that begin with zeros are short in DER: one in 128 or so.
    for _ in 0..200 {
        let pair = KeyPair::generate().unwrap();
        let key = SigningKey::from_pem(pair.serialize_pem().as_bytes()).unwrap();
        assert_eq!(key.certificate_sha256(), None);
        let header = [("kid".to_owned(), "k1".into())].into_iter().collect();
        let claims = [("aud".to_owned(), "https://login.example".into())].into_iter().collect();
        let jwt = key.sign_jwt(header, claims, now, Duration::from_secs(600)).unwrap();
        let parts: Vec<&str> = jwt.expose_secret().split('.').collect();
        let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
        assert_eq!(signature.len(), 64);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.der_bytes())
            .verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &signature)
            .unwrap();
        let (header, claims) = (decode(parts[0]), decode(parts[1]));
        assert_eq!(header, serde_json::json!({"alg": "ES256", "typ": "JWT", "kid": "k1"}));
        assert_eq!(claims["aud"], "https://login.example");
        assert_eq!(claims["iat"], 1_700_000_000);
        assert_eq!(claims["exp"], 1_700_000_600);
        *ids.entry(claims["jti"].to_string()).or_insert(0) += 1;
    }
    assert_eq!(ids.len(), 200, "a `jti` never repeats");
}

#[test]
fn a_certificate_beside_the_key_has_its_thumbprint() {
    let pair = KeyPair::generate().unwrap();
    let certificate = CertificateParams::default().self_signed(&pair).unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate.der());
    for pem in [
        format!("{}{}", certificate.pem(), pair.serialize_pem()),
        format!("{}{}", pair.serialize_pem(), certificate.pem()),
    ] {
        let key = SigningKey::from_pem(pem.as_bytes()).unwrap();
        assert_eq!(key.certificate_sha256(), Some(URL_SAFE_NO_PAD.encode(digest)));
    }
}

#[test]
fn what_is_no_key_is_refused() {
    let certificate =
        CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let other_curve =
        KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap().serialize_pem();
    for pem in ["", "hunter2", garbage, &certificate.pem(), &other_curve] {
        let error = SigningKey::from_pem(pem.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), pullpass::ErrorKind::Config, "{pem}");
    }
    let error = SigningKey::from_pem_file("/nowhere/key.pem".as_ref()).unwrap_err().render();
    assert!(error.contains("/nowhere/key.pem"), "{error}");
}
