//! The image name that the kubelet sends, split into registry and repository.

use std::fmt;

use crate::error::Error;

/// Longer than any name that the kubelet can send (255 for the registry, 255 for the repository).
const LONGEST: usize = 1024;

/// An image's name without tag or digest, as the kubelet normalises it:
/// `docker.io/library/nginx`.
///
/// Source: Kubernetes API reference, `CredentialProviderRequest`; OCI distribution
/// specification, "Pulling manifests".
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    text: String,
    /// Length of `host[:port]` in `text`.
    registry: usize,
    /// Lower-cased, without the port.
    host: String,
    port: Option<u16>,
}

impl Image {
    /// Splits `text`.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) when the name is empty, too long, or holds anything that a
    /// registry or repository name cannot: spaces, control characters, userinfo, a
    /// scheme, a query, `.` or `..` as a path segment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::request(format!("image `{text}` is not valid: {why}")).with_hint(
                "the kubelet sends `registry/repository`, such as `docker.io/library/nginx`",
            )
        };
        if text.is_empty() {
            return Err(Error::request("`image` is empty").with_hint(
                "the request needs `\"image\":\"registry/repository\"`; the kubelet always sends it",
            ));
        }
        if text.len() > LONGEST {
            return Err(Error::request(format!("`image` is longer than {LONGEST} bytes")));
        }
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(invalid(&format!("control character U+{:04X}", u32::from(c))));
        }
        if text.contains(char::is_whitespace) {
            return Err(invalid("it contains a space"));
        }
        if text.contains("://") {
            return Err(invalid("it starts with a scheme"));
        }
        let (registry, path) = match text.split_once('/') {
            Some((registry, path)) => (registry, Some(path)),
            None => (text, None),
        };
        if registry.contains('@') {
            return Err(invalid("it contains userinfo or a digest before the first `/`"));
        }
        let (host, port) = split_port(registry)
            .ok_or_else(|| invalid("the port is not a number from 1 to 65535"))?;
        if !is_host(host) {
            return Err(invalid("the registry is not a host name"));
        }
        if let Some(path) = path {
            if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
                return Err(invalid("the repository has an empty part, `.` or `..`"));
            }
            if !path.chars().all(is_path_char) {
                return Err(invalid(
                    "the repository has a character that is not allowed in a \
                     repository",
                ));
            }
        }
        Ok(Self {
            text: text.to_owned(),
            registry: registry.len(),
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// The whole name, as sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `host[:port]` exactly as sent: the key under which the kubelet finds a login
    /// for this registry. It keeps the case, since the kubelet compares by byte.
    pub fn registry(&self) -> &str {
        &self.text[..self.registry]
    }

    /// Whether the image is on `registry`, which is `host` or `host:port`: the port
    /// must be the same, the case of the host does not matter.
    pub fn is_on(&self, registry: &str) -> bool {
        self.registry().eq_ignore_ascii_case(registry)
    }

    /// Refuses an image of any registry but this one (`host` or `host:port`).
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config): the operator's `matchImages` are wider
    /// than the provider.
    pub fn require_on(&self, registry: &str) -> Result<(), Error> {
        match self.is_on(registry) {
            true => Ok(()),
            false => Err(Error::config(format!("this provider is for `{registry}` only"))
                .with_hint("narrow its `matchImages`")),
        }
    }

    /// Whether the image is in the repository, or below the path, `prefix`: `host[:port]/path`.
    /// Only whole segments of the path match, so `r.io/a` covers `r.io/a/b` and not `r.io/ab`.
    pub fn is_under(&self, prefix: &str) -> bool {
        let (registry, path) = prefix.split_once('/').unwrap_or((prefix, ""));
        let path = path.trim_end_matches('/');
        self.is_on(registry)
            && self
                .repository()
                .strip_prefix(path)
                .is_some_and(|rest| path.is_empty() || rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether the registry is on the port of `https://`: without a port, or with 443.
    /// Only then does the host name prove whose registry it is: on another port of the same host,
    /// another server may answer.
    pub fn is_on_https_port(&self) -> bool {
        matches!(self.port, None | Some(443))
    }

    /// The registry's host name, lower-cased, without the port: for registries that are
    /// recognized by the form of their host. Check [`Image::port`] too.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The registry's port, where the name has one.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The repository: what follows the registry, without the `/` between them.
    pub fn repository(&self) -> &str {
        self.text[self.registry..].strip_prefix('/').unwrap_or_default()
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({self})")
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `host:port` or `[v6]:port` to its parts; `None` when the port is not one.
fn split_port(registry: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = match registry.rfind(']') {
        Some(bracket) => bracket + 1,
        None => registry.find(':').unwrap_or(registry.len()),
    };
    let (host, rest) = registry.split_at(end_of_host);
    if rest.is_empty() {
        return Some((host, None));
    }
    let digits = rest.strip_prefix(':')?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port = digits.parse().ok().filter(|port| *port != 0)?;
    Some((host, Some(port)))
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.len() <= 253
        && host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        })
}

fn is_path_char(c: char) -> bool {
    // `:` and `@` for a tag or digest, which people add when they try a plugin by hand.
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '@' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_host_port_and_repository() {
        for (text, registry, host, port, repository) in [
            ("docker.io/library/nginx", "docker.io", "docker.io", None, "library/nginx"),
            ("Reg.Example:5000/a/b", "Reg.Example:5000", "reg.example", Some(5000), "a/b"),
            ("localhost/x", "localhost", "localhost", None, "x"),
            ("[fd00::1]:5000/x", "[fd00::1]:5000", "[fd00::1]", Some(5000), "x"),
            ("[::1]/x", "[::1]", "[::1]", None, "x"),
            ("public.ecr.aws", "public.ecr.aws", "public.ecr.aws", None, ""),
            ("r.io/x:1.0", "r.io", "r.io", None, "x:1.0"),
        ] {
            let image = Image::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(image.registry(), registry, "{text}");
            assert_eq!(image.host(), host, "{text}");
            assert_eq!(image.port(), port, "{text}");
            assert_eq!(image.repository(), repository, "{text}");
        }
    }

    #[test]
    fn a_registry_is_its_host_and_port() {
        let image = Image::parse("Reg.Example:5000/a").unwrap();
        assert!(image.is_on("reg.example:5000"));
        for other in ["reg.example", "reg.example:443", "a.reg.example:5000", "reg.example:5000/a"]
        {
            assert!(!image.is_on(other), "{other}");
        }
    }

    #[test]
    fn paths_are_compared_by_whole_segments() {
        let image = Image::parse("r.io:5000/team/app").unwrap();
        for prefix in ["r.io:5000", "R.io:5000/", "r.io:5000/team", "r.io:5000/team/app/"] {
            assert!(image.is_under(prefix), "{prefix}");
        }
        for prefix in ["r.io", "r.io:5000/te", "r.io:5000/team/ap", "r.io:5000/team/app/x", ""] {
            assert!(!image.is_under(prefix), "{prefix}");
        }
    }

    #[test]
    fn refuses_what_no_image_name_has() {
        for text in [
            "",
            "r.io/a b",
            "r.io/a\u{7}",
            "r.io/\u{a0}a",
            "user:pass@r.io/a",
            "user@r.io/a",
            "https://r.io/a",
            "r.io:/a",
            "r.io:0/a",
            "r.io:65536/a",
            "r.io:+80/a",
            "r.io:80:80/a",
            "r..io/a",
            ".io/a",
            "r.io./a",
            "/a",
            "r.io/",
            "r.io//a",
            "r.io/../a",
            "r.io/a?b=c",
            "r.io/a%2fb",
            "r.io/a#b",
            "r.io\\a/b",
            "[::1/a",
            "[::g]/a",
            "x[::1]/a",
            "ré.io/a",
            "r.io/é",
        ] {
            assert!(Image::parse(text).is_err(), "{text:?}");
        }
        assert!(Image::parse(&format!("r.io/{}", "a".repeat(LONGEST))).is_err());
    }
}
