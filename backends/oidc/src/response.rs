//! The last answer, or the operator's file: password, user name, and how long they live.

use std::time::{Duration, SystemTime};

use pullpass::http::SentSecrets;
use pullpass::{
    Cache, Clock, Error, ErrorKind, JwtExpiry, Login, Token, jwt_claim, jwt_expiry, rfc3339,
    seconds,
};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::engine::error_response;
use crate::engine::run;
use crate::engine::values::Values;
use crate::identity;
use crate::profile::{Answer, Expiry, Profile, Username};

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
        let error = Error::new(self.blame, format!("`{}` {} {what}", self.name, self.verb));
        match self.blame {
            ErrorKind::Config => {
                error.with_hint("check the file against `response` in the profile")
            }
            _ => {
                error.with_hint("check `response` in the profile against what this server answers")
            }
        }
    }

    /// The text at a JSON pointer.
    ///
    /// # Errors
    /// When there is none, with the server's own words.
    pub(crate) fn text(&self, pointer: &str, sent: &SentSecrets) -> Result<String, Error> {
        let text = self.body.pointer(pointer).and_then(Value::as_str).filter(|it| !it.is_empty());
        text.map(str::to_owned).ok_or_else(|| {
            let error = self.error(&format!("without a text at `{pointer}`"));
            error_response::quote(error, &self.body, sent)
        })
    }
}

/// The login in `document`, and how long it may be reused. `lasting`: a password that does not
/// say when it ends does not end, and is kept as long as the profile says.
///
/// # Errors
/// When it has no usable login, or one that is dead already.
pub(crate) fn read(
    document: &Document<'_>,
    profile: &Profile,
    values: &Values,
    lasting: bool,
    clock: &Clock,
) -> Result<(Login, Cache), Error> {
    let (answer, now) = (&profile.answer, clock.now());
    let password = document.text(&answer.password, &values.sent)?;
    if password.len() > LONGEST_PASSWORD {
        return Err(document.error("with a password that is longer than any"));
    }
    // What it answered besides may repeat it.
    let sent = values.sent.clone();
    sent.remember(&password);
    let username = username(&answer.username, document, &password, values, &sent)?;
    let (key, longest) = (profile.cache_key, answer.max_cache_duration);
    let cache = match (end(document, &password, answer, now)?, answer.margin) {
        (End::At(end), None) => Cache::until(key, end, now),
        (End::At(end), Some(margin)) => Cache::until_with_margin(key, end, now, margin),
        (End::Unsaid, _) if lasting => Cache::lasting(key, longest.unwrap_or_default()),
        (End::Unsaid | End::Unreadable, _) => Cache::never(key),
    };
    let login = Login::new(username, password).map_err(|error| {
        error
            .with_kind(document.blame)
            .context(format!(
                "`{}` {} with a login that cannot be used",
                document.name, document.verb
            ))
            .with_hint("check `response` in the profile against what this server answers")
    })?;
    Ok((login, longest.map_or(cache, |longest| cache.at_most(longest))))
}

/// The longest password and user name that are taken, in bytes.
const LONGEST_PASSWORD: usize = 64 * 1024;
const LONGEST_USERNAME: usize = 1024;

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
    let name = &profile.answer.username;
    let username = username(name, &nothing, token.expose_secret(), values, &values.sent)?;
    Ok((Login::new(username, token.expose_secret())?, Cache::never(profile.cache_key)))
}

