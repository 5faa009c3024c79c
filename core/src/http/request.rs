//! One request: its parts, its attempts, its reply.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use tracing::{debug, info};
use url::Url;

use super::retry::Backoff;
use super::{Http, Plaintext, Reply, transport_error};
use crate::error::{Error, ErrorKind};

/// A request before it is sent. No part of it prints: any part may hold a secret.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder<'a> {
    http: &'a Http,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    retries: u32,
    transient: &'static [u16],
    plaintext: Option<Plaintext>,
    /// The first part that could not be expressed in HTTP; reported on sending.
    invalid: Option<&'static str>,
}

impl<'a> RequestBuilder<'a> {
    pub(super) fn new(http: &'a Http, method: Method, url: Url) -> Self {
        Self {
            http,
            method,
            url,
            headers: HeaderMap::new(),
            body: Vec::new(),
            retries: http.config.retries,
            transient: &[],
            plaintext: None,
            invalid: None,
        }
    }

    /// Asks for JSON.
    pub fn accept_json(mut self) -> Self {
        self.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self
    }

    /// Allows `http://` to addresses of this class. Without it, and to any other address,
    /// such a URL is an error, so that no credential leaves in the clear by mistake.
    pub fn plaintext(mut self, class: Plaintext) -> Self {
        self.plaintext = Some(class);
        self
    }

    /// Never retries: for what a server accepts only once, such as an assertion
    /// whose `jti` it remembers.
    pub fn once(mut self) -> Self {
        self.retries = 0;
        self
    }

    /// Also retries on these statuses, besides 408, 429 and 5xx: for a service whose
    /// documentation says so.
    pub fn retry_on(mut self, statuses: &'static [u16]) -> Self {
        self.transient = statuses;
        self
    }

