//! The IAM Service Account Credentials API: `generateAccessToken` (IAM, "Create short-lived
//! credentials for a service account").

use axum::http::Method;
use serde_json::{Value, json};

use super::error::{Refusal, json_answer};
use super::front::Served;
use super::token::{CLOUD_PLATFORM, Grant};
use super::{Google, Service, member};
use crate::fakes::received::Received;

const ACCOUNTS: &str = "/v1/projects/-/serviceAccounts/";
const METHOD: &str = ":generateAccessToken";
const PERMISSION: &str = "iam.serviceAccounts.getAccessToken";
/// Scopes of a bearer that may call this.
const SCOPES: [&str; 2] = [CLOUD_PLATFORM, "https://www.googleapis.com/auth/iam"];
const SCOPE_PREFIX: &str = "https://www.googleapis.com/auth/";
/// Seconds.
const LONGEST: i64 = 3600;

/// A service account, and who may act as it.
#[derive(Clone, Debug)]
pub struct ServiceAccount {
    /// Its e-mail address.
    pub email: String,
    pub(super) impersonators: Vec<String>,
}

impl ServiceAccount {
    /// One that no one may impersonate.
    pub fn new(email: &str) -> Self {
        Self { email: email.to_owned(), impersonators: Vec::new() }
    }

    /// A principal (see [`super::Provider::principal`]) or `serviceAccount:EMAIL` that may take its
    /// tokens: the role `iam.workloadIdentityUser`, or `iam.serviceAccountTokenCreator`.
    pub fn impersonated_by(mut self, principal: &str) -> Self {
        self.impersonators.push(principal.to_owned());
        self
    }

    /// `serviceAccount:EMAIL`.
    pub fn principal(&self) -> String {
        member(&self.email)
    }
}

pub(super) fn answer(google: &Google, universe: &str, received: &Received, id: usize) -> Served {
    let path = received.path().strip_prefix(ACCOUNTS);
    let Some(email) = path.and_then(|path| path.strip_suffix(METHOD)) else {
        return Err(Refusal::not_found());
    };
    if received.method != Method::POST {
        return Err(Refusal::not_found());
    }
    let bearer = received.text("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let bearer = bearer.ok_or_else(|| Refusal::unauthenticated("no bearer"))?;
    let bearer = google.token(bearer).ok_or_else(|| Refusal::unauthenticated("unknown token"))?;
    if bearer.universe != universe {
        return Err(Refusal::unauthenticated("another universe's token"));
    }
    if bearer.expires <= google.now() {
        return Err(Refusal::unauthenticated("a token that is over"));
    }
    if !bearer.allows(&SCOPES) {
        return Err(Refusal::insufficient_scopes());
    }
    let Body { scopes, lifetime } = Body::read(received)?;
    // Who may not is not told whether there is such an account.
    let account = google.service_account(email);
    let may = |account: &ServiceAccount| account.impersonators.contains(&bearer.principal);
    let account = account.filter(may).ok_or_else(|| Refusal::denied(PERMISSION))?;
    let grant = Grant {
        service: Service::IamCredentials,
        principal: &account.principal(),
        subject: bearer.subject.as_deref(),
        universe,
        scopes,
        lifetime,
    };
    let minted = grant.mint(google, Some(id));
    let mut body = json!({"accessToken": minted.value});
    if let Some(expires) = minted.expires {
        body["expireTime"] = expires;
    }
    Ok(json_answer(200, &body))
}

struct Body {
    scopes: Vec<String>,
    lifetime: i64,
}

impl Body {
    fn read(received: &Received) -> Result<Self, Refusal> {
        // In whose words this is refused is not known.
        let malformed = |what: &str| {
            Refusal::invalid_argument(format!("Invalid JSON payload received. {what}"))
                .because(what)
        };
        if received.essence() != "application/json" {
            return Err(malformed("The content type is not JSON."));
        }
        let body = serde_json::from_slice::<Value>(&received.body).unwrap_or_default();
        let body = body.as_object().ok_or_else(|| malformed("Not an object."))?;
        let known = ["scope", "delegates", "lifetime"];
        if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(malformed(&format!("Unknown name \"{name}\": Cannot find field.")));
        }
        let list = body.get("scope").and_then(Value::as_array).map(Vec::as_slice);
        let scopes: Option<Vec<String>> = list
            .unwrap_or_default()
            .iter()
            .map(|scope| scope.as_str().map(str::to_owned))
            .collect();
        let scopes = scopes.ok_or_else(|| malformed("A scope is no string."))?;
        if scopes.is_empty() || !scopes.iter().all(|scope| scope.starts_with(SCOPE_PREFIX)) {
            let message = "Request contains an invalid argument.";
            return Err(Refusal::invalid_argument(message).because("scope"));
        }
        let lifetime = match body.get("lifetime") {
            None => LONGEST,
            Some(text) => text
                .as_str()
                .and_then(|text| text.strip_suffix('s'))
                .and_then(|seconds| seconds.parse().ok())
                .ok_or_else(|| malformed("Illegal duration format in \"lifetime\"."))?,
        };
        // As measured by others.
        if lifetime <= 0 {
            let message = "Lifetime of access token must be larger then zero.";
            return Err(Refusal::invalid_argument(message).because("lifetime"));
        }
        if lifetime > LONGEST {
            let message = "Access tokens of this service account can not have lifetimes of more \
                           than 1 hour. Use the Org Policy Constraint \
                           constraints/iam.allowServiceAccountCredentialLifetimeExtension to allow \
                           up to 12 hours.";
            return Err(Refusal::invalid_argument(message).because("lifetime"));
        }
        Ok(Self { scopes, lifetime })
    }
}
