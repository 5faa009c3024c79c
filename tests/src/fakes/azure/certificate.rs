//! Certificates that an application proves itself by, and the assertions that are signed with them
//! (Microsoft identity platform, "Certificate credentials").

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, DnType, date_time_ymd};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::Value;

use crate::fakes::rsa;

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
        let key = rsa::generate();
        let pair = rsa::pair(&key);
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
    /// From a JWT's header; the newer hash is used if there are both.
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
        rsa::signed_by(assertion, &self.public_key, &["RS256", "PS256"])
    }
}
