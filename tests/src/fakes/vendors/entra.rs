//! Entra ID, and services like it: client credentials with the pod's token as the client's
//! assertion. The whole of Entra is in `fakes::azure`; this is what a registry that uses
//! Entra needs.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Refusal, Served, json_answer};
use super::client::assertion;
use super::oauth::same;
use super::visit::Visit;
use crate::fakes::clock;
use crate::jwt;
use crate::verify::Refusal as Disbelief;

/// One application with one federated credential.
#[derive(Clone, Debug)]
pub struct Entra {
    /// The tenant's ID.
    pub tenant: String,
    /// The application's ID.
    pub client_id: String,
    /// What it must ask for: `api://REGISTRY/.default`.
    pub scope: String,
}

impl Entra {
    /// That application.
    pub fn new(tenant: &str, client_id: &str, scope: &str) -> Self {
        let [tenant, client_id, scope] = [tenant, client_id, scope].map(str::to_owned);
        Self { tenant, client_id, scope }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        visit.only(&Method::POST, &visit.shared.dialect.path())?;
        visit.without_authorization();
        let form = visit.form()?;
        let known =
            ["grant_type", "scope", "client_id", "client_assertion", "client_assertion_type"];
        visit.known(form.names(), &known);
        same(visit, &form, "grant_type", "client_credentials")?;
        if form.value("client_id") != Some(&self.client_id) {
            let message = format!("Application was not found in the directory '{}'.", self.tenant);
            return Err(refuse(400, "unauthorized_client", 700_016, &message));
        }
        if form.value("scope") != Some(&self.scope) {
            let message = "The provided request must include a 'scope' input parameter of a known \
                           resource.";
            return Err(refuse(400, "invalid_scope", 70011, message));
        }
        let token = assertion(&form).ok_or_else(|| {
            let message = "The request body must contain the following parameter: \
                           'client_assertion' or 'client_secret'.";
            refuse(401, "invalid_client", 7_000_218, message)
        })?;
        visit.claims(token).await.map_err(|disbelief| {
            let (number, message) = match &disbelief {
                Disbelief::Issuer => (
                    700_211,
                    "No matching federated identity record found for \
                                       presented assertion issuer.",
                ),
                Disbelief::Audience => (
                    700_212,
                    "No matching federated identity record found for \
                                         presented assertion audience.",
                ),
                Disbelief::Subject => (
                    700_213,
                    "No matching federated identity record found for \
                                        presented assertion subject.",
                ),
                Disbelief::Expired | Disbelief::NotYetValid => {
                    (700_024, "Client assertion is not within its valid time range.")
                }
                Disbelief::Signature => (50013, "Assertion failed signature validation."),
                _ => (50027, "JWT token is invalid or malformed."),
            };
            refuse(401, "invalid_client", number, message).because(disbelief)
        })?;
        let password = visit.jwt(None, &self.client_id);
        let mut answer = json!({
            "token_type": "Bearer",
            "ext_expires_in": password.lifetime,
            "access_token": password.value,
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}

fn refuse(status: u16, code: &str, number: u32, message: &str) -> Refusal {
    let (trace, correlation) = (jwt::random_uuid(), jwt::random_uuid());
    let time = clock::rfc3339(jwt::now()).replace('T', " ");
    let body = json!({
        "error": code,
        "error_description": format!(
            "AADSTS{number}: {message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: \
             {time}"
        ),
        "error_codes": [number],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
    });
    Refusal { answer: json_answer(status, &body), reason: format!("AADSTS{number}") }
}
