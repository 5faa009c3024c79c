//! The token endpoint from an issuer's metadata: one more call in every pull.
//!
//! Source: OpenID Connect Discovery 1.0 §4.3; RFC 8414 §3.3.

use pullpass::http::{Http, Plaintext};
use pullpass::{Diagnosis, Error, ErrorKind};
use serde::Deserialize;
use url::Url;

use crate::profile::{Discovery, address};

/// Fetches the metadata.
///
/// # Errors
/// Protocol, when the metadata is another issuer's, or has an endpoint that the profile does not
/// allow the token to be sent to.
pub(crate) async fn token_endpoint(discovery: &Discovery, http: &Http) -> Result<Url, Error> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        token_endpoint: Option<String>,
    }
    let mut call = http.get(discovery.url.clone());
    if discovery.allow_loopback_http {
        call = call.plaintext(Plaintext::Loopback);
    }
    let reply = call.send().await.map_err(|error| {
        error.context(format!("cannot fetch the metadata of the issuer `{}`", discovery.issuer))
    })?;
    if !reply.is_success() {
        let hint = "check `exchange.discovery`, or name `exchange.endpoint` instead";
        let error = reply.server_error().subject("the request for the issuer's metadata");
        return Err(match reply.kind() {
            ErrorKind::Unavailable => error.into_error(),
            _ => error.diagnosis(Diagnosis::new(ErrorKind::Protocol, hint)).into_error(),
        });
    }
    let invalid = |what: String, hint: &str| {
        Err(Error::protocol(format!("`{}` {what}", reply.target())).with_hint(hint))
    };
    let metadata: Metadata = reply.json()?;
    // Byte for byte: a server for many issuers must not pass for another one.
    if metadata.issuer != discovery.issuer {
        return invalid(
            format!("names another issuer than `{}`", discovery.issuer),
            "set `exchange.discovery.issuer` to exactly the `issuer` in that metadata",
        );
    }
    let Some(text) = metadata.token_endpoint else {
        return invalid("has no `token_endpoint`".to_owned(), "name `exchange.endpoint` instead");
    };
    let endpoint = address::parse("token_endpoint", &text, discovery.allow_loopback_http);
    let Ok(endpoint) = endpoint else {
        return invalid(
            "has a `token_endpoint` that the token cannot be sent to".to_owned(),
            "it must be `https://`, without userinfo",
        );
    };
    let host = address::host(&endpoint);
    let is_own =
        endpoint.scheme() == discovery.url.scheme() && host == address::host(&discovery.url);
    match is_own || discovery.hosts.contains(&host) {
        true => Ok(endpoint),
        false => invalid(
            format!("has a `token_endpoint` on another host, `{host}`"),
            "list that host in `exchange.hosts` if the pod's token may be sent there",
        ),
    }
}
