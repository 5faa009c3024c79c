//! A certificate authority made at run time, and HTTP clients for the fakes' own calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
};
use reqwest::redirect::Policy;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tempfile::TempDir;

/// A CA that nobody trusts until told to.
pub struct TestCa {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl TestCa {
    /// Makes a key and a self-signed CA certificate, and writes the certificate to a file.
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "pullpass test CA");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// The CA certificate as a PEM file, for `SSL_CERT_FILE` or a profile's `caFile`.
    pub fn pem_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A TLS server's configuration with a fresh certificate for these DNS names and addresses.
    pub fn server_config(&self, names: &[&str]) -> Arc<ServerConfig> {
        let (certificate, key) = self.issue(names);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(crypto())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        Arc::new(config)
    }

    /// A fresh certificate for these DNS names and addresses and its key, both as PEM, for a server
    /// that reads them from files.
    pub fn certificate(&self, names: &[&str]) -> (String, String) {
        let (certificate, key) = self.issue(names);
        (certificate.pem(), key.serialize_pem())
    }

    fn issue(&self, names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// An HTTP client that trusts this CA and no other.
    pub fn client(&self) -> reqwest::Client {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        client(roots)
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}

/// An HTTP client for plain http on loopback; it trusts no CA.
pub fn plain_client() -> reqwest::Client {
    client(RootCertStore::empty())
}

/// The client that fits: the CA's if there is one.
pub fn client_for(ca: Option<&TestCa>) -> reqwest::Client {
    ca.map_or_else(plain_client, TestCa::client)
}

/// Writes a certificate for a signing key, self-signed, as a registry's `rootcertbundle` wants it;
/// returns its DER form for `x5c`.
pub fn write_self_signed(key: &KeyPair, file: &Path) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "pullpass test token server");
    let certificate = params.self_signed(key).unwrap();
    std::fs::write(file, certificate.pem()).unwrap();
    certificate.der().to_vec()
}

fn client(roots: RootCertStore) -> reqwest::Client {
    let tls = ClientConfig::builder_with_provider(crypto())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(Policy::none())
        .no_proxy()
        // A pooled connection belongs to the runtime that opened it; clients here cross runtimes.
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

fn crypto() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
