//! The response that the kubelet reads from stdout.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

use crate::error::Error;
use crate::image::Image;
use crate::request::ApiVersion;
use pullpass_go_duration::GoDuration;

/// A credential is not cached closer to its end than this, or than a tenth of its life
/// where that is less.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// What the kubelet may log in with, and how long it may cache that.
///
/// Source: Kubernetes API reference, "Kubelet CredentialProvider (v1)",
/// `CredentialProviderResponse`.
#[derive(Clone, Debug)]
pub struct Response {
    auth: BTreeMap<String, Login>,
    cache: Cache,
}

/// A user name and password for a registry.
#[derive(Clone, Debug)]
pub struct Login {
    username: String,
    password: SecretString,
}

/// How the kubelet may reuse a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cache {
    key: CacheKey,
    duration: Duration,
}

/// For which other pulls the kubelet may use a cached response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CacheKey {
    /// For this image only.
    Image,
    /// For every image of this registry host.
    Registry,
    /// For every image that the provider is asked about.
    Global,
}

impl Response {
    /// One login, for every image of the registry that `image` is on.
    pub fn for_registry_of(image: &Image, login: Login, cache: Cache) -> Self {
        Self::new([(image.registry().to_owned(), login)], cache)
    }

    /// Logins by pattern, in the form of `matchImages`.
    ///
    /// A key must be as wide as the cache key: a `Registry` answer that names one
    /// repository leaves the next image of that registry without credentials.
    pub fn new(auth: impl IntoIterator<Item = (String, Login)>, cache: Cache) -> Self {
        Self { auth: auth.into_iter().collect(), cache }
    }

    /// No credentials, on purpose: the kubelet pulls anonymously or with other
    /// credentials, and asks again next time.
    pub fn none() -> Self {
        Self { auth: BTreeMap::new(), cache: Cache::never(CacheKey::Image) }
    }

    /// The logins, by pattern.
    pub fn auth(&self) -> &BTreeMap<String, Login> {
        &self.auth
    }

    /// How the kubelet may reuse this.
    pub fn cache(&self) -> Cache {
        self.cache
    }

    /// The bytes for stdout: one JSON object in the kubelet's own key order, and a newline.
    ///
    /// # Errors
    /// None that input can cause; the JSON writer's signature has one.
    pub fn to_json(&self, version: ApiVersion) -> Result<Vec<u8>, Error> {
        let mut bytes = serde_json::to_vec(&Wire { response: self, version })
            .map_err(|error| Error::protocol("cannot write the response").with_source(error))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

impl Login {
    /// Checks that a registry client can send these by HTTP Basic authentication.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) when either is empty or holds a line break or NUL, or when
    /// the user name holds a `:` (RFC 7617 §2).
    pub fn new(
        username: impl Into<String>,
        password: impl Into<SecretString>,
    ) -> Result<Self, Error> {
        let (username, password) = (username.into(), password.into());
        let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
        let fault = match (username.as_str(), password.expose_secret()) {
            ("", _) => "the user name is empty",
            (_, "") => "the password is empty",
            (name, _) if name.contains(':') => "the user name contains `:`",
            (name, word) if breaks(name) || breaks(word) => {
                "the user name or password contains a line break or NUL"
            }
            _ => return Ok(Self { username, password }),
        };
        Err(Error::protocol(format!("this login cannot be used: {fault}")))
    }

    /// Neither user name nor password: the registry is asked without a login. Only for
    /// configurations that rely on it; a key that is left out means the same.
    pub fn anonymous() -> Self {
        Self { username: String::new(), password: String::new().into() }
    }

    /// The user name.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password.
    pub fn password(&self) -> &SecretString {
        &self.password
    }
}

impl Cache {
    /// Not to be reused.
    pub const fn never(key: CacheKey) -> Self {
        Self { key, duration: Duration::ZERO }
    }

    /// For `duration`, in whole seconds, and only for a password that never expires by itself: a
    /// credential with an end takes [`until`](Self::until).
    pub const fn without_expiry(key: CacheKey, duration: Duration) -> Self {
        Self { key, duration: Duration::from_secs(duration.as_secs()) }
    }

    /// Until shortly before the credential expires at `expires`: less five minutes, or
    /// less a tenth of what is left when that is shorter. Whole seconds; zero when it
    /// has expired already.
    pub fn until(key: CacheKey, expires: SystemTime, now: SystemTime) -> Self {
        let left = expires.duration_since(now).unwrap_or_default();
        Self::until_with_margin(key, expires, now, MARGIN.min(left / 10))
    }

    /// Until `margin` before the credential expires at `expires`, in whole seconds.
    pub fn until_with_margin(
        key: CacheKey,
        expires: SystemTime,
        now: SystemTime,
        margin: Duration,
    ) -> Self {
        let left = expires.duration_since(now).unwrap_or_default().saturating_sub(margin);
        Self { key, duration: Duration::from_secs(left.as_secs()) }
    }

    /// The same, but never longer than `longest`.
    #[must_use]
    pub fn at_most(self, longest: Duration) -> Self {
        Self { duration: self.duration.min(longest), ..self }
    }

    /// For which other pulls it may be used.
    pub const fn key(self) -> CacheKey {
        self.key
    }

    /// How long it may be kept; zero means not at all.
    pub const fn duration(self) -> Duration {
        self.duration
    }
}

impl CacheKey {
    /// The kubelet's `cacheKeyType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "Image",
            Self::Registry => "Registry",
            Self::Global => "Global",
        }
    }
}

