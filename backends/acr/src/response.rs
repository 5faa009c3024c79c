//! The registry's token as the kubelet's response.

use pullpass::{
    Cache, CacheKey, Clock, Error, ErrorKind, Image, JwtExpiry, Login, Response, jwt_expiry,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::login_target::LoginTarget;
use crate::settings::Settings;

/// The user name that goes with a token of the registry.
/// Source: Azure Container Registry, "Authenticate with `az acr login --expose-token`".
const USER: &str = "00000000-0000-0000-0000-000000000000";

/// Every ACR registry, for logins without user and password.
const EVERY_REGISTRY: &str = "*.azurecr.*";

/// The response with a token of the registry. It is kept until the token expires, and not
/// longer than the operator allows.
///
/// # Errors
/// [`ErrorKind::Protocol`] when the token cannot be a password, or has expired.
pub(crate) fn with_token(
    token: &SecretString,
    key: CacheKey,
    image: &Image,
    target: &LoginTarget,
    settings: &Settings,
    clock: &Clock,
) -> Result<Response, Error> {
    let now = clock.now();
    let cache = match jwt_expiry(token.expose_secret()) {
        JwtExpiry::At(expires) if expires > now => {
            Cache::until(key, expires, now).at_most(settings.longest_cache)
        }
        JwtExpiry::At(_) => {
            return Err(Error::protocol("the registry returned a token that has already expired")
                .with_hint("check this node's clock"));
        }
        // It does not say how long it is valid: ask again for the next pull.
        JwtExpiry::Missing | JwtExpiry::Unreadable => Cache::never(key),
    };
    let login = Login::new(USER, token.expose_secret()).map_err(|error| {
        error
            .with_kind(ErrorKind::Protocol)
            .context(format!(
                "`{}` returned a token that cannot be used as a password",
                target.server.host()
            ))
            .with_hint("unexpected answer: check for a proxy, a login page or a wrong URL")
    })?;
    Ok(with_login(login, image, target, settings, cache))
}

/// The response with the service principal's own secret, which has no expiry that we know.
///
/// # Errors
/// [`ErrorKind::Config`] when the secret cannot be a password.
pub(crate) fn with_secret(
    username: &str,
    password: &SecretString,
    image: &Image,
    target: &LoginTarget,
    settings: &Settings,
) -> Result<Response, Error> {
    let cache = Cache::without_expiry(CacheKey::Registry, settings.longest_cache);
    let login = Login::new(username, password.expose_secret()).map_err(|error| {
        error.with_kind(ErrorKind::Config).with_hint("check its ID and its secret")
    })?;
    Ok(with_login(login, image, target, settings, cache))
}

/// Under the image's own host as it was sent, and under the registry's where that is another:
/// the runtime may ask for either.
fn with_login(
    login: Login,
    image: &Image,
    target: &LoginTarget,
    settings: &Settings,
    cache: Cache,
) -> Response {
    let mut auth = vec![(image.registry().to_owned(), login.clone())];
    if target.mirrored {
        auth.push((target.server.host().to_owned(), login));
    }
    if settings.anonymous_key {
        auth.push((EVERY_REGISTRY.to_owned(), Login::anonymous()));
    }
    Response::new(auth, cache)
}
