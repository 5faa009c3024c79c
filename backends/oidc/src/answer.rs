//! The token endpoint's answer: password, user name, and how long they live.

use std::time::SystemTime;

use pullpass::http::{Reply, Spent};
use pullpass::{Cache, Context, Error, JwtExpiry, Login, jwt_expiry, seconds};
use serde_json::Value;

use crate::profile::{Answer, Profile, TokenExchange, Username};
use crate::refusal;

/// The login in `reply`, and how long it may be reused.
///
/// # Errors
/// Protocol, when the answer has no usable login, or one that is dead already.
pub(crate) fn read(
    reply: &Reply,
    spent: &Spent,
    exchange: &TokenExchange,
    profile: &Profile,
    cx: &Context,
) -> Result<(Login, Cache), Error> {
    let (answer, now) = (&exchange.answer, cx.clock.now());
    let body: Value = reply.json()?;
    let password = text(&body, &answer.password, reply, spent)?;
    let username = match &answer.username {
        Username::Fixed(name) => name.as_str(),
        Username::Pointer(pointer) => text(&body, pointer, reply, spent)?,
    };
    let cache = match expiry(&body, password, answer, reply, now)? {
        None => Cache::never(profile.cache_key),
        Some(expires) => match answer.margin {
            None => Cache::until(profile.cache_key, expires, now),
            Some(margin) => Cache::until_with_margin(profile.cache_key, expires, now, margin),
        },
    };
    let login = Login::new(username, password).map_err(|error| {
        error
            .during(format!("`{}` answered with a login that cannot be used", reply.target()))
            .hint("check `response` in the profile against what this server answers")
    })?;
    Ok((login, cache.at_most(answer.max_cache_duration)))
}

fn text<'a>(
    body: &'a Value,
    pointer: &str,
    reply: &Reply,
    spent: &Spent,
) -> Result<&'a str, Error> {
    if let Some(text) = body.pointer(pointer).and_then(Value::as_str).filter(|t| !t.is_empty()) {
        return Ok(text);
    }
    let error = Error::protocol(format!(
        "`{}` answered {} without a text at `{pointer}`",
        reply.target(),
        reply.status()
    ))
    .hint("check `response` in the profile against what this server answers");
    Err(refusal::quote(error, reply, spent))
}

/// When the password dies: what the answer says, and never later than its own `exp`
/// where it is a JWT. `None` when nobody knows.
fn expiry(
    body: &Value,
    password: &str,
    answer: &Answer,
    reply: &Reply,
    now: SystemTime,
) -> Result<Option<SystemTime>, Error> {
    let invalid = |why: &str| {
        let (target, pointer) = (reply.target(), &answer.expires_in);
        Error::protocol(format!("`{target}` answered with a `{pointer}` that {why}"))
            .hint("check `response.expiry` in the profile against what this server answers")
    };
    let said = match body.pointer(&answer.expires_in) {
        None | Some(Value::Null) => None,
        Some(value) => Some(seconds(value).ok_or_else(|| invalid("is no number of seconds"))?),
    };
    let said = match said {
        None => None,
        Some(life) => Some(now.checked_add(life).ok_or_else(|| invalid("is out of range"))?),
    };
    let own = match jwt_expiry(password) {
        JwtExpiry::Unsaid => None,
        JwtExpiry::Unreadable => return Ok(None),
        JwtExpiry::At(expires) => Some(expires),
    };
    if own.is_some_and(|expires| expires <= now) {
        return Err(Error::protocol(format!(
            "`{}` answered with a token that has expired already",
            reply.target()
        ))
        .hint("check this node's clock, and the server's"));
    }
    Ok(match (said, own) {
        (Some(said), Some(own)) => Some(said.min(own)),
        (said, own) => said.or(own).or_else(|| now.checked_add(answer.default_lifetime?)),
    })
}
