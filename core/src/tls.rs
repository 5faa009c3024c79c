//! TLS by rustls on ring.
//!
//! ring on purpose: the other provider gathers CPU-jitter entropy in every process,
//! 40 to 60 ms that a plugin does not have.

mod base64_lines;
mod bundle;
mod client_certificate;
mod name;
mod provider;
mod roots;
mod sections;
#[cfg(test)]
mod tests;
mod verifier;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::sign::SingleCertAndKey;

use crate::env::Env;
use crate::error::Error;

pub use client_certificate::ClientCertificate;
pub(crate) use provider::signing_key;
pub use roots::Roots;

/// A configuration that trusts `roots`, and presents the certificate `client`.
///
/// # Errors
/// [`ErrorKind::Config`](crate::ErrorKind::Config) when a file that the operator named has no
/// certificate, or its key is not the certificate's.
pub(crate) fn client_config(
    roots: &Roots,
    client: Option<&ClientCertificate>,
    env: &Env,
) -> Result<ClientConfig, Error> {
    let mut config = configuration(roots.verifier(env)?);
    if let Some(client) = client {
        let certified = client.read().map_err(|error| {
            error.with_hint("mutual TLS needs the client's certificate and its key, both in PEM")
        })?;
        config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(certified));
    }
    Ok(config)
}

/// A configuration that trusts no server, for clients that only use plain HTTP: it reads no
/// file and parses nothing.
pub(crate) fn plaintext_config() -> ClientConfig {
    configuration(verifier::without_roots())
}

fn configuration(verifier: Arc<dyn ServerCertVerifier>) -> ClientConfig {
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    #[expect(clippy::expect_used, reason = "ring has cipher suites for both versions")]
    let builder = ClientConfig::builder_with_provider(provider::provider())
        .with_protocol_versions(&versions)
        .expect("ring supports TLS 1.2 and 1.3");
    let mut config =
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    // One process makes one or two connections: nothing to resume.
    config.resumption = Resumption::disabled();
    config
}
