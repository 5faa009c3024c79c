//! What the fakes remember of a request, and what a test may make them answer instead.

use super::endpoint::Service;
use super::error::AwsError;
use crate::fakes::canned;
use crate::jwt;

/// A request as it was received. No field holds a secret.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub service: Service,
    /// The operation as the request names it; for the metadata service and the container endpoint,
    /// method and path (`GET /latest/meta-data/placement/region`).
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// The `Host` header.
    pub host: String,
    /// The endpoint's region; `None` where there are no regions.
    pub region: Option<String>,
    /// Whether the request had an `Authorization` header.
    pub authorization: bool,
    /// Who signed the request, once that is verified.
    pub principal: Option<String>,
    /// The `sub` of a verified web identity token.
    pub subject: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Query, form or JSON fields; the value of a secret one is `(secret)`.
    pub fields: Vec<(String, String)>,
    /// The status of the answer; `None` if the client went away before it.
    pub status: Option<u16>,
    /// The error's code, if the fake itself refused.
    pub error: Option<String>,
}

impl Call {
    /// A field's value.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What a test may have answered in the place of these services.
pub type Canned = canned::Canned<Service>;

/// In the services' own words.
impl canned::Canned<Service> {
    /// An error in the service's own form.
    pub fn error(service: Service, status: u16, code: &str, message: &str) -> Self {
        let request_id = jwt::random_uuid();
        let error = AwsError::new(status, code, message);
        let (content_type, body) = error.render(service, &request_id);
        let answer = Self::answer(status, content_type, body);
        if service.signing_name().is_empty() {
            return answer;
        }
        answer.with_header("x-amzn-requestid", &request_id)
    }

    /// Too many calls, in the service's own words.
    pub fn throttled(service: Service) -> Self {
        match service {
            Service::Ecr | Service::EcrPublic => {
                Self::error(service, 400, "ThrottlingException", "Rate exceeded")
            }
            Service::Sts => Self::error(service, 400, "Throttling", "Rate exceeded"),
            Service::Imds => Self::error(service, 503, "", ""),
            Service::Container => Self::answer(429, "text/plain", "Too Many Requests."),
        }
    }

    /// The service is broken: 500 in its own form.
    pub fn broken(service: Service) -> Self {
        match service {
            Service::Ecr | Service::EcrPublic => {
                Self::error(service, 500, "ServerException", "internal failure")
            }
            _ => Self::error(service, 500, "InternalFailure", "internal failure"),
        }
    }
}
