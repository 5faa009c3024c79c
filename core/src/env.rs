//! The environment variables of the process.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt;

use crate::error::Error;

/// Environment variables, read once. `Debug` does not show the values: some are secrets.
#[derive(Clone, Default)]
pub struct Env(HashMap<OsString, OsString>);

impl Env {
    /// The variables of this process.
    pub fn process() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where it is read")]
        Self(std::env::vars_os().collect())
    }

    /// The value of `name`; an empty value is treated as unset, as in most cloud SDKs.
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
}
