//! From the image that a pod names to the text that the kubelet compares and sends.
//!
//! Source: package `github.com/distribution/reference`, `ParseNormalizedNamed`, as
//! the kubelet's `parsers.ParseImageName` uses it.

use crate::go::lower::lower;
use crate::go::quote::quote;

const HUB: &str = "docker.io";
const LONGEST_PATH: usize = 255;

/// Why an image name cannot be used; no provider is asked for such a pod. The
/// message is the kubelet's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't parse image name {}: {reason}", quote(image))]
#[non_exhaustive]
pub struct ImageError {
    /// The image as the pod named it.
    pub image: String,
    /// What is wrong with it.
    pub reason: ImageErrorKind,
}

/// What is wrong with an image name, as the reference library says it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageErrorKind {
    /// 64 hexadecimal digits look like an image's identifier.
    #[error("invalid repository name ({0}), cannot specify 64-byte hexadecimal strings")]
    Identifier(String),
    /// A capital letter in the repository's name.
    #[error("invalid reference format: repository name ({0}) must be lowercase")]
    Uppercase(String),
    /// A capital letter elsewhere, where lower case would have been a reference.
    #[error("repository name must be lowercase")]
    NotLowercase,
    /// Not a reference at all.
    #[error("invalid reference format")]
    Format,
    /// The path of the repository is too long.
    #[error("repository name must not be more than 255 characters")]
    TooLong,
    /// The digest's algorithm is known, but its length is wrong for the algorithm.
    #[error("invalid checksum digest length")]
    DigestLength,
    /// The digest is not written as its algorithm requires.
    #[error("invalid checksum digest format")]
    DigestFormat,
    /// The digest's algorithm is not known.
    #[error("unsupported digest algorithm")]
    DigestAlgorithm,
}

/// The text that is matched against `matchImages`, sent as `image` and used as a
/// cache key: registry and repository, without tag and digest.
///
/// ```
/// # use pullpass_kubelet::image_name::lookup_name;
/// assert_eq!(lookup_name("nginx:1.27")?, "docker.io/library/nginx");
/// # Ok::<(), pullpass_kubelet::image_name::ImageError>(())
/// ```
///
/// # Errors
/// When the name is not an image reference.
pub fn lookup_name(pod_image: &str) -> Result<String, ImageError> {
    parse(pod_image).map_err(|reason| ImageError { image: pod_image.to_owned(), reason })
}

/// The image as a pod names it, without tag and digest and with nothing filled in: the name
/// in the kubelet's pull records.
///
/// # Errors
/// When the name is not an image reference.
pub fn repository_as_written(image: &str) -> Result<String, ImageErrorKind> {
    let Some(reference) = Reference::parse(image) else {
        return Err(match Reference::parse(&lower(image)) {
            Some(_) => ImageErrorKind::NotLowercase,
            None => ImageErrorKind::Format,
        });
    };
    if reference.path.len() > LONGEST_PATH {
        return Err(ImageErrorKind::TooLong);
    }
    if let Some(digest) = reference.digest {
        check_digest(digest)?;
    }
    Ok(reference.name.to_owned())
}

fn parse(image: &str) -> Result<String, ImageErrorKind> {
    if image.len() == 64 && image.bytes().all(|b| matches!(b, b'a'..=b'f' | b'0'..=b'9')) {
        return Err(ImageErrorKind::Identifier(image.to_owned()));
    }
    let (domain, remainder) = split_domain(image);
    let repository = remainder.split(':').next().unwrap_or_default();
    if lower(repository) != repository {
        return Err(ImageErrorKind::Uppercase(repository.to_owned()));
    }
    repository_as_written(&format!("{domain}/{remainder}"))
}

/// Splits off the registry, filling in Docker Hub and its `library/`.
fn split_domain(image: &str) -> (&str, String) {
    let Some((first, rest)) = image.split_once('/') else {
        return (HUB, format!("library/{image}"));
    };
    let (domain, remainder) = if first == "index.docker.io" {
        (HUB, rest)
    } else if first == "localhost" || first.contains(['.', ':']) || lower(first) != first {
        (first, rest)
    } else {
        (HUB, image)
    };
    if domain == HUB && !remainder.contains('/') {
        return (domain, format!("library/{remainder}"));
    }
    (domain, remainder.to_owned())
}

