//! Container registries: a login server with its challenge, its exchange and its token endpoint
//! (Azure Container Registry, "AAD-OAuth"; distribution specification, "Token Authentication").

mod backend;
mod exchange;
mod pull_token;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::Azure;
use super::call::{Call, Service};
use super::directory::{Identity, Tenant};
use super::error::Refusal;
use super::front::{Served, finish, nobody};
use super::token::{Login, NULL_GUID};
use crate::fakes::canned::Answer;
use crate::fakes::form;
use crate::fakes::received::Received;

/// A registry.
#[derive(Clone, Debug)]
pub struct Registry {
    /// Its global login server, in lower case.
    pub login_server: String,
    /// The tenant of its subscription, whose identities may be given roles.
    pub(super) tenant: String,
    /// Its other login servers, one per region.
    regional: Vec<String>,
    roles: Vec<Role>,
    takes_arm_tokens: bool,
    backend: Option<SocketAddr>,
}

/// Who may pull what.
#[derive(Clone, Debug)]
struct Role {
    client_id: String,
    /// `None` for every repository.
    repositories: Option<Vec<String>>,
}

impl Registry {
    /// The `iss` of what registries issue.
    pub const ISSUER: &'static str = "Azure Container Registry";

    /// A registry that no one may pull from, such as `contoso.azurecr.io` or
    /// `contoso-a1b2c3.azurecr.io`.
    pub fn new(login_server: &str, tenant: &Tenant) -> Self {
        assert_eq!(login_server, login_server.to_ascii_lowercase(), "a host in lower case");
        Self {
            login_server: login_server.to_owned(),
            tenant: tenant.id.clone(),
            regional: Vec::new(),
            roles: Vec::new(),
            takes_arm_tokens: true,
            backend: None,
        }
    }

    /// An identity may pull everything (`AcrPull`).
    pub fn pull(mut self, identity: &Identity) -> Self {
        self.roles.push(Role { client_id: identity.client_id.clone(), repositories: None });
        self
    }

    /// An identity may pull these repositories ("Container Registry Repository Reader" with
    /// conditions).
    pub fn pull_from(mut self, identity: &Identity, repositories: &[&str]) -> Self {
        let repositories = Some(repositories.iter().map(ToString::to_string).collect());
        self.roles.push(Role { client_id: identity.client_id.clone(), repositories });
        self
    }

    /// With a login server in a region: `contoso.eastus.geo.azurecr.io`.
    pub fn in_region(mut self, region: &str) -> Self {
        let (name, suffix) = self.login_server.split_once('.').expect("a login server's name");
        self.regional.push(format!("{name}.{region}.geo.{suffix}"));
        self
    }

    /// Tokens for Azure Resource Manager are refused (`authentication-as-arm` disabled).
    pub fn without_arm_tokens(mut self) -> Self {
        self.takes_arm_tokens = false;
        self
    }

    /// Images come from a `docker-registry` that listens there on plain HTTP and believes
    /// [`Azure::certificate_file`]; without one there are none.
    pub fn backed_by(mut self, address: SocketAddr) -> Self {
        self.backend = Some(address);
        self
    }

    /// The global login server and the regional ones, to give names to.
    pub fn login_servers(&self) -> Vec<String> {
        [&self.login_server].into_iter().chain(&self.regional).cloned().collect()
    }

    pub(super) fn answers_to(&self, host: &str) -> bool {
        self.login_server == host || self.regional.iter().any(|known| known == host)
    }

    /// Whether an identity has any role here.
    fn knows(&self, client_id: &str) -> bool {
        self.roles.iter().any(|role| role.client_id == client_id)
    }

    fn lets_pull(&self, client_id: &str, repository: &str) -> bool {
        self.roles.iter().filter(|role| role.client_id == client_id).any(|role| {
            let repositories = role.repositories.as_ref();
            repositories.is_none_or(|all| all.iter().any(|known| known == repository))
        })
    }
}

