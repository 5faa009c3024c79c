//! What the fakes remember of a request, and what a test may make them answer instead.

use serde_json::Value;

use super::error::{CORRELATION, Refusal};
use crate::fakes::canned::{self, Answer};
use crate::fakes::received::Received;

/// Something that is called. A registry is three: they fail separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Entra ID: whatever is asked of a cloud's authority.
    Entra,
    /// The metadata service of a virtual machine.
    Imds,
    /// The Connected Machine agent of Arc.
    Arc,
    /// The identity endpoint of App Service.
    AppService,
    /// The token endpoint on an AKS cluster's API server.
    IdentityBinding,
    /// `/v2/` of a registry, and whatever is below it.
    Challenge,
    /// `/oauth2/exchange` of a registry.
    Exchange,
    /// `/oauth2/token` of a registry.
    PullToken,
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
    /// The client ID of the identity that was given a token.
    pub client_id: Option<String>,
    /// The tenant in which it was.
    pub tenant: Option<String>,
    /// The `sub` of a verified service account token.
    pub subject: Option<String>,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// Query and form fields; the value of a secret one is `(secret)`.
    pub fields: Vec<(String, String)>,
    /// The status of the answer; `None` if the client went away before it.
    pub status: Option<u16>,
    /// The correlation ID of the answer, where it has one.
    pub correlation_id: Option<String>,
    /// Why the fake itself refused: Entra's number (`700213`), or the fake's own reason where the
    /// real service keeps it to itself.
    pub error: Option<String>,
}

/// Fields that are recorded without their values.
const SECRET_FIELDS: [&str; 4] =
    ["access_token", "client_assertion", "client_secret", "refresh_token"];

impl Call {
    /// What is remembered of a request.
    pub(super) fn of(service: Service, received: &Received) -> Self {
        Self {
            service,
            method: received.method.to_string(),
            host: received.host().to_owned(),
            path: received.path().to_owned(),
            authorization: received.headers.contains_key("authorization"),
            client_id: None,
            tenant: None,
            subject: None,
            user_agent: received.text("user-agent").map(str::to_owned),
            fields: received.fields(&SECRET_FIELDS),
            status: None,
            correlation_id: None,
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

/// The correlation ID, wherever the service puts it.
pub(super) fn correlation_id(answer: &Answer) -> Option<String> {
    let body = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    let names = ["correlation_id", "correlationId"];
    let in_body = names.into_iter().find_map(|name| body[name].as_str());
    let in_headers = answer.headers.iter().find(|(name, _)| name == CORRELATION);
    in_body.or(in_headers.map(|(_, value)| value.as_str())).map(str::to_owned)
}

/// In the services' own words.
impl canned::Canned<Service> {
    /// An error in the service's own form; for Entra's, see [`Canned::aadsts`].
    pub fn error(service: Service, status: u16, code: &str, message: &str) -> Self {
        Self::from(Refusal::new(status, code, message).render(service))
    }

    /// One of Entra's errors by its number, with the status and the OAuth error that go with it.
    pub fn aadsts(number: u32, message: &str) -> Self {
        Self::from(Refusal::aadsts(number, message).render(Service::Entra))
    }

    /// Too many calls, in the service's own words, with `Retry-After` in seconds.
    pub fn throttled(service: Service, retry_after: u64) -> Self {
        let canned = match service {
            Service::Entra => Self::answer(429, "text/plain", "Too Many Requests"),
            Service::Challenge | Service::Exchange | Service::PullToken => {
                Self::error(service, 429, "TOOMANYREQUESTS", "too many requests")
            }
            _ => {
                let message = "Temporarily throttled, too many requests";
                Self::error(service, 429, "invalid_request", message)
            }
        };
        canned.with_header("retry-after", &retry_after.to_string())
    }

    /// The service is broken, in its own form: Entra's 503, 500 elsewhere.
    pub fn broken(service: Service) -> Self {
        match service {
            Service::Entra => {
                Self::aadsts(90033, "A transient error has occurred. Please try again.")
            }
            Service::Challenge | Service::Exchange | Service::PullToken => {
                Self::error(service, 500, "UNKNOWN", "unknown error")
            }
            _ => {
                let message = "Failed to retrieve token from the Active directory. For details see \
                               logs in C:\\Packages\\Plugins";
                Self::error(service, 500, "unknown", message)
            }
        }
    }

    /// A registry's firewall: 403 in the registry's form.
    pub fn denied(client: &str) -> Self {
        let message = format!(
            "client with IP '{client}' is not allowed access. Refer https://aka.ms/acr/firewall \
             to grant access."
        );
        Self::error(Service::Exchange, 403, "DENIED", &message)
    }

    /// A registry's 401 with this `Www-Authenticate`.
    pub fn challenge(challenge: &str) -> Self {
        let refusal = Refusal::unauthorized("canned").with_header("www-authenticate", challenge);
        Self::from(refusal.render(Service::Challenge))
    }
}
