//! What Azure's services answer in place of a token, and the error of ours that it becomes: who
//! was refused, the status, the codes, the service's words, and what to do.

use std::fmt;

use pullpass::http::{Reply, SentSecrets};
use pullpass::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::Value;

use crate::identity::Identity;

/// The longest description that is repeated, in characters.
const LONGEST_WORDS: usize = 220;

/// Who must act, and how.
pub(crate) struct Diagnosis {
    pub(crate) kind: ErrorKind,
    pub(crate) hint: String,
}

impl Diagnosis {
    pub(crate) fn new(kind: ErrorKind, hint: impl Into<String>) -> Self {
        Self { kind, hint: hint.into() }
    }
}

/// The error for an answer that is no token.
pub(crate) fn explain(
    reply: &Reply,
    service: impl fmt::Display,
    identity: &Identity<'_>,
    codes: [Option<&str>; 2],
    words: Option<&str>,
    diagnosis: Diagnosis,
    sent: &SentSecrets,
) -> Error {
    let Diagnosis { kind, hint } = diagnosis;
    let verb = match kind {
        ErrorKind::Unavailable => "could not serve",
        _ => "refused",
    };
    let mut what = format!("{service} {verb} {identity}: HTTP {}", reply.status());
    for code in codes.into_iter().flatten().filter(|code| !code.is_empty()) {
        what.push(' ');
        what.push_str(&sent.quote([code])[0]);
    }
    let mut error = Error::new(kind, what);
    if let Some(words) = words {
        error = error.with_source(format!("`{}` says: {}", reply.target(), sent.quote([words])[0]));
    }
    match kind {
        ErrorKind::Unavailable => error.with_hint(format!("{hint}{}", reply.hint_unavailable())),
        _ => error.with_hint(hint),
    }
}

/// An error of Entra's, of the metadata services, which have some of its fields, or of an API
/// server, which has a message.
#[derive(Default)]
pub(crate) struct ErrorBody {
    /// OAuth's code, such as `invalid_client`.
    pub(crate) error: Option<String>,
    /// `message` of App Service, and of an API server.
    pub(crate) error_description: Option<String>,
    /// Entra's numbers.
    error_codes: Vec<u64>,
    correlation_id: Option<String>,
}

impl ErrorBody {
    /// Whatever of it is there: a field of another shape must not hide the others.
    pub(crate) fn read(reply: &Reply) -> Self {
        let Ok(body) = reply.json::<Value>() else { return Self::default() };
        let text = |names: &[&str]| {
            names.iter().find_map(|name| body.get(name)?.as_str().map(str::to_owned))
        };
        let codes = body.get("error_codes").and_then(Value::as_array);
        Self {
            error: text(&["error"]),
            error_description: text(&["error_description", "message"]),
            error_codes: codes.into_iter().flatten().filter_map(Value::as_u64).collect(),
            correlation_id: text(&["correlation_id", "correlationId"]),
        }
    }

    /// `AADSTS` and a number.
    pub(crate) fn aadsts_code(&self) -> Option<String> {
        // Arc's agent puts the HTTP status there.
        if let Some(code) = self.error_codes.iter().find(|code| **code > 999) {
            return Some(format!("AADSTS{code}"));
        }
        let description = self.error_description.as_deref()?;
        let digits = description.split_once("AADSTS")?.1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()).min(10);
        (end > 0).then(|| format!("AADSTS{}", &digits[..end]))
    }

    /// The description's first sentence, and the ID by which Microsoft finds the attempt.
    pub(crate) fn words(&self) -> Option<String> {
        let description = self.error_description.as_deref()?;
        // What follows is trace IDs, each on a line of its own, or after its name.
        let first = description.lines().next().unwrap_or_default();
        let first = first.split(" Trace ID:").next().unwrap_or_default().trim();
        // Long ones may not push out what follows.
        let first: String = first.chars().take(LONGEST_WORDS).collect();
        Some(match &self.correlation_id {
            Some(id) => format!("{first} (correlation ID {id})"),
            None => first,
        })
    }
}

/// Errors of a registry (OCI distribution specification, "Error codes").
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RegistryErrorBody {
    errors: Vec<RegistryError>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RegistryError {
    code: Option<String>,
    message: Option<String>,
}

impl RegistryErrorBody {
    /// What is there of it.
    pub(crate) fn read(reply: &Reply) -> Self {
        reply.json().unwrap_or_default()
    }

    /// The first error's code, such as `UNAUTHORIZED`.
    pub(crate) fn code(&self) -> Option<&str> {
        self.errors.first()?.code.as_deref()
    }

    /// The first error's words.
    pub(crate) fn message(&self) -> Option<&str> {
        self.errors.first()?.message.as_deref()
    }
}
