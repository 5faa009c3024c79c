//! The kubelet's cache of a provider's answers.
//!
//! Source: kubelet, `pluginProvider`; Kubernetes documentation, "Configure a kubelet
//! image credential provider".

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pullpass_go_duration::GoDuration;
use sha2::{Digest as _, Sha256};

use crate::exec::AuthConfigs;
use crate::version::KubeletVersion;

/// Returns the current time.
pub type ClockFn = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The clock of the system.
#[expect(clippy::disallowed_methods, reason = "the one place where the clock comes from")]
pub fn system_clock() -> ClockFn {
    Arc::new(SystemTime::now)
}

/// Expired entries that are not looked up are removed this often.
const SWEEP_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// For which other images an answer is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKeyType {
    /// For this image only.
    Image,
    /// For all images of this registry, its port included.
    Registry,
    /// For all images that the provider is asked about.
    Global,
}

impl CacheKeyType {
    /// Reads `cacheKeyType`; `None` for everything but the three words.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Image, Self::Registry, Self::Global].into_iter().find(|kind| kind.as_str() == text)
    }

    /// The word in an answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "Image",
            Self::Registry => "Registry",
            Self::Global => "Global",
        }
    }

    /// The part of the cache's key that an image has under this type.
    pub fn base_key(self, image: &str, version: KubeletVersion) -> &str {
        match self {
            Self::Image => image,
            Self::Registry => image.split('/').next().unwrap_or_default(),
            // Up to 1.33 an image named `global` has the same key.
            Self::Global if version.minor() <= 33 => "global",
            Self::Global => "<global>",
        }
    }
}

impl fmt::Display for CacheKeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The service account part of a cache key: for whose pods an answer is used. Empty without a
/// service account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountKey(Vec<u8>);

impl AccountKey {
    /// The key of a service account; `token` only where the cache type is `Token`.
    ///
    /// # Errors
    /// When a part is longer than 65,535 bytes; the kubelet then uses no credentials.
    pub fn new(
        namespace: &str,
        name: &str,
        uid: &str,
        annotations: &BTreeMap<String, String>,
        token: Option<&str>,
    ) -> Result<Self, CacheKeyError> {
        let mut key = Vec::new();
        for part in [namespace, name, uid] {
            push(&mut key, part.as_bytes())?;
        }
        let length = annotations.len();
        let count = u32::try_from(length).map_err(|_| CacheKeyError { length })?;
        key.extend(count.to_be_bytes());
        for (name, value) in annotations {
            push(&mut key, name.as_bytes())?;
            push(&mut key, value.as_bytes())?;
        }
        if let Some(token) = token {
            push(&mut key, b"token")?;
            push(&mut key, token_hash(token).as_bytes())?;
        }
        Ok(Self(key))
    }
}

fn token_hash(token: &str) -> String {
    if token.is_empty() {
        return String::new();
    }
    let digits: String =
        Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// A part of a cache key is longer than 65,535 bytes. The message is that of the
/// kubelet's key builder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cryptobyte: pending child length {length} exceeds 2-byte length prefix")]
pub struct CacheKeyError {
    /// The part's length in bytes.
    pub length: usize,
}

/// What was done with an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is kept.
    Until {
        /// For which images.
        key: CacheKeyType,
        /// Until this time.
        expires: SystemTime,
    },
    /// Its own `cacheDuration` is zero.
    ZeroDuration,
    /// It has no `cacheDuration`, and `defaultCacheDuration` is zero.
    ZeroDefault,
    /// Its duration is negative: kept, and already expired.
    Expired,
}

/// The store of one provider.
#[derive(Debug)]
pub struct CredentialCache {
    version: KubeletVersion,
    entries: HashMap<Vec<u8>, Entry>,
    last_sweep: SystemTime,
}

#[derive(Clone, Debug)]
struct Entry {
    auth: AuthConfigs,
    expires: SystemTime,
}

/// An answer that was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CachedAnswer {
    /// Under which type of key.
    pub key: CacheKeyType,
    /// Until when it is kept.
    pub expires: SystemTime,
    /// The answer's logins, whether they cover the image or not.
    pub auth: AuthConfigs,
}

impl CredentialCache {
    /// An empty store, made at `now`.
    pub fn new(version: KubeletVersion, now: SystemTime) -> Self {
        Self { version, entries: HashMap::new(), last_sweep: now }
    }

    /// The first entry that has not expired: by image, by registry, global.
    ///
    /// # Errors
    /// When the key cannot be built.
    pub fn find(
        &mut self,
        image: &str,
        account: &AccountKey,
        now: SystemTime,
    ) -> Result<Option<CachedAnswer>, CacheKeyError> {
        if self.last_sweep.checked_add(SWEEP_INTERVAL).is_some_and(|next| now > next) {
            self.entries.retain(|_, entry| now <= entry.expires);
            self.last_sweep = now;
        }
        for key in [CacheKeyType::Image, CacheKeyType::Registry, CacheKeyType::Global] {
            let full = full_key(key.base_key(image, self.version), account)?;
            match self.entries.get(&full) {
                Some(entry) if now > entry.expires => {
                    self.entries.remove(&full);
                }
                Some(Entry { auth, expires }) => {
                    return Ok(Some(CachedAnswer { key, expires: *expires, auth: auth.clone() }));
                }
                None => {}
            }
        }
        Ok(None)
    }

    /// Keeps an answer if its duration, or the configured default, says so.
    ///
    /// # Errors
    /// When the key cannot be built; the kubelet then does not use the answer either.
    pub fn store(
        &mut self,
        image: &str,
        account: &AccountKey,
        answer: &CacheableAnswer<'_>,
        now: SystemTime,
    ) -> Result<Stored, CacheKeyError> {
        let duration = match answer.duration {
            Some(GoDuration::ZERO) => return Ok(Stored::ZeroDuration),
            Some(duration) => duration,
            None if answer.default == GoDuration::ZERO => return Ok(Stored::ZeroDefault),
            None => answer.default,
        };
        let full = full_key(answer.key.base_key(image, self.version), account)?;
        let amount = Duration::from_nanos(duration.nanoseconds().unsigned_abs());
        let expires = if duration.is_negative() {
            now.checked_sub(amount).unwrap_or(SystemTime::UNIX_EPOCH)
        } else {
            now.checked_add(amount).unwrap_or(now)
        };
        self.entries.insert(full, Entry { auth: answer.auth.clone(), expires });
        if duration.is_negative() {
            return Ok(Stored::Expired);
        }
        Ok(Stored::Until { key: answer.key, expires })
    }

    /// How many answers are kept, including expired ones that were not looked up.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// An answer to be kept.
#[derive(Clone, Copy, Debug)]
pub struct CacheableAnswer<'a> {
    /// Its logins.
    pub auth: &'a AuthConfigs,
    /// Its `cacheKeyType`.
    pub key: CacheKeyType,
    /// Its `cacheDuration`.
    pub duration: Option<GoDuration>,
    /// The provider's `defaultCacheDuration`.
    pub default: GoDuration,
}

fn full_key(base: &str, account: &AccountKey) -> Result<Vec<u8>, CacheKeyError> {
    let mut key = Vec::new();
    push(&mut key, base.as_bytes())?;
    push(&mut key, &account.0)?;
    Ok(key)
}

/// Two bytes of length, then the part.
fn push(key: &mut Vec<u8>, part: &[u8]) -> Result<(), CacheKeyError> {
    let length = u16::try_from(part.len()).map_err(|_| CacheKeyError { length: part.len() })?;
    key.extend(length.to_be_bytes());
    key.extend(part);
    Ok(())
}
