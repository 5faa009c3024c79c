//! A file of CA certificates and a server's chain, by roots on demand and by all roots at once:
//! the verdicts must be the same.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::files;

/// Roots, intermediates and leaves in PEM, as the equivalence test of `core` makes them: several
/// share a name, some are dead, one is constrained, some are cross-signed.
static POOL: LazyLock<Vec<&str>> = LazyLock::new(|| {
    include_str!("../../certificates.pem").split_inclusive("-----END CERTIFICATE-----\n").collect()
});

static RING: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(ring::default_provider()));

/// The file, a NUL, and the chain in PEM. `@` and a letter mean a certificate of the pool.
pub fn run(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
    let (file, chain) = (expand(&input[..end]), expand(input.get(end + 1..).unwrap_or_default()));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain).filter_map(Result::ok).collect();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&file).filter_map(Result::ok));
    let new = pullpass::fuzzing::server_verifier(files::write("roots.pem", &file));
    assert_eq!(roots.is_empty(), new.is_err(), "{:?}", new.err());
    let (Ok(new), [leaf, intermediates @ ..]) = (new, &chain[..]) else { return };
    let roots = Arc::new(roots);
    let old = WebPkiServerVerifier::builder_with_provider(roots, RING.clone()).build();
    let old = judge(&*old.expect("roots"), leaf, intermediates);
    let new = judge(&*new, leaf, intermediates);
    assert_eq!(old, new);
}

fn judge(
    verifier: &dyn ServerCertVerifier,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) -> String {
    let name = ServerName::try_from("leaf.example").expect("a name");
    let now = UnixTime::since_unix_epoch(Duration::from_secs(1_795_000_000));
    match verifier.verify_server_cert(leaf, intermediates, &name, &[], now) {
        Ok(_) => "trusted".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

fn expand(input: &[u8]) -> Vec<u8> {
    let mut expanded = Vec::new();
    let mut bytes = input.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, bytes.peek()) {
            (b'@', Some(letter @ b'A'..)) => {
                let number = usize::from(letter - b'A') % POOL.len();
                expanded.extend_from_slice(POOL[number].as_bytes());
                bytes.next();
            }
            _ => expanded.push(byte),
        }
    }
    expanded
}
