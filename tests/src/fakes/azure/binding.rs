//! AKS identity bindings: a token endpoint on the cluster's API server, under a name of its own. It
//! takes a pod's token for `api://AKSIdentityBinding` and asks Kubernetes's RBAC whether the service
//! account may use the identity (AKS, "Identity bindings"). Its own refusals are worded as Entra's:
//! the real ones are not documented.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;

use super::Azure;
use super::call::{Call, Service};
use super::directory::Identity;
use super::entra::{JWT_BEARER, find_identity, granted, read_form, required, scope};
use super::error::Refusal;
use super::front::{Served, finish, nobody};
use crate::fakes::received::Received;
use crate::verify::Verifier;

/// What service account tokens must be for; [`IdentityBinding::new`]'s verifier asks for it.
pub(super) const AUDIENCE: &str = "api://AKSIdentityBinding";

/// The bindings of one cluster.
#[derive(Clone)]
pub struct IdentityBinding {
    name: String,
    verifier: Verifier,
    /// Client IDs and the subjects that may use them.
    bindings: Vec<(String, String)>,
}

impl IdentityBinding {
    /// What service account tokens must be for.
    pub const AUDIENCE: &'static str = AUDIENCE;

    /// Of a cluster whose API server has this name in TLS and in the `Host` header. `verifier`
    /// believes the cluster's tokens for [`IdentityBinding::AUDIENCE`].
    pub fn new(name: &str, verifier: Verifier) -> Self {
        Self { name: name.to_owned(), verifier, bindings: Vec::new() }
    }

    /// With an identity that is bound to the cluster, and a service account that RBAC lets use it.
    pub fn allow(mut self, identity: &Identity, namespace: &str, service_account: &str) -> Self {
        assert!(identity.resource_id.is_some(), "only managed identities can be bound");
        let subject = format!("system:serviceaccount:{namespace}:{service_account}");
        self.bindings.push((identity.client_id.clone(), subject));
        self
    }
}

struct Endpoint {
    azure: Azure,
    binding: IdentityBinding,
}

pub(super) fn router(azure: Azure, binding: IdentityBinding) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Endpoint { azure, binding }))
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, received: Received) -> Response {
    let azure = &endpoint.azure;
    let host = received.host();
    if host.split(':').next() != Some(&endpoint.binding.name) {
        return nobody(azure, host);
    }
    let id = azure.log().record(Call::of(Service::IdentityBinding, &received));
    let served = match azure.log().canned(Service::IdentityBinding).await {
        Some(answer) => Ok(answer),
        None => endpoint.token(&received, id).await,
    };
    finish(azure, Service::IdentityBinding, id, served)
}

impl Endpoint {
    async fn token(&self, received: &Received, id: usize) -> Served {
        let azure = &self.azure;
        let form = read_form(received)?;
        let client_id = required(&form, "client_id")?;
        let bound = self.binding.bindings.iter().any(|(known, _)| known == client_id);
        let tenant = azure
            .identity(client_id)
            .filter(|_| bound)
            .and_then(|identity| azure.tenant(&identity.tenant))
            .ok_or_else(|| refused("no identity binding of that client ID"))?;
        // The Go plugin posts to `/`, SDKs to where Entra would be.
        let path = received.path();
        if path != "/" && path != format!("/{}/oauth2/v2.0/token", tenant.id) {
            return Err(Refusal::new(404, "not_found", "Not found").because("no such page"));
        }
        let resource = scope(&form, &tenant)?;
        let identity = find_identity(azure, &tenant, &form)?;
        if required(&form, "client_assertion_type")? != JWT_BEARER {
            return Err(Refusal::aadsts(90100, "The client_assertion_type is not supported."));
        }
        let token = required(&form, "client_assertion")?;
        let claims = self.binding.verifier.verify(token).await.map_err(|disbelief| {
            Refusal::new(401, "invalid_client", "the service account token is not valid")
                .because(disbelief.to_string())
        })?;
        let subject = claims["sub"].as_str().unwrap_or_default();
        azure.log().update(id, |call| call.subject = Some(subject.to_owned()));
        let pair = (client_id.to_owned(), subject.to_owned());
        if !self.binding.bindings.contains(&pair) {
            return Err(refused("RBAC does not let the service account use the identity"));
        }
        azure.log().update(id, |call| {
            call.client_id = Some(identity.client_id.clone());
            call.tenant = Some(tenant.id.clone());
        });
        Ok(granted(azure, &identity, &tenant, resource))
    }
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(403, "access_denied", reason).because(reason)
}
