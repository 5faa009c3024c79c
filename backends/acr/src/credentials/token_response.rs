//! The answer of a token service: a token, or an error.

use pullpass::http::{Reply, ServerError};
use pullpass::oauth::TokenResponse;
use pullpass::{Context, Error};
use secrecy::SecretString;

use crate::error_codes::diagnose_token_service;
use crate::error_response::EntraErrorBody;
use crate::identity::Identity;
use crate::token_service::TokenService;

/// The token of an answer in OAuth's form (RFC 6749 §5.1).
///
/// # Errors
/// [`ErrorKind::Protocol`](pullpass::ErrorKind::Protocol) when it has no token; otherwise as
/// [`read_error`].
pub(super) fn read_token(
    reply: &Reply,
    service: &TokenService,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    match reply.is_success() {
        true => Ok(TokenResponse::read(reply, &cx.clock)?.access_token),
        false => Err(read_error(reply, service, identity)),
    }
}

/// The error for an answer that is not a success.
pub(super) fn read_error(reply: &Reply, service: &TokenService, identity: &Identity<'_>) -> Error {
    let body = EntraErrorBody::read(reply);
    let error = reply
        .server_error()
        .service(service.to_string())
        .subject(identity)
        .diagnosis(diagnose_token_service(reply, &body, service, identity));
    let code = body.aadsts_code();
    let error =
        [code.as_deref(), body.error()].into_iter().flatten().fold(error, ServerError::code);
    body.words().iter().fold(error, |error, words| error.words(words)).into_error()
}
