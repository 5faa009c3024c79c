use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::json;

use super::*;
use crate::fakes::azure::ClientCertificate;
use crate::jwt;

/// Signs as a client does.
fn assertion(certificate: &ClientCertificate, header: &Value, claims: &Value) -> String {
    let der = PrivatePkcs8KeyDer::from_pem_slice(certificate.key_pem().as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    let padding: &dyn RsaEncoding =
        if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn an_assertion_by_a_registered_certificate_is_a_proof() {
    let fixture = Fixture::new();
    let (certificate, stranger) = (ClientCertificate::generate(), ClientCertificate::generate());
    let over = ClientCertificate::expired();
    let app = Identity::application(&fixture.tenant, "app");
    let app = fixture.azure.add_identity(app.certificate(&certificate).certificate(&over));
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    let url = format!("{}/{}/oauth2/v2.0/token", server.url(), fixture.tenant.id);
    let authority = format!("https://login.microsoftonline.com/{}", fixture.tenant.id);
    let now = jwt::now();
    let claims = json!({
        "aud": format!("{authority}/oauth2/v2.0/token"),
        "iss": app.client_id,
        "sub": app.client_id,
        "jti": jwt::random_uuid(),
        "nbf": now,
        "exp": now + 300,
    });
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        claims
    };
    let s256 = |alg: &str, certificate: &ClientCertificate| json!({"alg": alg, "typ": "JWT", "x5t#S256": certificate.x5t_s256()});
    let x5t = json!({"alg": "RS256", "typ": "JWT", "x5t": certificate.x5t()});
    let sha1 = URL_SAFE_NO_PAD.decode(certificate.x5t()).unwrap();
    // As the SDK for Rust has it.
    let padded = json!({"alg": "RS256", "typ": "JWT", "x5t": STANDARD.encode(sha1)});
    let signed = |header: &Value, claims: &Value| assertion(&certificate, header, claims);
    let ps256 = s256("PS256", &certificate);
    let cases = [
        (signed(&ps256, &claims), None),
        (signed(&s256("RS256", &certificate), &claims), None),
        (signed(&x5t, &claims), None),
        (signed(&padded, &claims), None),
        (signed(&ps256, &changed("aud", json!(format!("{authority}/v2.0")))), None),
        (signed(&ps256, &changed("aud", json!(url))), Some(700_023)),
        (signed(&ps256, &changed("iss", json!("somebody"))), Some(700_021)),
        (signed(&ps256, &changed("sub", json!(jwt::random_uuid()))), Some(700_021)),
        (signed(&ps256, &changed("exp", json!(now - 10))), Some(700_024)),
        (signed(&ps256, &changed("nbf", json!(now + 900))), Some(700_024)),
        (signed(&ps256, &changed("exp", Value::Null)), Some(50027)),
        (signed(&ps256, &changed("jti", Value::Null)), Some(50027)),
        // The right key under the wrong name, the wrong key under the right one.
        (signed(&s256("PS256", &stranger), &claims), Some(700_027)),
        (assertion(&stranger, &ps256, &claims), Some(700_027)),
        (assertion(&over, &s256("PS256", &over), &claims), Some(700_027)),
        // Without a thumbprint it passes for a federated token.
        (signed(&json!({"alg": "RS256", "typ": "JWT"}), &claims), Some(70025)),
        (jwt::tampered(&signed(&ps256, &claims)), Some(700_027)),
        // The signature of one algorithm under the name of the other.
        (
            format!(
                "{}.{}",
                URL_SAFE_NO_PAD.encode(s256("RS256", &certificate).to_string()),
                signed(&ps256, &claims).split_once('.').unwrap().1
            ),
            Some(700_027),
        ),
    ];
    for (assertion, number) in cases {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.client_id),
            ("client_assertion_type", JWT_BEARER),
            ("client_assertion", &assertion),
            ("scope", SCOPE),
        ];
        let (status, body) = post(&url, &form).await;
        let found = body["error_codes"][0].as_i64();
        assert_eq!((found, status == 200), (number, number.is_none()), "{body}");
    }
    let secrets = fixture.azure.secrets();
    assert!(secrets.iter().any(|(name, _)| name.starts_with("private key of")));
}
