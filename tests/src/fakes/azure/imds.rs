//! The instance metadata service's token endpoint (Microsoft Entra, "How to use managed identities
//! for Azure resources on an Azure VM to acquire an access token").

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::Azure;
use super::call::{Call, Service};
use super::directory::Identity;
use super::error::Refusal;
use super::front::{Served, finish};
use super::machine::{Machine, Miss, Selector, issue};
use crate::fakes::canned::Answer;
use crate::fakes::received::{Query, Received};

const PATH: &str = "/metadata/identity/oauth2/token";
/// Those that clients are known to send.
const VERSIONS: [&str; 5] = ["2018-02-01", "2019-08-01", "2019-11-01", "2020-06-01", "2021-02-01"];

struct Imds {
    azure: Azure,
    machine: Machine,
    /// Tokens and their ends, by client ID and resource: the same until they are over.
    cache: Mutex<HashMap<(String, String), (String, i64)>>,
}

pub(super) fn router(azure: Azure, machine: Machine) -> Router {
    let imds = Imds { azure, machine, cache: Mutex::default() };
    Router::new().fallback(answer).with_state(Arc::new(imds))
}

async fn answer(State(imds): State<Arc<Imds>>, received: Received) -> Response {
    let azure = &imds.azure;
    let id = azure.log().record(Call::of(Service::Imds, &received));
    let served = match azure.log().canned(Service::Imds).await {
        Some(answer) => Ok(answer),
        None => imds.token(&received, id),
    };
    finish(azure, Service::Imds, id, served)
}

impl Imds {
    fn token(&self, received: &Received, id: usize) -> Served {
        let query = received.query();
        check(received, &query)?;
        let resource = query.value("resource").ok_or_else(|| {
            invalid("Required audience parameter not specified").because("no resource")
        })?;
        let selectors: Vec<Selector<'_>> = query
            .values("client_id")
            .map(Selector::Client)
            .chain(query.values("object_id").map(Selector::Object))
            .chain(
                query.values("msi_res_id").chain(query.values("mi_res_id")).map(Selector::Resource),
            )
            .collect();
        if selectors.len() > 1 {
            let message = "Only one of client_id, object_id and msi_res_id may be specified";
            return Err(invalid(message).because("several selectors"));
        }
        let identity = self.machine.choose(selectors.first()).map_err(|miss| match miss {
            Miss::Ambiguous => invalid(
                "Multiple user assigned identities exist, please specify the clientId / resourceId \
                 of the identity in the token request",
            )
            .because("several identities"),
            Miss::NoneAssigned | Miss::Unknown => {
                invalid("Identity not found").because("identity not assigned")
            }
        })?;
        let (token, expires) = self.cached(identity, resource).ok_or_else(|| {
            let message = format!(
                "AADSTS500011: The resource principal named {resource} was not found in the tenant \
                 named {}. This can happen if the application has not been installed by the \
                 administrator of the tenant or consented to by any user in the tenant.",
                identity.tenant
            );
            Refusal::new(400, "invalid_resource", message).because("unknown resource")
        })?;
        self.azure.log().update(id, |call| {
            call.client_id = Some(identity.client_id.clone());
            call.tenant = Some(identity.tenant.clone());
        });
        let seconds = expires - self.azure.now();
        Ok(Answer::json(
            200,
            &json!({
                "access_token": token,
                "client_id": identity.client_id,
                "expires_in": seconds.to_string(),
                "expires_on": expires.to_string(),
                "ext_expires_in": "86399",
                "not_before": (expires - 86_699).to_string(),
                "resource": resource,
                "token_type": "Bearer",
            }),
        ))
    }

    fn cached(&self, identity: &Identity, resource: &str) -> Option<(String, i64)> {
        let mut cache = self.cache.lock().unwrap();
        let key = (identity.client_id.clone(), resource.to_owned());
        if let Some(known) = cache.get(&key).filter(|(_, expires)| *expires > self.azure.now()) {
            return Some(known.clone());
        }
        let fresh = issue(&self.azure, identity, resource)?;
        cache.insert(key, fresh.clone());
        Some(fresh)
    }
}

/// What every request must have, before its identity is looked up.
fn check(received: &Received, query: &Query) -> Result<(), Refusal> {
    if received.path() != PATH {
        return Err(Refusal::new(404, "not_found", "Not found").because("no such path"));
    }
    if received.method != Method::GET {
        let message = "The requested method is not supported";
        return Err(Refusal::new(405, "invalid_request", message).because("not a GET"));
    }
    if !received.text("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        let message = "Required metadata header not specified";
        return Err(invalid(message).because("no `Metadata: true`"));
    }
    // A request through a proxy gets no token.
    if received.headers.contains_key("x-forwarded-for") {
        let message = "Requests with an X-Forwarded-For header are not accepted";
        return Err(invalid(message).because("proxied"));
    }
    if !query.value("api-version").is_some_and(|version| VERSIONS.contains(&version)) {
        let message = "The api-version is missing or not supported";
        return Err(invalid(message).because("api-version"));
    }
    Ok(())
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "invalid_request", message)
}
