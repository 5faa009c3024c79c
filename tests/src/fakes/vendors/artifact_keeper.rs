//! artifact-keeper: `POST /api/v1/auth/ci/token`, the pod's token as the bearer, from its own code.
//! That the body of a refusal is `{code, message}` is a guess from its error type.

use axum::http::Method;
use serde_json::{Map, json};

use super::Expiry;
use super::answer::{Served, json_answer};
use super::visit::{Order, Visit, names, text};
use crate::jwt;

/// One provider for CI tokens, with one mapping.
#[derive(Clone, Debug)]
pub struct ArtifactKeeper {
    /// The provider's UUID.
    pub provider: String,
    /// Whether the body must name it, as versions before #3902 require.
    pub provider_required: bool,
    /// The service account that the mapping leads to.
    pub user: String,
}

impl ArtifactKeeper {
    /// A provider that the body must name; the user is `ci-abc123456789`.
    pub fn new(provider: &str) -> Self {
        let user = "ci-abc123456789".to_owned();
        Self { provider: provider.to_owned(), provider_required: true, user }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, code: &str, message: &str| visit.shape.refuse(status, code, message);
        visit.only(&Method::POST, "/api/v1/auth/ci/token")?;
        if !visit.received.headers.contains_key("authorization") {
            let message = "Authentication failed: Missing Authorization header. Supply the CI JWT \
                           as: Authorization: Bearer <jwt>";
            return Err(refuse(401, "AUTH_ERROR", message));
        }
        let token = visit.bearer().ok_or_else(|| {
            let message = "Authentication failed: Authorization header must use the Bearer scheme";
            refuse(401, "AUTH_ERROR", message)
        })?;
        let without_body = visit.received.body.is_empty() && !self.provider_required;
        let body = if without_body { Map::new() } else { visit.json()? };
        visit.known(names(&body), &["provider_id"]);
        match text(&body, "provider_id") {
            Some(provider) if provider == self.provider => {}
            Some(_) => {
                let message = "Resource not found: CI OIDC provider not found";
                return Err(refuse(404, "NOT_FOUND", message));
            }
            None if self.provider_required => {
                let message = "Validation error: missing field `provider_id`";
                return Err(refuse(400, "VALIDATION_ERROR", message));
            }
            None => {}
        }
        let claims = visit.claims(token).await.map_err(|disbelief| {
            let message = "Authentication failed: Invalid CI token";
            refuse(401, "AUTH_ERROR", message).because(disbelief)
        })?;
        // Since #3902 it never outlives the token that it was exchanged for.
        let left = claims["exp"].as_i64().unwrap_or_default() - jwt::now();
        let password = visit.hand_out(&Order {
            subject: claims["sub"].as_str().unwrap_or_default(),
            username: Some(&self.user),
            jwt_sub: Some(&self.user),
            lifetime: visit.shared.lifetime.min(left),
        });
        let mut answer = json!({
            "access_token": password.value,
            "token_type": "Bearer",
            "username": self.user,
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}
