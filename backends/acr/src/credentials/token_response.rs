//! The answer of a service that hands out tokens: a token, or why not.

use pullpass::Error;
use pullpass::http::{Reply, SentSecrets};
use secrecy::SecretString;
use serde::Deserialize;

use crate::error_codes::diagnose_token_service;
use crate::error_response::{self, ErrorBody};
use crate::identity::Identity;
use crate::token_service::TokenService;

/// The token of an answer in OAuth's form (RFC 6749 §5.1).
///
/// # Errors
/// Of kind Protocol, when there is none; else as [`read_error`].
pub(super) fn read_token(
    reply: &Reply,
    service: &TokenService,
    identity: &Identity<'_>,
    sent: &SentSecrets,
) -> Result<SecretString, Error> {
    if !reply.is_success() {
        return Err(read_error(reply, service, identity, sent));
    }
    #[derive(Deserialize)]
    struct TokenResponse {
        access_token: Option<String>,
    }
    let response: TokenResponse = reply.json()?;
    response.access_token.filter(|token| !token.is_empty()).map(SecretString::from).ok_or_else(
        || {
            Error::protocol(format!("{service} answered {} without a token", reply.status()))
                .with_hint(format!("check for a proxy or firewall between this node and {service}"))
        },
    )
}

/// The error for an answer that is no token.
pub(super) fn read_error(
    reply: &Reply,
    service: &TokenService,
    identity: &Identity<'_>,
    sent: &SentSecrets,
) -> Error {
    if reply.is_success() {
        let status = reply.status();
        return Error::protocol(format!("{service} answered {status} with no token"))
            .with_hint(format!("check for a proxy or firewall between this node and {service}"));
    }
    let body = ErrorBody::read(reply);
    let code = body.aadsts_code();
    error_response::explain(
        reply,
        service,
        identity,
        [code.as_deref(), body.error.as_deref()],
        body.words().as_deref(),
        diagnose_token_service(reply, &body, service, identity),
        sent,
    )
}
