//! A Google access token, and when it expires.

use std::time::SystemTime;

use pullpass::http::Reply;
use pullpass::oauth::TokenResponse;
use pullpass::{Clock, Error, rfc3339};
use secrecy::SecretString;
use serde::Deserialize;

/// The scope of tokens: everything that IAM allows. Registries need this one, or read access to
/// Cloud Storage, which STS does not support.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// A Google access token.
pub(crate) struct AccessToken {
    pub(crate) secret: SecretString,
    /// `None` when Google does not say; then the token is not cached.
    pub(crate) expires: Option<SystemTime>,
    /// The URL that returned it, for messages.
    pub(crate) server: String,
}

impl AccessToken {
    /// Reads an answer in OAuth's form (RFC 6749 §5.1).
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](pullpass::ErrorKind::Protocol) when there is no bearer token, or it
    /// has expired.
    pub(super) fn from_oauth(reply: &Reply, clock: &Clock) -> Result<Self, Error> {
        let response = TokenResponse::read(reply, clock)?;
        Self::new(response.access_token, response.expires, reply, clock)
    }

    /// Reads an answer of the IAM Service Account Credentials API.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](pullpass::ErrorKind::Protocol) when there is no token, or it has
    /// expired.
    pub(super) fn from_iam(reply: &Reply, clock: &Clock) -> Result<Self, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Response {
            access_token: Option<String>,
            expire_time: Option<String>,
        }
        let response: Response = reply.json()?;
        let expires = match response.expire_time.as_deref() {
            None => None,
            Some(said) => Some(
                rfc3339(said).ok_or_else(|| reply.unexpected("with an unreadable `expireTime`"))?,
            ),
        };
        let token = response.access_token.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| reply.unexpected("without an access token"))?;
        Self::new(token.into(), expires, reply, clock)
    }

    fn new(
        secret: SecretString,
        expires: Option<SystemTime>,
        reply: &Reply,
        clock: &Clock,
    ) -> Result<Self, Error> {
        if expires.is_some_and(|expires| expires <= clock.now()) {
            return Err(Error::protocol(format!(
                "`{}` returned a token that has already expired",
                reply.target()
            ))
            .with_hint("check this node's clock"));
        }
        Ok(Self { secret, expires, server: reply.target().to_owned() })
    }
}
