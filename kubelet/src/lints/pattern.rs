//! Patterns that the kubelet accepts and that match nothing, or less than expected.

use crate::go::url::split_port;
use crate::lints::Lint;
use crate::pattern::Pattern;
use crate::source::Spanned;
use crate::version::KubeletVersion;

/// Names of Docker Hub that no look-up name begins with.
const HUB_ALIASES: [&str; 6] = [
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
    "hub.docker.com",
    "docker.com",
    "www.docker.com",
];

/// `has_wider` says whether the provider has a pattern that begins with `*.*`.
pub(super) fn check(pattern: &Spanned<Pattern>, has_wider: bool, lints: &mut Vec<Lint>) {
    let text = pattern.as_str();
    let location = &pattern.location;
    if let Err(error) = Pattern::parse(text, KubeletVersion::NEWEST) {
        lints.push(Lint::warning(
            "pattern-refused-later",
            location,
            format!(
                "`{text}` matches no image, and kubelet 1.36 or later does not start with it: \
                 {error}"
            ),
            "write the host with one port at most".to_owned(),
        ));
        return;
    }
    let mut warn = |code, message: String, hint: String| {
        lints.push(Lint::warning(code, location, message, hint));
    };
    if text.is_empty() {
        return warn(
            "empty-pattern",
            "an empty pattern matches no image".to_owned(),
            "name the registry's host, or remove the pattern".to_owned(),
        );
    }
    if !text.is_ascii() {
        return warn(
            "foreign-letter-in-pattern",
            format!("`{text}` contains characters outside ASCII, so it matches no image"),
            "write it in ASCII; check for typographic quotes and dashes, as copied from a web page"
                .to_owned(),
        );
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return warn(
            "scheme-in-pattern",
            format!("`{text}` has a scheme, so it matches no image"),
            format!("remove `{scheme}://`: `{rest}`"),
        );
    }
    let url = pattern.url();
    let (host, port) = split_port(&url.host);
    let (host, port) = (String::from_utf8_lossy(host), String::from_utf8_lossy(port));
    let path = String::from_utf8_lossy(&url.path);
    check_path(text, &path, &mut warn);
    check_host(text, &host, &port, has_wider, &mut warn);
    for (present, what, part) in [
        (url.has_user, "a user", "the part up to `@`"),
        (url.has_query, "a query", "everything from `?` on"),
        (url.has_fragment, "a fragment", "everything from `#` on"),
    ] {
        if present {
            warn(
                "ignored-part-in-pattern",
                format!("`{text}` has {what}, which the kubelet ignores when it compares"),
                format!("remove {part}"),
            );
        }
    }
    if host.chars().chain(path.chars()).any(|c| c.is_ascii_uppercase()) {
        warn(
            "uppercase-in-pattern",
            format!(
                "`{text}` has upper-case letters: the comparison is case-sensitive, and \
                 repository names are lower case"
            ),
            format!("write `{}`", text.to_lowercase()),
        );
    }
}

pub(super) fn repeated(pattern: &Spanned<Pattern>) -> Lint {
    Lint::warning(
        "repeated-pattern",
        &pattern.location,
        format!("`{}` is listed twice in this provider", pattern.as_str()),
        "remove one of them".to_owned(),
    )
}

fn check_path(text: &str, path: &str, warn: &mut impl FnMut(&'static str, String, String)) {
    if let Some(star) = path.find('*') {
        // With its last `/`: without it the pattern would cover `/teamwork` for `/team/*`.
        let kept = if star == 1 { "" } else { &path[..star] };
        let host = text.split('/').next().unwrap_or_default();
        warn(
            "glob-in-path",
            format!("`*` in a path is an ordinary character, so `{text}` matches no image"),
            format!("write `{host}{kept}`; a path covers every image that begins with it"),
        );
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if let Some(at) = last.find(['@', ':']) {
        warn(
            "tag-in-pattern",
            format!(
                "`{text}` ends in a tag or digest; images are compared without one, so it matches \
                 no image"
            ),
            format!("remove `{}`", &last[at..]),
        );
    }
    if path.contains("//") || path.split('/').any(|part| part == "." || part == "..") {
        warn(
            "unclean-path-in-pattern",
            format!(
                "the path of `{text}` contains `//`, `.` or `..`, which no image's name does; \
                 it matches no image"
            ),
            "write the path as in the image's name".to_owned(),
        );
    }
}

fn check_host(
    text: &str,
    host: &str,
    port: &str,
    has_wider: bool,
    warn: &mut impl FnMut(&'static str, String, String),
) {
    if host.ends_with('.') {
        warn(
            "trailing-dot-in-pattern",
            format!(
                "the host of `{text}` ends in a dot; no image's host does, so it matches no \
                 image"
            ),
            format!("write `{}`", host.trim_end_matches('.')),
        );
    }
    if host == "*" && port.is_empty() {
        warn(
            "bare-star",
            "`*` covers one label, so a bare `*` matches only hosts without a dot, such as \
             `localhost`"
                .to_owned(),
            match has_wider {
                true => {
                    "remove it; no `*` covers a port: for registries with one add patterns such as \
                     `*.*:5000`"
                }
                false => {
                    "write one `*` for each label, such as `*.*` and `*.*.*`; no `*` covers a port"
                }
            }
            .to_owned(),
        );
    }
    if host.split('.').any(|label| label.contains("**")) {
        warn(
            "double-star",
            format!("`**` in `{text}` is the same as `*` and covers one label"),
            "write one `*` for each label".to_owned(),
        );
    }
    if HUB_ALIASES.contains(&host) {
        warn(
            "docker-hub-alias",
            format!("images of Docker Hub are compared as `docker.io/...`, never as `{host}`"),
            "write `docker.io`".to_owned(),
        );
    } else if !host.contains(['.', '*', ':', '[']) && port.is_empty() && host != "localhost" {
        warn(
            "not-a-registry",
            format!(
                "`{host}` cannot be the registry in an image's name: without a dot or a port it \
                 is taken for a repository on Docker Hub"
            ),
            format!("write `docker.io/{text}`, or the registry's full host name"),
        );
    }
    if host.starts_with('[') {
        warn(
            "ipv6-without-port",
            format!(
                "`{text}` is an IPv6 address without a port; the kubelet never matches such a \
                 pattern"
            ),
            "write the port, as in `[::1]:5000`".to_owned(),
        );
    }
    if port == "443" {
        warn(
            "port-443",
            format!("`{text}` matches only images that are written with port 443"),
            format!("leave out the port: `{host}`"),
        );
    }
}
