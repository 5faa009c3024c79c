//! Everything that a provider may know of the world around it. Nothing else in a
//! backend is ambient.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::http::Http;

/// The world as one run sees it.
#[derive(Debug)]
pub struct Context {
    /// The environment variables.
    pub env: Env,
    /// The HTTP client.
    pub http: Http,
    /// The wall clock, for expiry.
    pub clock: Clock,
    /// When the whole run ends.
    pub deadline: Deadline,
}

impl Context {
    /// A world with this environment, clock and deadline, and an HTTP client over them.
    pub fn new(env: Env, clock: Clock, deadline: Deadline) -> Self {
        Self { http: Http::new(&env, deadline), env, clock, deadline }
    }
}

/// Environment variables, taken once. Values do not print: some are secrets.
#[derive(Clone, Default)]
pub struct Env(HashMap<OsString, OsString>);

impl Env {
    /// The variables of this process.
    pub fn process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
        Self(std::env::vars_os().collect())
    }

    /// The value of `name`; an empty value counts as unset, as in most cloud SDKs.
    pub fn os(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// The value of `name` as text.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the value is not UTF-8.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.os(name).map(OsStr::to_str) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text)),
            Some(None) => Err(Error::config(format!("environment variable `{name}` is not UTF-8"))),
        }
    }
}

impl<K: Into<OsString>, V: Into<OsString>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.0.keys().collect();
        names.sort();
        f.debug_tuple("Env").field(&names).finish()
    }
}

/// The wall clock, or a stand-in for it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
        Self(Arc::new(SystemTime::now))
    }

    /// A clock that stands still.
    pub fn fixed(now: SystemTime) -> Self {
        Self(Arc::new(move || now))
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The end of the whole run: retries and sleeps stay inside it.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    start: Instant,
    limit: Duration,
}

impl Deadline {
    /// What a run may take unless the operator says otherwise: the kubelet kills a
    /// plugin after 60 s, and an error must be out before that.
    pub const DEFAULT: Duration = Duration::from_secs(50);

    /// `limit` after `start`.
    pub fn new(start: Instant, limit: Duration) -> Self {
        Self { start, limit }
    }

    /// `limit` from now.
    pub fn after(limit: Duration) -> Self {
        Self::new(Instant::now(), limit)
    }

    /// What the whole run may take.
    pub fn limit(self) -> Duration {
        self.limit
    }

    /// What is left, zero when it is over.
    pub fn remaining(self) -> Duration {
        self.limit.saturating_sub(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_shows_names_only_and_takes_empty_for_unset() {
        let env = Env::from_iter([("SECRET", "hunter2"), ("EMPTY", "")]);
        assert_eq!(format!("{env:?}"), r#"Env(["EMPTY", "SECRET"])"#);
        assert_eq!(env.text("SECRET").unwrap(), Some("hunter2"));
        assert_eq!(env.text("EMPTY").unwrap(), None);
        assert_eq!(env.text("NONE").unwrap(), None);
    }

    #[test]
    fn a_deadline_runs_out() {
        assert_eq!(Deadline::after(Duration::ZERO).remaining(), Duration::ZERO);
        assert!(Deadline::after(Duration::from_secs(60)).remaining() > Duration::from_secs(59));
    }
}
