//! A URL with names in its path and query: whatever their values are, scheme, host and port are
//! those of the file.

use pullpass::http::Plaintext;
use url::Url;

use super::template::Template;

/// Where a step goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Scheme, host and port, with an empty path.
    origin: Url,
    segments: Vec<Template>,
    query: Vec<(String, Template)>,
}

impl Address {
    /// Splits a URL, and adds parameters to its query. Names in both are looked up already;
    /// `field` is the URL's place in the file.
    ///
    /// # Errors
    /// What is wrong, when it is not a URL, has a scheme or a part that is not allowed, or has a name
    /// outside of path and query. The
    /// URL is not repeated, since it may hold a password.
    pub(crate) fn new(
        field: &str,
        template: Template,
        query: Vec<(String, Template)>,
        allow_loopback_http: bool,
    ) -> Result<Self, String> {
        // A URL parser reads `\` as `/`, and drops control characters.
        let is_bad = |c: char| c == '\\' || c.is_control() || c.is_whitespace();
        if template.texts().any(|text| text.contains(is_bad)) {
            return Err(format!("`{field}` has a backslash or white space in it"));
        }
        if template.texts().any(|text| text.contains('#')) {
            return Err(format!("`{field}` must not have userinfo or a fragment"));
        }
        let (path, search) = template.split_once('?');
        let mut segments = path.split('/').into_iter().peekable();
        let take_fixed = |piece: Option<Template>| match piece.unwrap_or_default().as_text() {
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("`{field}`: scheme, host and port must be fixed")),
        };
        // `https:`, nothing, and the host.
        let mut front = take_fixed(segments.next())?;
        if front.ends_with(':') && segments.next_if(|it| it.as_text() == Some("")).is_some() {
            front = format!("{front}//{}", take_fixed(segments.next())?);
        }
        if front.ends_with(':') {
            return Err(format!("`{field}` is not a URL: its port is empty"));
        }
        let origin = parse(field, &front, allow_loopback_http)?;
        let mut segments: Vec<Template> = segments.collect();
        if segments.iter().any(|segment| segment.as_text().is_some_and(is_dots)) {
            return Err(format!("`{field}` has `.` or `..` in its path"));
        }
        if segments.is_empty() {
            segments.push(Template::default());
        }
        let mut parameters = Vec::new();
        for pair in search.into_iter().flat_map(|search| search.split('&')) {
            let (name, value) = pair.split_once('=');
            let Some(name) = name.as_text() else { return Err(unfixed_name(field)) };
            if !name.is_empty() || value.is_some() {
                parameters.push((name.to_owned(), value.unwrap_or_default()));
            }
        }
        // These are plain texts, and are encoded here.
        for (name, value) in query {
            if name.contains("${") {
                return Err(unfixed_name(field));
            }
            parameters.push((form_encode(&name), value.encoded(form_encode)));
        }
        Ok(Self { origin, segments, query: parameters })
    }

    /// Scheme, host and port, with an empty path.
    pub(crate) fn origin_url(&self) -> &Url {
        &self.origin
    }

    /// The segments of the path.
    pub(crate) fn segments(&self) -> &[Template] {
        &self.segments
    }

    /// The parameters of the query.
    pub(crate) fn query(&self) -> &[(String, Template)] {
        &self.query
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

fn unfixed_name(field: &str) -> String {
    format!("`{field}`: a parameter's name must be fixed")
}

/// Parses a URL without names in it that a token may be sent to.
///
/// # Errors
/// As [`Address::new`].
pub(crate) fn parse(field: &str, text: &str, allow_loopback_http: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{field}` is not a URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(format!("`{field}` must not have userinfo or a fragment"));
    }
    match url.scheme() {
        "https" if url.host().is_some() => Ok(url),
        "http" if !Plaintext::Loopback.allows(&url) => {
            Err(format!("`{field}` must be `https://`: the pod's token goes there"))
        }
        "http" if allow_loopback_http => Ok(url),
        "http" => Err(format!("`{field}` over `http://` needs `http.allowLoopbackHttp: true`")),
        _ => Err(format!("`{field}` must be `https://`")),
    }
}

/// `scheme://host:port`.
pub(crate) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `host[:port]` of a URL.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What URL parsers read as "here" and "one up", escaped or not.
pub(crate) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

/// As a form's values are written (`application/x-www-form-urlencoded`).
pub(crate) fn form_encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests;
