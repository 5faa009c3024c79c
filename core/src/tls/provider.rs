//! The only file that names the crypto provider.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

/// Ciphers, key exchange and signatures.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A private key that can sign; `None` for an unsupported type.
pub(crate) fn signing_key(key: &PrivateKeyDer<'_>) -> Option<Arc<dyn SigningKey>> {
    ring::sign::any_supported_type(key).ok()
}
