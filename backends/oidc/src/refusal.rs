//! What a token endpoint says when it says no, in the shapes that servers use.

use pullpass::http::Reply;
use pullpass::{Error, ErrorKind, one_line};
use serde_json::Value;

use crate::exchange::Failure;

/// The longest text of a server that is repeated, in characters.
const LONGEST: usize = 300;

/// An error out of a reply that is no success.
pub(crate) fn read(reply: &Reply) -> Failure {
    let said = Said::read(reply);
    let (kind, hint) = said.judge(reply);
    let mut error = Error::new(
        kind,
        format!("`{}` refused the token exchange with status {}", reply.target(), reply.status()),
    )
    .hint(hint);
    if kind == ErrorKind::Unavailable {
        error = Error::new(kind, format!("`{}` answered {}", reply.target(), reply.status()))
            .hint("the server is overloaded or broken; it was tried again without success");
    }
    if let Some(text) = said.text() {
        error = error.because(text);
    }
    match kind {
        ErrorKind::Denied => Failure::Refused(error),
        _ => Failure::Failed(error),
    }
}

/// A server's own words, if any can be found in `reply`.
pub(crate) fn words(reply: &Reply) -> Option<String> {
    Said::read(reply).text()
}

#[derive(Default)]
struct Said {
    code: Option<String>,
    description: Option<String>,
}

impl Said {
    fn read(reply: &Reply) -> Self {
        let Ok(body) = reply.json::<Value>() else { return Self::default() };
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).map(short);
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

    fn text(&self) -> Option<String> {
        match (&self.code, &self.description) {
            (Some(code), Some(description)) => Some(format!("{code}: {description}")),
            (Some(text), None) | (None, Some(text)) => Some(text.clone()),
            (None, None) => None,
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
                (400, _) | (_, ErrorKind::Denied) => (
                    ErrorKind::Denied,
                    "check that the server trusts this cluster's issuer, audience and service account",
                ),
                (404 | 405, _) => (ErrorKind::Config, "check the path of `exchange.endpoint`"),
                (_, kind) => {
                    (kind, "this is no answer of a token endpoint; check `exchange.endpoint`")
                }
            },
        }
    }
}

fn short(text: &str) -> String {
    one_line(text).chars().take(LONGEST).collect()
}
