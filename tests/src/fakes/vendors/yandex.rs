//! Yandex Cloud: `POST /oauth/token`, RFC 8693, from the code of a client. Refusals are not known;
//! they are RFC 6749's.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Served, json_answer};
use super::oauth::{ACCESS_TOKEN, ID_TOKEN, TOKEN_EXCHANGE, required, same};
use super::visit::Visit;

/// One federated service account of the cloud.
#[derive(Clone, Debug)]
pub struct Yandex {
    /// Its ID.
    pub service_account: String,
}

impl Yandex {
    /// With that ID.
    pub fn new(service_account: &str) -> Self {
        Self { service_account: service_account.to_owned() }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |code: &str, message: &str| visit.shape.refuse(400, code, message);
        visit.only(&Method::POST, "/oauth/token")?;
        visit.without_authorization();
        let form = visit.form()?;
        let known = [
            "grant_type",
            "requested_token_type",
            "audience",
            "subject_token",
            "subject_token_type",
        ];
        visit.known(form.names(), &known);
        same(visit, &form, "grant_type", TOKEN_EXCHANGE)?;
        same(visit, &form, "requested_token_type", ACCESS_TOKEN)?;
        same(visit, &form, "subject_token_type", ID_TOKEN)?;
        let token = required(visit, &form, "subject_token")?;
        if form.values("audience").collect::<Vec<_>>() != [self.service_account.as_str()] {
            return Err(refuse("invalid_target", "no such service account"));
        }
        visit.claims(token).await.map_err(|disbelief| {
            refuse("invalid_grant", "the subject token is not accepted").because(disbelief)
        })?;
        let password = visit.opaque(None);
        let mut answer = json!({
            "access_token": password.value,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}
