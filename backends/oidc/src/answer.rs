//! The last answer, or the operator's file: password, user name, and how long they live.

use std::time::{Duration, SystemTime};

use pullpass::http::Spent;
use pullpass::{
    Cache, Clock, Error, ErrorKind, JwtExpiry, Login, Token, jwt_claim, jwt_expiry, rfc3339,
    seconds,
};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::identity;
use crate::profile::{Answer, Expiry, Profile, Username};
use crate::refusal;
use crate::values::Values;

/// Something with a login in it.
pub(crate) struct Document<'a> {
    pub(crate) body: Value,
    /// What it is called in messages: the URL that answered, or the file.
    pub(crate) name: &'a str,
    /// `answered 200`, or what else it did.
    pub(crate) verb: String,
    /// Who must act when it has no login.
    pub(crate) blame: ErrorKind,
}

impl Document<'_> {
    pub(crate) fn error(&self, what: &str) -> Error {
        Error::new(self.blame, format!("`{}` {} {what}", self.name, self.verb))
            .hint("check `response` in the profile against what this server answers")
    }

    /// The text at a JSON pointer.
    ///
    /// # Errors
    /// When there is none, with the server's own words.
    pub(crate) fn text(&self, pointer: &str, spent: &Spent) -> Result<String, Error> {
        let text = self.body.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            let error = self.error(&format!("without a text at `{pointer}`"));
            refusal::quote(error, &self.body, spent)
        })
    }
}

/// The login in `document`, and how long it may be reused.
///
/// # Errors
/// When it has no usable login, or one that is dead already.
pub(crate) fn read(
    document: &Document<'_>,
    profile: &Profile,
    values: &Values,
    clock: &Clock,
) -> Result<(Login, Cache), Error> {
    let (answer, now) = (&profile.answer, clock.now());
    let password = document.text(&answer.password, &values.spent)?;
    let username = username(&answer.username, document, &password, values)?;
    let cache = match expiry(document, &password, answer, now)? {
        None => Cache::never(profile.cache_key),
        Some(expires) => match answer.margin {
            None => Cache::until(profile.cache_key, expires, now),
            Some(margin) => Cache::until_with_margin(profile.cache_key, expires, now, margin),
        },
    };
    let login = Login::new(username, password).map_err(|error| {
        error
            .with_kind(document.blame)
            .during(format!(
                "`{}` {} with a login that cannot be used",
                document.name, document.verb
            ))
            .hint("check `response` in the profile against what this server answers")
    })?;
    Ok((login, answer.max_cache_duration.map_or(cache, |longest| cache.at_most(longest))))
}

/// The pod's token as the password. Not cached here: the kubelet renews the token, and knows
/// when.
///
/// # Errors
/// When the user name cannot be one.
pub(crate) fn passthrough(
    profile: &Profile,
    token: Option<&Token>,
    values: &Values,
) -> Result<(Login, Cache), Error> {
    let token = token.ok_or_else(|| identity::missing(profile))?.secret();
    let nothing = Document {
        body: Value::Null,
        name: "the pod's token",
        verb: "came".to_owned(),
        blame: ErrorKind::Identity,
    };
    let username = username(&profile.answer.username, &nothing, token.expose_secret(), values)?;
    Ok((Login::new(username, token.expose_secret())?, Cache::never(profile.cache_key)))
}

/// The login in an operator's file. Its password does not die by itself: it is kept only where
/// the profile says how long.
///
/// # Errors
/// Of kind Config, when it has none.
pub(crate) fn read_lasting(
    document: &Document<'_>,
    profile: &Profile,
    values: &Values,
    clock: &Clock,
) -> Result<(Login, Cache), Error> {
    let (login, cache) = read(document, profile, values, clock)?;
    let says = !matches!(profile.answer.expiry, Expiry::Fixed);
    Ok(match profile.answer.max_cache_duration {
        Some(longest) if !says => (login, Cache::lasting(profile.cache_key, longest)),
        _ => (login, cache),
    })
}

