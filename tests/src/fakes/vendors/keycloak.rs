//! Keycloak's two ways for a pod's token: the JWT authorization grant (RFC 7523) with a
//! confidential client, and federated client authentication. From documents; texts of refusals are
//! Keycloak's where clients' logs show them and ours elsewhere. Both require the realm's issuer as
//! the audience; for the second the facts do not say so.

use axum::http::Method;
use serde_json::{Value, json};

use super::Expiry;
use super::answer::{Refusal, Served, json_answer};
use super::client::{Client, assertion};
use super::oauth::{JWT_BEARER, required, same};
use super::visit::Visit;

/// A realm with an identity provider that grants by JWT. (No `Debug`: it holds a secret.)
#[derive(Clone)]
pub struct KeycloakJwtGrant {
    /// The realm's name.
    pub realm: String,
    /// The client: by `Basic` or `Post`, both are taken.
    pub client: Client,
    /// The longest life of an assertion, `exp - iat` in seconds. Keycloak's default of 300 refuses
    /// every service account token.
    pub longest_assertion: i64,
    /// Whether an assertion is taken again.
    pub reuse: bool,
}

impl KeycloakJwtGrant {
    /// Takes assertions of an hour, once each.
    pub fn new(realm: &str, client: Client) -> Self {
        Self { realm: realm.to_owned(), client, longest_assertion: 3600, reuse: false }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |message: &str| visit.shape.refuse(400, "invalid_grant", message);
        visit.only(&Method::POST, &visit.shared.dialect.path())?;
        let form = visit.form()?;
        let known = ["grant_type", "assertion", "scope", "client_id", "client_secret"];
        visit.known(form.names(), &known);
        if !self.client.basic_or_post(visit, &form) {
            return Err(unknown_client(visit));
        }
        same(visit, &form, "grant_type", JWT_BEARER)?;
        let token = required(visit, &form, "assertion")?;
        let claims = visit
            .claims(token)
            .await
            .map_err(|disbelief| refuse("Invalid JWT assertion").because(disbelief))?;
        let time = |name: &str| claims[name].as_i64().unwrap_or_default();
        if time("exp") - time("iat") > self.longest_assertion {
            return Err(refuse("Token expiration is too far in the future"));
        }
        let jti = claims["jti"].as_str().filter(|jti| !jti.is_empty());
        let jti = jti.ok_or_else(|| refuse("Token jti claim is required"))?;
        if !visit.spend(jti) && !self.reuse {
            return Err(refuse("Token reuse detected"));
        }
        Ok(granted(visit, form.value("scope")))
    }
}

/// A realm with a client that authenticates by a pod's token.
#[derive(Clone, Debug)]
pub struct KeycloakClientAssertion {
    /// The realm's name.
    pub realm: String,
    /// The client's name. It may be left out: the `sub` names the client.
    pub client_id: String,
}

impl KeycloakClientAssertion {
    /// With that client.
    pub fn new(realm: &str, client_id: &str) -> Self {
        Self { realm: realm.to_owned(), client_id: client_id.to_owned() }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        visit.only(&Method::POST, &visit.shared.dialect.path())?;
        visit.without_authorization();
        let form = visit.form()?;
        let known =
            ["grant_type", "scope", "client_id", "client_assertion", "client_assertion_type"];
        visit.known(form.names(), &known);
        if form.value("client_id").is_some_and(|id| id != self.client_id) {
            return Err(unknown_client(visit).because("another client_id"));
        }
        let token = assertion(&form)
            .ok_or_else(|| unknown_client(visit).because("no client_assertion of that type"))?;
        visit.claims(token).await.map_err(|disbelief| unknown_client(visit).because(disbelief))?;
        same(visit, &form, "grant_type", "client_credentials")?;
        Ok(granted(visit, form.value("scope")))
    }
}

fn unknown_client(visit: &Visit<'_>) -> Refusal {
    let message = "Invalid client or Invalid client credentials";
    visit.shape.refuse(401, "invalid_client", message)
}

fn granted(visit: &Visit<'_>, scope: Option<&str>) -> crate::fakes::canned::Answer {
    let subject = visit.shared.subject.clone();
    let password = visit.jwt(None, &subject);
    let mut answer: Value = json!({
        "access_token": password.value,
        "refresh_expires_in": 0,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "scope": scope.unwrap_or("profile email"),
    });
    visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
    json_answer(200, &answer)
}