    /// Sets a header. Its value never prints; only [`secret_header`](Self::secret_header) and
    /// `Authorization` are also looked for in what servers say.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if name == AUTHORIZATION {
            self.http.sent.remember_authorization(value);
        }
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            Err(_) => self.invalid = Some("a header value"),
        }
        self
    }

    /// Sets a header whose value is a secret, such as a session token.
    pub fn secret_header(self, name: HeaderName, value: &SecretString) -> Self {
        self.secret(value).header(name, value.expose_secret())
    }

    /// Marks `value`, which is in the form, the body or the query, as a secret: a server's words
    /// that repeat it are not printed in this run.
    pub fn secret(self, value: &SecretString) -> Self {
        self.http.sent.remember(value.expose_secret());
        self
    }

    /// Authenticates with a bearer token (RFC 6750 §2.1).
    pub fn bearer(self, token: &SecretString) -> Self {
        let value = SecretString::from(format!("Bearer {}", token.expose_secret()));
        self.secret(token).header(AUTHORIZATION, value.expose_secret())
    }

    /// Authenticates with user name and password (RFC 7617). OAuth client credentials
    /// must be form-encoded before (RFC 6749 §2.3.1).
    pub fn basic(self, username: &str, password: &SecretString) -> Self {
        self.http.sent.remember_basic(username, password.expose_secret());
        let pair = SecretString::from(format!("{username}:{}", password.expose_secret()));
        let value = SecretString::from(format!("Basic {}", STANDARD.encode(pair.expose_secret())));
        self.header(AUTHORIZATION, value.expose_secret())
    }

    /// Sends a form (`application/x-www-form-urlencoded`).
    pub fn form<'f>(mut self, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body = form.into_bytes();
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
    }

    /// Sends these bytes; set `Content-Type` as a header.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends JSON.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => self.body = body,
            Err(_) => self.invalid = Some("the JSON body"),
        }
        self.header(CONTENT_TYPE, "application/json")
    }

    /// Sends it and reads the whole reply. Retries when a connection fails, when there is no
    /// answer, and on 408, 429 and 5xx.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) when there was no reply in time,
    /// [`ErrorKind::Protocol`](crate::ErrorKind::Protocol) on a redirect or a body over the cap,
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the server's certificate is not trusted or the call
    /// cannot be made. Any status but a redirect is a reply, also after the last retry.
    pub async fn send(self) -> Result<Reply, Error> {
        let target = target(&self.url);
        if let Some(part) = self.invalid {
            return Err(Error::config(format!("{part} for `{target}` cannot be sent over HTTP")));
        }
        self.check_scheme(&target)?;
        let client = self.http.client(self.url.scheme())?;
        let mut backoff =
            Backoff::new(self.retries, self.http.config.initial_backoff, self.allowance());
        let begun = Instant::now();
        loop {
            let started = Instant::now();
            let limit = backoff.remaining().min(self.http.config.attempt_timeout);
            let mut result = match tokio::time::timeout(limit, self.attempt(client, &target)).await
            {
                Ok(result) => result,
                Err(_) => Err(no_answer(&target)),
            };
            let attempts = backoff.attempts();
            let wait = match &result {
                Ok(reply) if self.is_transient(reply) => backoff.next(reply.retry_after()),
                Err(error) if error.kind() == ErrorKind::Unavailable => backoff.next(None),
                _ => None,
            };
            let took = started.elapsed().as_millis();
            match &result {
                Ok(reply) => debug!("{} {target}: {} in {took} ms", self.method, reply.status()),
                Err(error) => debug!("{} {target}: {error} in {took} ms", self.method),
            }
            if let Ok(reply) = &mut result {
                reply.attempts = attempts;
                reply.sent = self.http.sent.clone();
            }
            let Some(wait) = wait else {
                return result.map_err(|error| self.describe(error, attempts, begun.elapsed()));
            };
            info!("{} {target}: retry in {} ms", self.method, wait.as_millis());
            tokio::time::sleep(wait).await;
        }
    }

    fn check_scheme(&self, target: &str) -> Result<(), Error> {
        match (self.url.scheme(), self.plaintext) {
            ("https", _) => Ok(()),
            ("http", Some(class)) if class.allows(&self.url) => Ok(()),
            ("http", Some(class)) => Err(Error::config(format!("`{target}` must be `https://`"))
                .with_hint(format!("plain `http://` is only allowed to {}", class.description()))),
            _ => Err(Error::config(format!("`{target}` must be `https://`"))),
        }
    }

    /// Adds how long the server was tried, and the proxy that may be the cause: a proxy that is
    /// down looks like a server that is down.
    fn describe(&self, error: Error, attempts: u32, elapsed: Duration) -> Error {
        let error = match (error.kind(), attempts) {
            (ErrorKind::Unavailable, 1) => {
                error.append(&format!(" within {:.1} s", elapsed.as_secs_f64()))
            }
            (ErrorKind::Unavailable, n) => {
                error.append(&format!(" ({n} attempts in {:.1} s)", elapsed.as_secs_f64()))
            }
            _ => error,
        };
        let settings = &self.http.config;
        match settings.proxy.display_for(&self.http.env, &self.url) {
            Some(proxy) if error.kind() == ErrorKind::Unavailable => error.with_hint(format!(
                "the call goes through the proxy {proxy} (unless `NO_PROXY` exempts the host): \
                 check that proxy first, then DNS and firewall"
            )),
            _ => error,
        }
    }

    /// The time for this call with its retries. It ends a little before the run's
    /// deadline, so that the call's own error is the one that is reported.
    fn allowance(&self) -> Duration {
        let left = self.http.deadline.remaining();
        left.saturating_sub(Duration::from_millis(50).min(left / 10)).min(self.http.config.timeout)
    }

    fn is_transient(&self, reply: &Reply) -> bool {
        reply.kind() == ErrorKind::Unavailable || self.transient.contains(&reply.status())
    }

    /// Sends it once. An error of kind Unavailable may be another the next time.
    async fn attempt(&self, client: &reqwest::Client, target: &str) -> Result<Reply, Error> {
        #[cfg(fuzzing)]
        if true {
            let reply = Reply::from_fuzzing(target).ok_or_else(|| no_answer(target))?;
            return refuse_redirect(reply.status(), target).map(|()| reply);
        }
        let request = client
            .request(self.method.clone(), self.url.clone())
            .headers(self.headers.clone())
            .body(self.body.clone());
        let roots = &self.http.config.roots;
        let describe = |error| transport_error::describe(error, target, roots);
        self.http.preconnects.finish(&self.url).await.map_err(describe)?;
        let response = request.send().await.map_err(describe)?;
        refuse_redirect(response.status().as_u16(), target)?;
        Reply::read(response, target, roots).await
    }
}

fn refuse_redirect(status: u16, target: &str) -> Result<(), Error> {
    match status {
        300..400 => Err(Error::protocol(format!(
            "`{target}` answered {status} with a redirect; redirects are never followed"
        ))
        .with_hint("a redirect would send the credentials to another host; set the final URL")),
        _ => Ok(()),
    }
}

/// A URL in printable form: without userinfo, query and fragment.
fn target(url: &Url) -> String {
    let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    shown.push_str(url.path());
    shown
}

fn no_answer(target: &str) -> Error {
    Error::unavailable(format!("no answer from `{target}`"))
        .with_hint("check the network path from this node: DNS, firewall, proxy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Deadline;
    use crate::env::Env;

    #[test]
    fn plain_http_needs_a_call_that_allows_the_address() {
        let http = Http::new(&Env::default(), Deadline::after(Duration::from_secs(1)));
        for (url, class, is_allowed) in [
            ("https://sts.example/", None, true),
            ("https://169.254.169.254/", None, true),
            ("http://127.0.0.1/", None, false),
            ("http://127.0.0.1/", Some(Plaintext::Loopback), true),
            ("http://169.254.169.254/", Some(Plaintext::Loopback), false),
            ("http://169.254.169.254/", Some(Plaintext::Metadata), true),
            ("http://sts.example/", Some(Plaintext::Metadata), false),
            ("ftp://127.0.0.1/", Some(Plaintext::Loopback), false),
        ] {
            let mut call = http.get(url.parse().unwrap());
            call.plaintext = class;
            let checked = call.check_scheme(url).map_err(|error| error.to_string());
            assert_eq!(checked.is_ok(), is_allowed, "{url} {class:?}: {checked:?}");
        }
    }
}
