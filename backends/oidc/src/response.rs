//! From the document that has the login to the response: password, user name, how long they are
//! kept, and for which images.

mod expiry;

use pullpass::{Cache, Context, Error, Image, Login, Response, Token, jwt_claim};
use secrecy::ExposeSecret as _;

use self::expiry::Lifetime;
use crate::engine::{Document, Values};
use crate::profile::{Exchange, Profile, Username};
use crate::registry::Registry;

/// The longest password and user name that are accepted, in bytes.
const MAX_PASSWORD: usize = 64 * 1024;
const MAX_USERNAME: usize = 1024;

/// The response for `image` on `registry`, and for the profile's further keys.
pub(crate) fn respond(
    profile: &Profile,
    registry: &Registry,
    image: &Image,
    login: &Login,
    cache: Cache,
) -> Response {
    let keys = auth_keys(profile, registry, image);
    Response::new(keys.map(|key| (key, login.clone())).collect::<Vec<_>>(), cache)
}

/// The keys of the response: what the login is for.
pub(crate) fn auth_keys(
    profile: &Profile,
    registry: &Registry,
    image: &Image,
) -> impl Iterator<Item = String> {
    std::iter::once(registry.auth_key(image)).chain(profile.auth_keys.iter().cloned())
}

/// The login in `document`, and how long it may be reused.
///
/// # Errors
/// Of the document's kind, when it has no usable login, or one that has expired.
pub(crate) fn read(
    document: &Document,
    profile: &Profile,
    values: &Values,
    cx: &Context,
) -> Result<(Login, Cache), Error> {
    let (fields, now) = (&profile.response, cx.clock.now());
    let password = document.text(&fields.password)?;
    if password.len() > MAX_PASSWORD {
        return Err(document.error(&format!("with a password of more than {MAX_PASSWORD} bytes")));
    }
    let username = read_username(document, profile, password, values, cx)?;
    let key = profile.cache_key;
    let cache = match Lifetime::read(document, fields, password, now)? {
        Lifetime::Until(end) => match fields.margin {
            None => Cache::until(key, end, now),
            Some(margin) => Cache::until_with_margin(key, end, now, margin),
        },
        // A file's password does not expire: the profile says how long it is kept.
        Lifetime::Unknown if matches!(profile.exchange, Exchange::File(_)) => {
            Cache::without_expiry(key, fields.max_cache_duration.unwrap_or_default())
        }
        Lifetime::Unknown | Lifetime::Unreadable => Cache::never(key),
    };
    let login = Login::new(username, password.to_owned())
        .map_err(|error| document.describe_login_error(error))?;
    Ok((login, fields.max_cache_duration.map_or(cache, |longest| cache.at_most(longest))))
}

/// The pod's token as the password. It is not cached here: the kubelet renews the token, and knows
/// when.
///
/// # Errors
/// When the user name is not valid.
pub(crate) fn build_passthrough_login(
    profile: &Profile,
    token: &Token,
    values: &Values,
    cx: &Context,
) -> Result<(Login, Cache), Error> {
    let token = token.secret().expose_secret();
    let username = read_username(&Document::from_pod_token(), profile, token, values, cx)?;
    Ok((Login::new(username, token.to_owned())?, Cache::never(profile.cache_key)))
}

/// The registry's user name.
fn read_username(
    document: &Document,
    profile: &Profile,
    password: &str,
    values: &Values,
    cx: &Context,
) -> Result<String, Error> {
    let (pointer, claim, pattern) = match &profile.response.username {
        Username::Fixed(template) => return values.render_user_name(template),
        Username::Answered { pointer, claim, pattern } => (pointer, claim, pattern),
    };
    let found = pointer.as_ref().and_then(|pointer| document.find_text(pointer));
    let from_claim = || jwt_claim(password, claim.as_deref()?).filter(|text| !text.is_empty());
    let Some(text) = found.map(str::to_owned).or_else(from_claim) else {
        // The rest of the answer, which the error may quote, may repeat the password.
        cx.http.sent_secrets().remember(password);
        return match (pointer, claim) {
            (Some(pointer), None) => document.text(pointer).map(str::to_owned),
            (Some(pointer), Some(claim)) => Err(document.error(&format!(
                "without a user name, neither at `{pointer}` nor as the claim `{claim}` of the password"
            ))),
            (None, claim) => Err(document.error(&format!(
                "with a password that is not a JWT with the claim `{}`",
                claim.as_deref().unwrap_or_default()
            ))),
        };
    };
    // A server may echo what it was sent. (A name that is in the password does not count as an echo.)
    if cx.http.sent_secrets().occur_in(&[&text]) {
        return Err(document.error("with a user name that repeats a secret"));
    }
    if text.len() > MAX_USERNAME {
        return Err(document.error(&format!("with a user name of more than {MAX_USERNAME} bytes")));
    }
    match pattern {
        None => Ok(text),
        Some(pattern) => match pattern.extract(&text, "username") {
            Some(name) => Ok(name.to_owned()),
            None => Err(document.error("with a user name that does not match the pattern")),
        },
    }
}
