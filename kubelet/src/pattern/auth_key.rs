//! The keys of an answer's `auth`, which are patterns after some stripping.

use crate::go::quote::quote;
use crate::go::url::Url;
use crate::pattern::{Match, Pattern, PatternError, colons};
use crate::version::KubeletVersion;

/// A key of `auth` as the kubelet files it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthKey {
    filed: String,
    pattern: Option<Pattern>,
}

impl AuthKey {
    /// Strips the scheme, a leading `/v1/` or `/v2/` and a lone slash, as a kubelet of this
    /// version does.
    ///
    /// # Errors
    /// When the key is not a URL; the kubelet drops it then, see [`AuthKey::log_line`].
    pub fn parse(key: &str, version: KubeletVersion) -> Result<Self, PatternError> {
        let url = Url::parse(&with_scheme(key), colons(version)).map_err(PatternError)?;
        let mut path = url.path.as_slice();
        if path.starts_with(b"/v2/") || path.starts_with(b"/v1/") {
            path = &path[3..];
        }
        let mut filed = url.host.clone();
        if path != b"/" {
            filed.extend(path);
        }
        let filed = String::from_utf8_lossy(&filed).into_owned();
        let pattern = Pattern::parse(&filed, version).ok();
        Ok(Self { filed, pattern })
    }

    /// The key under which the kubelet files the credential, and by which it sorts.
    pub fn as_str(&self) -> &str {
        &self.filed
    }

    /// Whether the credential is for `image`.
    pub fn matches(&self, image: &str) -> bool {
        self.pattern.as_ref().is_some_and(|pattern| pattern.matches(image))
    }

    /// Like [`Pattern::explain`]; `None` when what is left of the key is not a pattern.
    pub fn explain(&self, image: &str) -> Option<Match> {
        self.pattern.as_ref().map(|pattern| pattern.explain(image))
    }

    /// What the kubelet logs when it drops a key that is not a URL.
    pub fn log_line(key: &str, error: &PatternError, version: KubeletVersion) -> String {
        let shown = if version.minor() >= 37 { with_scheme(key) } else { key.to_owned() };
        format!("Entry {} in dockercfg invalid ({error}), ignoring", quote(shown))
    }
}

fn with_scheme(key: &str) -> String {
    if key.starts_with("https://") || key.starts_with("http://") {
        return key.to_owned();
    }
    format!("https://{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_what_docker_wrote() {
        for (key, filed) in [
            ("https://index.docker.io/v1/", "index.docker.io"),
            ("http://r.io/", "r.io"),
            ("r.io", "r.io"),
            ("https://r.io/v2/team", "r.io/team"),
            ("r.io/v1", "r.io/v1"),
            ("r.io/v3/x", "r.io/v3/x"),
            ("user@r.io:80/x?q#f", "r.io:80/x"),
        ] {
            assert_eq!(
                AuthKey::parse(key, KubeletVersion::NEWEST).expect(key).as_str(),
                filed,
                "{key}"
            );
        }
    }
}
