//! The request side of an OAuth 2.0 token endpoint, read strictly: what RFC 6749 forbids a client
//! is refused here, where a lenient server would hide the client's mistake.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

/// Parameters that RFC 8693 section 2.1 lets a client repeat.
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// How a client must say who it is (RFC 6749 section 2.3.1).
#[derive(Clone)]
pub enum ClientAuth {
    /// It does not, or by a bare `client_id`.
    None,
    /// HTTP Basic with the form-encoded id and secret.
    Basic {
        /// The client's name.
        id: String,
        /// Its password.
        secret: String,
    },
    /// `client_id` and `client_secret` in the form.
    Post {
        /// The client's name.
        id: String,
        /// Its password.
        secret: String,
    },
}

impl ClientAuth {
    /// The name in a discovery document's `token_endpoint_auth_methods_supported`.
    pub fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic { .. } => "client_secret_basic",
            Self::Post { .. } => "client_secret_post",
        }
    }
}

/// A token request's parameters in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a form; every departure from RFC 6749 section 4 and appendix B is named.
    pub fn read(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> (Self, Vec<String>) {
        let mut faults = Vec::new();
        if method != Method::POST {
            faults.push(format!("the method is {method}, not POST"));
        }
        if uri.query().is_some() {
            faults.push("parameters in the URL".to_owned());
        }
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let is_form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        if !is_form {
            faults.push(format!("the content type is `{essence}`"));
        }
        for name in [header::COOKIE, header::REFERER] {
            if headers.contains_key(&name) {
                faults.push(format!("a `{name}` header"));
            }
        }
        let body = if is_form { body.as_ref() } else { b"" };
        let form = Self(form_urlencoded::parse(body).into_owned().collect());
        for (index, (name, value)) in form.0.iter().enumerate() {
            let repeated = form.0[..index].iter().any(|(earlier, _)| earlier == name);
            if repeated && !REPEATABLE.contains(&name.as_str()) {
                faults.push(format!("`{name}` is repeated"));
            }
            if value.is_empty() {
                faults.push(format!("`{name}` is empty"));
            }
        }
        (form, faults)
    }

    /// A parameter's first value; an empty one is treated as omitted (RFC 6749 section 3.2).
    pub fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of a parameter.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }

    /// The parameters' names, in order.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// What the client's authentication came to.
pub enum ClientVerdict {
    /// It is who it should be.
    Known,
    /// RFC 6749 section 5.2 `invalid_client`.
    Unknown,
    /// No client may send this at all.
    Forbidden(&'static str),
}

/// Checks who the client is.
pub fn client(wanted: &ClientAuth, headers: &HeaderMap, form: &Form) -> ClientVerdict {
    let header = headers.get(header::AUTHORIZATION);
    let in_form = form.value("client_secret").is_some();
    if header.is_some() && in_form {
        return ClientVerdict::Forbidden("two ways of client authentication at once");
    }
    let known = match wanted {
        ClientAuth::None if header.is_some() || in_form => {
            return ClientVerdict::Forbidden("a client secret that nobody asked for");
        }
        ClientAuth::None => true,
        ClientAuth::Basic { id, secret } => basic(headers).is_some_and(|(user, password)| {
            form_decoded(&user).as_ref() == Some(id)
                && form_decoded(&password).as_ref() == Some(secret)
        }),
        ClientAuth::Post { id, secret } => {
            form.value("client_id") == Some(id) && form.value("client_secret") == Some(secret)
        }
    };
    if known { ClientVerdict::Known } else { ClientVerdict::Unknown }
}

/// The user and password of a Basic header (RFC 7617), unchanged.
pub fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Undoes form encoding of one value; `None` if the text cannot be one encoded value.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(value, _)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(body: &'static str) -> (Form, Vec<String>) {
        let mut headers = HeaderMap::new();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, kind);
        Form::read(&Method::POST, &Uri::from_static("/token"), &headers, &Bytes::from(body))
    }

    fn basic_header(text: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(text));
        HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::try_from(value).unwrap())])
    }

    #[test]
    fn a_clean_form_has_no_fault_and_a_repeated_parameter_is_one() {
        assert!(read("grant_type=x&audience=a&audience=b").1.is_empty());
        assert_eq!(read("scope=a&scope=b").1, ["`scope` is repeated"]);
        assert_eq!(read("scope=").1, ["`scope` is empty"]);
    }

    #[test]
    fn only_a_post_of_a_form_without_a_query_is_a_token_request() {
        let uri = Uri::from_static("/token?grant_type=x");
        let (_, faults) = Form::read(&Method::GET, &uri, &HeaderMap::new(), &Bytes::new());
        assert_eq!(faults.len(), 3, "{faults:?}");
    }

    #[test]
    fn basic_wants_the_encoded_form_of_id_and_secret() {
        let wanted = ClientAuth::Basic { id: "node 1".into(), secret: "a:b%+/&=".into() };
        let verdict = |text| client(&wanted, &basic_header(text), &Form::default());
        assert!(matches!(verdict("node+1:a%3Ab%25%2B%2F%26%3D"), ClientVerdict::Known));
        assert!(matches!(verdict("node%201:a%3Ab%25%2B%2F%26%3D"), ClientVerdict::Known));
        assert!(matches!(verdict("node 1:a:b%+/&="), ClientVerdict::Unknown));
        assert!(matches!(verdict("node+1:wrong"), ClientVerdict::Unknown));
    }

    #[test]
    fn a_secret_in_two_places_or_unasked_is_forbidden() {
        let (form, _) = read("client_id=a&client_secret=b");
        let post = ClientAuth::Post { id: "a".into(), secret: "b".into() };
        assert!(matches!(client(&post, &HeaderMap::new(), &form), ClientVerdict::Known));
        let twice = client(&post, &basic_header("a:b"), &form);
        assert!(matches!(twice, ClientVerdict::Forbidden(_)));
        let unasked = client(&ClientAuth::None, &HeaderMap::new(), &form);
        assert!(matches!(unasked, ClientVerdict::Forbidden(_)));
    }
}
