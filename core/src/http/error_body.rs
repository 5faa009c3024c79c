//! What servers send instead of a token, read leniently: a field of an unexpected type must not
//! hide the others.

use serde_json::Value;

/// An error answer (RFC 6749 §5.2), or what servers send instead: `error` as an object
/// with `code` or `status` and `message` (AIP-193), or a bare `message`.
///
/// Nothing in it is safe to print as it is; print it through [`Reply::quote`](super::Reply::quote).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    error: Option<String>,
    description: Option<String>,
}

impl ErrorBody {
    /// The error fields that this JSON value has.
    pub fn from_json(body: &Value) -> Self {
        let text = |value: &Value| value.as_str().filter(|it| !it.is_empty()).map(str::to_owned);
        let error = &body["error"];
        Self {
            error: text(error).or_else(|| text(&error["status"])).or_else(|| text(&error["code"])),
            description: text(&body["error_description"])
                .or_else(|| text(&error["message"]))
                .or_else(|| text(&body["message"])),
        }
    }

    /// `error`: a code, such as `invalid_grant`.
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// `error_description`: a sentence for a developer.
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// Whether the description holds one of these, in any case of letters.
    pub fn mentions(&self, parts: &[&str]) -> bool {
        let words = self.description().unwrap_or_default().to_ascii_lowercase();
        parts.iter().any(|part| words.contains(&part.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn error_bodies_of_the_field() {
        for (body, error, description) in [
            (json!({"error": "a", "error_description": "b"}), Some("a"), Some("b")),
            (json!({"error": "a", "error_description": 5}), Some("a"), None),
            (json!({"error": {"code": "a", "message": "b"}}), Some("a"), Some("b")),
            (json!({"error": {"code": 403, "status": "A", "message": "b"}}), Some("A"), Some("b")),
            (json!({"message": "b"}), None, Some("b")),
            (json!({"error": ""}), None, None),
            (json!([1]), None, None),
            (json!(null), None, None),
        ] {
            let read = ErrorBody::from_json(&body);
            assert_eq!((read.error(), read.description()), (error, description), "{body}");
        }
        let read = ErrorBody::from_json(&json!({"message": "Token EXPIRED"}));
        assert!(read.mentions(&["expired"]) && !read.mentions(&["revoked"]));
    }
}
