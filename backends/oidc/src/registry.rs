//! Which registries a profile is for: the whole host is matched, label by label, before the token
//! is used.

use std::fmt;
use std::str::FromStr;

use pullpass::Image;

/// `host[:port][/path]` where a whole label of the host may be `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registry {
    text: String,
    /// Lower-cased; `*` matches exactly one label.
    labels: Vec<String>,
    port: Option<u16>,
    /// Without slashes around it; empty for the whole registry.
    path: String,
}

impl FromStr for Registry {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains("://") {
            return Err("a registry has no scheme: write `host[:port][/path]`");
        }
        if text.split('/').next().is_some_and(|host| host.ends_with(":*")) {
            return Err(
                "a port must be a number: list each port, as in the kubelet's `matchImages`",
            );
        }
        if text.contains(WILDCARD) {
            return Err("this name is reserved: a label of the host must not contain it");
        }
        // Everything that an image name allows is allowed here, and `*` for a label.
        let image = Image::parse(&text.replace('*', WILDCARD))
            .map_err(|_| "not a registry: write `host[:port][/path]`")?;
        if image.repository().contains(WILDCARD) || image.repository().contains([':', '@']) {
            return Err("a path is a fixed prefix: it has no `*`, tag or digest");
        }
        if image.host() == "index.docker.io" {
            return Err("the kubelet never sends this host: write `docker.io` for Docker Hub");
        }
        let labels: Vec<String> = image
            .host()
            .split('.')
            .map(|label| if label == WILDCARD { "*" } else { label }.to_owned())
            .collect();
        if labels.iter().any(|label| label.contains(WILDCARD)) {
            return Err("`*` must be a whole label of the host");
        }
        let last = labels.last().map(String::as_str).unwrap_or_default();
        if last == "*" {
            return Err(
                "the last label of the host must not be `*`: the token could go to any host",
            );
        }
        if labels.len() > 1
            && labels.iter().any(|l| l == "*")
            && last.bytes().all(|b| b.is_ascii_digit())
        {
            return Err("`*` can only be a label of a host name, not a part of an IP address");
        }
        Ok(Self {
            text: text.to_owned(),
            labels,
            port: image.port(),
            path: image.repository().to_owned(),
        })
    }
}

impl Registry {
    /// Whether an image is on it.
    pub(crate) fn matches(&self, image: &Image) -> bool {
        let mut labels = image.host().split('.');
        let host = self
            .labels
            .iter()
            .all(|known| labels.next().is_some_and(|label| known == "*" || known == label));
        host && labels.next().is_none()
            && self.port == image.port()
            && match image.repository().strip_prefix(&self.path) {
                Some(rest) => self.path.is_empty() || rest.is_empty() || rest.starts_with('/'),
                None => false,
            }
    }

    /// Greater is more specific.
    pub(crate) fn rank(&self) -> (usize, usize) {
        let named = self.labels.iter().filter(|label| *label != "*").count();
        (named, self.path.len())
    }

    /// The key under which the kubelet finds the login: the image's own registry, with
    /// its port, and no wider than this pattern.
    pub(crate) fn auth_key(&self, image: &Image) -> String {
        match self.path.as_str() {
            "" => image.registry().to_owned(),
            path => format!("{}/{path}", image.registry()),
        }
    }

    /// Whether there is a host, with its port, that both are about.
    pub(crate) fn shares_a_host_with(&self, other: &Self) -> bool {
        self.port == other.port
            && self.labels.len() == other.labels.len()
            && self.labels.iter().zip(&other.labels).all(|(a, b)| a == "*" || b == "*" || a == b)
    }

    /// Whether there is an image that both match, and neither is more specific.
    pub(crate) fn is_ambiguous_with(&self, other: &Self) -> bool {
        self.rank() == other.rank() && self.path == other.path && self.shares_a_host_with(other)
    }

    /// Whether it is one host, with its port, and no part of it.
    pub(crate) fn is_one_host(&self) -> bool {
        self.path.is_empty() && !self.labels.iter().any(|label| label == "*")
    }

    /// Whether nothing but its last label is named.
    pub(crate) fn is_top_level(&self) -> bool {
        self.labels.len() > 1 && self.labels.iter().filter(|label| *label != "*").count() == 1
    }

    /// Whether it is only a part of a registry.
    pub(crate) fn has_path(&self) -> bool {
        !self.path.is_empty()
    }
}

