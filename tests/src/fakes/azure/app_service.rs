//! The identity endpoint of App Service, Functions, Container Apps and others (App Service, "How to
//! use managed identities", REST endpoint reference).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::Azure;
use super::call::{Call, Service};
use super::error::Refusal;
use super::front::{Served, finish};
use super::machine::{Machine, Selector, issue};
use crate::fakes::canned::Answer;
use crate::fakes::received::Received;
use crate::jwt;

const PATH: &str = "/msi/token";
const VERSION: &str = "2019-08-01";

/// An app that has managed identities.
#[derive(Clone, Debug)]
pub struct AppService {
    /// `IDENTITY_HEADER` of the app's environment.
    pub header: String,
    /// Its identities.
    pub machine: Machine,
}

impl AppService {
    /// With a new header.
    pub fn new(machine: Machine) -> Self {
        Self { header: jwt::random_uuid(), machine }
    }

    /// `IDENTITY_ENDPOINT` of the app's environment, where its router is served at `url`.
    pub fn endpoint(url: &str) -> String {
        format!("{url}{PATH}")
    }
}

struct App {
    azure: Azure,
    service: AppService,
}

pub(super) fn router(azure: Azure, service: AppService) -> Router {
    azure.log().add_secret("identity header".to_owned(), &service.header);
    Router::new().fallback(answer).with_state(Arc::new(App { azure, service }))
}

async fn answer(State(app): State<Arc<App>>, received: Received) -> Response {
    let azure = &app.azure;
    let id = azure.log().record(Call::of(Service::AppService, &received));
    let served = match azure.log().canned(Service::AppService).await {
        Some(answer) => Ok(answer),
        None => app.token(&received, id),
    };
    finish(azure, Service::AppService, id, served)
}

impl App {
    fn token(&self, received: &Received, id: usize) -> Served {
        let refused = |status: u16, message: &str| Refusal::new(status, "", message);
        if received.path() != PATH || received.method != Method::GET {
            return Err(refused(404, "Not Found").because("no such page"));
        }
        if received.text("x-identity-header") != Some(&self.service.header) {
            return Err(refused(401, "Unauthorized").because("wrong or missing header"));
        }
        let query = received.query();
        if query.value("api-version") != Some(VERSION) {
            let message = "The api-version is missing or not supported.";
            return Err(refused(400, message).because("api-version"));
        }
        let resource = query
            .value("resource")
            .ok_or_else(|| refused(400, "The resource is missing.").because("no resource"))?;
        // Anything else, `msi_res_id` too, is ignored.
        let object = query.value("object_id").or_else(|| query.value("principal_id"));
        let selector = query
            .value("client_id")
            .map(Selector::Client)
            .or_else(|| object.map(Selector::Object))
            .or_else(|| query.value("mi_res_id").map(Selector::Resource));
        let machine = &self.service.machine;
        let identity = match &selector {
            Some(selector) => machine.choose(Some(selector)).map_err(|_| {
                let message = "No User Assigned or Delegated Managed Identity found for specified \
                               ClientId/ResourceId/PrincipalId.";
                refused(400, message).because("identity not assigned")
            })?,
            // Here a request without a name is for the app's own identity and no other.
            None => machine.own().ok_or_else(|| {
                let message = "Unable to load the proper Managed Identity.";
                refused(400, message).because("no identity of its own")
            })?,
        };
        let (token, expires) = issue(&self.azure, identity, resource).ok_or_else(|| {
            refused(400, "The resource principal was not found.").because("unknown resource")
        })?;
        self.azure.log().update(id, |call| {
            call.client_id = Some(identity.client_id.clone());
            call.tenant = Some(identity.tenant.clone());
        });
        Ok(Answer::json(
            200,
            &json!({
                "access_token": token,
                "client_id": identity.client_id,
                "expires_on": expires.to_string(),
                "resource": resource,
                "token_type": "Bearer",
            }),
        ))
    }
}
