//! Dex: RFC 8693 at `/token` with a `connector_id`, client authentication always, by its own code.
//! It is lenient where it can be: `subject_token_type` is `id_token` or `access_token`, an unknown
//! parameter such as `audience` is ignored (and a violation here).

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Served, json_answer};
use super::client::Client;
use super::oauth::{ACCESS_TOKEN, ID_TOKEN, TOKEN_EXCHANGE};
use super::visit::Visit;

/// A Dex with one client and one connector.
#[derive(Clone)]
pub struct Dex {
    /// The path of its issuer: empty, or `/dex`.
    pub prefix: String,
    /// The client: by `Basic` or `Post`, both are taken.
    pub client: Client,
    /// The connector that believes the cluster.
    pub connector: String,
    /// Whether `oauth2.grantTypes` lists the token exchange.
    pub enabled: bool,
}

impl Dex {
    /// With that connector, under `/dex`.
    pub fn new(client: Client, connector: &str) -> Self {
        let (prefix, connector) = ("/dex".to_owned(), connector.to_owned());
        Self { prefix, client, connector, enabled: true }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, code: &str, message: &str| visit.shape.refuse(status, code, message);
        visit.only(&Method::POST, &format!("{}/token", self.prefix))?;
        let form = visit.form()?;
        let known = [
            "grant_type",
            "subject_token",
            "subject_token_type",
            "requested_token_type",
            "connector_id",
            "scope",
            "client_id",
            "client_secret",
        ];
        visit.known(form.names(), &known);
        if !self.client.basic_or_post(visit, &form) {
            return Err(refuse(401, "invalid_client", "Invalid client credentials."));
        }
        if form.value("grant_type") != Some(TOKEN_EXCHANGE) || !self.enabled {
            return Err(refuse(400, "unsupported_grant_type", ""));
        }
        let kind = form.value("subject_token_type").unwrap_or_default();
        if ![ID_TOKEN, ACCESS_TOKEN].contains(&kind) {
            let message = "Invalid subject_token_type.";
            return Err(refuse(400, "request_not_supported", message));
        }
        let token = form
            .value("subject_token")
            .ok_or_else(|| refuse(400, "invalid_request", "Missing subject_token"))?;
        if form.value("connector_id") != Some(self.connector.as_str()) {
            let message = "Requested connector does not exist.";
            return Err(refuse(400, "invalid_request", message));
        }
        visit
            .claims(token)
            .await
            .map_err(|disbelief| refuse(401, "access_denied", "").because(disbelief))?;
        let wanted = form.value("requested_token_type").unwrap_or(ACCESS_TOKEN);
        if ![ID_TOKEN, ACCESS_TOKEN].contains(&wanted) {
            let message = "Invalid requested_token_type.";
            return Err(refuse(400, "request_not_supported", message));
        }
        let subject = visit.shared.subject.clone();
        let password = visit.jwt(None, &subject);
        let mut answer = json!({
            "access_token": password.value,
            "issued_token_type": wanted,
            "token_type": "bearer",
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}
