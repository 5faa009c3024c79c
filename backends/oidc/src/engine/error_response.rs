//! What a token endpoint says when it says no, in the shapes that servers use.

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind};
use serde_json::Value;

use crate::engine::run::Failure;
use crate::profile::{Client, Step};
use crate::response::Document;

const TRUST: &str =
    "check that the server trusts this cluster's issuer, audience and service account";

/// An error out of the reply to `step` that is no success.
pub(crate) fn read(reply: &Reply, step: &Step, client: &Client, sent: &SentSecrets) -> Failure {
    let body = ErrorBody::read(reply, sent);
    let by_pod = step.client && matches!(client, Client::PodToken(_));
    let (verdict, hint) = body.judge(reply, by_pod);
    let (target, status) = (reply.target(), reply.status());
    let error = match verdict.kind() {
        ErrorKind::Unavailable => Error::unavailable(format!("`{target}` answered {status}"))
            .with_hint(reply.hint_unavailable()),
        kind => {
            Error::new(kind, format!("`{target}` refused the token exchange with status {status}"))
                .with_hint(match verdict {
                    Verdict::Place => format!("check {}", step.place),
                    // Whom the pod is, an earlier step has shown.
                    Verdict::No if !step.sends_token() => format!("check {}", step.place),
                    Verdict::Foreign => {
                        format!("{hint}; check {}, and what stands before it", step.place)
                    }
                    _ => hint.to_owned(),
                })
        }
    };
    let error = body.below(error);
    match verdict {
        Verdict::No => Failure::Refused(error),
        _ => Failure::Failed(error),
    }
}

/// What a refusal comes to.
#[derive(Clone, Copy)]
enum Verdict {
    /// The server knows who asks, and says no.
    No,
    /// The same, and the profile's own policy does not cover it: nobody can tell who asked.
    Unclear,
    /// The profile is wrong.
    Profile,
    /// The profile's address is.
    Place,
    /// No capacity.
    Later,
    /// Not the server's word.
    Foreign,
}

impl Verdict {
    fn kind(self) -> ErrorKind {
        match self {
            Self::No | Self::Unclear => ErrorKind::Denied,
            Self::Profile | Self::Place => ErrorKind::Config,
            Self::Later => ErrorKind::Unavailable,
            Self::Foreign => ErrorKind::Protocol,
        }
    }
}

/// Puts the server's own words below `error`, if any can be found in `body` and hold
/// nothing of `sent`.
pub(crate) fn quote(error: Error, body: &Value, sent: &SentSecrets) -> Error {
    ErrorBody::of(body, sent).below(error)
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
struct ErrorBody {
    code: Option<String>,
    description: Option<String>,
    /// Words without a form, which anybody on the way may have said.
    plain: Option<String>,
}

impl ErrorBody {
    fn read(reply: &Reply, sent: &SentSecrets) -> Self {
        if let Ok(body) = reply.json::<Value>() {
            return Self::of(&body, sent);
        }
        let text = str::from_utf8(reply.body()).ok().filter(|_| !reply.is_html());
        let plain = text.map(|text| sent.quote([text])[0].clone()).filter(|text| !text.is_empty());
        Self { plain, ..Self::default() }
    }

    fn of(body: &Value, sent: &SentSecrets) -> Self {
        let text = |pointer: &str| {
            let text = body.pointer(pointer).and_then(Value::as_str)?;
            Some(sent.quote([text])[0].clone()).filter(|text| !text.is_empty())
        };
        Self {
            // RFC 6749 §5.2, and Quay; else Chainguard, and IBM.
            code: text("/error").or_else(|| text("/code")).or_else(|| text("/errorCode")),
            description: text("/error_description")
                .or_else(|| text("/error/message"))
                .or_else(|| text("/message"))
                .or_else(|| text("/detail"))
                .or_else(|| text("/errorMessage"))
                // Vault has texts in `errors`, Artifactory objects.
                .or_else(|| text("/errors/0"))
                .or_else(|| text("/errors/0/message")),
            plain: None,
        }
    }

    fn below(&self, error: Error) -> Error {
        match (&self.code, &self.description) {
            (Some(code), Some(description)) => error.with_source(format!("{code}: {description}")),
            (Some(text), None) | (None, Some(text)) => error.with_source(text.clone()),
            (None, None) => match &self.plain {
                Some(text) => error.with_source(text.clone()),
                None => error,
            },
        }
    }

    /// Who must act, by the OAuth error code, else by the status. `by_pod`: the client is the pod.
    fn judge(&self, reply: &Reply, by_pod: bool) -> (Verdict, &'static str) {
        match self.code.as_deref() {
            Some("invalid_client" | "unauthorized_client") if by_pod => (Verdict::No, TRUST),
            Some("invalid_client" | "unauthorized_client") => (
                Verdict::Profile,
                "check `exchange.clientAuth`: the client's name, its secret, and that it may exchange tokens",
            ),
            Some("invalid_target" | "invalid_scope" | "unsupported_grant_type") => (
                Verdict::Profile,
                "check `exchange`: audience, resource, scope, and that the server offers token exchange",
            ),
            Some("invalid_grant" | "access_denied") => (Verdict::No, TRUST),
            Some("server_error" | "temporarily_unavailable") => (Verdict::Later, ""),
            code => match (reply.status(), reply.kind()) {
                // Vault says "no" so, and others that they do not understand.
                (400, _) if code.is_some() || self.description.is_some() => {
                    (Verdict::Unclear, TRUST)
                }
                (401 | 403, _) if reply.is_html() => {
                    (Verdict::Foreign, "a web page is no word of the token service's")
                }
                (401 | 403, _) => (Verdict::No, TRUST),
                (404 | 405, _) => (Verdict::Place, ""),
                (_, ErrorKind::Unavailable) => (Verdict::Later, ""),
                _ => (Verdict::Foreign, "this is no answer of a token service"),
            },
        }
    }
}
