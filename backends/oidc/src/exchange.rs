//! The pod's token for a registry token, by OAuth 2.0 Token Exchange (RFC 8693 §2.1).

use pullpass::http::{Reply, Spent};
use pullpass::{Context, Error, Token};
use secrecy::ExposeSecret as _;

use crate::client_auth;
use crate::profile::TokenExchange;
use crate::refusal;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Why there is no token.
pub(crate) enum Failure {
    /// The server knows who asks and says no: 401, 403, or an OAuth code that says so.
    Refused(Error),
    /// Anything else.
    Failed(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Failed(error) => error,
        }
    }
}

/// Sends `token` to the endpoint of the profile, and nowhere else.
pub(crate) async fn token(
    exchange: &TokenExchange,
    token: &Token,
    cx: &Context,
) -> Result<(Reply, Spent), Failure> {
    let client = client_auth::prepare(&exchange.client).map_err(Failure::Failed)?;
    let scope = exchange.scope.join(" ");
    let mut form = vec![
        ("grant_type", GRANT_TYPE),
        ("subject_token", token.secret().expose_secret()),
        ("subject_token_type", exchange.subject_token_type.as_str()),
    ];
    form.extend(
        exchange.requested_token_type.as_deref().map(|kind| ("requested_token_type", kind)),
    );
    form.extend(exchange.audience.iter().map(|audience| ("audience", audience.as_str())));
    form.extend(exchange.resource.iter().map(|resource| ("resource", resource.as_str())));
    form.extend((!scope.is_empty()).then_some(("scope", scope.as_str())));
    form.extend(exchange.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    form.extend(client.fields.iter().map(|(name, value)| (*name, value.expose_secret())));

    let http = cx.http.with_settings(exchange.http.clone());
    // The file's loader let `http://` through for loopback alone.
    let call = http.post(exchange.endpoint.clone()).plain_http().form(form);
    let reply = client.sign(call).send().await.map_err(Failure::Failed)?;
    let mut spent = Spent::default();
    spent.add(token.secret().expose_secret());
    client.secret.iter().for_each(|secret| spent.add(secret.expose_secret()));
    match reply.is_success() {
        true => Ok((reply, spent)),
        false => Err(refusal::read(&reply, &spent)),
    }
}
