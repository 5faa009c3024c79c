//! The answer: the login within AWS's token, and how long the kubelet may keep it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pullpass::secrecy::ExposeSecret as _;
use pullpass::secrecy::zeroize::Zeroizing;
use pullpass::{Cache, CacheKey, Clock, Error, ErrorKind, Image, Login, Response};

use crate::exchange::AuthorizationToken;

/// A token's life, as AWS documents it. With the expiry only, a node whose clock is slow
/// would keep a token that has expired.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The answer for the registry of `image`. It is kept until the token's own expiry, which a
/// shorter session in STS does not cut; a token without expiry is not kept.
///
/// # Errors
/// [`ErrorKind::Protocol`] when the token is not a login, or has expired already.
pub(crate) fn build(
    image: &Image,
    token: &AuthorizationToken,
    clock: &Clock,
) -> Result<Response, Error> {
    let login = decode_login(token)?;
    let now = clock.now();
    let cache = match token.expires {
        None => Cache::never(CacheKey::Registry),
        Some(expires) if expires > now => {
            Cache::until(CacheKey::Registry, expires.min(now + LIFETIME), now)
        }
        Some(expires) => {
            let past = now.duration_since(expires).unwrap_or_default().as_secs();
            return Err(Error::protocol(format!("AWS sent a token that expired {past} s ago"))
                .with_hint(
                    "check this node's clock; if it is right, check for a caching proxy between \
                     this node and AWS",
                ));
        }
    };
    Ok(Response::for_registry_of(image, login, cache))
}

fn decode_login(token: &AuthorizationToken) -> Result<Login, Error> {
    const HINT: &str = "check for a proxy between this node and AWS that changes answers";
    let broken =
        |why: &str| Error::protocol(format!("AWS sent a token that {why}")).with_hint(HINT);
    let bytes = Zeroizing::new(
        STANDARD.decode(token.token.expose_secret()).map_err(|_| broken("is not base64"))?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| broken("is not UTF-8"))?;
    let (user, password) =
        text.split_once(':').ok_or_else(|| broken("has no user name and password"))?;
    // A login that core refuses is an error of AWS here.
    Login::new(user, password).map_err(|error| {
        error
            .with_kind(ErrorKind::Protocol)
            .context("AWS sent a token that is not a login")
            .with_hint(HINT)
    })
}
