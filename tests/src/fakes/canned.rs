//! An answer, and what a test may have answered in the place of a service's own.

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, UNIX_EPOCH};

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Status, headers and body.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into() }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Dressed in these headers more and the simulated clock's date, by which clients can tell how
    /// wrong theirs is.
    pub(super) fn dressed(self, now: i64, own: Vec<(&str, String)>) -> Response {
        let status = StatusCode::from_u16(self.status).expect("an HTTP status");
        let mut response = (status, self.body).into_response();
        let all = response.headers_mut();
        all.remove(header::CONTENT_TYPE);
        let now = UNIX_EPOCH + Duration::from_secs(now.unsigned_abs());
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
        let date = ("date".to_owned(), httpdate::fmt_http_date(now));
        for (name, value) in own.chain([date]).chain(self.headers) {
            let name = HeaderName::try_from(name).expect("a header's name");
            all.append(name, HeaderValue::try_from(value).expect("a header's value"));
        }
        response
    }
}

/// An answer that a test puts in the place of the service's own, or before it. The services are
/// those of one fake, which knows more constructors, in its services' words.
pub struct Canned<Service> {
    pub(super) delay: Duration,
    pub(super) answer: Option<Answer>,
    fake: PhantomData<fn(Service)>,
}

impl<Service> Canned<Service> {
    /// Any answer.
    pub fn answer(status: u16, content_type: &str, body: impl Into<String>) -> Self {
        Self::from(Answer::new(status, content_type, body))
    }

    /// Any JSON, such as `{}` in the place of a token.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::from(Answer::json(status, body))
    }

    /// JSON that the service never sends.
    pub fn other_json(status: u16) -> Self {
        Self::json(status, &json!({"ok": true}))
    }

    /// A status with an empty body.
    pub fn status(status: u16) -> Self {
        Self::answer(status, "text/plain", "")
    }

    /// 307 to `location`.
    pub fn redirect(location: &str) -> Self {
        Self::answer(307, "text/html", "").with_header("location", location)
    }

    /// 503 and a web page, as of a load balancer.
    pub fn unavailable() -> Self {
        Self::answer(503, "text/html", "<html><body><h2>Our services aren't available right now")
    }

    /// The service's own answer, but so late.
    pub fn late(delay: Duration) -> Self {
        Self { delay, answer: None, fake: PhantomData }
    }

    /// Not before that time has passed.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// With a header more; the same name twice makes two headers.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let answer = self.answer.take().expect("a late answer is the service's own");
        self.answer = Some(answer.with_header(name, value));
        self
    }
}

impl<Service> From<Answer> for Canned<Service> {
    fn from(answer: Answer) -> Self {
        Self { delay: Duration::ZERO, answer: Some(answer), fake: PhantomData }
    }
}

impl<Service> Clone for Canned<Service> {
    fn clone(&self) -> Self {
        Self { delay: self.delay, answer: self.answer.clone(), fake: PhantomData }
    }
}

impl<Service> fmt::Debug for Canned<Service> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} after {:?}", self.answer, self.delay)
    }
}
