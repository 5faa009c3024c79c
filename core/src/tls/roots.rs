//! Which certificate authorities are trusted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;

use super::bundle::Bundle;
use super::verifier;
use crate::env::Env;
use crate::error::Error;

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
    /// The same as [`System`](Self::System), and those in this PEM file: for a proxy that
    /// inspects TLS, or a registry with its own CA besides public services.
    SystemAnd {
        /// The file.
        file: PathBuf,
        /// What the operator named it by, such as `caFile`: for messages.
        named_by: &'static str,
    },
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
            Self::SystemAnd { named_by, .. } | Self::Only { named_by, .. } => named_by,
        }
    }

    /// What checks servers' certificates against these roots. The file is opened now and read
    /// when a server shows its certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read or has no
    /// CA certificate. It is never ignored: another file may trust more.
    pub(crate) fn verifier(&self, env: &Env) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        Ok(match self {
            Self::System => match system(env)? {
                Some(bundle) => verifier::on_demand(vec![bundle]),
                None => verifier::with_roots(compiled_in()),
            },
            Self::SystemAnd { file, named_by } => {
                let named = named_bundle(file, named_by)?;
                match system(env)? {
                    Some(bundle) => verifier::on_demand(vec![bundle, named]),
                    None => verifier::on_demand_and(vec![named], compiled_in()),
                }
            }
            Self::Only { file, named_by } => {
                verifier::on_demand(vec![named_bundle(file, named_by)?])
            }
        })
    }
}

/// The system's bundle; `None` where there is none.
fn system(env: &Env) -> Result<Option<Bundle>, Error> {
    if let Some(path) = env.os("SSL_CERT_FILE") {
        return named_bundle(Path::new(path), "SSL_CERT_FILE").map(Some);
    }
    let Some(path) = BUNDLES.iter().map(Path::new).find(|it| it.exists()) else { return Ok(None) };
    Bundle::open(path).map(Some).map_err(|error| {
        error.with_hint("fix the system's CA bundle, or set another one by `SSL_CERT_FILE`")
    })
}

fn named_bundle(path: &Path, named_by: &str) -> Result<Bundle, Error> {
    Bundle::open(path)
        .map_err(|error| error.with_hint(format!("`{named_by}` sets the CA certificates to trust")))
}

/// Mozilla's roots.
fn compiled_in() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
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
        let error = Roots::System.verifier(&env).unwrap_err().render();
        assert!(error.contains("has no PEM CA certificate"), "{error}");
        assert!(error.contains("hint: `SSL_CERT_FILE` sets"), "{error}");
        let only = Roots::Only { file, named_by: "caFile" };
        assert!(only.verifier(&Env::default()).is_err());
    }

    #[test]
    fn there_are_always_roots() {
        assert!(Roots::System.verifier(&Env::default()).is_ok());
    }
}