/// A response in one version: the only place where a password is written.
struct Wire<'a> {
    response: &'a Response,
    version: ApiVersion,
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let cache = self.response.cache;
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("kind", "CredentialProviderResponse")?;
        map.serialize_entry("apiVersion", self.version.as_str())?;
        map.serialize_entry("cacheKeyType", cache.key.as_str())?;
        map.serialize_entry("cacheDuration", &GoDuration::from(cache.duration).to_string())?;
        map.serialize_entry("auth", &WireAuth(&self.response.auth))?;
        map.end()
    }
}

struct WireAuth<'a>(&'a BTreeMap<String, Login>);

impl Serialize for WireAuth<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(pattern, login)| (pattern, WireLogin(login))))
    }
}

struct WireLogin<'a>(&'a Login);

impl Serialize for WireLogin<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("username", &self.0.username)?;
        map.serialize_entry("password", self.0.password.expose_secret())?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn cached_for(life: u64) -> u64 {
        let cache = Cache::until(CacheKey::Registry, NOW + Duration::from_secs(life), NOW);
        cache.duration().as_secs()
    }

    #[test]
    fn the_margin_is_five_minutes_or_a_tenth_when_shorter() {
        assert_eq!(cached_for(12 * 3600), 12 * 3600 - 300);
        assert_eq!(cached_for(3000), 2700);
        assert_eq!(cached_for(600), 540);
        assert_eq!(cached_for(15), 13);
        assert_eq!(cached_for(1), 0);
        assert_eq!(cached_for(0), 0);
    }

    #[test]
    fn a_dead_credential_is_never_cached() {
        let cache = Cache::until(CacheKey::Image, NOW, NOW + Duration::from_secs(1));
        assert_eq!(cache, Cache::never(CacheKey::Image));
    }

    #[test]
    fn debug_shows_no_password() {
        let login = Login::new("me", "hunter2").unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }

    #[test]
    fn a_login_that_no_client_could_send_is_an_error() {
        for (username, password) in
            [("", "p"), ("u", ""), ("u:v", "p"), ("u\n", "p"), ("u", "p\r"), ("u", "p\0")]
        {
            let error = Login::new(username, password).unwrap_err().to_string();
            assert!(!error.contains('\n') && !error.contains("u:v"), "{error}");
        }
    }

    #[test]
    fn no_credentials_are_not_cached() {
        let json = Response::none().to_json(ApiVersion::V1).unwrap();
        assert_eq!(
            String::from_utf8(json).unwrap(),
            "{\"kind\":\"CredentialProviderResponse\",\
             \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
             \"cacheKeyType\":\"Image\",\"cacheDuration\":\"0s\",\"auth\":{}}\n"
        );
    }
}
