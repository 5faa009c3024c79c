//! A whole reply, with its body capped.

use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};
use secrecy::zeroize::Zeroizing;
use serde::de::DeserializeOwned;

use super::error_body::ErrorBody;
use super::sent_secrets::SentSecrets;
use super::server_error::ServerError;
use super::status::status_kind;
use super::transport_error;
use crate::error::{Error, ErrorKind};
use crate::tls::Roots;

/// The largest body that is read, in bytes.
pub(super) const BODY_LIMIT: usize = 1024 * 1024;

/// What a server answered. The body does not print: it may be a credential.
pub struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    /// The URL that answered, safe to print.
    target: String,
    /// How often the call was sent, this time included.
    pub(super) attempts: u32,
    /// The secrets that its words must not repeat when they are printed.
    pub(super) sent: SentSecrets,
}

impl Reply {
    pub(super) async fn read(
        mut response: reqwest::Response,
        target: &str,
        roots: &Roots,
    ) -> Result<Self, Error> {
        let too_large = || {
            Error::protocol(format!("the answer of `{target}` is larger than {BODY_LIMIT} bytes"))
                .with_hint("no credential is that large: check the URL")
        };
        let announced = response.content_length().unwrap_or(0);
        if announced > BODY_LIMIT as u64 {
            return Err(too_large());
        }
        let mut body = Zeroizing::new(Vec::with_capacity(announced.max(1024) as usize));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => return Err(too_large()),
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Err(transport_error::describe(error, target, roots)),
            }
        }
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Self {
            status,
            headers,
            body,
            target: target.to_owned(),
            attempts: 1,
            sent: SentSecrets::default(),
        })
    }

    /// The answer that a fuzz target's input gives.
    #[cfg(fuzzing)]
    pub(super) fn from_fuzzing(target: &str) -> Option<Self> {
        let answer = crate::fuzzing::next_answer()?;
        let headers = answer.headers.iter();
        let headers = headers.filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, value.try_into().ok()?))
        });
        Some(Self {
            status: StatusCode::from_u16(answer.status).ok()?,
            headers: headers.collect(),
            body: Zeroizing::new(answer.body),
            target: target.to_owned(),
            attempts: 1,
            sent: SentSecrets::default(),
        })
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// The first header of this name, where it is printable ASCII.
    pub fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Every header.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The URL that answered, without query: for messages.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`]; the message repeats nothing of the body.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = match (self.is_html(), error.classify()) {
                (true, _) => "with HTML, not JSON".to_owned(),
                (_, serde_json::error::Category::Data) => {
                    "with JSON of an unexpected shape".to_owned()
                }
                _ if self.body.is_empty() => "with an empty body, not JSON".to_owned(),
                _ => {
                    format!("with invalid JSON (line {}, column {})", error.line(), error.column())
                }
            };
            self.unexpected(&what)
        })
    }

    /// Words of this reply in printable form: each on one line and shortened, or all withheld if
    /// together they repeat a part of a secret that was sent in this run.
    pub fn quote<const N: usize>(&self, words: [&str; N]) -> [String; N] {
        self.sent.quote(words)
    }

    /// The error for a success that lacks what was requested. `what` begins with "with" or
    /// "without": "`URL` answered 200 without an access token".
    pub fn unexpected(&self, what: &str) -> Error {
        Error::protocol(format!("`{}` answered {} {what}", self.target, self.status()))
            .with_hint("unexpected answer: check for a proxy, a login page or a wrong URL")
    }

    /// The error that the body describes; empty if it is not a JSON object.
    pub fn error_body(&self) -> ErrorBody {
        ErrorBody::from_json(&self.json().unwrap_or_default())
    }

    /// Starts the error for this reply, which is not what was requested.
    pub fn server_error(&self) -> ServerError {
        ServerError::new(self.target(), self.status(), &self.sent)
            .unavailable_hint(self.hint_unavailable())
    }

    /// The error for this reply, which is not `wanted`, such as "the token exchange": kind and
    /// hint by the status, with what the body says (RFC 6749 §5.2, or a `message`).
    pub fn into_error(self, wanted: &str) -> Error {
        let body = self.error_body();
        let error = self.server_error().subject(wanted);
        let error = body.error().into_iter().fold(error, ServerError::code);
        body.description().into_iter().fold(error, ServerError::words).into_error()
    }

    /// What to do when a server is overloaded or broken: how often it was retried, and how long
    /// it asks to wait.
    pub fn hint_unavailable(&self) -> String {
        let again = "the kubelet tries the pull again later";
        let asks = self.retry_after().map(|wait| format!("`Retry-After: {}`", wait.as_secs()));
        let status = self.status();
        match (self.attempts.saturating_sub(1), asks) {
            (0, None) => again.to_owned(),
            (0, Some(asks)) => {
                format!(
                    "not retried: the server sent {asks}, which is longer than this run may \
                     wait; {again}"
                )
            }
            (1, None) => format!("still {status} after 1 retry; {again}"),
            (1, Some(asks)) => format!("still {status} after 1 retry, with {asks}; {again}"),
            (n, None) => format!("still {status} after {n} retries; {again}"),
            (n, Some(asks)) => format!("still {status} after {n} retries, with {asks}; {again}"),
        }
    }

    /// Who must act on a status that is not a success.
    pub fn kind(&self) -> ErrorKind {
        status_kind(self.status())
    }

    /// `Retry-After` as a wait from now, in seconds or as a date (RFC 9110 §10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let text = self.header(&RETRY_AFTER)?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let date = httpdate::parse_http_date(text).ok()?;
        #[expect(clippy::disallowed_methods, reason = "a server's date is against the real clock")]
        let now = SystemTime::now();
        Some(date.duration_since(now).unwrap_or_default())
    }

    /// Whether the body is a web page, which no token service sends.
    pub fn is_html(&self) -> bool {
        let start = self.body.trim_ascii_start();
        start.get(..5).is_some_and(|start| {
            start.eq_ignore_ascii_case(b"<html") || start.eq_ignore_ascii_case(b"<!doc")
        })
    }
}
