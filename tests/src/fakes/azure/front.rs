//! The door that all services share: what a request is, what is remembered of it, and the answer's
//! dress.

use std::convert::Infallible;
use std::time::{Duration, UNIX_EPOCH};

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::Azure;
use super::call::{Answer, Call, Service};
use super::error::Refusal;
use crate::fakes::form::Form;
use crate::jwt;

/// Fields that are recorded without their values.
const SECRET_FIELDS: [&str; 4] =
    ["access_token", "client_assertion", "client_secret", "refresh_token"];
/// The longest body that is read.
const LIMIT: usize = 1 << 20;

/// A whole request.
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A service's own answer.
pub(super) type Served = Result<Answer, Refusal>;

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

    /// The parameters of a form, and everything in which it is none.
    pub(super) fn form(&self) -> (Form, Vec<String>) {
        Form::read(&self.method, &self.uri, &self.headers, &self.body)
    }

    /// The URL's parameters.
    pub(super) fn query(&self) -> Query {
        let query = self.uri.query().unwrap_or_default();
        Query(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// What is remembered of it.
    pub(super) fn call(&self, service: Service) -> Call {
        let form = self.text("content-type").is_some_and(|kind| kind.contains("form-urlencoded"));
        let body = if form { self.body.as_ref() } else { b"" };
        let fields = self.query().0.into_iter().chain(form_urlencoded::parse(body).into_owned());
        let shown = fields.map(|(name, value)| {
            let secret = SECRET_FIELDS.contains(&name.as_str());
            (name, if secret { "(secret)".to_owned() } else { value })
        });
        Call {
            service,
            method: self.method.to_string(),
            host: self.host().to_owned(),
            path: self.path().to_owned(),
            authorization: self.headers.contains_key(header::AUTHORIZATION),
            client_id: None,
            tenant: None,
            subject: None,
            user_agent: self.text("user-agent").map(str::to_owned),
            fields: shown.collect(),
            status: None,
            correlation_id: None,
            error: None,
        }
    }
}

/// A URL's parameters in the order they came.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// A parameter's first value; an empty one counts as left out.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of a parameter.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let same = move |(key, value): &&(String, String)| key == name && !value.is_empty();
        self.0.iter().filter(same).map(|(_, value)| value.as_str())
    }
}

/// Remembers how a call ended, and dresses the answer. The date is the simulated clock's, so that
/// clients can tell how wrong theirs is.
pub(super) fn finish(azure: &Azure, service: Service, id: usize, served: Served) -> Response {
    let answer = served.unwrap_or_else(|refusal| {
        azure.update(id, |call| call.error = Some(refusal.reason()));
        refusal.render(service)
    });
    azure.update(id, |call| {
        call.status = Some(answer.status);
        call.correlation_id = answer.correlation_id();
    });
    let Answer { status, headers, body } = answer;
    let status = StatusCode::from_u16(status).expect("an HTTP status");
    let mut response = (status, body).into_response();
    let all = response.headers_mut();
    all.remove(header::CONTENT_TYPE);
    let now = UNIX_EPOCH + Duration::from_secs(azure.now().unsigned_abs());
    let own = own_headers(service).into_iter().map(|(name, value)| (name.to_owned(), value));
    let date = ("date".to_owned(), httpdate::fmt_http_date(now));
    for (name, value) in own.chain([date]).chain(headers) {
        let name = HeaderName::try_from(name).expect("a header's name");
        all.append(name, HeaderValue::try_from(value).expect("a header's value"));
    }
    response
}

/// Nobody is at that name: a real one would not even resolve.
pub(super) fn nobody(azure: &Azure, host: &str) -> Response {
    azure.stray(host);
    (StatusCode::MISDIRECTED_REQUEST, "nobody is here").into_response()
}

/// What a service sends with everything.
fn own_headers(service: Service) -> Vec<(&'static str, String)> {
    match service {
        Service::Entra | Service::IdentityBinding => vec![
            ("cache-control", "no-store, no-cache".to_owned()),
            ("pragma", "no-cache".to_owned()),
            ("x-ms-request-id", jwt::random_uuid()),
        ],
        Service::Imds => vec![("server", "IMDS/150.870.65.1854".to_owned())],
        Service::Arc | Service::AppService => Vec::new(),
        Service::Challenge | Service::Exchange | Service::PullToken => vec![
            ("server", "AzureContainerRegistry".to_owned()),
            ("docker-distribution-api-version", "registry/2.0".to_owned()),
        ],
    }
}
