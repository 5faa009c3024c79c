//! What the fakes remember of a request, and what a test may have answered instead.

use serde_json::Value;

use super::error::Refusal;
use crate::fakes::canned;
use crate::fakes::received::{Received, shown};

/// Something that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// The metadata server of a virtual machine.
    Metadata,
    /// The Security Token Service.
    Sts,
    /// The IAM Service Account Credentials API.
    IamCredentials,
    /// The token endpoint for keys of service accounts.
    OAuth,
}

/// A request as it was received. No field holds a secret.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub service: Service,
    /// The HTTP method.
    pub method: String,
    /// The `Host` header.
    pub host: String,
    /// The URL's path.
    pub path: String,
    /// Whether the request had an `Authorization` header.
    pub authorization: bool,
    /// The content type without its parameters; empty without one.
    pub content_type: String,
    /// Who was given a token: `principal://...` of a pool, or `serviceAccount:EMAIL`.
    pub principal: Option<String>,
    /// The `sub` of a verified service account token of a cluster.
    pub subject: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Query, form and JSON fields; the value of a secret one is `(secret)`.
    pub fields: Vec<(String, String)>,
    /// The status of the answer; `None` if the client went away before it.
    pub status: Option<u16>,
    /// Why the fake itself refused: the error's code (`invalid_grant`, `PERMISSION_DENIED`), or the
    /// fake's own reason where the service keeps it to itself.
    pub error: Option<String>,
}

/// Fields that are recorded without their values.
const SECRET_FIELDS: [&str; 3] = ["assertion", "subject_token", "subjectToken"];

impl Call {
    /// What is remembered of a request.
    pub(super) fn of(service: Service, received: &Received) -> Self {
        let mut fields = received.fields(&SECRET_FIELDS);
        if received.essence() == "application/json" {
            let body = serde_json::from_slice::<Value>(&received.body).unwrap_or_default();
            for (name, value) in body.as_object().into_iter().flatten() {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                fields.push(shown(&SECRET_FIELDS, name.clone(), value));
            }
        }
        Self {
            service,
            method: received.method.to_string(),
            host: received.host().to_owned(),
            path: received.path().to_owned(),
            authorization: received.headers.contains_key("authorization"),
            content_type: received.essence().to_owned(),
            principal: None,
            subject: None,
            user_agent: received.text("user-agent").map(str::to_owned),
            fields,
            status: None,
            error: None,
        }
    }

    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a test may have answered in the place of these services.
pub type Canned = canned::Canned<Service>;

/// In the services' own words.
impl canned::Canned<Service> {
    /// An error in the service's own form. The metadata server's page has no code.
    pub fn error(service: Service, status: u16, code: &str, message: &str) -> Self {
        Self::from(Refusal::new(status, code, message).render(service))
    }

    /// Too many calls.
    pub fn throttled(service: Service) -> Self {
        match service {
            // IAM, "Troubleshoot Workload Identity Federation".
            Service::Sts => {
                let message = "The request was throttled due to rate limit: \
                               sts.googleapis.com/requests. Please retry after a few seconds.";
                Self::error(service, 429, "quota_exceeded", message)
            }
            Service::IamCredentials => {
                let message = "Resource has been exhausted (e.g. check quota).";
                Self::error(service, 429, "RESOURCE_EXHAUSTED", message)
            }
            Service::Metadata => Self::error(service, 429, "", "Too Many Requests"),
            Service::OAuth => Self::error(service, 429, "rate_limit_exceeded", "Rate exceeded."),
        }
    }

    /// The service is broken: 500 in its own form.
    pub fn broken(service: Service) -> Self {
        let (code, message) = match service {
            Service::OAuth => ("internal_failure", "Backend Error"),
            _ => ("INTERNAL", "Internal error encountered."),
        };
        Self::error(service, 500, code, message)
    }
}
