//! What token endpoints answer (RFC 6749 §5), read leniently: servers in the field send numbers
//! as strings and objects where the RFC has texts, and a field of another shape must not hide
//! the others.

use std::time::SystemTime;

use secrecy::SecretString;
use serde_json::Value;

use crate::clock::Clock;
use crate::error::Error;
use crate::http::Reply;
use crate::time::seconds;

pub use crate::http::ErrorBody;

/// A successful answer (RFC 6749 §5.1).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenResponse {
    /// `access_token`, never empty.
    pub access_token: SecretString,
    /// The end of its life, by `expires_in` from now; `None` where the server does not say.
    pub expires: Option<SystemTime>,
}

impl TokenResponse {
    /// Reads the body of a reply that is a success.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when the body is not a JSON object
    /// with an access token, when `token_type` is there and is not `Bearer`, or when
    /// `expires_in` is there and is not a number of seconds.
    pub fn read(reply: &Reply, clock: &Clock) -> Result<Self, Error> {
        let body: Value = reply.json()?;
        if body["token_type"].as_str().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(reply.unexpected("with a token that is not a bearer token"));
        }
        let expires = match &body["expires_in"] {
            Value::Null => None,
            said => {
                let life = seconds(said)
                    .ok_or_else(|| reply.unexpected("with an unreadable `expires_in`"))?;
                clock.now().checked_add(life)
            }
        };
        match body["access_token"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => Ok(Self { access_token: token.into(), expires }),
            None => Err(reply.unexpected("without an access token")),
        }
    }
}
