//! Refusals in the form of each vendor.

use serde_json::{Value, json};

use crate::fakes::canned::Answer;

/// A service's answer, or its refusal.
pub(super) type Served = Result<Answer, Refusal>;

/// A service says no.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) answer: Answer,
    /// For the test, where the service keeps it to itself.
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn because(mut self, reason: impl ToString) -> Self {
        self.reason = reason.to_string();
        self
    }
}

/// How a vendor writes its refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `{error, error_description}` (RFC 6749, section 5.2).
    OAuth,
    /// `{"errors": ["text"]}`: Vault.
    VaultErrors,
    /// `{"errors": [{code, message}]}`: Artifactory. The facts say `errors` and no more; the fields
    /// inside are those of its other APIs.
    CodedErrors,
    /// `{detail}`: Cloudsmith.
    Detail,
    /// `{error}`: Quay.
    Error,
    /// `{code, message}` with a gRPC number: Chainguard.
    Grpc,
    /// `{code, message}` with a word: artifact-keeper.
    CodeMessage,
    /// `{errorCode, errorMessage}`: IBM. Seen for API keys in public clients' tests; the codes for
    /// `cr-token` are not known.
    Ibm,
    /// `{"error": {code, message, status}}`: Google's APIs.
    GoogleStatus,
    /// A line of text: Go's `http.Error`.
    Text,
}

impl Shape {
    /// A refusal. Vendors without codes leave `code` out, others without texts the `message`.
    pub(super) fn refuse(self, status: u16, code: &str, message: &str) -> Refusal {
        let body = match self {
            Self::Text => {
                let answer =
                    Answer::new(status, "text/plain; charset=utf-8", format!("{message}\n"));
                return Refusal { answer, reason: message.to_owned() };
            }
            Self::OAuth if message.is_empty() => json!({"error": code}),
            Self::OAuth => json!({"error": code, "error_description": message}),
            Self::VaultErrors if message.is_empty() => json!({"errors": []}),
            Self::VaultErrors => json!({"errors": [message]}),
            Self::CodedErrors => json!({"errors": [{"code": code, "message": message}]}),
            Self::Detail => json!({"detail": message}),
            Self::Error => json!({"error": message}),
            Self::Grpc => json!({"code": grpc(status), "message": message, "details": []}),
            Self::CodeMessage => json!({"code": code, "message": message}),
            Self::Ibm => json!({"errorCode": code, "errorMessage": message}),
            Self::GoogleStatus => {
                json!({"error": {"code": status, "message": message, "status": code}})
            }
        };
        let mut answer = json_answer(status, &body);
        if self == Self::OAuth && status == 401 {
            answer = answer.with_header("www-authenticate", "Basic realm=\"token endpoint\"");
        }
        let reason = if message.is_empty() { code } else { message };
        Refusal { answer, reason: reason.to_owned() }
    }

    /// Nothing is there.
    pub(super) fn not_found(self) -> Refusal {
        self.refuse(404, "NOT_FOUND", "Not found.").because("no such path")
    }

    /// The method is another one.
    pub(super) fn wrong_method(self) -> Refusal {
        self.refuse(405, "METHOD_NOT_ALLOWED", "Method not allowed").because("wrong method")
    }
}

/// JSON, as all of them send it.
pub(super) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json", body.to_string())
}

/// The code of `google.rpc.Code` for a status.
fn grpc(status: u16) -> u8 {
    match status {
        400 | 415 => 3,
        401 => 16,
        403 => 7,
        404 => 5,
        405 => 12,
        429 => 8,
        503 => 14,
        _ => 13,
    }
}
