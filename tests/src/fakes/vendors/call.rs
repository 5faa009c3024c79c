//! What is remembered of a request. No field holds a secret.

use serde_json::Value;

use crate::fakes::canned;
use crate::fakes::received::{Received, shown};

/// What a test may have answered in the place of the vendor's own: any status, headers, body and
/// delay.
pub type Canned = canned::Canned<Path>;

/// A path, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub(super) usize);

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// The `Host` header.
    pub host: String,
    /// The URL's path, percent-encoded as it came.
    pub path: String,
    /// The content type without its parameters; empty without one.
    pub content_type: String,
    /// The scheme of the `Authorization` header: `Basic`, `Bearer`.
    pub authorization: Option<String>,
    /// The user of a `Basic` header.
    pub user: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// `X-...` headers, in lower case; the value of a secret one is `(secret)`.
    pub headers: Vec<(String, String)>,
    /// Query, form and JSON fields; the value of a secret one is `(secret)`.
    pub fields: Vec<(String, String)>,
    /// The `sub` of a token that held.
    pub subject: Option<String>,
    /// The status of the answer; `None` if the client went away before it.
    pub status: Option<u16>,
    /// Why the service refused.
    pub error: Option<String>,
    /// What it let pass: see [`super::Vendor::violations`].
    pub violations: Vec<String>,
}

/// Fields and headers that are recorded without their values.
const SECRET: [&str; 12] = [
    "actor_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "cr_token",
    "jwt",
    "oidc_token",
    "password",
    "subjectToken",
    "subject_token",
    "token",
    "x-vault-token",
];

impl Call {
    /// What is remembered of a request.
    pub(super) fn of(received: &Received) -> Self {
        let mut fields = received.fields(&SECRET);
        if received.essence() == "application/json" {
            let body = serde_json::from_slice::<Value>(&received.body).unwrap_or_default();
            for (name, value) in body.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                fields.push(shown(&SECRET, name.clone(), value));
            }
        }
        let authorization = received.text("authorization").and_then(|text| text.split(' ').next());
        let own = received.headers.iter().filter(|(name, _)| name.as_str().starts_with("x-"));
        let headers = own.map(|(name, value)| {
            let value = value.to_str().unwrap_or_default().to_owned();
            shown(&SECRET, name.to_string(), value)
        });
        Self {
            method: received.method.to_string(),
            host: received.host().to_owned(),
            path: received.path().to_owned(),
            content_type: received.essence().to_owned(),
            authorization: authorization.map(str::to_owned),
            user: crate::fakes::form::basic(&received.headers).map(|(user, _)| user),
            user_agent: received.text("user-agent").map(str::to_owned),
            headers: headers.collect(),
            fields,
            subject: None,
            status: None,
            error: None,
            violations: Vec::new(),
        }
    }

    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The fields' names, in order.
    pub fn field_names(&self) -> Vec<&str> {
        self.fields.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The value of an `X-...` header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
