//! AWS's token as a registry login and its time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pullpass::{Cache, CacheKey, Clock, Error, ErrorKind, Login};
use secrecy::ExposeSecret as _;
use secrecy::zeroize::Zeroizing;

use crate::exchange::AuthorizationToken;

/// A token's life, as AWS documents it. Told by its end alone, a node whose clock is behind
/// would keep a dead one.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The login within the token, and how long it may be kept: until the token's own expiry,
/// which a shorter session in STS does not cut. A token without expiry is not kept.
///
/// # Errors
/// Of kind Protocol, when the token is no login, or has expired already.
pub(crate) fn read(granted: &AuthorizationToken, clock: &Clock) -> Result<(Login, Cache), Error> {
    let login = login(granted)?;
    let now = clock.now();
    let cache = match granted.expires {
        None => Cache::never(CacheKey::Registry),
        Some(expires) if expires > now => {
            Cache::until(CacheKey::Registry, expires.min(now + LIFETIME), now)
        }
        Some(expires) => {
            let past = now.duration_since(expires).unwrap_or_default().as_secs();
            return Err(Error::protocol(format!(
                "AWS handed out a token that expired {past} s ago"
            ))
            .with_hint("check this node's clock, and what stands between it and AWS"));
        }
    };
    Ok((login, cache))
}

fn login(granted: &AuthorizationToken) -> Result<Login, Error> {
    let broken = |why: &str| {
        Error::protocol(format!("AWS handed out a token that {why}"))
            .with_hint("check what stands between this node and AWS")
    };
    let bytes = Zeroizing::new(
        STANDARD.decode(granted.token.expose_secret()).map_err(|_| broken("is not base64"))?,
    );
    let text = std::str::from_utf8(&bytes).map_err(|_| broken("is not UTF-8"))?;
    let (user, password) =
        text.split_once(':').ok_or_else(|| broken("has no user name and password"))?;
    // What core finds wrong with a login is AWS's here.
    Login::new(user, password).map_err(|error| {
        error
            .with_kind(ErrorKind::Protocol)
            .context("AWS handed out a token that is no login")
            .with_hint("check what stands between this node and AWS")
    })
}
