//! The token endpoint out of an issuer's metadata: one call more in every pull.
//!
//! Source: OpenID Connect Discovery 1.0 §4.3; RFC 8414 §3.3.

use pullpass::http::{Http, Plaintext};
use pullpass::{Error, ErrorKind};
use serde::Deserialize;
use url::Url;

use crate::profile::{Discovery, address};

/// Asks for it.
///
/// # Errors
/// Of kind Protocol, when the metadata is of another issuer, or names an endpoint that the
/// profile does not let the token go to.
pub(crate) async fn token_endpoint(discovery: &Discovery, http: &Http) -> Result<Url, Error> {
    #[derive(Deserialize)]
    struct Metadata {
        issuer: String,
        token_endpoint: Option<String>,
    }
    let call = http.get(discovery.url.clone()).plaintext(Plaintext::Loopback);
    let reply = call
        .send()
        .await
        .map_err(|error| error.context(format!("no metadata of `{}`", discovery.issuer)))?;
    let odd = |what: String, hint: &str| {
        Err(Error::protocol(format!("`{}` {what}", reply.target())).with_hint(hint))
    };
    if !reply.is_success() {
        let what = format!("answered {}", reply.status());
        return match reply.kind() {
            ErrorKind::Unavailable => {
                Err(Error::unavailable(format!("`{}` {what}", reply.target()))
                    .with_hint(reply.hint_unavailable()))
            }
            _ => odd(what, "check `exchange.discovery`, or name `exchange.endpoint` instead"),
        };
    }
    let metadata: Metadata = reply.json()?;
    // To the letter: a server for many issuers must not stand for another one.
    if metadata.issuer != discovery.issuer {
        return odd(
            format!("is the metadata of another issuer than `{}`", discovery.issuer),
            "write `exchange.discovery.issuer` exactly as the server does",
        );
    }
    let Some(text) = metadata.token_endpoint else {
        return odd("names no `token_endpoint`".to_owned(), "name `exchange.endpoint` instead");
    };
    let endpoint = address::parse("token_endpoint", &text, discovery.allow_loopback_http);
    let Ok(endpoint) = endpoint else {
        return odd(
            "names a `token_endpoint` that the token must not be sent to".to_owned(),
            "it must be `https://`, without userinfo",
        );
    };
    let host = address::host(&endpoint);
    let is_near =
        endpoint.scheme() == discovery.url.scheme() && host == address::host(&discovery.url);
    match is_near || discovery.hosts.contains(&host) {
        true => Ok(endpoint),
        false => odd(
            format!("names a `token_endpoint` on another host, `{host}`"),
            "list that host in `exchange.hosts` if the pod's token may go there",
        ),
    }
}
