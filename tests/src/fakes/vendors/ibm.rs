//! IBM Cloud's IAM: `POST /identity/token` with a compute resource's token, from documents and the
//! code of SDKs. The shape of refusals is theirs, the codes for this grant are ours.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Served, json_answer};
use super::oauth::{required, same};
use super::visit::Visit;

const CR_TOKEN: &str = "urn:ibm:params:oauth:grant-type:cr-token";

/// One trusted profile.
#[derive(Clone, Debug)]
pub struct Ibm {
    /// How clients name it.
    pub profile: Profile,
}

/// A profile's name in requests.
#[derive(Clone, Debug)]
pub enum Profile {
    /// `profile_id`: `Profile-...` or `iam-Profile-...`.
    Id(String),
    /// `profile_name`.
    Name(String),
}

impl Ibm {
    /// Named by its ID.
    pub fn new(profile_id: &str) -> Self {
        Self { profile: Profile::Id(profile_id.to_owned()) }
    }

    /// Named by its name.
    pub fn named(profile_name: &str) -> Self {
        Self { profile: Profile::Name(profile_name.to_owned()) }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, code: &str, message: &str| visit.shape.refuse(status, code, message);
        visit.only(&Method::POST, "/identity/token")?;
        visit.without_authorization();
        let form = visit.form()?;
        visit.known(form.names(), &["grant_type", "cr_token", "profile_id", "profile_name"]);
        same(visit, &form, "grant_type", CR_TOKEN)?;
        let token = required(visit, &form, "cr_token")?;
        let named = match &self.profile {
            Profile::Id(id) => form.value("profile_id") == Some(id),
            Profile::Name(name) => form.value("profile_name") == Some(name),
        };
        let both = form.value("profile_id").is_some() && form.value("profile_name").is_some();
        if !named || both {
            let message = "Provided trusted profile could not be found";
            return Err(refuse(400, "BXNIM0501E", message).because("the profile"));
        }
        visit.claims(token).await.map_err(|disbelief| {
            refuse(400, "BXNIM0513E", "Provided cr_token is invalid").because(disbelief)
        })?;
        let password = visit.opaque(None);
        let mut answer = json!({
            "access_token": password.value,
            "refresh_token": "not_supported",
            "token_type": "Bearer",
            "expiration": password.expires,
            "scope": "ibm openid",
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}
