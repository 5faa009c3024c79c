//! TLS by rustls on ring: the only file that names the crypto provider.
//!
//! ring on purpose: the other provider gathers CPU-jitter entropy in every process,
//! 40 to 60 ms that a plugin does not have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};
use secrecy::zeroize::Zeroizing;

use crate::env::Env;
use crate::error::Error;
use crate::file;

/// Where distributions keep their CA bundle; the first that exists is read. Never a
/// walk over a directory of certificates: measured at 6 ms and 146 opens.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Which certificate authorities are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// `SSL_CERT_FILE`, else the system's bundle, else the Mozilla roots compiled in.
    #[default]
    System,
    /// Those in this PEM file and no others.
    Only {
        /// The file.
        file: PathBuf,
        /// What the operator named it by, such as `caFile`: for messages.
        named_by: &'static str,
    },
}

impl Roots {
    /// What sets the trusted CAs: for hints.
    pub(crate) fn named_by(&self) -> &'static str {
        match self {
            Self::System => "SSL_CERT_FILE",
            Self::Only { named_by, .. } => named_by,
        }
    }
}

/// The client's own certificate for mutual TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, and what is between it and the server's CA, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM; may be the same file.
    pub key: PathBuf,
}

impl ClientCertificate {
    fn read(&self) -> Result<CertifiedKey, Error> {
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

/// A configuration that trusts `roots`, and shows `client`.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when a file that the operator named has no
/// certificate, or its key is not the certificate's.
pub(crate) fn client_config(
    roots: &Roots,
    client: Option<&ClientCertificate>,
    env: &Env,
) -> Result<ClientConfig, Error> {
    let mut config = configuration(trusted(roots, env)?);
    if let Some(client) = client {
        let certified = client.read().map_err(|error| {
            error.with_hint("mutual TLS needs the client's certificate and its key, both in PEM")
        })?;
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    }
    Ok(config)
}

fn trusted(roots: &Roots, env: &Env) -> Result<RootCertStore, Error> {
    Ok(match roots {
        Roots::Only { file, named_by } => from_file(file).map_err(|error| {
            error.with_hint(format!("`{named_by}` sets the CA certificates to trust"))
        })?,
        Roots::System => match env.os("SSL_CERT_FILE") {
            Some(path) => from_file(Path::new(path)).map_err(|error| {
                error.with_hint("`SSL_CERT_FILE` sets the CA certificates to trust")
            })?,
            None => system()?,
        },
    })
}

/// A private key that can sign; `None` for a kind that is not known here.
pub(crate) fn signing_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    rustls::crypto::ring::sign::any_supported_type(key).ok()
}

/// A configuration without roots, for clients that only use plain HTTP: it
/// costs no file and no parsing.
pub(crate) fn plaintext_config() -> ClientConfig {
    configuration(RootCertStore::empty())
}

fn configuration(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    #[expect(clippy::expect_used, reason = "ring has cipher suites for both versions")]
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .expect("ring supports TLS 1.2 and 1.3");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    // One process makes one or two connections: nothing to resume.
    config.resumption = Resumption::disabled();
    config
}

/// A bundle that is there and cannot be used is an error: another one may trust more.
fn system() -> Result<RootCertStore, Error> {
    match BUNDLES.iter().map(Path::new).find(|bundle| bundle.exists()) {
        Some(bundle) => from_file(bundle).map_err(|error| {
            error.with_hint("fix the system's CA bundle, or set another one by `SSL_CERT_FILE`")
        }),
        None => Ok(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }),
    }
}

fn from_file(path: &Path) -> Result<RootCertStore, Error> {
    let pem = file::read(path)?;
    let mut roots = RootCertStore::empty();
    // Kept until all are read: freed one by one, musl's allocator may return and ask for the same
    // page with each.
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok).collect();
    let (added, _) = roots.add_parsable_certificates(certificates);
    match added {
        0 => Err(Error::config(format!("`{}` has no PEM CA certificate", path.display()))),
        _ => Ok(roots),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_without_certificates_is_an_error_and_never_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, "no certificate").unwrap();
        let env = Env::from_iter([("SSL_CERT_FILE", &file)]);
        let error = client_config(&Roots::System, None, &env).unwrap_err().render();
        assert!(error.contains("has no PEM CA certificate"), "{error}");
        assert!(
            client_config(&Roots::Only { file, named_by: "caFile" }, None, &Env::default())
                .is_err()
        );
    }

    #[test]
    fn there_are_always_roots() {
        assert!(!system().unwrap().is_empty());
    }
}
