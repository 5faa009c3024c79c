//! What Google answered in place of a token: an error of ours, with who was body, the
//! status, Google's code and words, and what to do.

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind};
use serde_json::Value;

use crate::identity::Identity;

/// An error in either of Google's forms: OAuth's (RFC 6749 §5.2), and that of its APIs
/// (AIP-193, `google.rpc.Status`).
pub(crate) struct ErrorBody {
    pub(crate) status: u16,
    /// OAuth's `error`, or the API's `status`, such as `PERMISSION_DENIED`.
    pub(crate) code: Option<String>,
    pub(crate) words: Option<String>,
}

impl ErrorBody {
    /// Whatever of it is there.
    pub(crate) fn read(reply: &Reply) -> Self {
        let body: Value = reply.json().unwrap_or_default();
        let text = |value: &Value| value.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        let error = &body["error"];
        let (code, words) = match error.is_object() {
            true => (&error["status"], &error["message"]),
            false => (error, &body["error_description"]),
        };
        Self { status: reply.status(), code: text(code), words: text(words) }
    }

    /// Whether its words hold one of these.
    pub(crate) fn says(&self, parts: &[&str]) -> bool {
        let words = self.words.as_deref().unwrap_or_default().to_ascii_lowercase();
        parts.iter().any(|part| words.contains(part))
    }
}

/// Who must act, and how.
pub(crate) type Diagnosis = (ErrorKind, String);

/// The error for `refused`. `diagnosis` is for what Google itself says; a status without its words
/// is somebody else's.
pub(crate) fn explain(
    body: &ErrorBody,
    reply: &Reply,
    service: &str,
    identity: &Identity<'_>,
    diagnosis: Option<Diagnosis>,
    sent: &SentSecrets,
) -> Error {
    let status = body.status;
    let (kind, hint) = match (diagnosis, reply.kind()) {
        (_, ErrorKind::Unavailable) => (ErrorKind::Unavailable, reply.hint_unavailable()),
        (Some((kind, hint)), _) => (kind, hint),
        (None, kind) if body.code.is_some() => (
            match kind {
                ErrorKind::Protocol => ErrorKind::Denied,
                kind => kind,
            },
            format!("look the code up in the documentation of {service}"),
        ),
        // Google always says why.
        (None, _) => (
            ErrorKind::Protocol,
            format!(
                "unexpected answer (a login page? a wrong address?): check for a proxy or \
                     firewall between this node and {service}"
            ),
        ),
    };
    let verb = match kind {
        ErrorKind::Unavailable => "could not serve",
        _ => "refused",
    };
    let mut what = format!("{service} {verb} {identity}: HTTP {status}");
    if let Some(code) = &body.code {
        what.push(' ');
        what.push_str(&sent.quote([code])[0]);
    }
    let error = Error::new(kind, what);
    let error = match &body.words {
        Some(words) => {
            error.with_source(format!("`{}` says: {}", reply.target(), sent.quote([words])[0]))
        }
        None => error,
    };
    error.with_hint(hint)
}
