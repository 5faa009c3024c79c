//! What a token endpoint answers when it refuses, in the shapes that servers use.

use pullpass::http::Reply;
use pullpass::{Diagnosis, Error, ErrorKind, oauth};
use serde_json::Value;

use crate::profile::{ClientAuth, Step};

/// Why there is no login.
pub(crate) enum Failure {
    /// The server knows who asks and says no: 401, 403, or an OAuth code that says so.
    Denied(Error),
    /// Anything else.
    Failed(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(error) | Failure::Failed(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The failure for a reply to `step` that is not a success, such as
/// "`URL` refused the token exchange: HTTP 400 invalid_grant".
pub(super) fn read(reply: &Reply, step: &Step, client: &ClientAuth) -> Failure {
    let body = VendorErrorBody::from_reply(reply);
    let by_pod = step.client && matches!(client, ClientAuth::PodToken(_));
    let verdict = body.judge(reply, by_pod);
    let (kind, hint) = verdict.diagnose(reply, step);
    let error = reply.server_error().subject("the token exchange");
    let error = error.diagnosis(Diagnosis::new(kind, hint));
    let error = error.code(body.code.as_deref().unwrap_or_default());
    let error = error.words(body.description.as_deref().unwrap_or_default()).into_error();
    match verdict {
        Verdict::Denied => Failure::Denied(error),
        _ => Failure::Failed(error),
    }
}

/// Adds what the server itself said below `error`, where it is safe to print.
pub(super) fn quote_below(error: Error, reply: &Reply) -> Error {
    let body = VendorErrorBody::from_reply(reply);
    let [code, description] =
        [&body.code, &body.description].map(|text| text.as_deref().unwrap_or_default());
    match reply.quote([code, description]) {
        [code, text] if !code.is_empty() && !text.is_empty() && code != text => {
            error.with_source(format!("{code}: {text}"))
        }
        [code, text] if code.is_empty() && text.is_empty() => error,
        [code, text] => error.with_source(if code.is_empty() { text } else { code }),
    }
}

/// What an error response means.
#[derive(Clone, Copy)]
enum Verdict {
    /// The server knows who asks, and says no.
    Denied,
    /// Probably the same, but `onRefused` does not apply: it is not certain that the server knows
    /// who asked.
    ProbablyDenied,
    /// The profile's client is wrong.
    WrongClient,
    /// What the profile asks for is wrong.
    WrongRequest,
    /// The profile's address is wrong.
    WrongAddress,
    /// The server has no capacity, or is broken.
    Unavailable,
    /// A web page, which no token service sends.
    WebPage,
    /// Something else that no token service sends.
    Unexpected,
}

impl Verdict {
    /// Who must act, and what to do.
    fn diagnose(self, reply: &Reply, step: &Step) -> (ErrorKind, String) {
        let trust = "check that the server trusts this cluster's issuer, audience and service \
                     account";
        match self {
            // An earlier step has shown who the pod is.
            Self::Denied if !step.sends_token() => {
                (ErrorKind::Denied, format!("check {}", step.what_to_check))
            }
            Self::Denied | Self::ProbablyDenied => (ErrorKind::Denied, trust.to_owned()),
            Self::WrongClient => (
                ErrorKind::Config,
                "check `exchange.clientAuth`: the client's ID, its secret, and that the client \
                 may exchange tokens"
                    .to_owned(),
            ),
            Self::WrongRequest => (
                ErrorKind::Config,
                "check `exchange`: audience, resource, scope, and that the server offers token \
                 exchange"
                    .to_owned(),
            ),
            Self::WrongAddress => (ErrorKind::Config, format!("check {}", step.what_to_check)),
            Self::Unavailable => (ErrorKind::Unavailable, reply.hint_unavailable()),
            Self::WebPage => (
                ErrorKind::Protocol,
                format!(
                    "the answer is a web page: check {}, and check for a proxy or a login page in \
                     front of the server",
                    step.what_to_check
                ),
            ),
            Self::Unexpected => (
                ErrorKind::Protocol,
                format!(
                    "no token service answers like this: check {}, and check for a proxy in front \
                     of the server",
                    step.what_to_check
                ),
            ),
        }
    }
}

/// What the server itself said. Nothing of it is safe to print.
struct VendorErrorBody {
    code: Option<String>,
    description: Option<String>,
    is_json: bool,
}

impl VendorErrorBody {
    fn from_reply(reply: &Reply) -> Self {
        match reply.json::<Value>() {
            Ok(body) => Self::from_json(&body),
            // Plain words, which may also be a proxy's.
            Err(_) => {
                let text = str::from_utf8(reply.body()).ok().filter(|_| !reply.is_html());
                Self { code: None, description: text.map(str::to_owned), is_json: false }
            }
        }
    }

    fn from_json(body: &Value) -> Self {
        let oauth = oauth::ErrorBody::from_json(body);
        let text = |pointer: &str| body.pointer(pointer)?.as_str().filter(|it| !it.is_empty());
        // Chainguard has `code`, IBM `errorCode`.
        let code = oauth.error().or_else(|| text("/code")).or_else(|| text("/errorCode"));
        let description = oauth
            .description()
            .or_else(|| text("/detail"))
            .or_else(|| text("/errorMessage"))
            // Vault has texts in `errors`, Artifactory objects.
            .or_else(|| text("/errors/0"))
            .or_else(|| text("/errors/0/message"));
        // Quay has a sentence in `error`.
        let (code, description) = match (code, description) {
            (Some(sentence), None) if sentence.contains(' ') => (None, Some(sentence)),
            both => both,
        };
        Self {
            code: code.map(str::to_owned),
            description: description.map(str::to_owned),
            is_json: true,
        }
    }

    /// What the response means, by the OAuth error code, else by the status. `by_pod`: the pod is
    /// the client.
    fn judge(&self, reply: &Reply, by_pod: bool) -> Verdict {
        match self.code.as_deref() {
            Some("invalid_client" | "unauthorized_client") if by_pod => Verdict::Denied,
            Some("invalid_client" | "unauthorized_client") => Verdict::WrongClient,
            Some("invalid_target" | "invalid_scope" | "unsupported_grant_type") => {
                Verdict::WrongRequest
            }
            Some("invalid_grant" | "access_denied") => Verdict::Denied,
            Some("server_error" | "temporarily_unavailable") => Verdict::Unavailable,
            code => match (reply.status(), reply.kind()) {
                // Vault says "no" like this, and other servers that they do not understand.
                (400, _) if self.is_json && (code.is_some() || self.description.is_some()) => {
                    Verdict::ProbablyDenied
                }
                (401 | 403, _) if reply.is_html() => Verdict::WebPage,
                (401 | 403, _) => Verdict::Denied,
                (404 | 405, _) => Verdict::WrongAddress,
                (_, ErrorKind::Unavailable) => Verdict::Unavailable,
                _ => Verdict::Unexpected,
            },
        }
    }
}