/// The registry's user name.
fn username(
    username: &Username,
    document: &Document<'_>,
    password: &str,
    values: &Values,
    sent: &SentSecrets,
) -> Result<String, Error> {
    let (pointer, claim, pattern) = match username {
        Username::Fixed(template) => return run::user_name(template, values),
        Username::Answered { pointer, claim, pattern } => (pointer, claim, pattern),
    };
    let at = |pointer: &String| document.body.pointer(pointer)?.as_str().map(str::to_owned);
    let found = pointer.as_ref().and_then(at).filter(|it| !it.is_empty());
    let found =
        found.or_else(|| jwt_claim(password, claim.as_deref()?).filter(|it| !it.is_empty()));
    let Some(text) = found else {
        return match (pointer, claim) {
            (Some(pointer), None) => document.text(pointer, sent),
            (Some(pointer), Some(claim)) => Err(document.error(&format!(
                "without a user name, neither at `{pointer}` nor as the claim `{claim}` of the password"
            ))),
            (None, claim) => Err(document.error(&format!(
                "with a password that has no claim `{}`",
                claim.as_deref().unwrap_or_default()
            ))),
        };
    };
    // A server may echo what it was sent. (`sent` has the password too, which holds the claim.)
    if values.sent.occur_in(&[&text]) {
        return Err(document.error("with a user name that repeats a secret"));
    }
    if text.len() > LONGEST_USERNAME {
        return Err(document.error("with a user name that is longer than any"));
    }
    match pattern {
        None => Ok(text),
        Some(pattern) => match pattern.take(&text, "username") {
            Some(name) => Ok(name.to_owned()),
            None => Err(document.error("with a user name that does not match the pattern")),
        },
    }
}

/// When a password dies.
enum End {
    At(SystemTime),
    /// Nobody says.
    Unsaid,
    /// It says so itself, and not readably: do not rely on any life.
    Unreadable,
}

/// What the answer says, and never later than the password's own `exp` where it is a JWT.
fn end(
    document: &Document<'_>,
    password: &str,
    answer: &Answer,
    now: SystemTime,
) -> Result<End, Error> {
    let own = match jwt_expiry(password) {
        JwtExpiry::Unsaid => None,
        JwtExpiry::Unreadable => return Ok(End::Unreadable),
        JwtExpiry::At(expires) => Some(expires),
    };
    let said = said(document, answer, now)?;
    let is_over = |end: Option<SystemTime>| end.is_some_and(|end| end <= now);
    // A life of zero seconds is a way to say "do not keep it".
    if is_over(own) || !matches!(answer.expiry, Expiry::Seconds(_)) && is_over(said) {
        return Err(Error::new(
            document.blame,
            format!("`{}` {} with a token that has expired already", document.name, document.verb),
        )
        .with_hint("check this node's clock, and the server's"));
    }
    let end = match (said, own) {
        (Some(said), Some(own)) => Some(said.min(own)),
        (said, own) => said.or(own).or_else(|| now.checked_add(answer.default_lifetime?)),
    };
    Ok(end.map_or(End::Unsaid, End::At))
}

/// An answer that is good for longer has another form than the profile thinks: milliseconds for
/// seconds, or a date for a life.
const FARTHEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

fn said(
    document: &Document<'_>,
    answer: &Answer,
    now: SystemTime,
) -> Result<Option<SystemTime>, Error> {
    let pointer = match &answer.expiry {
        Expiry::Seconds(at) | Expiry::Epoch(at) | Expiry::EpochMillis(at) | Expiry::Rfc3339(at) => {
            at
        }
        Expiry::Jwt => return Ok(None),
        Expiry::Fixed => return Ok(answer.default_lifetime.and_then(|life| now.checked_add(life))),
    };
    let value = match document.body.pointer(pointer) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let since_epoch = |span: Duration| SystemTime::UNIX_EPOCH.checked_add(span);
    let (end, form) = match &answer.expiry {
        Expiry::Epoch(_) => (epoch(value, 1.0).map(since_epoch), "number of seconds since 1970"),
        Expiry::EpochMillis(_) => {
            (epoch(value, 1000.0).map(since_epoch), "number of milliseconds since 1970")
        }
        Expiry::Rfc3339(_) => (value.as_str().and_then(rfc3339).map(Some), "date of RFC 3339"),
        _ => (seconds(value).map(|life| now.checked_add(life)), "number of seconds"),
    };
    let end = end.ok_or_else(|| invalid(document, pointer, &format!("is no {form}")))?;
    let is_near = |end: &SystemTime| end.duration_since(now).unwrap_or_default() < FARTHEST;
    match end.filter(is_near) {
        Some(end) => Ok(Some(end)),
        None => Err(invalid(document, pointer, "is out of range: is `format` the right one?")),
    }
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
    .with_hint("check `response.expiry` in the profile against what this server answers")
}
