//! Refusals in the form of each service: OAuth's two fields, `google.rpc.Status`, or a page.

use serde_json::{Value, json};

use super::call::Service;
use crate::fakes::canned::Answer;

/// What every API says to a token that it does not know (IAM, "Troubleshoot Workload Identity
/// Federation").
const UNAUTHENTICATED: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
     other valid authentication credential. See \
     https://developers.google.com/identity/sign-in/web/devconsole-project.";

/// A service says no.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: String,
    message: String,
    /// For the test, where the service keeps it to itself.
    reason: Option<String>,
    details: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), reason: None, details: None }
    }

    /// 400 of a token endpoint.
    pub(super) fn oauth(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// 404 of everything.
    pub(super) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "Not Found").because("no such path")
    }

    /// A token that is not valid, has expired, or is another universe's; the reason is for the
    /// test.
    pub(super) fn unauthenticated(reason: &str) -> Self {
        Self::new(401, "UNAUTHENTICATED", UNAUTHENTICATED).because(reason)
    }

    pub(super) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    /// IAM says no, or whom it is about does not exist.
    pub(super) fn denied(permission: &str) -> Self {
        let message =
            format!("Permission '{permission}' denied on resource (or it may not exist).");
        Self::new(403, "PERMISSION_DENIED", message).with_info("IAM_PERMISSION_DENIED", permission)
    }

    /// The token was not issued for that.
    pub(super) fn insufficient_scopes() -> Self {
        let message = "Request had insufficient authentication scopes.";
        let refusal = Self::new(403, "PERMISSION_DENIED", message).because("scopes");
        refusal.with_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "")
    }

    /// `google.rpc.ErrorInfo`.
    fn with_info(mut self, reason: &str, permission: &str) -> Self {
        let mut info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason,
            "domain": "iam.googleapis.com",
        });
        if !permission.is_empty() {
            info["metadata"] = json!({"permission": permission});
        }
        self.details = Some(json!([info]));
        self
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// What [`super::Call::error`] says.
    pub(super) fn reason(&self) -> String {
        self.reason.clone().unwrap_or_else(|| self.code.clone())
    }

    pub(super) fn render(&self, service: Service) -> Answer {
        let Self { status, code, message, .. } = self;
        match service {
            Service::Metadata => page(*status, message),
            // Google's front end, for every service.
            _ if *status == 404 => page(404, "Not Found"),
            Service::Sts | Service::OAuth if *status < 500 => {
                json_answer(*status, &json!({"error": code, "error_description": message}))
            }
            Service::OAuth => {
                json_answer(*status, &json!({"error": code, "error_description": message}))
            }
            Service::Sts | Service::IamCredentials => {
                let mut error = json!({"code": status, "message": message, "status": code});
                if let Some(details) = &self.details {
                    error["details"] = details.clone();
                }
                json_answer(*status, &json!({"error": error}))
            }
        }
    }
}

/// JSON as Google prints it.
pub(super) fn json_answer(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json; charset=UTF-8", format!("{body:#}\n"))
}

/// A page like those of Google's front end and of the metadata server; its text is ours.
fn page(status: u16, message: &str) -> Answer {
    let name = match status {
        403 => " (Forbidden)",
        404 => " (Not Found)",
        405 => " (Method Not Allowed)",
        500 => " (Server Error)",
        503 => " (Service Unavailable)",
        _ => "",
    };
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error {status}{name}!!1\
         </title>\n  <p><b>{status}.</b> <ins>That's an error.</ins>\n  <p>{message} <ins>That's all \
         we know.</ins>\n"
    );
    Answer::new(status, "text/html; charset=UTF-8", body)
}
