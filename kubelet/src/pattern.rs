//! Whether a pattern of `matchImages`, or a key of an answer's `auth`, covers an
//! image, and why it does not.
//!
//! Source: Kubernetes documentation, "Configure a kubelet image credential provider",
//! "Configure image matching"; kubelet, `URLsMatch`.

mod auth_key;
mod reason;

use std::fmt;

use crate::go::{
    glob,
    url::{Colons, Url, split_port},
};
use crate::source::hide;
use crate::version::KubeletVersion;

pub use self::auth_key::AuthKey;
pub use self::reason::MismatchReason;

/// A pattern that the kubelet can read.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    url: Url,
    colons: Colons,
}

impl Pattern {
    /// Reads a pattern as a kubelet of this version does. Many texts are patterns that can
    /// never match; the kubelet accepts them. Before 1.36, which was written for Go 1.26, a host
    /// may hold several colons, and then matches nothing.
    ///
    /// # Errors
    /// When it is not a URL after `https://`; the kubelet then refuses to start.
    pub fn parse(text: &str, version: KubeletVersion) -> Result<Self, PatternError> {
        let colons = colons(version);
        let url = Url::parse(&format!("https://{text}"), colons).map_err(PatternError)?;
        Ok(Self { text: text.to_owned(), url, colons })
    }

    /// The pattern as it was written. It may hold a password before an `@`: print the pattern
    /// itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the pattern covers `image`, which is a
    /// [look-up name](crate::image_name::lookup_name).
    pub fn matches(&self, image: &str) -> bool {
        self.explain(image) == Match::Hit
    }

    /// Whether the pattern covers `image`, and the first rule that says it does not,
    /// in the kubelet's order: port, number of labels, path, each label.
    pub fn explain(&self, image: &str) -> Match {
        let target = match Url::parse(&format!("https://{image}"), self.colons) {
            Ok(url) => url,
            Err(why) => return Match::Miss(MismatchReason::Image { error: why }),
        };
        match self.compare(&target) {
            None => Match::Hit,
            Some(reason) => Match::Miss(self.refine(reason, &target)),
        }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    fn compare(&self, target: &Url) -> Option<MismatchReason> {
        let (pattern_host, pattern_port) = split_port(&self.url.host);
        let (image_host, image_port) = split_port(&target.host);
        if pattern_port != image_port {
            return Some(MismatchReason::Port {
                pattern: text(pattern_port),
                image: text(image_port),
            });
        }
        let labels = |host: &[u8]| host.split(|byte| *byte == b'.').count();
        if labels(pattern_host) != labels(image_host) {
            return Some(MismatchReason::LabelCount {
                pattern: labels(pattern_host),
                image: labels(image_host),
            });
        }
        if !target.path.starts_with(&self.url.path) {
            return Some(MismatchReason::Path {
                pattern: text(&self.url.path),
                image: text(&target.path),
            });
        }
        let split = |host: &[u8]| -> Vec<Vec<u8>> {
            host.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect()
        };
        let pairs = split(pattern_host).into_iter().zip(split(image_host));
        for (index, (pattern, image)) in pairs.enumerate() {
            let (shown, image_shown) = (text(&pattern), text(&image));
            match glob::matches(&pattern, &image) {
                Ok(true) => {}
                Ok(false) => {
                    return Some(MismatchReason::Label {
                        number: index + 1,
                        pattern: shown,
                        image: image_shown,
                    });
                }
                Err(glob::BadPattern) => {
                    return Some(MismatchReason::BadLabel { number: index + 1, pattern: shown });
                }
            }
        }
        None
    }

    /// Names the mistake that causes a miss, if it is a known one.
    fn refine(&self, reason: MismatchReason, target: &Url) -> MismatchReason {
        if let Some(scheme) = ["https://", "http://"].iter().find(|s| self.text.starts_with(**s)) {
            return MismatchReason::Scheme { scheme: (*scheme).to_owned() };
        }
        let MismatchReason::Path { .. } = &reason else { return reason };
        let path = text(&self.url.path);
        if path.contains('*') {
            return MismatchReason::GlobInPath { path };
        }
        // Always in bytes: what is not UTF-8 has another length as a text.
        let path = self.url.path.as_slice();
        let last = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let mark = path[last..].iter().position(|byte| matches!(byte, b'@' | b':'));
        if let Some(at) = mark.map(|at| last + at)
            && target.path.starts_with(&path[..at])
        {
            return MismatchReason::Tag { tag: text(&path[at..]) };
        }
        reason
    }
}

/// With `...` for what may be a password in it.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hide(&self.text))
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

/// What a pattern says about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It covers the image.
    Hit,
    /// It does not.
    Miss(MismatchReason),
}

/// Why a pattern or key is not a URL: Go's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(pub(crate) String);

fn colons(version: KubeletVersion) -> Colons {
    if version.minor() >= 36 { Colons::Strict } else { Colons::Loose }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(pattern: &str, image: &str) -> String {
        match Pattern::parse(pattern, KubeletVersion::NEWEST).expect(pattern).explain(image) {
            Match::Hit => panic!("{pattern} matches {image}"),
            Match::Miss(reason) => reason.to_string(),
        }
    }

    #[test]
    fn says_why_not() {
        for (pattern, image, expected) in [
            (
                "*.azurecr.io",
                "a.b.azurecr.io/x",
                "the pattern's host has 3 labels and the image's has 4; `*` covers one label",
            ),
            ("r.io:5000", "r.io/x", "the pattern has port `5000` and the image has none"),
            ("r.io", "r.io:5000/x", "the pattern has no port and the image has `5000`"),
            ("r.io:1", "r.io:2/x", "the pattern has port `1` and the image has `2`"),
            (
                "r.io/*",
                "r.io/x",
                "`*` in a path is an ordinary character, not a wildcard: `/*`; a path covers every path that begins with it",
            ),
            (
                "https://r.io",
                "r.io/x",
                "the pattern begins with `https://`; patterns have no scheme",
            ),
            (
                "r.io/x:1",
                "r.io/x",
                "the pattern ends in `:1`, but images are compared without tag and digest",
            ),
            ("r.io/a", "r.io/b", "the image's path `/b` does not begin with `/a`"),
            ("a.*.io", "b.c.io/x", "label 1 is `b`, not `a`"),
            ("a*.c.io", "b.c.io/x", "label 1 is `b`, which `a*` does not cover"),
        ] {
            assert_eq!(reason(pattern, image), expected, "{pattern} {image}");
        }
    }
}
