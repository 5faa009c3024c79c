//! A request as a fake gets it.

use std::convert::Infallible;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, Uri};
use url::form_urlencoded;

use super::form::Form;

/// The longest body that is read.
const LIMIT: usize = 1 << 20;

/// A whole request.
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<State: Send + Sync> FromRequest<State> for Received {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &State) -> Result<Self, Infallible> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, LIMIT).await.unwrap_or_default();
        Ok(Self { method: parts.method, uri: parts.uri, headers: parts.headers, body })
    }
}

impl Received {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn host(&self) -> &str {
        self.text("host").unwrap_or_default()
    }

    pub(super) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The content type without its parameters.
    pub(super) fn essence(&self) -> &str {
        let content_type = self.text("content-type").unwrap_or_default();
        content_type.split(';').next().unwrap_or_default().trim()
    }

    /// The parameters of a form, and every way in which it is not a valid one.
    pub(super) fn form(&self) -> (Form, Vec<String>) {
        Form::read(&self.method, &self.uri, &self.headers, &self.body)
    }

    /// The URL's parameters.
    pub(super) fn query(&self) -> Query {
        let query = self.uri.query().unwrap_or_default();
        Query(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The parameters of the URL and of a form, to be remembered: the values of secret ones are
    /// left out.
    pub(super) fn fields(&self, secret: &[&str]) -> Vec<(String, String)> {
        let form = self.essence() == "application/x-www-form-urlencoded";
        let body = if form { self.body.as_ref() } else { b"" };
        let fields = self.query().0.into_iter().chain(form_urlencoded::parse(body).into_owned());
        fields.map(|(name, value)| shown(secret, name, value)).collect()
    }
}

/// A field as it may be remembered.
pub(super) fn shown(secret: &[&str], name: String, value: String) -> (String, String) {
    let hidden = secret.contains(&name.as_str());
    (name, if hidden { "(secret)".to_owned() } else { value })
}

/// A URL's parameters in the order they came.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's first value; an empty one is treated as left out.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of a parameter.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }
}