/// Replaces `*` while the text is checked as an image name.
const WILDCARD: &str = "--any--";

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, image: &str) -> bool {
        pattern.parse::<Registry>().unwrap().matches(&Image::parse(image).unwrap())
    }

    #[test]
    fn hosts_match_whole_by_label_with_their_port() {
        for (pattern, image, expected) in [
            ("r.io", "r.io/a", true),
            ("r.io", "R.IO/a", true),
            ("r.io", "r.io.evil.example/a", false),
            ("r.io", "evil-r.io/a", false),
            ("r.io", "a.r.io/a", false),
            ("r.io", "r.io:5000/a", false),
            ("r.io:5000", "r.io/a", false),
            ("r.io:5000", "r.io:5000/a", true),
            ("*.r.io", "a.r.io/x", true),
            ("*.r.io", "r.io/x", false),
            ("*.r.io", "a.b.r.io/x", false),
            ("a.*.io", "a.r.io/x", true),
            ("r.io/team", "r.io/team/x", true),
            ("r.io/team", "r.io/team", true),
            ("r.io/team", "r.io/teams/x", false),
            ("r.io/team/", "r.io/team/x", false),
            ("[fd00::1]:5000", "[fd00::1]:5000/x", true),
        ] {
            if pattern.ends_with('/') {
                assert!(pattern.parse::<Registry>().is_err(), "{pattern}");
                continue;
            }
            assert_eq!(matches(pattern, image), expected, "{pattern} {image}");
        }
    }

    #[test]
    fn a_pattern_that_could_be_any_host_is_refused() {
        for pattern in [
            "",
            "*",
            "*.*",
            "r.*",
            "r*.io",
            "https://r.io",
            "u@r.io",
            "r.io/*",
            "r.io/a:1",
            "r.io?x",
            "r.io:*",
            "index.docker.io",
            "index.docker.io/library",
        ] {
            assert!(pattern.parse::<Registry>().is_err(), "{pattern}");
        }
    }

    #[test]
    fn addresses_have_no_wildcards_and_top_level_domains_are_told() {
        for pattern in ["*.0.0.1", "10.*.0.1", "10.0.*.1:5000", "*.1"] {
            let error = pattern.parse::<Registry>().unwrap_err();
            assert!(error.contains("address"), "{pattern}: {error}");
        }
        for (pattern, expected) in
            [("*.io", true), ("*.*.io", true), ("*.r.io", false), ("r.io", false), ("io", false)]
        {
            let registry = pattern.parse::<Registry>().unwrap();
            assert_eq!(registry.is_top_level(), expected, "{pattern}");
        }
        assert!("10.0.0.1:5000".parse::<Registry>().is_ok());
    }

    #[test]
    fn two_patterns_share_a_host_or_not() {
        for (one, other, expected) in [
            ("r.io", "r.io/team", true),
            ("*.r.io", "a.r.io/team", true),
            ("a.*.io", "*.r.io", true),
            ("r.io", "r.io:5000/team", false),
            ("r.io", "a.r.io", false),
            ("a.r.io", "b.r.io", false),
        ] {
            let (one, other) =
                (one.parse::<Registry>().unwrap(), other.parse::<Registry>().unwrap());
            assert_eq!(one.shares_a_host_with(&other), expected, "{one} {other}");
            assert_eq!(other.shares_a_host_with(&one), expected, "{other} {one}");
        }
    }

    #[test]
    fn two_patterns_are_ambiguous_or_not() {
        for (one, other, expected) in [
            ("r.io", "r.io", true),
            ("R.io/team", "r.io/team", true),
            ("a.*.io", "*.r.io", true),
            ("r.io", "r.io/team", false),
            ("r.io/team", "r.io/tram", false),
            ("*.r.io", "a.r.io", false),
            ("r.io", "r.io:5000", false),
        ] {
            let parse = |text: &str| text.parse::<Registry>().unwrap();
            assert_eq!(parse(one).is_ambiguous_with(&parse(other)), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_auth_key_keeps_port_and_case() {
        let key = |pattern: &str, image: &str| {
            pattern.parse::<Registry>().unwrap().auth_key(&Image::parse(image).unwrap())
        };
        assert_eq!(key("r.io:5000", "R.io:5000/a/b"), "R.io:5000");
        assert_eq!(key("*.r.io/team", "a.r.io/team/b"), "a.r.io/team");
    }
}
