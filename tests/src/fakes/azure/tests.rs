//! Right and wrong calls of every router, over loopback.

mod app_service;
mod arc;
mod binding;
mod canned;
mod certificate;
mod entra;
mod imds;
mod judged;
mod registry;

use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::{Azure, Canned, Cloud, Identity, Registry, Service, Tenant};
use crate::issuer::Issuer;
use crate::server::{Server, Socket};
use crate::tls::plain_client;

const REGISTRIES: &str = "https://containerregistry.azure.net";
const SCOPE: &str = "https://containerregistry.azure.net/.default";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const LOGIN_SERVER: &str = "contoso.azurecr.io";

/// An Azure with one tenant, and a cluster that it may be told to believe.
struct Fixture {
    azure: Azure,
    tenant: Tenant,
    issuer: Issuer,
}

impl Fixture {
    fn new() -> Self {
        let azure = Azure::new(plain_client());
        let tenant = azure.add_tenant(Tenant::new(Cloud::public()));
        Self { azure, tenant, issuer: Issuer::start(None) }
    }

    /// A user-assigned managed identity.
    fn user(&self, name: &str) -> Identity {
        self.azure.add_identity(Identity::user_assigned(&self.tenant, name))
    }

    /// The identity of a machine.
    fn system(&self) -> Identity {
        self.azure.add_identity(Identity::system_assigned(&self.tenant, "machine"))
    }

    /// An identity that may pull from the registry [`LOGIN_SERVER`].
    fn puller(&self) -> Identity {
        let identity = self.user("puller");
        self.azure.add_registry(Registry::new(LOGIN_SERVER, &self.tenant).pull(&identity));
        identity
    }

    /// The last call's `error`.
    fn reason(&self) -> String {
        self.azure.calls().pop().and_then(|call| call.error).unwrap_or_default()
    }
}

fn serve(router: axum::Router) -> Server {
    Socket::bind(None).serve(router)
}

/// Status, and the body as JSON.
async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// POSTs a form.
async fn post(url: &str, form: &[(&str, &str)]) -> (u16, Value) {
    answer(plain_client().post(url).form(form)).await
}

fn header(response: &Response, name: &str) -> String {
    response.headers()[name].to_str().unwrap().to_owned()
}

/// The form with a field changed, or left out.
fn with<'a>(
    form: &[(&'a str, &'a str)],
    name: &'a str,
    value: Option<&'a str>,
) -> Vec<(&'a str, &'a str)> {
    let others = form.iter().copied().filter(|(key, _)| *key != name);
    others.chain(value.map(|value| (name, value))).collect()
}
