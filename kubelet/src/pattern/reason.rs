//! Why a pattern does not cover an image.

use std::fmt;

/// The first rule by which a pattern does not cover an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MismatchReason {
    /// The image cannot be compared at all.
    Image {
        /// Go's message about it.
        error: String,
    },
    /// The pattern has a scheme, which makes it another host.
    Scheme {
        /// With its `://`.
        scheme: String,
    },
    /// The ports differ. No port and an empty port are the same; 443 is never implied.
    Port {
        /// The pattern's, or empty.
        pattern: String,
        /// The image's, or empty.
        image: String,
    },
    /// The hosts have different numbers of labels.
    LabelCount {
        /// The pattern's.
        pattern: usize,
        /// The image's.
        image: usize,
    },
    /// The path has a `*`, which is an ordinary character there.
    GlobInPath {
        /// The pattern's path.
        path: String,
    },
    /// The pattern ends in a tag or digest, which no compared image has.
    Tag {
        /// With its `:` or `@`.
        tag: String,
    },
    /// The image's path does not begin with the pattern's.
    Path {
        /// The pattern's.
        pattern: String,
        /// The image's.
        image: String,
    },
    /// A label of the host differs.
    Label {
        /// From 1, counted from the left.
        number: usize,
        /// The pattern's.
        pattern: String,
        /// The image's.
        image: String,
    },
    /// A label of the pattern is not a valid glob; the kubelet treats that as a miss.
    BadLabel {
        /// From 1, counted from the left.
        number: usize,
        /// The pattern's.
        pattern: String,
    },
}

impl fmt::Display for MismatchReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image { error } => write!(f, "the image cannot be compared: {error}"),
            Self::Scheme { scheme } => {
                write!(f, "the pattern begins with `{scheme}`; patterns have no scheme")
            }
            Self::Port { pattern, image } if pattern.is_empty() => {
                write!(f, "the pattern has no port and the image has `{image}`")
            }
            Self::Port { pattern, image } if image.is_empty() => {
                write!(f, "the pattern has port `{pattern}` and the image has none")
            }
            Self::Port { pattern, image } => {
                write!(f, "the pattern has port `{pattern}` and the image has `{image}`")
            }
            Self::LabelCount { pattern, image } => {
                let labels = if *pattern == 1 { "label" } else { "labels" };
                write!(
                    f,
                    "the pattern's host has {pattern} {labels} and the image's has {image}; \
                     `*` covers one label"
                )
            }
            Self::GlobInPath { path } => write!(
                f,
                "`*` in a path is an ordinary character, not a wildcard: `{path}`; a path covers \
                 every path that begins with it"
            ),
            Self::Tag { tag } => {
                write!(
                    f,
                    "the pattern ends in `{tag}`, but images are compared without tag and \
                     digest"
                )
            }
            Self::Path { pattern, image } => {
                write!(f, "the image's path `{image}` does not begin with `{pattern}`")?;
                if image.to_lowercase().starts_with(&pattern.to_lowercase()) {
                    f.write_str("; the comparison is case-sensitive")?;
                }
                Ok(())
            }
            Self::Label { number, pattern, image } => {
                if pattern.contains('*') {
                    write!(f, "label {number} is `{image}`, which `{pattern}` does not cover")?;
                } else {
                    write!(f, "label {number} is `{image}`, not `{pattern}`")?;
                }
                if image.eq_ignore_ascii_case(pattern) {
                    f.write_str("; the comparison is case-sensitive")?;
                }
                Ok(())
            }
            Self::BadLabel { number, pattern } => {
                write!(f, "label {number} of the pattern, `{pattern}`, is not a valid glob")
            }
        }
    }
}
