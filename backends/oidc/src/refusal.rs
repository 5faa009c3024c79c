//! What a token endpoint says when it says no, in the shapes that servers use.

use pullpass::http::{Reply, Spent};
use pullpass::{Error, ErrorKind};
use serde_json::Value;

use crate::answer::Document;
use crate::engine::Failure;

const TRUST: &str =
    "check that the server trusts this cluster's issuer, audience and service account";

/// An error out of a reply that is no success.
pub(crate) fn read(reply: &Reply, spent: &Spent) -> Failure {
    let said = Said::read(reply, spent);
    let (kind, hint) = said.judge(reply);
    let (target, status) = (reply.target(), reply.status());
    let error = match kind {
        ErrorKind::Unavailable => {
            Error::new(kind, format!("`{target}` answered {status}")).hint(reply.hint_unavailable())
        }
        _ => {
            Error::new(kind, format!("`{target}` refused the token exchange with status {status}"))
                .hint(hint)
        }
    };
    let error = said.below(error);
    match said.is_refusal(reply) {
        true => Failure::Refused(error),
        false => Failure::Failed(error),
    }
}

/// Puts the server's own words below `error`, if any can be found in `body` and hold
/// nothing of `spent`.
pub(crate) fn quote(error: Error, body: &Value, spent: &Spent) -> Error {
    Said::of(body, spent).below(error)
}

/// A reply as a document.
///
/// # Errors
/// Of kind Protocol, when it is no JSON.
pub(crate) fn document(reply: &Reply) -> Result<Document<'_>, Error> {
    Ok(Document {
        body: reply.json()?,
        name: reply.target(),
        verb: format!("answered {}", reply.status()),
        blame: ErrorKind::Protocol,
    })
}

#[derive(Default)]
struct Said {
    code: Option<String>,
    description: Option<String>,
}

impl Said {
    fn read(reply: &Reply, spent: &Spent) -> Self {
        reply.json().map(|body| Self::of(&body, spent)).unwrap_or_default()
    }

    fn of(body: &Value, spent: &Spent) -> Self {
        let text =
            |pointer: &str| Some(spent.quote(body.pointer(pointer).and_then(Value::as_str)?));
        Self {
            // RFC 6749 §5.2, and Quay; else Chainguard.
            code: text("/error").or_else(|| text("/code")),
            description: text("/error_description")
                .or_else(|| text("/error/message"))
                .or_else(|| text("/message"))
                .or_else(|| text("/detail"))
                // Vault has texts in `errors`, Artifactory objects.
                .or_else(|| text("/errors/0"))
                .or_else(|| text("/errors/0/message")),
        }
    }

    fn below(&self, error: Error) -> Error {
        match (&self.code, &self.description) {
            (Some(code), Some(description)) => error.because(format!("{code}: {description}")),
            (Some(text), None) | (None, Some(text)) => error.because(text.clone()),
            (None, None) => error,
        }
    }

    /// Whether this is the server's "no" to this identity, and not a fault on the way.
    fn is_refusal(&self, reply: &Reply) -> bool {
        match self.code.as_deref() {
            Some("invalid_grant" | "access_denied") => true,
            Some("invalid_client" | "unauthorized_client") => false,
            _ => matches!(reply.status(), 401 | 403),
        }
    }

    /// Who must act, by the OAuth error code, else by the status.
    fn judge(&self, reply: &Reply) -> (ErrorKind, &'static str) {
        match self.code.as_deref() {
            Some("invalid_client" | "unauthorized_client") => (
                ErrorKind::Config,
                "check `exchange.clientAuth`: the client's name, its secret, and that it may exchange tokens",
            ),
            Some("invalid_target" | "invalid_scope" | "unsupported_grant_type") => (
                ErrorKind::Config,
                "check `exchange`: audience, resource, scope, and that the server offers token exchange",
            ),
            Some("server_error" | "temporarily_unavailable") => (ErrorKind::Unavailable, ""),
            _ => match (reply.status(), reply.kind()) {
                (400, _) if self.code.is_some() => (ErrorKind::Denied, TRUST),
                (_, ErrorKind::Denied) => (ErrorKind::Denied, TRUST),
                (404 | 405, _) => (ErrorKind::Config, "check the path of `exchange.endpoint`"),
                (_, kind) => {
                    (kind, "this is no answer of a token endpoint; check `exchange.endpoint`")
                }
            },
        }
    }
}
