//! The operator's private key, and JWTs signed with it: for `private_key_jwt` (RFC 7523 §3,
//! OpenID Connect Core §9) and the forms of it that clouds use.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{SignatureAlgorithm, SignatureScheme};
use secrecy::SecretString;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::{file, tls};

/// A private key, and the certificate next to it. `Debug` does not show it.
#[derive(Clone)]
pub struct SigningKey {
    key: Arc<dyn rustls::sign::SigningKey>,
    rs256: bool,
    certificate: Option<CertificateDer<'static>>,
}

impl SigningKey {
    /// The first private key of a PEM file (RSA of 2048 bits and more, or P-256; PKCS#8, PKCS#1
    /// or SEC 1), and its first certificate if there is one.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read or holds no such key.
    pub fn from_pem_file(path: &Path) -> Result<Self, Error> {
        Self::from_pem(&file::read(path)?).map_err(|error| {
            error.context(format!("`{}` cannot be used for signing", path.display()))
        })
    }

    /// The same, from the text of a file.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it holds no such key.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| Error::config("the file has no PEM private key"))?;
        // rustls knows other curves too; this crate signs no JWT by them.
        let key = tls::signing_key(&key)
            .filter(|key| key.choose_scheme(&[scheme(&**key, false).1]).is_some())
            .ok_or_else(|| {
                Error::config("the private key is neither an RSA key nor an EC key on curve P-256")
            })?;
        let certificate = CertificateDer::pem_slice_iter(pem).find_map(Result::ok);
        Ok(Self { key, rs256: false, certificate: certificate.map(CertificateDer::into_owned) })
    }

    /// Signs with RS256 instead of PS256 if the key is RSA: some servers support nothing else.
    #[must_use]
    pub fn with_rs256(self) -> Self {
        Self { rs256: true, ..self }
    }

    /// The `alg` of what it signs: RS256, PS256 or ES256 (RFC 7518 §3.1).
    pub fn algorithm(&self) -> &'static str {
        scheme(&*self.key, self.rs256).0
    }

    /// SHA-256 of the certificate in DER, as base64url: a JWT header's `x5t#S256` (RFC 7515
    /// §4.1.8).
    pub fn certificate_sha256(&self) -> Option<String> {
        self.certificate.as_ref().map(|der| URL_SAFE_NO_PAD.encode(Sha256::digest(der)))
    }

    /// A JWT with these claims, and `iat`, `nbf`, `exp` and a new `jti`: PS256 for RSA
    /// (or [RS256](Self::with_rs256)), ES256 for P-256. `header` holds what goes beside `alg` and `typ`.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the key cannot sign.
    pub fn sign_jwt(
        &self,
        mut header: Map<String, Value>,
        mut claims: Map<String, Value>,
        now: SystemTime,
        lifetime: Duration,
    ) -> Result<SecretString, Error> {
        let cannot = || Error::config("the private key cannot sign a JWT");
        let (algorithm, scheme) = scheme(&*self.key, self.rs256);
        let signer = self.key.choose_scheme(&[scheme]).ok_or_else(cannot)?;
        header.insert("alg".to_owned(), algorithm.into());
        header.insert("typ".to_owned(), "JWT".into());
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let issued = since_epoch.as_secs();
        for (name, value) in
            [("iat", issued), ("nbf", issued), ("exp", (since_epoch + lifetime).as_secs())]
        {
            claims.insert(name.to_owned(), value.into());
        }
        // It must not repeat. It need not be secret: the signature protects it.
        let id = format!("{:x}{:032x}", since_epoch.as_nanos(), fastrand::u128(..));
        claims.insert("jti".to_owned(), id.into());
        let part =
            |value: Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(value).to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = signer.sign(signed.as_bytes()).map_err(|_| cannot())?;
        let signature = match algorithm {
            "ES256" => fixed_width(&signature).ok_or_else(cannot)?,
            _ => signature,
        };
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The algorithm of JWS for a key, and what TLS calls it.
fn scheme(key: &dyn rustls::sign::SigningKey, rs256: bool) -> (&'static str, SignatureScheme) {
    match key.algorithm() {
        SignatureAlgorithm::RSA if rs256 => ("RS256", SignatureScheme::RSA_PKCS1_SHA256),
        SignatureAlgorithm::RSA => ("PS256", SignatureScheme::RSA_PSS_SHA256),
        _ => ("ES256", SignatureScheme::ECDSA_NISTP256_SHA256),
    }
}

/// An ECDSA signature of P-256 as TLS has it, SEQUENCE { r, s } in DER, in the form of JWS:
/// both numbers in 32 bytes (RFC 7518 §3.4).
fn fixed_width(der: &[u8]) -> Option<Vec<u8>> {
    let (0x30, rest) = der.split_first().map(|(tag, rest)| (*tag, rest))? else { return None };
    let (length, mut rest) = rest.split_first()?;
    if usize::from(*length) != rest.len() {
        return None;
    }
    let mut signature = Vec::with_capacity(64);
    for _ in 0..2 {
        let ([0x02, length], number) = rest.split_at_checked(2)? else { return None };
        let (number, after) = number.split_at_checked(usize::from(*length))?;
        let digits = number.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &number[at..]);
        signature.resize(signature.len() + 32usize.checked_sub(digits.len())?, 0);
        signature.extend_from_slice(digits);
        rest = after;
    }
    rest.is_empty().then_some(signature)
}
