//! The client's own certificate.

use std::path::PathBuf;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::zeroize::Zeroizing;

use super::signing_key;
use crate::error::Error;
use crate::file;

/// The client's own certificate for mutual TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and what is between it and the server's CA, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM; may be the same file.
    pub key: PathBuf,
}

impl ClientCertificate {
    pub(super) fn read(&self) -> Result<CertifiedKey, Error> {
        let pem = file::read(&self.certificate)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
        if chain.is_empty() {
            let shown = self.certificate.display();
            return Err(Error::config(format!("`{shown}` has no PEM certificate")));
        }
        let pem = Zeroizing::new(file::read(&self.key)?);
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            Error::config(format!("`{}` has no PEM private key", self.key.display()))
        })?;
        let unusable = |why: &str| {
            let (key, certificate) = (self.key.display(), self.certificate.display());
            Error::config(format!("the key `{key}` {why} `{certificate}`"))
        };
        let key = signing_key(&key)
            .ok_or_else(|| unusable("has an unsupported type, for the certificate"))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) => Ok(certified),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(unusable("does not match the certificate"))
            }
            Err(_) => Err(unusable("cannot be compared with the certificate")),
        }
    }
}
