//! Docker Hub: `POST /oauth/token` of identity.docker.com, RFC 8693 with a connection, from the code
//! of `docker/login-action`. It reads `access_token` and nothing else: whether there is more in the
//! answer is not known, so there is no `expires_in` unless the settings ask for it. Refusals are not
//! known; they are RFC 6749's.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Served, json_answer};
use super::oauth::{ID_TOKEN, TOKEN_EXCHANGE, required, same};
use super::visit::{Order, Visit};

/// One OIDC connection of an organisation.
#[derive(Clone, Debug)]
pub struct DockerHub {
    /// The connection's UUID.
    pub connection: String,
}

impl DockerHub {
    /// With that connection.
    pub fn new(connection: &str) -> Self {
        Self { connection: connection.to_owned() }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, code: &str, message: &str| visit.shape.refuse(status, code, message);
        visit.only(&Method::POST, "/oauth/token")?;
        visit.without_authorization();
        let form = visit.form()?;
        let known =
            ["grant_type", "subject_token", "subject_token_type", "connection_id", "expires_in"];
        visit.known(form.names(), &known);
        same(visit, &form, "grant_type", TOKEN_EXCHANGE)?;
        same(visit, &form, "subject_token_type", ID_TOKEN)?;
        let token = required(visit, &form, "subject_token")?;
        if required(visit, &form, "connection_id")? != self.connection {
            return Err(refuse(400, "invalid_request", "unknown connection"));
        }
        let asked = form.value("expires_in").unwrap_or("300").parse::<i64>().ok();
        let lifetime = asked.filter(|asked| (300..=21_600).contains(asked)).ok_or_else(|| {
            refuse(400, "invalid_request", "expires_in must be between 300 and 21600")
        })?;
        let claims = visit.claims(token).await.map_err(|disbelief| {
            refuse(401, "access_denied", "no rule matches the token").because(disbelief)
        })?;
        let password = visit.hand_out(&Order {
            subject: claims["sub"].as_str().unwrap_or_default(),
            username: None,
            jwt_sub: (visit.shared.expiry == Expiry::JwtExp).then_some("organisation"),
            lifetime,
        });
        let mut answer = json!({"access_token": password.value});
        visit.say_end(&mut answer, "expires_in", Expiry::Absent, &password);
        Ok(json_answer(200, &answer))
    }
}
