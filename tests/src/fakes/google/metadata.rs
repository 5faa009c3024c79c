//! The metadata server of a virtual machine (Compute Engine, "About VM metadata").

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::call::{Call, Service};
use super::error::Refusal;
use super::front::{Served, finish};
use super::token::{CLOUD_PLATFORM, Grant, LIFETIME};
use super::{Google, member};
use crate::fakes::canned::Answer;
use crate::fakes::received::Received;

/// Where the token of a machine's service account is.
pub const TOKEN_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
const ACCOUNT: &str = "/computeMetadata/v1/instance/service-accounts/default/";

/// A machine, as its metadata server knows it.
#[derive(Clone, Debug)]
pub struct Machine {
    account: Option<String>,
    project: String,
    universe: Option<String>,
    scopes: Vec<String>,
    flavor: bool,
}

impl Machine {
    /// One that a service account is attached to, for everything.
    pub fn of(email: &str) -> Self {
        Self { account: Some(email.to_owned()), ..Self::without_account() }
    }

    /// One without a service account.
    pub fn without_account() -> Self {
        Self {
            account: None,
            project: "contoso".to_owned(),
            universe: None,
            scopes: vec![CLOUD_PLATFORM.to_owned()],
            flavor: true,
        }
    }

    /// In another project than `contoso`.
    pub fn project(mut self, id: &str) -> Self {
        self.project = id.to_owned();
        self
    }

    /// In another universe.
    pub fn universe(mut self, domain: &str) -> Self {
        self.universe = Some(domain.to_owned());
        self
    }

    /// With these scopes in the place of the one for everything.
    pub fn scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(ToString::to_string).collect();
        self
    }

    /// Something else that answers at its address: without the header `Metadata-Flavor`.
    pub fn without_flavor(mut self) -> Self {
        self.flavor = false;
        self
    }
}

struct Server {
    google: Google,
    machine: Machine,
}

pub(super) fn router(google: Google, machine: Machine) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Server { google, machine }))
}

async fn answer(State(server): State<Arc<Server>>, received: Received) -> Response {
    let google = &server.google;
    let id = google.log().record(Call::of(Service::Metadata, &received));
    let served = match google.log().canned(Service::Metadata).await {
        Some(answer) => Ok(answer),
        None => server.read(&received, id),
    };
    let mut own = vec![("server", "Metadata Server for VM".to_owned())];
    if server.machine.flavor {
        own.push(("metadata-flavor", "Google".to_owned()));
    }
    finish(google, Service::Metadata, id, served, own)
}

impl Server {
    fn read(&self, received: &Received, id: usize) -> Served {
        let path = received.path();
        let forbidden = |reason: &str, why: &str| {
            // How it words this is known of the first only, and from hearsay.
            let message = format!(
                "Your client does not have permission to get URL <code>{path}</code> from this \
                 server. {why}"
            );
            Err(Refusal::new(403, "", message).because(reason))
        };
        if received.text("metadata-flavor") != Some("Google") {
            return forbidden("no `Metadata-Flavor`", "Missing Metadata-Flavor:Google header.");
        }
        // A request through a proxy gets nothing.
        if received.headers.contains_key("x-forwarded-for") {
            return forbidden("proxied", "X-Forwarded-For is not allowed.");
        }
        if received.method != Method::GET {
            let message = "The request method is not allowed.";
            return Err(Refusal::new(405, "", message).because("not a GET"));
        }
        let machine = &self.machine;
        let text = |text: &str| Ok(Answer::new(200, "application/text", text));
        match path {
            "/computeMetadata/v1/project/project-id" => return text(&machine.project),
            "/computeMetadata/v1/universe/universe-domain" => {
                // Where there is but one, the server may not know the word.
                return machine.universe.as_ref().map_or_else(not_found, |domain| text(domain));
            }
            _ => {}
        }
        let (Some(account), Some(name)) = (&machine.account, path.strip_prefix(ACCOUNT)) else {
            return not_found();
        };
        match name {
            "token" => Ok(self.token(account, id)),
            "email" => text(account),
            "scopes" => text(&(machine.scopes.join("\n") + "\n")),
            _ => not_found(),
        }
    }

    /// A new one each time, so that `expires_in` is what a test said; a real server returns the
    /// same until some minutes before its end.
    fn token(&self, account: &str, id: usize) -> Answer {
        let grant = Grant {
            service: Service::Metadata,
            principal: &member(account),
            subject: None,
            universe: self.machine.universe.as_deref().unwrap_or(super::GOOGLE),
            scopes: self.machine.scopes.clone(),
            lifetime: LIFETIME,
        };
        let minted = grant.mint(&self.google, Some(id));
        let mut body = json!({"access_token": minted.value, "token_type": "Bearer"});
        if let Some(expires) = minted.expires {
            body["expires_in"] = expires;
        }
        Answer::new(200, "application/json", body.to_string())
    }
}

fn not_found() -> Served {
    Err(Refusal::not_found())
}
