//! One call at a vendor: what all dialects read, check and return in the same way.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::answer::{Refusal, Shape};
use super::{Password, Shared};
use crate::fakes::form::{self, Form};
use crate::fakes::received::Received;
use crate::jwt;
use crate::verify::Refusal as Disbelief;

/// A call, and where it arrived.
pub(super) struct Visit<'a> {
    pub(super) shared: &'a Shared,
    pub(super) received: &'a Received,
    pub(super) shape: Shape,
    id: usize,
}

/// Builds a password.
pub(super) struct Order<'a> {
    pub(super) subject: &'a str,
    pub(super) username: Option<&'a str>,
    /// A JWT that says its own end, with this `sub`; else it is an opaque text.
    pub(super) jwt_sub: Option<&'a str>,
    pub(super) lifetime: i64,
}

/// Reading it.
impl<'a> Visit<'a> {
    pub(super) fn new(shared: &'a Shared, received: &'a Received, id: usize) -> Self {
        let visit = Self { shared, received, shape: shared.dialect.shape(), id };
        for name in ["cookie", "referer"] {
            if received.headers.contains_key(name) {
                visit.violation(format!("a `{name}` header"));
            }
        }
        visit
    }

    /// Refuses every other path and method.
    pub(super) fn only(&self, method: &Method, path: &str) -> Result<(), Refusal> {
        if self.received.path() != path {
            return Err(self.shape.not_found());
        }
        if self.received.method != method {
            return Err(self.shape.wrong_method());
        }
        Ok(())
    }

    /// The JSON object of the body; these services ignore parameters in the URL.
    pub(super) fn json(&self) -> Result<Map<String, Value>, Refusal> {
        if self.received.essence() != "application/json" {
            let reason = format!("the content type is `{}`", self.received.essence());
            let refusal = self.shape.refuse(
                StatusCode::UNSUPPORTED_MEDIA_TYPE.as_u16(),
                "UNSUPPORTED_MEDIA_TYPE",
                "Unsupported media type",
            );
            return Err(refusal.because(reason));
        }
        self.without_query();
        let body = serde_json::from_slice::<Value>(&self.received.body).ok();
        let body = body.and_then(|body| body.as_object().cloned());
        body.ok_or_else(|| self.shape.refuse(400, "BAD_REQUEST", "Malformed JSON body"))
    }

    /// The form of a token request, read as RFC 6749 has it.
    pub(super) fn form(&self) -> Result<Form, Refusal> {
        let (form, faults) = self.received.form();
        match faults.first() {
            None => Ok(form),
            Some(fault) => {
                let refusal = self.shape.refuse(400, "invalid_request", "Invalid request");
                Err(refusal.because(fault))
            }
        }
    }

    /// The token of a `Bearer` header.
    pub(super) fn bearer(&self) -> Option<&'a str> {
        let token = self.received.text("authorization")?.strip_prefix("Bearer ")?;
        Some(token).filter(|token| !token.is_empty())
    }
}

/// Noting what should not be.
impl Visit<'_> {
    pub(super) fn violation(&self, what: String) {
        self.shared.log.update(self.id, |call| call.violations.push(what));
    }

    /// Parameters that this service does not know.
    pub(super) fn known<'n>(&self, names: impl IntoIterator<Item = &'n str>, known: &[&str]) {
        for name in names.into_iter().filter(|name| !known.contains(name)) {
            self.violation(format!("a parameter `{name}`"));
        }
    }

    /// A credential in the header that was not asked for.
    pub(super) fn without_authorization(&self) {
        if self.received.headers.contains_key("authorization") {
            self.violation("an `authorization` header".to_owned());
        }
    }

    pub(super) fn without_query(&self) {
        if self.received.uri.query().is_some() {
            self.violation("parameters in the URL".to_owned());
        }
    }
}

/// Believing and handing out.
impl Visit<'_> {
    /// The claims of a pod's token that holds and is of the one subject that is let in.
    pub(super) async fn claims(&self, token: &str) -> Result<Value, Disbelief> {
        let claims = self.shared.subjects.verify(token).await?;
        if claims["sub"] != self.shared.subject.as_str() {
            return Err(Disbelief::Subject);
        }
        let subject = self.shared.subject.clone();
        self.shared.log.update(self.id, |call| call.subject = Some(subject));
        Ok(claims)
    }

    /// Whether this `jti` was never seen before.
    pub(super) fn spend(&self, jti: &str) -> bool {
        self.shared.spent.lock().unwrap().insert(jti.to_owned())
    }

    /// A fresh opaque password with the settings' lifetime.
    pub(super) fn opaque(&self, username: Option<&str>) -> Password {
        let (subject, lifetime) = (self.shared.subject.as_str(), self.shared.lifetime);
        let jwt_sub = (self.shared.expiry == super::Expiry::JwtExp).then_some(subject);
        self.hand_out(&Order { subject, username, jwt_sub, lifetime })
    }

    /// A fresh JWT with the settings' lifetime and this `sub`.
    pub(super) fn jwt(&self, username: Option<&str>, sub: &str) -> Password {
        let (subject, lifetime) = (self.shared.subject.as_str(), self.shared.lifetime);
        self.hand_out(&Order { subject, username, jwt_sub: Some(sub), lifetime })
    }

    /// A fresh password, which is remembered.
    pub(super) fn hand_out(&self, order: &Order<'_>) -> Password {
        let now = jwt::now();
        let expires = now + order.lifetime;
        let value = match order.jwt_sub {
            None => jwt::random_text(40),
            Some(sub) => self.shared.key.sign(&json!({
                "iss": self.shared.url,
                "sub": sub,
                "iat": now.min(expires),
                "exp": expires,
                "jti": jwt::random_uuid(),
            })),
        };
        let password = Password {
            value,
            username: order.username.map(str::to_owned),
            subject: order.subject.to_owned(),
            lifetime: order.lifetime,
            expires,
            revoked: false,
        };
        self.secret("a password", &password.value);
        self.shared.passwords.lock().unwrap().push(password.clone());
        password
    }

    pub(super) fn secret(&self, name: &str, secret: &str) {
        self.shared.log.add_secret(name.to_owned(), secret);
    }

    /// Puts the end into an answer, under that name.
    pub(super) fn say_end(
        &self,
        body: &mut Value,
        name: &str,
        usual: super::Expiry,
        of: &Password,
    ) {
        if let Some(end) = of.end(usual, self.shared.expiry) {
            body[name] = end;
        }
    }
}

/// The text of a JSON field that is there and not empty.
pub(super) fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b str> {
    body.get(name)?.as_str().filter(|value| !value.is_empty())
}

/// The names of a JSON object.
pub(super) fn names(body: &Map<String, Value>) -> impl Iterator<Item = &str> {
    body.keys().map(String::as_str)
}

/// The user and password of a `Basic` header, unchanged.
pub(super) fn basic(received: &Received) -> Option<(String, String)> {
    form::basic(&received.headers)
}
