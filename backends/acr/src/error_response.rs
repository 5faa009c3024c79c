//! What Azure's services answer instead of a token.
//!
//! Source: Microsoft identity platform, "OAuth 2.0 error responses"; Azure Instance Metadata
//! Service, "Error handling"; OCI distribution specification, "Error codes".

use pullpass::http::Reply;
use pullpass::oauth::ErrorBody;
use serde::Deserialize;
use serde_json::Value;

/// The longest description that is repeated, in characters.
const LONGEST_WORDS: usize = 220;

/// An error of Entra, of the metadata services, which have some of its fields, or of an API
/// server, which has a message.
pub(crate) struct EntraErrorBody {
    body: ErrorBody,
    /// Entra's numbers.
    error_codes: Vec<u64>,
    correlation_id: Option<String>,
}

impl EntraErrorBody {
    /// Reads the fields that are there.
    pub(crate) fn read(reply: &Reply) -> Self {
        let json: Value = reply.json().unwrap_or_default();
        let codes = json["error_codes"].as_array().into_iter().flatten();
        let id = json["correlation_id"].as_str().or_else(|| json["correlationId"].as_str());
        Self {
            body: ErrorBody::from_json(&json),
            error_codes: codes.filter_map(Value::as_u64).collect(),
            correlation_id: id.map(str::to_owned),
        }
    }

    /// OAuth's code, such as `invalid_client`.
    pub(crate) fn error(&self) -> Option<&str> {
        self.body.error()
    }

    /// Whether it has a sentence.
    pub(crate) fn has_description(&self) -> bool {
        self.body.description().is_some()
    }

    /// `AADSTS` and a number.
    pub(crate) fn aadsts_code(&self) -> Option<String> {
        // Arc's agent puts the HTTP status there.
        if let Some(code) = self.error_codes.iter().find(|code| **code > 999) {
            return Some(format!("AADSTS{code}"));
        }
        let digits = self.body.description()?.split_once("AADSTS")?.1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()).min(10);
        (end > 0).then(|| format!("AADSTS{}", &digits[..end]))
    }

    /// The description's first sentence, and the ID by which Microsoft finds the attempt.
    pub(crate) fn words(&self) -> Option<String> {
        // Trace IDs follow, each on its own line or after its name.
        let first = self.body.description()?.lines().next().unwrap_or_default();
        let first = first.split(" Trace ID:").next().unwrap_or_default().trim();
        // A long one must not push out what follows.
        let first: String = first.chars().take(LONGEST_WORDS).collect();
        Some(match &self.correlation_id {
            Some(id) => format!("{first} (correlation ID {id})"),
            None => first,
        })
    }
}

/// Errors of a registry.
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
    /// Reads the errors, if there are any.
    pub(crate) fn read(reply: &Reply) -> Self {
        reply.json().unwrap_or_default()
    }

    /// The first error's code, such as `UNAUTHORIZED`.
    pub(crate) fn code(&self) -> Option<&str> {
        self.errors.first()?.code.as_deref()
    }

    /// The first error's sentence.
    pub(crate) fn message(&self) -> Option<&str> {
        self.errors.first()?.message.as_deref()
    }
}
