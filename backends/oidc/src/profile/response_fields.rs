//! Where in the answer the login is.

use std::time::Duration;

use super::compile_context::CompileContext;
use super::field::{Pointer, Span};
use super::pattern::Pattern;
use super::raw::{RawExpiry, RawFormat, RawResponse, RawType, RawUsername};
use super::template::{Position, Template};

/// How long a server's answer is reused at most, unless the profile says otherwise.
const DEFAULT_MAX_CACHE: Duration = Duration::from_secs(24 * 3600);

/// Where in the answer the login is, and how long it is reused.
pub(crate) struct ResponseFields {
    pub(crate) username: Username,
    pub(crate) password: Pointer,
    pub(crate) expiry: Expiry,
    /// The lifetime of a password whose expiry is not in the answer.
    pub(crate) default_lifetime: Option<Duration>,
    pub(crate) margin: Option<Duration>,
    /// `None`: as long as the password lives.
    pub(crate) max_cache_duration: Option<Duration>,
}

/// Where an answer has the password's expiry, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// A number of seconds from now.
    Seconds(Pointer),
    /// Seconds since the epoch.
    Epoch(Pointer),
    /// Milliseconds since the epoch.
    EpochMillis(Pointer),
    /// A date of RFC 3339.
    Rfc3339(Pointer),
    /// Only in the password itself, a JWT.
    Jwt,
    /// Not in the answer: the profile has the lifetime.
    Fixed,
}

impl Expiry {
    /// Where in the answer it is.
    pub(crate) fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Seconds(at) | Self::Epoch(at) | Self::EpochMillis(at) | Self::Rfc3339(at) => {
                Some(at)
            }
            Self::Jwt | Self::Fixed => None,
        }
    }
}

/// The user name.
pub(crate) enum Username {
    /// This one.
    Fixed(Template),
    /// The one that the answer has.
    Answered {
        pointer: Option<Pointer>,
        /// A claim of the password, a JWT, where there is nothing at `pointer`.
        claim: Option<String>,
        /// What of it is used.
        pattern: Option<Pattern>,
    },
}

impl RawResponse {
    /// The fields for an exchange of the type `kind`.
    ///
    /// # Errors
    /// The first field of `response` that is not valid, or not for this type.
    pub(super) fn compile(
        self,
        kind: RawType,
        context: &CompileContext<'_>,
    ) -> Result<ResponseFields, String> {
        if kind == RawType::Passthrough
            && (self.password.is_some()
                || self.expiry.is_some()
                || self.margin.is_some()
                || self.max_cache_duration.is_some())
        {
            return Err("`passthrough` has no answer: `response` can only have `username`, `authKeys` and `cacheKeyType`".to_owned());
        }
        let max_cache_duration = self.max_cache_duration.map(|span| span.0);
        let mut expiry = self.expiry.unwrap_or_default();
        let default = expiry.default.take().map(|default| default.resolve(context.scope));
        let default_lifetime: Option<Span> =
            default.transpose().map_err(|why| format!("`response.expiry.default`: {why}"))?;
        Ok(ResponseFields {
            username: match self.username {
                Some(username) => username.compile(kind, context)?,
                None => default_username(kind),
            },
            password: self.password.map(|password| password.pointer).unwrap_or_else(|| {
                Pointer::from_static(match kind {
                    RawType::Static => "/password",
                    _ => "/access_token",
                })
            }),
            expiry: expiry.compile(kind, default_lifetime.is_some())?,
            default_lifetime: default_lifetime.map(|span| span.0),
            margin: self.margin.map(|span| span.0),
            max_cache_duration: match kind {
                // It does not expire by itself: without a lifetime it is not reused.
                RawType::Static => max_cache_duration,
                _ => Some(max_cache_duration.unwrap_or(DEFAULT_MAX_CACHE)),
            },
        })
    }
}

impl RawExpiry {
    fn compile(self, kind: RawType, has_default: bool) -> Result<Expiry, String> {
        Ok(match (self.format, self.pointer) {
            (None, None) if kind == RawType::Static => Expiry::Fixed,
            (None | Some(RawFormat::Seconds), pointer) => {
                Expiry::Seconds(pointer.unwrap_or_else(|| Pointer::from_static("/expires_in")))
            }
            (Some(RawFormat::JwtExp), None) => Expiry::Jwt,
            (Some(RawFormat::Fixed), None) if !has_default => {
                return Err("`response.expiry` of the format `fixed` needs `default`".to_owned());
            }
            (Some(RawFormat::Fixed), None) => Expiry::Fixed,
            (Some(RawFormat::JwtExp | RawFormat::Fixed), Some(_)) => {
                return Err("`response.expiry.pointer` cannot be used with this format".to_owned());
            }
            (Some(_), None) => return Err("`response.expiry` needs `pointer`".to_owned()),
            (Some(RawFormat::Epoch), Some(at)) => Expiry::Epoch(at),
            (Some(RawFormat::EpochMillis), Some(at)) => Expiry::EpochMillis(at),
            (Some(RawFormat::Rfc3339), Some(at)) => Expiry::Rfc3339(at),
        })
    }
}

fn default_username(kind: RawType) -> Username {
    match kind {
        RawType::Static => Username::Answered {
            pointer: Some(Pointer::from_static("/username")),
            claim: None,
            pattern: None,
        },
        // Most registries that take a token as the password ignore the name, but require one.
        _ => Username::Fixed(Template::from_text("token")),
    }
}

impl RawUsername {
    fn compile(self, kind: RawType, context: &CompileContext<'_>) -> Result<Username, String> {
        let Self { value, pointer, or_jwt_claim: claim, pattern } = self;
        match (value, pointer) {
            (Some(value), None) if claim.is_none() && pattern.is_none() => {
                let name = context.template("response.username", value, Position::User)?;
                let is_bad = |text: &str| text.is_empty() || text.contains([':', '\r', '\n', '\0']);
                match name.as_text().is_some_and(is_bad) {
                    true => {
                        Err("`response.username.value` is empty or contains `:` or a line break"
                            .to_owned())
                    }
                    false => Ok(Username::Fixed(name)),
                }
            }
            (None, Some(_)) if kind == RawType::Passthrough => {
                Err("`passthrough` has no answer: `response.username` needs a `value`".to_owned())
            }
            (None, pointer) if pointer.is_some() || claim.is_some() => {
                Ok(Username::Answered { pointer, claim, pattern })
            }
            _ => Err("`response.username` needs either `value` or `pointer`".to_owned()),
        }
    }
}
