//! Failures below HTTP: connections and TLS.

use crate::error::{Error, causes};
use crate::tls::Roots;

/// The error for a failed attempt; of kind Unavailable if another attempt may succeed. `target` is
/// the URL, safe to print.
pub(super) fn describe(error: reqwest::Error, target: &str, roots: &Roots) -> Error {
    // Its own URL has a query, which may be secret.
    let error = error.without_url();
    if error.is_builder() {
        return Error::config(format!("cannot make a request for `{target}`"))
            .with_source(deepest(&error));
    }
    if let Some(ours) = causes(&error).find_map(verifier_error) {
        return ours.clone();
    }
    if let Some(tls) = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return not_trusted(tls, target, roots);
    }
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, true) => format!("timed out connecting to `{target}`"),
        (true, false) => format!("cannot connect to `{target}`"),
        _ => format!("lost the connection to `{target}`"),
    };
    Error::unavailable(what)
        .with_source(deepest(&error))
        .with_hint("check the network path from this node: DNS, firewall, proxy")
}

/// The error of our own certificate verifier, such as a bundle that cannot be
/// read.
fn verifier_error<'a>(cause: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::Other(other) => other.0.downcast_ref(),
        _ => None,
    }
}

/// Never retried: certificates and protocols do not change within seconds.
fn not_trusted(tls: &rustls::Error, target: &str, roots: &Roots) -> Error {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

    let hint = match tls {
        rustls::Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => "check this node's clock first, then the server's certificate".into(),
        rustls::Error::InvalidCertificate(_) => format!(
            "check the server's certificate and name; `{}` sets the CA to trust",
            roots.named_by()
        ),
        _ => "the server does not speak TLS 1.2 or 1.3 on this port; check scheme and port".into(),
    };
    let error = Error::config(format!("no trusted TLS connection to `{target}`"));
    error.with_source(tls.to_string()).with_hint(hint)
}

/// The lowest cause: those above it only say "error sending request".
fn deepest(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}
