//! Compact JWTs with ES256 signatures (RFC 7515, RFC 7518 section 3.4), and ways to spoil them.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use serde_json::{Value, json};

/// A P-256 key made at run time.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    pkcs8: Vec<u8>,
    kid: String,
}

impl SigningKey {
    /// Makes a new key.
    pub fn generate() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pkcs8 = document.as_ref().to_vec();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, &pkcs8, &random).unwrap();
        let hash = digest::digest(&digest::SHA256, pair.public_key().as_ref());
        Self { pair, pkcs8, kid: URL_SAFE_NO_PAD.encode(hash) }
    }

    /// The key's name in a JWKS and in a token's header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key as the uncompressed point: 0x04, x, y.
    pub fn public_point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// The public key as a JWK (RFC 7517, RFC 7518 section 6.2).
    pub fn jwk(&self) -> Value {
        let (x, y) = self.public_point()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// The same key for making certificates.
    pub fn certificate_key(&self) -> rcgen::KeyPair {
        rcgen::KeyPair::try_from(self.pkcs8.as_slice()).unwrap()
    }

    /// Signs `claims`; the header holds `alg` and `kid`, as an API server's does.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with_header(&json!({"alg": "ES256", "kid": self.kid}), claims)
    }

    /// Signs `claims` under a header of the caller's making.
    pub fn sign_with_header(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Whether `token` carries an ES256 signature by the key with this public point. Nothing else in
/// the token is checked.
pub fn signed_by(token: &str, public_point: &[u8]) -> bool {
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public_point)
        .verify(message.as_bytes(), &signature)
        .is_ok()
}

/// A token's header and claims, unverified; `None` if it is not a compact JWT of JSON objects.
pub fn parts(token: &str) -> Option<(Value, Value)> {
    let mut pieces = token.split('.');
    let (header, claims, _signature) = (pieces.next()?, pieces.next()?, pieces.next()?);
    if pieces.next().is_some() {
        return None;
    }
    let object = |piece: &str| -> Option<Value> {
        let bytes = URL_SAFE_NO_PAD.decode(piece).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    Some((object(header)?, object(claims)?))
}

/// The token with another service account's name in `sub` and the old signature: every check but
/// the signature's still passes.
pub fn tampered(token: &str) -> String {
    let (_, mut claims) = parts(token).expect("only a JWT can be tampered with");
    claims["sub"] = json!("system:serviceaccount:kube-system:admin");
    let pieces: Vec<&str> = token.split('.').collect();
    format!("{}.{}.{}", pieces[0], URL_SAFE_NO_PAD.encode(claims.to_string()), pieces[2])
}

/// The present, in seconds of the Unix epoch.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// A random text of `bytes` random bytes in base64url, for passwords, opaque tokens and `jti`.
pub fn random_text(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    SystemRandom::new().fill(&mut buffer).unwrap();
    URL_SAFE_NO_PAD.encode(buffer)
}

/// A random UUID (RFC 9562, version 4), as Kubernetes gives every object.
pub fn random_uuid() -> String {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_own_key_and_text_only() {
        let key = SigningKey::generate();
        let token = key.sign(&json!({"sub": "system:serviceaccount:demo:web"}));
        assert!(signed_by(&token, key.public_point()));
        assert!(!signed_by(&token, SigningKey::generate().public_point()));
        assert!(!signed_by(&tampered(&token), key.public_point()));
        assert_eq!(parts(&token).unwrap().0["kid"], key.kid());
    }

    #[test]
    fn texts_that_are_no_jwt_have_no_parts() {
        for text in ["", "a", "a.b", "a.b.c", "e30.e30", "e30.e30.x.y", "e30.W10.x"] {
            assert!(parts(text).is_none(), "`{text}`");
        }
        assert!(parts("e30.e30.x").is_some());
    }
}
