//! Entra ID's token endpoint, version 2.0, for the client credentials grant (Microsoft identity
//! platform, "OAuth 2.0 client credentials flow"; "Microsoft Entra authentication and authorization
//! error codes").

mod assertion;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::call::{Call, Service};
use super::cloud::Cloud;
use super::directory::{Identity, Tenant};
use super::error::Refusal;
use super::front::{Served, finish, nobody};
use super::{Azure, token};
use crate::fakes::canned::Answer;
use crate::fakes::form::Form;
use crate::fakes::received::Received;

pub(super) const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Lives of tokens for applications and for managed identities, in seconds.
const LIFETIME: i64 = 3599;
const LONG_LIFETIME: i64 = 86_399;

struct Entra {
    azure: Azure,
    /// The cloud whatever the `Host`, where names cannot be had.
    fixed: Option<Cloud>,
}

pub(super) fn router(azure: Azure, fixed: Option<Cloud>) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Entra { azure, fixed }))
}

async fn answer(State(entra): State<Arc<Entra>>, received: Received) -> Response {
    let azure = &entra.azure;
    let cloud = entra.fixed.clone().or_else(|| azure.cloud_at(received.host()));
    let Some(cloud) = cloud else { return nobody(azure, received.host()) };
    let id = azure.log().record(Call::of(Service::Entra, &received));
    let served = match azure.log().canned(Service::Entra).await {
        Some(answer) => Ok(answer),
        None => issue(azure, &cloud, &received, id).await,
    };
    finish(azure, Service::Entra, id, served)
}

/// One token request, and where it goes.
pub(super) struct TokenRequest<'a> {
    pub(super) azure: &'a Azure,
    pub(super) tenant: &'a Tenant,
    pub(super) identity: &'a Identity,
    /// What the path calls the tenant.
    pub(super) tenant_name: &'a str,
    pub(super) form: &'a Form,
}

async fn issue(azure: &Azure, cloud: &Cloud, received: &Received, id: usize) -> Served {
    let tenant_name = received
        .path()
        .strip_prefix('/')
        .and_then(|path| path.strip_suffix("/oauth2/v2.0/token"))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .ok_or_else(|| Refusal::new(404, "not_found", "Not found").because("no such page"))?;
    let form = read_form(received)?;
    let tenant = find_tenant(azure, cloud, tenant_name)?;
    let resource = scope(&form, &tenant)?;
    let identity = find_identity(azure, &tenant, &form)?;
    let request =
        TokenRequest { azure, tenant: &tenant, identity: &identity, tenant_name, form: &form };
    request.authenticate(id).await?;
    azure.log().update(id, |call| {
        call.client_id = Some(identity.client_id.clone());
        call.tenant = Some(tenant.id.clone());
    });
    Ok(granted(azure, &identity, &tenant, resource))
}

/// The answer with a token.
pub(super) fn granted(
    azure: &Azure,
    identity: &Identity,
    tenant: &Tenant,
    resource: &str,
) -> Answer {
    let lifetime = if identity.resource_id.is_some() { LONG_LIFETIME } else { LIFETIME };
    let token = token::access_token(azure, identity, tenant, resource, lifetime);
    Answer::json(
        200,
        &json!({
            "token_type": "Bearer",
            "expires_in": lifetime,
            "ext_expires_in": lifetime,
            "access_token": token,
        }),
    )
}

/// The form of a client credentials request.
pub(super) fn read_form(received: &Received) -> Result<Form, Refusal> {
    if received.method != Method::POST {
        let message = format!(
            "The endpoint only accepts POST requests. Received a {} request.",
            received.method
        );
        return Err(Refusal::aadsts(900_561, message));
    }
    let (form, faults) = received.form();
    if let Some(fault) = faults.first() {
        let message = format!("The request is not valid: {fault}.");
        return Err(Refusal::aadsts(90100, message).because(fault.clone()));
    }
    let grant = required(&form, "grant_type")?;
    if grant != "client_credentials" {
        let message = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(Refusal::aadsts(70003, message));
    }
    Ok(form)
}

