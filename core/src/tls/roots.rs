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

    /// What checks servers' certificates against these roots. The file is opened now and read
    /// when a server shows its certificate.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the file cannot be read or has no
    /// CA certificate. It is never passed over: another file may trust more.
    pub(super) fn verifier(&self, env: &Env) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        let (path, hint) = match (self, env.os("SSL_CERT_FILE")) {
            (Self::Only { file, named_by }, _) => {
                (file.as_path(), format!("`{named_by}` sets the CA certificates to trust"))
            }
            (Self::System, Some(path)) => {
                (Path::new(path), "`SSL_CERT_FILE` sets the CA certificates to trust".to_owned())
            }
            (Self::System, None) => match BUNDLES.iter().map(Path::new).find(|it| it.exists()) {
                Some(bundle) => (
                    bundle,
                    "fix the system's CA bundle, or set another one by `SSL_CERT_FILE`".to_owned(),
                ),
                None => {
                    let roots = webpki_roots::TLS_SERVER_ROOTS.to_vec();
                    return Ok(verifier::with_roots(RootCertStore { roots }));
                }
            },
        };
        let bundle = Bundle::open(path).map_err(|error| error.with_hint(hint))?;
        Ok(verifier::on_demand(bundle))
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