struct Front {
    azure: Azure,
    /// The registry whatever the `Host`, where names cannot be had.
    fixed: Option<String>,
}

pub(super) fn router(azure: Azure, fixed: Option<String>) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Front { azure, fixed }))
}

async fn answer(State(front): State<Arc<Front>>, received: Received) -> Response {
    let azure = &front.azure;
    let host = front.fixed.as_deref().unwrap_or_else(|| received.host());
    let Some(registry) = azure.registry_at(host) else { return nobody(azure, host) };
    let service = match received.path() {
        "/oauth2/exchange" => Service::Exchange,
        "/oauth2/token" => Service::PullToken,
        _ => Service::Challenge,
    };
    let id = azure.log().record(Call::of(service, &received));
    if let Some(answer) = azure.log().canned(service).await {
        return finish(azure, service, id, Ok(answer));
    }
    let request = Request { azure, registry: &registry, host, received: &received, id };
    let served = match service {
        Service::Exchange => request.exchange(),
        Service::PullToken => request.pull_token(),
        _ => match registry.backend {
            Some(address) => return request.forward(address).await,
            None => request.version_check(),
        },
    };
    finish(azure, service, id, served)
}

/// A request to a registry.
struct Request<'a> {
    azure: &'a Azure,
    registry: &'a Registry,
    /// The login server that was called.
    host: &'a str,
    received: &'a Received,
    id: usize,
}

impl Request<'_> {
    /// `/v2/` of a registry without images.
    fn version_check(&self) -> Served {
        let path = self.received.path();
        let read = [Method::GET, Method::HEAD].contains(&self.received.method);
        if !read || !["/v2/", "/v2"].contains(&path) {
            return Err(Refusal::new(404, "NOT_FOUND", "the page is not found"));
        }
        let basic = form::basic(&self.received.headers);
        let bearer = self.received.text("authorization").and_then(|it| it.strip_prefix("Bearer "));
        let login = match (basic, bearer) {
            (Some((user, password)), _) => self.login(&user, &password),
            (None, Some(token)) => self.azure.login(self.registry, NULL_GUID, token),
            (None, None) => None,
        };
        match login {
            Some(_) => Ok(Answer::json(200, &json!({}))),
            None => Err(self.challenge()),
        }
    }

    fn challenge(&self) -> Refusal {
        // Which of its names a regional login server gives as the service is not documented.
        let service = self.host.split(':').next().unwrap_or_default();
        let challenge =
            format!("Bearer realm=\"https://{}/oauth2/token\",service=\"{service}\"", self.host);
        Refusal::unauthorized("challenged").with_header("www-authenticate", &challenge)
    }

    /// Whose user name and password that is: one of the registry's tokens, or the client ID and
    /// secret of an application.
    fn login(&self, username: &str, password: &str) -> Option<Login> {
        if username == NULL_GUID {
            return self.azure.login(self.registry, username, password);
        }
        let identity = self.azure.identity(username)?;
        let mut secrets = identity.client_secrets.iter();
        secrets.find(|secret| secret.value == password && !secret.over)?;
        identity.object_id_in(&self.registry.tenant)?;
        self.registry.knows(&identity.client_id).then(|| Login {
            registry: self.registry.login_server.clone(),
            client_id: identity.client_id.clone(),
            tenant: self.registry.tenant.clone(),
            username: username.to_owned(),
            password: password.to_owned(),
            repositories: None,
            expires: i64::MAX,
        })
    }

    /// Whether `service` of a request is this registry.
    fn check_service(&self, service: Option<&str>) -> Result<(), Refusal> {
        match service {
            Some(service) if self.registry.answers_to(service) => Ok(()),
            Some(_) => Err(invalid("the service is another registry")),
            None => Err(invalid("the service is missing")),
        }
    }
}

/// 400; how a registry words it is not documented.
fn invalid(message: &str) -> Refusal {
    Refusal::new(400, "BAD_REQUEST", message).because(message)
}
