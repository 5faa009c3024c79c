//! JFrog Artifactory: `POST /access/api/v1/oidc/token`, the names of RFC 8693 in JSON. From the
//! code of clients; statuses and texts of refusals are not known and ours.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Served, json_answer};
use super::visit::{Visit, names, text};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const KNOWN: [&str; 8] = [
    "grant_type",
    "subject_token",
    "subject_token_type",
    "provider_name",
    "provider_type",
    "audience",
    "project_key",
    "identity_mapping_name",
];

/// An Artifactory with one OIDC provider.
#[derive(Clone, Debug)]
pub struct Artifactory {
    /// The provider's name.
    pub provider: String,
    /// The project that it belongs to: without `project_key` it is not found then.
    pub project: Option<String>,
    /// Whom its mapping makes of the service account.
    pub user: String,
    /// Whether the answer names the user; else only the token's `sub` does, `jfac@1/users/NAME`.
    pub names_user: bool,
}

impl Artifactory {
    /// A global provider, whose mapping leads to the user `puller`.
    pub fn new(provider: &str) -> Self {
        let user = "puller".to_owned();
        Self { provider: provider.to_owned(), project: None, user, names_user: true }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, code: &str, message: &str| visit.shape.refuse(status, code, message);
        visit.only(&Method::POST, "/access/api/v1/oidc/token")?;
        visit.without_authorization();
        let body = visit.json()?;
        visit.known(names(&body), &KNOWN);
        let required = |name: &str| {
            text(&body, name)
                .ok_or_else(|| refuse(400, "BAD_REQUEST", &format!("{name} must be provided")))
        };
        if required("grant_type")? != GRANT {
            return Err(refuse(400, "BAD_REQUEST", "Unsupported grant type"));
        }
        if required("subject_token_type")? != ID_TOKEN {
            return Err(refuse(400, "BAD_REQUEST", "Unsupported subject token type"));
        }
        let token = required("subject_token")?;
        let provider = required("provider_name")?;
        if provider != self.provider || text(&body, "project_key") != self.project.as_deref() {
            let message = format!("OIDC provider {provider} could not be found");
            return Err(refuse(404, "NOT_FOUND", &message).because("no such provider or project"));
        }
        visit.claims(token).await.map_err(|disbelief| {
            refuse(401, "UNAUTHORIZED", "Unable to exchange OIDC token").because(disbelief)
        })?;
        let sub = format!("jfac@1/users/{}", self.user);
        let username = self.names_user.then_some(self.user.as_str());
        let password = visit.jwt(username, &sub);
        let mut answer = json!({
            "access_token": password.value,
            "issued_token_type": ACCESS_TOKEN,
            "scope": "applied-permissions/user",
            "token_type": "Bearer",
        });
        if let Some(username) = username {
            answer["username"] = json!(username);
        }
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}
