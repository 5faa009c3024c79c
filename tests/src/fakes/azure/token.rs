//! The tokens: Entra's access tokens, registries' refresh tokens and pull tokens. All are JWTs with
//! the claims of real ones; only the algorithm is another, ES256 (Microsoft identity platform,
//! "Access token claims reference"; Azure Container Registry, "AAD-OAuth").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Azure;
use super::call::Service;
use super::cloud::Resource;
use super::directory::{Identity, Tenant};
use super::registry::Registry;
use crate::jwt;

/// The user whose password is one of the registries' tokens.
pub(super) const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";
/// Lives of refresh tokens and of pull tokens, in seconds.
const REFRESH_LIFETIME: i64 = 10_800;
const PULL_LIFETIME: i64 = 4500;

/// How a registry's tokens are; change what a test is about.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenAnswer {
    /// What `exp` says.
    pub expires: Expires,
    /// So many random bytes more in a claim: real refresh tokens can be larger than 4 KB.
    pub padding: usize,
}

/// `exp` of a registry's token.
#[derive(Clone, Debug, PartialEq)]
pub enum Expires {
    /// So many seconds after the service's now, below zero before it.
    In(i64),
    /// Left out.
    Missing,
    /// This JSON.
    Raw(Value),
}

impl TokenAnswer {
    /// As usual for the service.
    pub fn of(service: Service) -> Self {
        let refresh = service == Service::Exchange;
        let (seconds, padding) = if refresh { (REFRESH_LIFETIME, 600) } else { (PULL_LIFETIME, 0) };
        Self { expires: Expires::In(seconds), padding }
    }
}

/// A login that a registry handed out, or takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The registry's global login server.
    pub registry: String,
    /// Whose it is: the identity's client ID.
    pub client_id: String,
    /// The tenant that vouched for it.
    pub tenant: String,
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
    /// What a pull token is good for, by repository; `None` for everything the identity may do.
    pub repositories: Option<Vec<String>>,
    /// Its end by the service's clock, in seconds of the Unix epoch.
    pub expires: i64,
}

impl Login {
    pub(super) fn kind(&self) -> &'static str {
        if self.repositories.is_some() { "pull token" } else { "refresh token" }
    }
}

/// Entra's access token (version 1.0, as these resources ask for), remembered as a secret.
pub(super) fn access_token(
    azure: &Azure,
    identity: &Identity,
    tenant: &Tenant,
    resource: &str,
    seconds: i64,
) -> String {
    let now = azure.now();
    let issuer = format!("{}/{}/", tenant.cloud.token_issuer, tenant.id);
    let object = identity.object_id_in(&tenant.id).expect("an identity with a place in the tenant");
    let mut claims = json!({
        "aud": resource,
        "iss": issuer,
        "iat": now.min(now + seconds) - 300,
        "nbf": now.min(now + seconds) - 300,
        "exp": now + seconds,
        "aio": jwt::random_text(24),
        "appid": identity.client_id,
        "appidacr": if identity.client_secrets.is_empty() { "2" } else { "1" },
        "idp": issuer,
        "idtyp": "app",
        "oid": object,
        "rh": format!("0.{}.", jwt::random_text(30)),
        "sub": object,
        "tid": tenant.id,
        "uti": jwt::random_text(16),
        "ver": "1.0",
    });
    if let Some(resource_id) = &identity.resource_id {
        claims["xms_mirid"] = json!(resource_id);
    }
    let key = &azure.0.entra_key;
    let header = json!({"typ": "JWT", "alg": "ES256", "x5t": key.kid(), "kid": key.kid()});
    let token = key.sign_with_header(&header, &claims);
    azure.log().add_secret(format!("access token of {}", identity.client_id), &token);
    token
}

/// Who an access token speaks for, and what for.
pub(super) struct Bearer {
    pub(super) identity: Identity,
    pub(super) tenant: Tenant,
    pub(super) resource: Resource,
}

