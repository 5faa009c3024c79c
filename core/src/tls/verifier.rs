//! Verifies servers' certificates as webpki does, with only the roots that a chain needs.
//!
//! A system's bundle has some 145 roots, of which a chain uses one, and parsing all of them was
//! half of all that a plugin did. Path building uses a root only if its subject is the
//! issuer of a certificate in the chain (RFC 5280 §6.1: names chain). So only those are parsed,
//! all of them if several share the name, and webpki's own verifier decides.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::bundle::Bundle;
use super::{name, provider};

/// Accepts no server: for clients that make no TLS connection.
pub(super) fn without_roots() -> Arc<dyn ServerCertVerifier> {
    on_demand(Vec::new())
}

/// With roots that need no parsing.
pub(super) fn with_roots(roots: RootCertStore) -> Arc<dyn ServerCertVerifier> {
    on_demand_and(Vec::new(), roots)
}

/// With the roots of files.
pub(super) fn on_demand(bundles: Vec<Bundle>) -> Arc<dyn ServerCertVerifier> {
    on_demand_and(bundles, RootCertStore::empty())
}

/// With the roots of files, and roots that need no parsing.
pub(super) fn on_demand_and(
    bundles: Vec<Bundle>,
    parsed: RootCertStore,
) -> Arc<dyn ServerCertVerifier> {
    let algorithms = provider::provider().signature_verification_algorithms;
    Arc::new(Verifier { bundles, parsed, algorithms })
}

struct Verifier {
    bundles: Vec<Bundle>,
    parsed: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// The roots that a path from this chain can end in. It is empty only if there are no roots
    /// at all: if none fits, webpki gets one that does not fit, so that its own error says what
    /// is wrong with the chain.
    fn roots(&self, chain: &[&CertificateDer<'_>]) -> Result<RootCertStore, Error> {
        let issuers: Vec<&[u8]> = chain.iter().filter_map(|it| issuer(it)).collect();
        let mut roots = self.parsed.clone();
        for bundle in &self.bundles {
            let found = bundle.roots(&issuers).map_err(|error| OtherError(Arc::new(error)))?;
            roots.extend(found.roots);
        }
        match roots.is_empty() {
            true => Err(CertificateError::UnknownIssuer.into()),
            false => Ok(roots),
        }
    }
}

fn issuer<'a>(certificate: &'a CertificateDer<'_>) -> Option<&'a [u8]> {
    certificate.get(name::issuer(|at| certificate.get(at).copied())?)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).collect();
        let roots = self.roots(&chain)?;
        let webpki =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider::provider())
                .build()
                .map_err(|error| OtherError(Arc::new(error)))?;
        webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}