/// The resource that is asked for.
pub(super) fn scope<'a>(form: &'a Form, tenant: &Tenant) -> Result<&'a str, Refusal> {
    let scope = required(form, "scope")?;
    if scope.contains(' ') {
        let message = "The provided request must include a 'scope' input parameter. The provided \
                       value for the input parameter 'scope' is not valid because it contains more \
                       than one resource.";
        return Err(Refusal::aadsts(70011, message));
    }
    let resource = scope.strip_suffix("/.default").ok_or_else(|| {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have \
             a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        Refusal::aadsts(1_002_012, message)
    })?;
    tenant.cloud.resource(resource).map(|_| resource).ok_or_else(|| {
        let message = format!(
            "The resource principal named {resource} was not found in the tenant named {}. This \
             can happen if the application has not been installed by the administrator of the \
             tenant or consented to by any user in the tenant. You might have sent your \
             authentication request to the wrong tenant.",
            tenant.domain
        );
        Refusal::aadsts(500_011, message)
    })
}

fn find_tenant(azure: &Azure, cloud: &Cloud, name: &str) -> Result<Tenant, Refusal> {
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte)) {
        let message = format!(
            "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external \
             domain."
        );
        return Err(Refusal::aadsts(900_023, message));
    }
    azure.tenant(name).filter(|tenant| tenant.cloud == *cloud).ok_or_else(|| {
        let message = format!(
            "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are \
             signing into the correct cloud. Check with your subscription administrator, this may \
             happen if there are no active subscriptions for the tenant."
        );
        Refusal::aadsts(90002, message)
    })
}

/// The identity of the form's client ID, if it has a place in the tenant.
pub(super) fn find_identity(
    azure: &Azure,
    tenant: &Tenant,
    form: &Form,
) -> Result<Identity, Refusal> {
    let client_id = required(form, "client_id")?;
    let known = azure.identity(client_id);
    known.filter(|identity| identity.object_id_in(&tenant.id).is_some()).ok_or_else(|| {
        let message = format!(
            "Application with identifier '{client_id}' was not found in the directory '{}'. This \
             can happen if the application has not been installed by the administrator of the \
             tenant or consented to by any user in the tenant. You may have sent your \
             authentication request to the wrong tenant.",
            tenant.domain
        );
        Refusal::aadsts(700_016, message)
    })
}

pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, Refusal> {
    form.value(name).ok_or_else(|| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Refusal::aadsts(900_144, message)
    })
}

impl TokenRequest<'_> {
    /// Whether the client is who it says.
    async fn authenticate(&self, id: usize) -> Result<(), Refusal> {
        match (self.form.value("client_assertion"), self.form.value("client_secret")) {
            (Some(assertion), None) => {
                if required(self.form, "client_assertion_type")? != JWT_BEARER {
                    let message = "The client_assertion_type is not supported.";
                    return Err(Refusal::aadsts(90100, message));
                }
                self.assertion(assertion, id).await
            }
            (None, Some(secret)) => self.client_secret(secret),
            (Some(_), Some(_)) => {
                let message = "A request carries either a client_assertion or a client_secret.";
                Err(Refusal::aadsts(90100, message).because("two ways of client authentication"))
            }
            (None, None) => {
                let message = "The request body must contain the following parameter: \
                               'client_assertion' or 'client_secret'.";
                Err(Refusal::aadsts(7_000_218, message))
            }
        }
    }

    fn client_secret(&self, sent: &str) -> Result<(), Refusal> {
        let client_id = &self.identity.client_id;
        let known = self.identity.client_secrets.iter().find(|secret| secret.value == sent);
        match known {
            Some(secret) if !secret.over => Ok(()),
            Some(_) => {
                let message = format!(
                    "The provided client secret keys for app '{client_id}' are expired. Visit the \
                     Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, \
                     or consider using certificate credentials for added security: \
                     https://aka.ms/certCreds."
                );
                Err(Refusal::aadsts(7_000_222, message))
            }
            None => {
                let message = format!(
                    "Invalid client secret provided. Ensure the secret being sent in the request \
                     is the client secret value, not the client secret ID, for a secret added to \
                     app '{client_id}'."
                );
                Err(Refusal::aadsts(7_000_215, message))
            }
        }
    }
}
