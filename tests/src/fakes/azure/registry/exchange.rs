//! `POST /oauth2/exchange`: from an Entra access token to a refresh token of the registry.

use axum::http::Method;
use serde_json::json;

use super::{Request, invalid};
use crate::fakes::azure::cloud::Resource;
use crate::fakes::azure::error::{CORRELATION, Refusal};
use crate::fakes::azure::front::Served;
use crate::fakes::azure::token::{Bearer, bearer, refresh_token};
use crate::fakes::canned::Answer;
use crate::jwt;

impl Request<'_> {
    pub(super) fn exchange(&self) -> Served {
        // With another method there is no such page (Azure/acr#166).
        if self.received.method != Method::POST {
            return Err(Refusal::new(404, "NOT_FOUND", "404 page not found").because("not a POST"));
        }
        let (form, faults) = self.received.form();
        if let Some(fault) = faults.first() {
            return Err(invalid(fault));
        }
        let needs: &[&str] = match form.value("grant_type") {
            Some("access_token") => &["access_token"],
            // Deprecated, and still what the Go plugin sends.
            Some("access_token_refresh_token") => &["access_token", "refresh_token"],
            Some(_) => return Err(invalid("the grant type is not supported")),
            None => return Err(invalid("the grant type is missing")),
        };
        self.check_service(form.value("service"))?;
        if let Some(name) = needs.iter().find(|name| form.value(name).is_none()) {
            return Err(invalid(&format!("`{name}` is missing")));
        }
        let bearer = self.authorize(form.value("access_token").unwrap_or_default())?;
        let tenant = form.value("tenant");
        if tenant.is_some_and(|name| !bearer.tenant.is_called(name)) {
            return Err(Refusal::unauthorized("`tenant` is not the access token's"));
        }
        let token = refresh_token(self.azure, self.registry, &bearer);
        self.azure.log().update(self.id, |call| {
            call.client_id = Some(bearer.identity.client_id.clone());
            call.tenant = Some(bearer.tenant.id.clone());
        });
        Ok(Answer::json(200, &json!({"refresh_token": token}))
            .with_header(CORRELATION, &jwt::random_uuid())
            .with_header("x-ms-ratelimit-remaining-calls-per-second", "166.65"))
    }

    /// The identity of an Entra access token, if it may pull here.
    fn authorize(&self, token: &str) -> Result<Bearer, Refusal> {
        let bearer = bearer(self.azure, token).map_err(Refusal::unauthorized)?;
        if bearer.resource == Resource::Manager && !self.registry.takes_arm_tokens {
            return Err(Refusal::unauthorized("tokens for Azure Resource Manager are refused"));
        }
        if bearer.tenant.id != self.registry.tenant {
            return Err(Refusal::unauthorized("the identity is in another tenant"));
        }
        if !self.registry.knows(&bearer.identity.client_id) {
            return Err(Refusal::unauthorized("the identity has no role here"));
        }
        Ok(bearer)
    }
}
