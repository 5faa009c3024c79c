//! The login as the kubelet's response.

use std::time::{Duration, SystemTime};

use pullpass::{Cache, CacheKey, Clock, Image, Login, Response};

use crate::registry;
use crate::settings::Settings;

/// A token with less time left is used once and not cached: the metadata server returns tokens
/// until they expire.
const NEARLY_DEAD: Duration = Duration::from_secs(60);

/// No Google token is valid for longer, whatever an answer says.
/// Source: IAM, "Create short-lived credentials for a service account".
const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// The response with `login`, under the image's own host. It is kept until shortly before the
/// token expires, and not longer than the operator allows; without an expiry, not at all.
pub(crate) fn for_image(
    login: Login,
    expires: Option<SystemTime>,
    image: &Image,
    settings: &Settings,
    clock: &Clock,
) -> Response {
    let (key, now) = (settings.cache_key, clock.now());
    let cache = match expires {
        Some(expires) if expires > now + NEARLY_DEAD => Cache::until(key, expires, now),
        _ => Cache::never(key),
    };
    let cache = cache.at_most(settings.longest_cache.unwrap_or(LONGEST).min(LONGEST));
    let mut auth = vec![(image.registry().to_owned(), login.clone())];
    if key == CacheKey::Global {
        // The one answer is used for every image that the provider is asked about.
        let named = settings.hosts.named().iter().map(String::as_str);
        for host in registry::keys(&settings.universe).iter().copied().chain(named) {
            auth.push((host.to_owned(), login.clone()));
        }
    }
    Response::new(auth, cache)
}
