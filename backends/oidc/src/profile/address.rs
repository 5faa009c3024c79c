//! A URL with names in its path and query: whatever they stand for, scheme, host and port are
//! those of the file.

use url::{Host, Url};

use crate::engine::values::Values;
use crate::profile::template::{Position, Scope, Template};

/// Where a step goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port, with an empty path.
    origin: Url,
    segments: Vec<Template>,
    query: Vec<(String, Template)>,
}

impl Address {
    /// Reads a URL and further parameters of its query. `what` is its place in the file.
    ///
    /// # Errors
    /// A text on what is wrong; the URL is not repeated, since it may hold a password.
    pub(crate) fn compile(
        what: &str,
        text: &str,
        query: &[(String, String)],
        allow_loopback_http: bool,
        scope: &Scope,
    ) -> Result<Self, String> {
        let template = Template::compile(text, Position::Url, scope)
            .map_err(|why| format!("`{what}`: {why}"))?
            .to_string();
        // A URL parser takes `\` for `/`, and drops what does not print.
        if template.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace()) {
            return Err(format!("`{what}` has a backslash or white space in it"));
        }
        if template.contains('#') {
            return Err(format!("`{what}` must not have userinfo or a fragment"));
        }
        let start = template.find("://").map_or(0, |at| at + 3);
        let end = template[start..].find(['/', '?']).map_or(template.len(), |at| start + at);
        let (front, rest) = template.split_at(end);
        if front.contains("${") {
            return Err(format!("`{what}`: scheme, host and port must be fixed"));
        }
        if front.ends_with(':') {
            return Err(format!("`{what}` is no URL: its port is empty"));
        }
        let origin = Url::parse(front).map_err(|error| format!("`{what}` is no URL: {error}"))?;
        check_origin(what, &origin, allow_loopback_http)?;
        let (path, search) = rest.split_once('?').unwrap_or((rest, ""));
        let part = |text: &str| {
            Template::compile(text, Position::Url, scope).map_err(|why| format!("`{what}`: {why}"))
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        let segments = path.split('/').map(part).collect::<Result<Vec<_>, _>>()?;
        if segments.iter().any(|segment| segment.as_text().is_some_and(is_dots)) {
            return Err(format!("`{what}` has `.` or `..` in its path"));
        }
        let written = search.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (name.to_owned(), value.to_owned())
        });
        let fixed_name = |name: String| match name.contains("${") {
            true => Err(format!("`{what}`: a parameter's name must be fixed")),
            false => Ok(name),
        };
        let mut all = Vec::new();
        for (name, value) in written {
            all.push((fixed_name(name)?, part(&value)?));
        }
        // These are texts, and become a part of a URL here.
        for (name, value) in query {
            all.push((form_encode(&fixed_name(name.clone())?), part(value)?.encoded(form_encode)));
        }
        let query = all;
        Ok(Self { origin, segments, query })
    }

    /// A URL of the file's as it is: `issuer` for discovery.
    ///
    /// # Errors
    /// As [`Address::compile`].
    pub(crate) fn fixed(what: &str, text: &str, allow_loopback_http: bool) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|error| format!("`{what}` is no URL: {error}"))?;
        check_origin(what, &url, allow_loopback_http)?;
        Ok(url)
    }

    /// The URL with `values` in.
    ///
    /// # Errors
    /// A text, when a value would make another path of it.
    pub(crate) fn render(&self, values: &Values) -> Result<Url, String> {
        let mut url = self.origin.clone();
        let mut path = String::new();
        for segment in &self.segments {
            let rendered = segment.render(values, percent_encode);
            if is_dots(&rendered) || rendered.is_empty() && segment.as_text().is_none() {
                return Err(format!("`{segment}` in a URL's path is empty, `.` or `..`"));
            }
            path.push('/');
            path.push_str(&rendered);
        }
        url.set_path(&path);
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={}", *value.render(values, form_encode)))
            .collect();
        url.set_query(Some(query.join("&")).filter(|query| !query.is_empty()).as_deref());
        match origin(&url) == origin(&self.origin) {
            true => Ok(url),
            // Not to be reached: a path and a query were set.
            false => Err("a value would change the URL's host".to_owned()),
        }
    }

    /// For people: with those values in that may be printed.
    pub(crate) fn preview(&self, values: &Values) -> String {
        let mut shown = self.origin();
        self.segments.iter().for_each(|it| shown.push_str(&format!("/{}", it.preview(values))));
        let mut mark = '?';
        for (name, value) in &self.query {
            shown.push_str(&format!("{mark}{name}={}", value.preview(values)));
            mark = '&';
        }
        shown
    }

    /// What is filled in.
    pub(crate) fn templates(&self) -> impl Iterator<Item = &Template> {
        self.segments.iter().chain(self.query.iter().map(|(_, value)| value))
    }

    /// `scheme://host:port`, to compare and to print.
    pub(crate) fn origin(&self) -> String {
        origin(&self.origin)
    }

    /// The host and, where it is not the scheme's own, the port.
    pub(crate) fn host(&self) -> String {
        host(&self.origin)
    }
}

/// `scheme://host:port`.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `host[:port]` of a URL.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn check_origin(what: &str, url: &Url, allow_loopback_http: bool) -> Result<(), String> {
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(format!("`{what}` must not have userinfo or a fragment"));
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if !is_loopback(url) => {
            Err(format!("`{what}` must be `https://`: the pod's token goes there"))
        }
        "http" if allow_loopback_http => Ok(()),
        "http" => Err(format!("`{what}` over `http://` needs `http.allowLoopbackHttp: true`")),
        _ => Err(format!("`{what}` must be `https://`")),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What URL parsers take for "here" and "one up", escaped or not.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// Everything but unreserved characters (RFC 3986 §2.3).
fn percent_encode(text: &str) -> String {
    let is_unreserved = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    let encoded = |c: u8| match is_unreserved(c) {
        true => char::from(c).to_string(),
        false => format!("%{c:02X}"),
    };
    text.bytes().map(encoded).collect()
}

fn form_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests;
