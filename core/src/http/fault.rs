//! What went wrong below HTTP, in one error of ours.

use super::retry::Attempt;
use crate::error::{Error, causes};
use crate::tls::Roots;

/// Sorts a failed attempt: worth another, or not. `target` is the URL, fit to print.
pub(super) fn classify(error: reqwest::Error, target: &str, roots: &Roots) -> Attempt {
    // The URL in it has a query; `target` stands for it.
    let error = error.without_url();
    if error.is_builder() {
        return Attempt::Done(Err(Error::config(format!("no request can be made for `{target}`"))
            .with_source(deepest(&error))));
    }
    if let Some(tls) = causes(&error).find_map(|cause| cause.downcast_ref::<rustls::Error>()) {
        return not_trusted(tls, target, roots);
    }
    let what = match (error.is_connect(), error.is_timeout()) {
        (true, true) => format!("cannot connect to `{target}` in time"),
        (true, false) => format!("cannot connect to `{target}`"),
        _ => format!("the connection to `{target}` broke"),
    };
    let error = Error::unavailable(what)
        .with_source(deepest(&error))
        .with_hint("check the network path from this node: DNS, firewall, proxy");
    Attempt::Retry(Err(error), None)
}

/// Neither a certificate nor a protocol will be another in a second.
fn not_trusted(tls: &rustls::Error, target: &str, roots: &Roots) -> Attempt {
    use rustls::CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};

    let hint = match tls {
        rustls::Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => "check this node's clock first, then the server's certificate".into(),
        rustls::Error::InvalidCertificate(_) => format!(
            "check the server's certificate and name; `{}` names the CA to trust",
            roots.named_by()
        ),
        _ => "the server does not speak TLS 1.2 or 1.3 on this port; check scheme and port".into(),
    };
    let error = Error::config(format!("no trusted TLS connection to `{target}`"));
    Attempt::Done(Err(error.with_source(tls.to_string()).with_hint(hint)))
}

/// The lowest cause alone: the ones above only say "error sending request".
fn deepest(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}
