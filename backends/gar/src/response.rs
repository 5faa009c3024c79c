//! Google's token as the kubelet's answer.

use std::time::Duration;

use pullpass::{Cache, CacheKey, Clock, Error, ErrorKind, Image, Login, Response};
use secrecy::ExposeSecret as _;

use crate::access_token::AccessToken;
use crate::settings::Settings;

/// The user name beside an access token.
/// Source: Artifact Registry, "Configure authentication to Artifact Registry for Docker".
const USER: &str = "oauth2accesstoken";

/// The same in the Go plugin.
const GO_USER: &str = "_token";

/// With less than this left a token is used once: the metadata server hands them out to the end.
const NEARLY_DEAD: Duration = Duration::from_secs(60);

/// No token of Google's lives longer, whatever an answer says.
/// Source: IAM, "Create short-lived credentials for a service account".
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The answer with `token`, under the image's own host. Kept until shortly before the token
/// ends, and not longer than the operator allows; where Google does not say when, not at all.
///
/// # Errors
/// Of kind Protocol, when the token cannot be a password.
pub(crate) fn for_image(
    token: &AccessToken,
    image: &Image,
    settings: &Settings,
    clock: &Clock,
) -> Result<Response, Error> {
    let (key, now) = (settings.cache_key, clock.now());
    let cache = match token.expires {
        Some(expires) if expires > now + NEARLY_DEAD => Cache::until(key, expires, now),
        _ => Cache::never(key),
    };
    let cache = cache.at_most(settings.longest_cache.unwrap_or(LONGEST).min(LONGEST));
    let user = match settings.token_username {
        true => GO_USER,
        false => USER,
    };
    let login = || {
        Login::new(user, token.secret.expose_secret()).map_err(|error| {
            error
                .with_kind(ErrorKind::Protocol)
                .context(format!("`{}` handed out a token that is no password", token.giver))
                .with_hint("check what stands between this node and Google")
        })
    };
    let mut auth = vec![(image.registry().to_owned(), login()?)];
    if key == CacheKey::Global {
        // The one answer is used for every image that the provider is asked about.
        let named = settings.hosts.named().iter().map(String::as_str);
        for host in settings.universe.registries().iter().copied().chain(named) {
            auth.push((host.to_owned(), login()?));
        }
    }
    Ok(Response::new(auth, cache))
}