/// The registry's user name.
pub(crate) fn username(
    username: &Username,
    document: &Document<'_>,
    password: &str,
    values: &Values,
) -> Result<String, Error> {
    let (pointer, claim, pattern) = match username {
        Username::Fixed(template) => return Ok(template.text(values).to_string()),
        Username::Answered { pointer, claim, pattern } => (pointer, claim, pattern),
    };
    let at = |pointer: &String| match document.body.pointer(pointer) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let found = pointer.as_ref().and_then(at);
    let found =
        found.or_else(|| jwt_claim(password, claim.as_deref()?).filter(|it| !it.is_empty()));
    let Some(text) = found else {
        return match (pointer, claim) {
            (Some(pointer), None) => document.text(pointer, &values.spent),
            (Some(pointer), Some(claim)) => Err(document.error(&format!(
                "without a user name, neither at `{pointer}` nor as the claim `{claim}` of the password"
            ))),
            (None, claim) => Err(document.error(&format!(
                "with a password that has no claim `{}`",
                claim.as_deref().unwrap_or_default()
            ))),
        };
    };
    match pattern {
        None => Ok(text),
        Some(pattern) => match pattern.take(&text, "username") {
            Some(name) => Ok(name.to_owned()),
            None => Err(document.error("with a user name that does not match the pattern")),
        },
    }
}

/// When the password dies: what the answer says, and never later than its own `exp`
/// where it is a JWT. `None` when nobody knows.
fn expiry(
    document: &Document<'_>,
    password: &str,
    answer: &Answer,
    now: SystemTime,
) -> Result<Option<SystemTime>, Error> {
    let own = match jwt_expiry(password) {
        JwtExpiry::Unsaid => None,
        JwtExpiry::Unreadable => return Ok(None),
        JwtExpiry::At(expires) => Some(expires),
    };
    let said = said(document, &answer.expiry, now)?;
    let is_over = |end: Option<SystemTime>| end.is_some_and(|end| end <= now);
    // A life of zero seconds is a way to say "do not keep it".
    if is_over(own) || !matches!(answer.expiry, Expiry::Seconds(_)) && is_over(said) {
        return Err(Error::new(
            document.blame,
            format!("`{}` {} with a token that has expired already", document.name, document.verb),
        )
        .hint("check this node's clock, and the server's"));
    }
    Ok(match (said, own) {
        (Some(said), Some(own)) => Some(said.min(own)),
        (said, own) => said.or(own).or_else(|| now.checked_add(answer.default_lifetime?)),
    })
}

fn said(
    document: &Document<'_>,
    expiry: &Expiry,
    now: SystemTime,
) -> Result<Option<SystemTime>, Error> {
    let pointer = match expiry {
        Expiry::Seconds(at) | Expiry::Epoch(at) | Expiry::EpochMillis(at) | Expiry::Rfc3339(at) => {
            at
        }
        Expiry::Jwt | Expiry::Fixed => return Ok(None),
    };
    let value = match document.body.pointer(pointer) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let since_epoch = |span: Duration| SystemTime::UNIX_EPOCH.checked_add(span);
    let (end, form) = match expiry {
        Expiry::Epoch(_) => {
            (epoch(value, 1.0).and_then(since_epoch), "number of seconds since 1970")
        }
        Expiry::EpochMillis(_) => {
            (epoch(value, 1000.0).and_then(since_epoch), "number of milliseconds since 1970")
        }
        Expiry::Rfc3339(_) => (value.as_str().and_then(rfc3339), "date of RFC 3339"),
        _ => match seconds(value) {
            Some(life) => match now.checked_add(life) {
                Some(end) => (Some(end), ""),
                None => return Err(invalid(document, pointer, "is out of range")),
            },
            None => (None, "number of seconds"),
        },
    };
    end.map(Some).ok_or_else(|| invalid(document, pointer, &format!("is no {form}")))
}

/// A point in time as a number, or as its digits in a string.
fn epoch(value: &Value, per_second: f64) -> Option<Duration> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        #[expect(clippy::cast_precision_loss, reason = "times of this age are exact")]
        Value::String(digits) => digits.parse::<u64>().ok()? as f64,
        _ => return None,
    };
    Duration::try_from_secs_f64((number / per_second).floor()).ok()
}

fn invalid(document: &Document<'_>, pointer: &str, why: &str) -> Error {
    Error::new(
        document.blame,
        format!("`{}` {} with a `{pointer}` that {why}", document.name, document.verb),
    )
    .hint("check `response.expiry` in the profile against what this server answers")
}
