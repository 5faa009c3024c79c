//! Cloudsmith: `POST /openid/ORG/` with JSON. From its plugins' and CLI's code; the statuses and
//! texts of refusals are those of Django REST framework, as the real ones are not known.

use axum::http::Method;
use serde_json::json;

use super::answer::{Served, json_answer};
use super::visit::{Visit, names, text};

/// One organisation with one service that trusts the cluster.
#[derive(Clone, Debug)]
pub struct Cloudsmith {
    /// The organisation's slug.
    pub org: String,
    /// The service's slug.
    pub service: String,
    /// Answers with 201, as it also does.
    pub created: bool,
}

impl Cloudsmith {
    /// That service; answers are 200.
    pub fn new(org: &str, service: &str) -> Self {
        Self { org: org.to_owned(), service: service.to_owned(), created: false }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, message: &str| visit.shape.refuse(status, "", message);
        // Without its last slash the path is another one.
        visit.only(&Method::POST, &format!("/openid/{}/", self.org))?;
        visit.without_authorization();
        let body = visit.json()?;
        visit.known(names(&body), &["oidc_token", "service_slug"]);
        let token = text(&body, "oidc_token")
            .ok_or_else(|| refuse(400, "oidc_token: This field is required."))?;
        let service = text(&body, "service_slug")
            .ok_or_else(|| refuse(400, "service_slug: This field is required."))?;
        if service != self.service {
            return Err(refuse(404, "Not found.").because("no such service"));
        }
        visit
            .claims(token)
            .await
            .map_err(|disbelief| refuse(401, "Invalid OIDC token.").because(disbelief))?;
        let password = visit.jwt(None, &self.service);
        let status = if self.created { 201 } else { 200 };
        Ok(json_answer(status, &json!({"token": password.value})))
    }
}
