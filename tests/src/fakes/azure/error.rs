//! Refusals in the form of each service, and Entra's numbers.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::call::Service;
use crate::fakes::canned::Answer;
use crate::jwt;

/// What a registry says whenever it does not like a token, whatever is wrong with it.
const UNAUTHORIZED: &str =
    "authentication required, visit https://aka.ms/acr/authorization for more information.";

/// The header in which registries say a call's correlation ID.
pub(super) const CORRELATION: &str = "x-ms-correlation-request-id";

/// A service says no.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    status: u16,
    /// In the service's own words: `invalid_client`, `UNAUTHORIZED`.
    code: String,
    /// Entra's.
    number: Option<u32>,
    message: String,
    /// For the test, where the service keeps it to itself.
    reason: Option<String>,
    headers: Vec<(String, String)>,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            number: None,
            message: message.into(),
            reason: None,
            headers: Vec::new(),
        }
    }

    /// One of Entra's ("Microsoft Entra authentication and authorization error codes").
    pub(super) fn aadsts(number: u32, message: impl Into<String>) -> Self {
        let (status, code) = match number {
            50013 | 70021 | 70025 | 700_021 | 700_023 | 700_024 | 700_027 | 700_211 | 700_212
            | 700_213 | 7_000_215 | 7_000_218 | 7_000_222 | 7_000_272 | 7_002_138 => {
                (401, "invalid_client")
            }
            700_016 => (400, "unauthorized_client"),
            70003 => (400, "unsupported_grant_type"),
            70011 | 1_002_012 => (400, "invalid_scope"),
            500_011 => (400, "invalid_resource"),
            90033 => (503, "temporarily_unavailable"),
            _ => (400, "invalid_request"),
        };
        Self { number: Some(number), ..Self::new(status, code, message) }
    }

    /// A registry's, which has one sentence for everything; the reason is for the test.
    pub(super) fn unauthorized(reason: impl Into<String>) -> Self {
        Self::new(401, "UNAUTHORIZED", UNAUTHORIZED).because(reason)
    }

    pub(super) fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What [`super::Call::error`] says.
    pub(super) fn reason(&self) -> String {
        let number = self.number.map(|number| number.to_string());
        self.reason.clone().or(number).unwrap_or_else(|| self.code.clone())
    }

    pub(super) fn render(&self, service: Service) -> Answer {
        let Self { status, code, message, .. } = self;
        let (trace, correlation, timestamp) =
            (jwt::random_uuid(), jwt::random_uuid(), timestamp(jwt::now()));
        let body = match service {
            Service::Entra | Service::IdentityBinding => {
                let mut body = json!({
                    "error": code,
                    "error_description": message,
                    "error_codes": [],
                    "timestamp": timestamp,
                    "trace_id": trace,
                    "correlation_id": correlation,
                });
                if let Some(number) = self.number {
                    body["error_description"] = json!(format!(
                        "AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} \
                         Timestamp: {timestamp}"
                    ));
                    body["error_codes"] = json!([number]);
                    body["error_uri"] =
                        json!(format!("https://login.microsoftonline.com/error?code={number}"));
                }
                body
            }
            Service::Imds => json!({"error": code, "error_description": message}),
            Service::Arc => json!({
                "error": code,
                "error_description": message,
                "error_codes": [status],
                "timestamp": timestamp,
                "trace_id": "",
                "correlation_id": correlation,
            }),
            Service::AppService => {
                json!({"statusCode": status, "message": message, "correlationId": correlation})
            }
            Service::Challenge | Service::Exchange | Service::PullToken => {
                let message = format!("{message} CorrelationId: {correlation}");
                json!({"errors": [{"code": code, "message": message}]})
            }
        };
        let mut answer = Answer::json(*status, &body);
        if let Service::Challenge | Service::Exchange | Service::PullToken = service {
            answer = answer.with_header(CORRELATION, &correlation);
        }
        self.headers.iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
    }
}

/// `2024-04-16 06:58:38Z`, from seconds of the Unix epoch.
pub(super) fn timestamp(seconds: i64) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let time = UNIX_EPOCH + Duration::from_secs(seconds.max(0).unsigned_abs());
    let date = httpdate::fmt_http_date(time);
    // `Tue, 16 Apr 2024 06:58:38 GMT`
    let fields: Vec<&str> = date.split(' ').collect();
    let month = MONTHS.find(fields[2]).expect("an HTTP date's month") / 3 + 1;
    format!("{}-{month:02}-{} {}Z", fields[3], fields[1], fields[4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_as_entra_prints_it() {
        assert_eq!(timestamp(0), "1970-01-01 00:00:00Z");
        assert_eq!(timestamp(1_713_250_718), "2024-04-16 06:58:38Z");
        assert_eq!(timestamp(1_735_603_199), "2024-12-30 23:59:59Z");
    }
}
