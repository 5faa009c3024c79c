//! A certificate authority made at run time, and HTTP clients for the fakes' own calls.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use reqwest::redirect::Policy;
use rustls::client::WantsClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, ServerConfig};
use tempfile::TempDir;

/// A CA that no client trusts unless it is told to.
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

    /// A fresh certificate for a client and its key, both as PEM. Kubernetes reads the common name
    /// as the user and the organization as the user's group.
    pub fn client_certificate(&self, user: &str, group: &str) -> (String, String) {
        let (certificate, key) = self.issue_client(user, group);
        (certificate.pem(), key.serialize_pem())
    }

    /// An HTTP client that trusts this CA and no other, and authenticates by a certificate of it.
    pub fn client_as(&self, user: &str, group: &str) -> reqwest::Client {
        let (certificate, key) = self.issue_client(user, group);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let tls = tls_config(self.roots());
        client(tls.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap())
    }

    fn issue_client(&self, user: &str, group: &str) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        params.distinguished_name.push(DnType::OrganizationName, group);
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn issue(&self, names: &[&str]) -> (Certificate, KeyPair) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// An HTTP client that trusts this CA and no other.
    pub fn client(&self) -> reqwest::Client {
        client(tls_config(self.roots()).with_no_client_auth())
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        roots
    }
}

impl Default for TestCa {
    fn default() -> Self {
        Self::new()
    }
}

/// An HTTP client for plain http on loopback; it trusts no CA.
pub fn plain_client() -> reqwest::Client {
    client(tls_config(RootCertStore::empty()).with_no_client_auth())
}

/// The client that fits: the CA's if there is one.
pub fn client_for(ca: Option<&TestCa>) -> reqwest::Client {
    ca.map_or_else(plain_client, TestCa::client)
}

/// Writes a certificate for a signing key, self-signed, as a registry's `rootcertbundle` requires;
/// returns its DER form for `x5c`.
pub fn write_self_signed(key: &KeyPair, file: &Path) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "pullpass test token server");
    let certificate = params.self_signed(key).unwrap();
    std::fs::write(file, certificate.pem()).unwrap();
    certificate.der().to_vec()
}

fn tls_config(roots: RootCertStore) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    ClientConfig::builder_with_provider(crypto())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
}

fn client(tls: ClientConfig) -> reqwest::Client {
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
