//! RSA keys, for services that take no others, and signatures by them (RFC 7518, sections 3.3 and
//! 3.5).

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};

use crate::jwt;

/// A key of 2048 bits, in PKCS #8 and PEM.
///
/// # Panics
/// Without the program `openssl`: ring makes no RSA keys.
pub(super) fn generate() -> String {
    let output = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap_or_else(|error| panic!("the tests need the program `openssl`: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The key as one that can make certificates.
pub(super) fn pair(pem: &str) -> KeyPair {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).unwrap()
}

/// Whether `token` carries a signature by that public key (RSAPublicKey in DER, RFC 8017, appendix
/// A.1.1), under one of these algorithms: `RS256`, `PS256`.
pub(super) fn signed_by(token: &str, public_key: &[u8], algorithms: &[&str]) -> bool {
    let header = jwt::parts(token).map(|(header, _)| header).unwrap_or_default();
    let Some(name) = header["alg"].as_str().filter(|name| algorithms.contains(name)) else {
        return false;
    };
    let algorithm: &RsaParameters = match name {
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "PS256" => &RSA_PSS_2048_8192_SHA256,
        _ => return false,
    };
    let Some((message, signature)) = token.rsplit_once('.') else { return false };
    let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
    UnparsedPublicKey::new(algorithm, public_key).verify(message.as_bytes(), &signature).is_ok()
}

/// The lines of a key, each as it would show in a log.
pub(super) fn lines(pem: &str) -> impl Iterator<Item = &str> {
    pem.lines().filter(|line| line.len() == 64 && !line.starts_with("-----"))
}
