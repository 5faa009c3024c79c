//! What a token endpoint answers when it refuses, in the shapes that servers use.

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind};
use serde_json::Value;

use crate::profile::{ClientAuth, Step};

/// Why there is no login.
pub(crate) enum Failure {
    /// The server knows who asks and says no: 401, 403, or an OAuth code that says so.
    Refused(Error),
    /// Anything else.
    Failed(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) | Failure::Failed(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

const TRUST: &str =
    "check that the server trusts this cluster's issuer, audience and service account";

/// An error out of the reply to `step` that is no success.
pub(super) fn read(reply: &Reply, step: &Step, client: &ClientAuth, sent: &SentSecrets) -> Failure {
    let body = ErrorBody::from_reply(reply, sent);
    let by_pod = step.client && matches!(client, ClientAuth::PodToken(_));
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
    let error = body.quote_below(error);
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

/// What the server itself said.
#[derive(Default)]
pub(super) struct ErrorBody {
    code: Option<String>,
    description: Option<String>,
    /// The text of a body that is not JSON: it may be a proxy's.
    plain: Option<String>,
}

impl ErrorBody {
    fn from_reply(reply: &Reply, sent: &SentSecrets) -> Self {
        if let Ok(body) = reply.json::<Value>() {
            return Self::from_json(&body, sent);
        }
        let text = str::from_utf8(reply.body()).ok().filter(|_| !reply.is_html());
        let plain = text.map(|text| sent.quote([text])[0].clone()).filter(|text| !text.is_empty());
        Self { plain, ..Self::default() }
    }

    pub(super) fn from_json(body: &Value, sent: &SentSecrets) -> Self {
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

    pub(super) fn quote_below(&self, error: Error) -> Error {
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
