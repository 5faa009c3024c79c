//! Access tokens: random texts, which only their issuer can tell anything about.

use serde_json::{Value, json};

use super::Google;
use super::call::Service;
use crate::fakes::clock;
use crate::jwt;

/// The scope that is good for everything.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Seconds that a token lives if nothing says otherwise.
pub(super) const LIFETIME: i64 = 3599;

/// How a service's tokens are; change what a test is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TokenAnswer {
    /// What `expires_in` or `expireTime` says.
    pub expires: Expires,
    /// So many random bytes more: a federated token can have 12 KiB.
    pub padding: usize,
}

/// The end of a token, as its answer says it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Expires {
    /// As the service has it: 3599 seconds, for STS no longer than the token that was exchanged,
    /// for IAM what was asked for.
    #[default]
    Usual,
    /// So many seconds after the service's now.
    In(i64),
    /// Left out; the token ends as usual.
    Missing,
    /// This JSON; the token ends as usual.
    Raw(Value),
}

/// A token that was handed out.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// The token itself.
    pub value: String,
    /// Whose it is: `principal://...` of a pool, or `serviceAccount:EMAIL`.
    pub principal: String,
    /// The `sub` that it was exchanged for, if it was.
    pub subject: Option<String>,
    /// Who handed it out.
    pub minted_by: Service,
    /// The universe that it is good in.
    pub universe: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// Its end by the service's clock, in seconds of the Unix epoch.
    pub expires: i64,
}

impl Token {
    /// Whether it is good for one of these scopes.
    pub(super) fn allows(&self, scopes: &[&str]) -> bool {
        self.scopes.iter().any(|scope| scope == CLOUD_PLATFORM || scopes.contains(&scope.as_str()))
    }
}

/// Builds a token.
pub(super) struct Grant<'a> {
    pub(super) service: Service,
    pub(super) principal: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) universe: &'a str,
    pub(super) scopes: Vec<String>,
    /// Seconds, as usual.
    pub(super) lifetime: i64,
}

/// A token, and its end as the answer says it.
pub(super) struct Minted {
    pub(super) value: String,
    pub(super) expires: Option<Value>,
}

impl Grant<'_> {
    /// Hands it out; a call remembers to whom.
    pub(super) fn mint(self, google: &Google, call: Option<usize>) -> Minted {
        let answer = call.map(|_| google.token_answer(self.service));
        let TokenAnswer { expires, padding } = answer.unwrap_or_default();
        let seconds = if let Expires::In(seconds) = expires { seconds } else { self.lifetime };
        let ends = google.now() + seconds;
        let kind = if self.service == Service::Sts { "d" } else { "c" };
        // Without padding, short enough for a registry with a password file.
        let value = format!("ya29.{kind}.{}", jwt::random_text(40 + padding));
        let expires = match expires {
            Expires::Raw(value) => Some(value),
            Expires::Missing => None,
            _ if self.service == Service::IamCredentials => Some(json!(clock::rfc3339(ends))),
            // Measured by others: a token with two seconds to live has no `expires_in`.
            Expires::Usual if seconds <= 2 => None,
            _ => Some(json!(seconds)),
        };
        if let Some(id) = call {
            google.log().update(id, |call| {
                call.principal = Some(self.principal.to_owned());
                call.subject = self.subject.map(str::to_owned);
            });
        }
        google.hand_out(Token {
            value: value.clone(),
            principal: self.principal.to_owned(),
            subject: self.subject.map(str::to_owned),
            minted_by: self.service,
            universe: self.universe.to_owned(),
            scopes: self.scopes,
            expires: ends,
        });
        Minted { value, expires }
    }
}