/// What a registry makes of an access token.
///
/// # Errors
/// The first check that failed.
pub(super) fn bearer(azure: &Azure, token: &str) -> Result<Bearer, &'static str> {
    let (_, claims) = jwt::parts(token).ok_or("the access token is no JWT")?;
    if !jwt::signed_by(token, azure.0.entra_key.public_point()) {
        return Err("the access token's signature does not hold");
    }
    if claims["exp"].as_i64().is_none_or(|end| end <= azure.now()) {
        return Err("the access token is over");
    }
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let tenant = azure.tenant(text("tid")).ok_or("the access token's tenant is unknown")?;
    let identity = azure.identity(text("appid")).ok_or("the access token's identity is unknown")?;
    let resource = tenant.cloud.resource(text("aud"));
    let resource = resource.ok_or("the access token is for another service")?;
    Ok(Bearer { identity, tenant, resource })
}

/// A registry's refresh token.
pub(super) fn refresh_token(azure: &Azure, registry: &Registry, bearer: &Bearer) -> String {
    let claims = json!({
        "grant_type": "refresh_token",
        "permissions": {"actions": ["read"], "notActions": []},
    });
    issue(
        azure,
        Service::Exchange,
        registry,
        (&bearer.identity.client_id, &bearer.tenant.id),
        None,
        claims,
    )
}

/// A registry's access token for these repositories. The holder is a client ID and its tenant.
pub(super) fn pull_token(
    azure: &Azure,
    registry: &Registry,
    holder: (&str, &str),
    repositories: Vec<String>,
) -> String {
    let access: Vec<Value> = repositories
        .iter()
        .map(|name| json!({"type": "repository", "name": name, "actions": ["pull"]}))
        .collect();
    let claims = json!({"grant_type": "access_token", "access": access});
    issue(azure, Service::PullToken, registry, holder, Some(repositories), claims)
}

fn issue(
    azure: &Azure,
    service: Service,
    registry: &Registry,
    (client_id, tenant): (&str, &str),
    repositories: Option<Vec<String>>,
    more: Value,
) -> String {
    let TokenAnswer { expires, padding } = azure.token_answer(service);
    let now = azure.now();
    let ends = if let Expires::In(seconds) = expires { now + seconds } else { now + PULL_LIFETIME };
    let mut claims = Map::from_iter([
        ("jti".to_owned(), json!(jwt::random_uuid())),
        ("sub".to_owned(), json!(client_id)),
        ("nbf".to_owned(), json!(now.min(ends) - 900)),
        ("iat".to_owned(), json!(now.min(ends) - 900)),
        ("iss".to_owned(), json!(Registry::ISSUER)),
        ("aud".to_owned(), json!(registry.login_server)),
        ("version".to_owned(), json!("1.0")),
        ("rid".to_owned(), json!(jwt::random_uuid().replace('-', ""))),
        ("tenant".to_owned(), json!(tenant)),
        ("roles".to_owned(), json!([])),
    ]);
    claims.extend(more.as_object().cloned().unwrap_or_default());
    match expires {
        Expires::In(_) => claims.insert("exp".to_owned(), json!(ends)),
        Expires::Raw(value) => claims.insert("exp".to_owned(), value),
        Expires::Missing => None,
    };
    if padding > 0 {
        claims.insert("credential".to_owned(), json!(jwt::random_text(padding)));
    }
    let key = &azure.0.registry_key;
    let mut header = json!({"typ": "JWT", "alg": "ES256", "kid": key.kid()});
    if repositories.is_some() {
        // By this a `docker-registry` knows the key.
        header["x5c"] = json!([STANDARD.encode(&azure.0.certificate)]);
    }
    let token = key.sign_with_header(&header, &Value::Object(claims));
    azure.hand_out(Login {
        registry: registry.login_server.clone(),
        client_id: client_id.to_owned(),
        tenant: tenant.to_owned(),
        username: NULL_GUID.to_owned(),
        password: token.clone(),
        repositories,
        expires: ends,
    });
    token
}