struct Reference<'a> {
    /// Registry and repository.
    name: &'a str,
    /// The repository alone.
    path: &'a str,
    digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// The grammar of a reference.
    fn parse(text: &'a str) -> Option<Self> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return None;
        }
        // A tag holds no slash, and a path no colon.
        let name = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => {
                if !is_tag(tag) {
                    return None;
                }
                name
            }
            _ => rest,
        };
        let Some((domain, path)) = name.split_once('/') else {
            return is_path(name).then_some(Self { name, path: name, digest });
        };
        // The registry is optional in the grammar, so a name whose first part is no
        // registry is all path.
        let path = if is_domain(domain) && is_path(path) {
            path
        } else if is_path(name) {
            name
        } else {
            return None;
        };
        Some(Self { name, path, digest })
    }
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => {
            if address.is_empty()
                || !address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
            {
                return false;
            }
            (None, port.strip_prefix(':').or((!port.is_empty()).then_some("")))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        },
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.is_none_or(|host| host.split('.').all(label))
        && port
            .is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_component)
}

/// Runs of `a-z0-9` joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(is_word) || !text.ends_with(is_word) {
        return false;
    }
    text.split(is_word).all(|between| {
        matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-')
    })
}

fn is_tag(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut bytes = text.bytes();
    bytes.next().is_some_and(is_word)
        && text.len() <= 128
        && bytes.all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'))
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    let component = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(component)
        && hex.len() >= 32
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The kubelet links SHA-256, SHA-384 and SHA-512, in lower case only.
fn check_digest(digest: &str) -> Result<(), ImageErrorKind> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or_default();
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => {
            // The check of an unknown algorithm knows lower case only as well.
            let lower = |part: &str| {
                !part.is_empty()
                    && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            };
            let known_form = algorithm.split(['-', '_', '+', '.']).all(lower);
            return Err(if known_form {
                ImageErrorKind::DigestAlgorithm
            } else {
                ImageErrorKind::DigestFormat
            });
        }
    };
    if hex.len() != length {
        return Err(ImageErrorKind::DigestLength);
    }
    let lower = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if lower { Ok(()) } else { Err(ImageErrorKind::DigestFormat) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grammar() {
        for (image, expected) in [
            ("a/b", "docker.io/a/b"),
            ("[::1]:5000/x", "[::1]:5000/x"),
            ("r.io/a__b/c---d.e_f", "r.io/a__b/c---d.e_f"),
            ("Host/x", "Host/x"),
            (
                "r.io:80/x:t@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "r.io:80/x",
            ),
        ] {
            assert_eq!(lookup_name(image).as_deref(), Ok(expected), "{image}");
        }
        for image in [
            "",
            "a//b",
            "r.io/",
            "r.io/a___b",
            "r.io/-a",
            "r.io/a:",
            "r.io/a@",
            "r.io:/x",
            "r.io:80:80/x",
            "-r.io/x",
            "r..io/x",
            "a:b:c",
            "r.io/é",
            "[::1/x",
            "[]:1/x",
            "[::1]5/x",
        ] {
            assert!(lookup_name(image).is_err(), "{image}");
        }
    }

    #[test]
    fn words() {
        for (image, message) in [
            (
                "ROOT",
                r#"couldn't parse image name "ROOT": invalid reference format: repository name (library/ROOT) must be lowercase"#,
            ),
            ("http://root", r#"couldn't parse image name "http://root": invalid reference format"#),
            (
                "r.io/a@sha256:0123456789abcdef0123456789abcdef",
                r#"couldn't parse image name "r.io/a@sha256:0123456789abcdef0123456789abcdef": invalid checksum digest length"#,
            ),
            (
                "r.io/a@md5:0123456789abcdef0123456789abcdef",
                r#"couldn't parse image name "r.io/a@md5:0123456789abcdef0123456789abcdef": unsupported digest algorithm"#,
            ),
        ] {
            assert_eq!(lookup_name(image).expect_err(image).to_string(), message);
        }
    }
}
