//! When a password expires.

use std::time::{Duration, SystemTime};

use pullpass::{Error, JwtExpiry, jwt_expiry, rfc3339, seconds};
use serde_json::Value;
use tracing::warn;

use crate::engine::Document;
use crate::profile::{Expiry, Pointer, ResponseFields};

/// An expiry that is farther away has another form than the profile says: milliseconds for
/// seconds, or a date for a lifetime.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// How long a password lives.
pub(super) enum Lifetime {
    Until(SystemTime),
    /// Neither the answer nor the profile has it.
    Unknown,
    /// It is in the password itself, in a form that cannot be read: do not rely on any other.
    Unreadable,
}

impl Lifetime {
    /// What the answer says, and never longer than the password's own `exp` where it is a JWT.
    ///
    /// # Errors
    /// Of the document's kind, when the expiry cannot be read, or is over.
    pub(super) fn read(
        document: &Document,
        fields: &ResponseFields,
        password: &str,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let own = match jwt_expiry(password) {
            JwtExpiry::Missing => None,
            JwtExpiry::Unreadable => return Ok(Self::Unreadable),
            JwtExpiry::At(expires) => Some(expires),
        };
        let answered = read_answered(document, fields, now)?;
        let is_over = |end: Option<SystemTime>| end.is_some_and(|end| end <= now);
        // A lifetime of zero seconds is a way to say "do not keep it".
        let may_be_zero = matches!(fields.expiry, Expiry::Seconds(_));
        if is_over(own) || !may_be_zero && is_over(answered) {
            return Err(document
                .error("with a token that has expired already")
                .with_hint("check this node's clock, and the server's"));
        }
        let end = match (answered, own) {
            (Some(answered), Some(own)) => Some(answered.min(own)),
            (answered, own) => answered.or(own),
        };
        let end = end.or_else(|| now.checked_add(fields.default_lifetime?));
        if let (None, Some(pointer)) = (end, fields.expiry.pointer()) {
            warn!(
                "no expiry at `{pointer}` of the answer: the login is not kept, and every pull \
                 makes the exchange; if the password has a known lifetime, set \
                 `response.expiry.default`"
            );
        }
        Ok(end.map_or(Self::Unknown, Self::Until))
    }
}

/// The end that the answer has, or the profile in its place.
fn read_answered(
    document: &Document,
    fields: &ResponseFields,
    now: SystemTime,
) -> Result<Option<SystemTime>, Error> {
    let Some(pointer) = fields.expiry.pointer() else {
        let lifetime = fields.default_lifetime.filter(|_| fields.expiry == Expiry::Fixed);
        return Ok(lifetime.and_then(|lifetime| now.checked_add(lifetime)));
    };
    let Some(value) = document.value(pointer) else { return Ok(None) };
    let since_epoch = |span: Duration| SystemTime::UNIX_EPOCH.checked_add(span);
    let (end, form) = match &fields.expiry {
        Expiry::Epoch(_) => (epoch(value, 1.0).map(since_epoch), "number of seconds since 1970"),
        Expiry::EpochMillis(_) => {
            (epoch(value, 1000.0).map(since_epoch), "number of milliseconds since 1970")
        }
        Expiry::Rfc3339(_) => (value.as_str().and_then(rfc3339).map(Some), "date of RFC 3339"),
        _ => (seconds(value).map(|life| now.checked_add(life)), "number of seconds"),
    };
    let end = end.ok_or_else(|| invalid(document, pointer, &format!("is not a {form}")))?;
    let is_near = |end: &SystemTime| end.duration_since(now).unwrap_or_default() < MAX_LIFETIME;
    match end.filter(is_near) {
        Some(end) => Ok(Some(end)),
        None => Err(invalid(document, pointer, "is out of range: check `response.expiry.format`")),
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

fn invalid(document: &Document, pointer: &Pointer, why: &str) -> Error {
    document
        .error(&format!("with a `{pointer}` that {why}"))
        .with_hint("check `response.expiry` in the profile against what this server answers")
}
