//! Certificates that an application proves itself by, and the assertions that are signed with them
//! (Microsoft identity platform, "Certificate credentials").

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, UnparsedPublicKey,
};
use serde_json::Value;

use crate::jwt;

/// An RSA key of 2048 bits and a self-signed certificate of it.
pub struct ClientCertificate {
    key: String,
    certificate: String,
    registered: Registered,
}

/// What an application's registration holds: no private key.
#[derive(Clone)]
pub(super) struct Registered {
    /// RSAPublicKey in DER (RFC 8017, appendix A.1.1).
    public_key: Vec<u8>,
    sha1: Vec<u8>,
    sha256: Vec<u8>,
    pub(super) over: bool,
}

impl ClientCertificate {
    /// A new one, good for long.
    ///
    /// # Panics
    /// Without the program `openssl`: ring makes no RSA keys, and Entra takes no others.
    pub fn generate() -> Self {
        Self::make(false)
    }

    /// A new one whose time is over.
    ///
    /// # Panics
    /// As [`ClientCertificate::generate`].
    pub fn expired() -> Self {
        Self::make(true)
    }

    fn make(over: bool) -> Self {
        let key = rsa_key();
        let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&key, &PKCS_RSA_SHA256).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "pullpass test client");
        if over {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let certificate = params.self_signed(&pair).unwrap();
        let hash = |algorithm| digest(algorithm, certificate.der()).as_ref().to_vec();
        let registered = Registered {
            public_key: pair.public_key_raw().to_vec(),
            sha1: hash(&SHA1_FOR_LEGACY_USE_ONLY),
            sha256: hash(&SHA256),
            over,
        };
        Self { key, certificate: certificate.pem(), registered }
    }

    /// The private key, PKCS #8 in PEM.
    pub fn key_pem(&self) -> String {
        self.key.clone()
    }

    /// The certificate in PEM.
    pub fn certificate_pem(&self) -> String {
        self.certificate.clone()
    }

    /// `x5t` of a JWT's header: base64url of the SHA-1 hash.
    pub fn x5t(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.registered.sha1)
    }

    /// `x5t#S256` of a JWT's header: base64url of the SHA-256 hash.
    pub fn x5t_s256(&self) -> String {
        URL_SAFE_NO_PAD.encode(&self.registered.sha256)
    }

    pub(super) fn registered(&self) -> Registered {
        self.registered.clone()
    }
}

/// Which certificate an assertion's header names.
pub(super) enum Thumbprint {
    Sha1(Vec<u8>),
    Sha256(Vec<u8>),
}

impl Thumbprint {
    /// From a JWT's header; the newer hash counts if there are both.
    pub(super) fn read(header: &Value) -> Option<Self> {
        // SDKs write base64 with padding, and Entra puts up with it.
        let decoded = |name: &str| {
            let text = header[name].as_str()?;
            URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()
        };
        decoded("x5t#S256").map(Self::Sha256).or_else(|| decoded("x5t").map(Self::Sha1))
    }

    pub(super) fn is_of(&self, certificate: &Registered) -> bool {
        match self {
            Self::Sha1(hash) => *hash == certificate.sha1,
            Self::Sha256(hash) => *hash == certificate.sha256,
        }
    }

    /// As Entra prints it.
    pub(super) fn hex(&self) -> String {
        let (Self::Sha1(hash) | Self::Sha256(hash)) = self;
        hash.iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

impl Registered {
    /// Whether the assertion carries an RS256 or PS256 signature by this certificate's key.
    pub(super) fn signed(&self, assertion: &str) -> bool {
        let algorithm: &RsaParameters = match jwt::parts(assertion) {
            Some((header, _)) if header["alg"] == "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            Some((header, _)) if header["alg"] == "PS256" => &RSA_PSS_2048_8192_SHA256,
            _ => return false,
        };
        let Some((message, signature)) = assertion.rsplit_once('.') else { return false };
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        let key = UnparsedPublicKey::new(algorithm, &self.public_key);
        key.verify(message.as_bytes(), &signature).is_ok()
    }
}

fn rsa_key() -> String {
    let output = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap_or_else(|error| panic!("the tests need the program `openssl`: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
