//! An access token of Google's, and when it ends.

use std::time::SystemTime;

use pullpass::http::Reply;
use pullpass::{Clock, Error, rfc3339, seconds};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

/// What tokens are good for: everything that IAM allows. Registries want this scope, or that of
/// Cloud Storage for reading, which STS does not know.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// What Google gave.
pub(crate) struct AccessToken {
    pub(crate) secret: SecretString,
    /// `None` where it does not say: then it is not kept.
    pub(crate) expires: Option<SystemTime>,
    /// The URL that gave it: for messages.
    pub(crate) server: String,
}

impl AccessToken {
    /// Reads an answer in OAuth's form (RFC 6749 §5.1).
    ///
    /// # Errors
    /// Of kind Protocol, when there is no token, or it is none to be shown as it is.
    pub(super) fn from_oauth(reply: &Reply, clock: &Clock) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Response {
            access_token: Option<String>,
            token_type: Option<String>,
            expires_in: Option<Value>,
        }
        let response: Response = reply.json()?;
        if response.token_type.is_some_and(|it| !it.eq_ignore_ascii_case("bearer")) {
            return Err(protocol_error(reply, "a token that is not a bearer token"));
        }
        let expires = match &response.expires_in {
            None => None,
            Some(said) => {
                let life = seconds(said)
                    .ok_or_else(|| protocol_error(reply, "an unreadable `expires_in`"))?;
                clock.now().checked_add(life)
            }
        };
        Self::new(response.access_token, expires, reply, clock)
    }

    /// Reads an answer of the IAM Service Account Credentials API.
    ///
    /// # Errors
    /// Of kind Protocol, when there is no token.
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
                rfc3339(said).ok_or_else(|| protocol_error(reply, "an unreadable `expireTime`"))?,
            ),
        };
        Self::new(response.access_token, expires, reply, clock)
    }

    fn new(
        token: Option<String>,
        expires: Option<SystemTime>,
        reply: &Reply,
        clock: &Clock,
    ) -> Result<Self, Error> {
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| protocol_error(reply, "no access token"))?;
        if expires.is_some_and(|expires| expires <= clock.now()) {
            return Err(Error::protocol(format!(
                "`{}` returned a token that has already expired",
                reply.target()
            ))
            .with_hint("check this node's clock"));
        }
        Ok(Self { secret: token.into(), expires, server: reply.target().to_owned() })
    }
}

fn protocol_error(reply: &Reply, what: &str) -> Error {
    Error::protocol(format!("`{}` answered {} with {what}", reply.target(), reply.status()))
        .with_hint("check for a proxy or firewall between this node and Google")
}
