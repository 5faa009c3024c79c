//! A token endpoint as the standards have it (RFC 6749, 7523, 8693), with every kind of client
//! authentication, and discovery (OpenID Connect Discovery 1.0, RFC 8414), also of the wrong kind.

use axum::http::Method;
use serde_json::json;

use super::Expiry;
use super::answer::{Refusal, Served, json_answer};
use super::client::Client;
use super::visit::Visit;
use crate::fakes::form::Form;

pub(super) const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const TYPES: &str = "urn:ietf:params:oauth:token-type:";
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub(super) const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";

/// A token endpoint: one client, one grant. (No `Debug`: it may hold secrets.)
#[derive(Clone)]
pub struct OAuth {
    /// The path of its issuer: empty, or `/tenant`.
    pub prefix: String,
    /// Who may ask.
    pub client: Client,
    /// How.
    pub grant: Grant,
    /// The `scope` that must be asked for; without one it may not.
    pub scope: Option<String>,
    /// What discovery says.
    pub discovery: Discovery,
}

/// What a pod's token is sent as.
#[derive(Clone, Debug)]
pub enum Grant {
    /// The subject token of RFC 8693.
    TokenExchange {
        /// The last part of the one type that is taken: `jwt`, `id_token`, ...
        subject_token_type: String,
        /// Every `audience` that must be named.
        audience: Vec<String>,
        /// Every `resource` that must be named.
        resource: Vec<String>,
    },
    /// The assertion of RFC 7523, section 2.1.
    JwtBearer,
    /// The client's assertion, or nothing, by [`OAuth::client`].
    ClientCredentials,
}

impl Grant {
    /// RFC 8693 with type `jwt`, for no particular vendor.
    pub fn token_exchange() -> Self {
        let subject_token_type = "jwt".to_owned();
        Self::TokenExchange { subject_token_type, audience: Vec::new(), resource: Vec::new() }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::TokenExchange { .. } => TOKEN_EXCHANGE,
            Self::JwtBearer => JWT_BEARER,
            Self::ClientCredentials => "client_credentials",
        }
    }
}

/// What the discovery documents say.
#[derive(Clone, Debug)]
pub enum Discovery {
    /// There are none.
    None,
    /// The truth.
    Right,
    /// Another issuer than the one that was asked.
    Issuer(String),
    /// Another token endpoint, such as one on another host.
    TokenEndpoint(String),
}

impl OAuth {
    /// An endpoint at `/token` with true discovery.
    pub fn new(client: Client, grant: Grant) -> Self {
        Self { prefix: String::new(), client, grant, scope: None, discovery: Discovery::Right }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let path = visit.received.path();
        let well_known = [
            format!("{}/.well-known/openid-configuration", self.prefix),
            format!("/.well-known/oauth-authorization-server{}", self.prefix),
        ];
        if well_known.iter().any(|known| known == path) {
            return self.discover(visit);
        }
        visit.only(&Method::POST, &format!("{}/token", self.prefix))?;
        let form = visit.form()?;
        self.client.check(visit, &form).await?;
        same(visit, &form, "grant_type", self.grant.name())?;
        if form.value("scope") != self.scope.as_deref() {
            return Err(visit.shape.refuse(400, "invalid_scope", "another scope is needed"));
        }
        let own = match &self.grant {
            Grant::TokenExchange { subject_token_type, audience, resource } => {
                same(visit, &form, "subject_token_type", &format!("{TYPES}{subject_token_type}"))?;
                if form.value("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
                    let message = "only access tokens are issued";
                    return Err(visit.shape.refuse(400, "invalid_request", message));
                }
                let token = required(visit, &form, "subject_token")?;
                for (name, wanted) in [("audience", audience), ("resource", resource)] {
                    if form.values(name).ne(wanted.iter().map(String::as_str)) {
                        let message = format!("`{name}` names another service");
                        return Err(visit.shape.refuse(400, "invalid_target", &message));
                    }
                }
                visit.claims(token).await.map_err(|disbelief| {
                    let message = format!("the subject token: {disbelief}");
                    visit.shape.refuse(400, "invalid_request", &message).because(disbelief)
                })?;
                &[
                    "subject_token",
                    "subject_token_type",
                    "requested_token_type",
                    "audience",
                    "resource",
                ][..]
            }
            Grant::JwtBearer => {
                let token = required(visit, &form, "assertion")?;
                visit.claims(token).await.map_err(|disbelief| {
                    let message = format!("the assertion: {disbelief}");
                    visit.shape.refuse(400, "invalid_grant", &message).because(disbelief)
                })?;
                &["assertion"][..]
            }
            Grant::ClientCredentials => &[][..],
        };
        let client = ["client_id", "client_secret", "client_assertion", "client_assertion_type"];
        let known = [&["grant_type", "scope"], own, &client[..]].concat();
        visit.known(form.names(), &known);
        let password = visit.opaque(None);
        let mut answer = json!({"access_token": password.value, "token_type": "Bearer"});
        if own.len() > 1 {
            answer["issued_token_type"] = json!(ACCESS_TOKEN);
        }
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }

    fn discover(&self, visit: &Visit<'_>) -> Served {
        if visit.received.method != Method::GET {
            return Err(visit.shape.wrong_method());
        }
        visit.without_authorization();
        let issuer = format!("{}{}", visit.shared.url, self.prefix);
        let mut document = json!({
            "issuer": issuer,
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "grant_types_supported": [self.grant.name()],
            "token_endpoint_auth_methods_supported": [self.client.method()],
        });
        match &self.discovery {
            Discovery::None => return Err(visit.shape.not_found()),
            Discovery::Right => {}
            Discovery::Issuer(other) => document["issuer"] = json!(other),
            Discovery::TokenEndpoint(other) => document["token_endpoint"] = json!(other),
        }
        Ok(json_answer(200, &document))
    }
}

/// A parameter that must be there.
pub(super) fn required<'f>(
    visit: &Visit<'_>,
    form: &'f Form,
    name: &str,
) -> Result<&'f str, Refusal> {
    let missing = || {
        let message = format!("Missing required parameter: {name}");
        visit.shape.refuse(400, "invalid_request", &message)
    };
    form.value(name).ok_or_else(missing)
}

/// A parameter that must be there and have this value.
pub(super) fn same(visit: &Visit<'_>, form: &Form, name: &str, value: &str) -> Result<(), Refusal> {
    if required(visit, form, name)? == value {
        return Ok(());
    }
    let code = if name == "grant_type" { "unsupported_grant_type" } else { "invalid_request" };
    let message = format!("Unsupported value of parameter: {name}");
    Err(visit.shape.refuse(400, code, &message))
}
