//! A small Azure: tenants, applications, managed identities and container registries. Entra ID and
//! the registries answer under their real names, the metadata service, Arc's agent, App Service
//! and AKS's identity bindings where they are put. Every service checks what it is sent as the real
//! one does, signatures included, and everything is remembered.
//!
//! ```
//! use pullpass_tests::fakes::azure::{Azure, Cloud, Identity, Machine, Registry, Service, Tenant};
//! use pullpass_tests::server::Socket;
//! use pullpass_tests::tls::plain_client;
//!
//! let azure = Azure::new(plain_client());
//! let tenant = azure.add_tenant(Tenant::new(Cloud::public()));
//! let node = azure.add_identity(Identity::user_assigned(&tenant, "node"));
//! azure.add_registry(Registry::new("contoso.azurecr.io", &tenant).pull(&node));
//! // Under real names, `azure.entra()` and `azure.registries()` go by the `Host` header. Here
//! // there are none.
//! let imds = Socket::bind(None).serve(azure.imds(Machine::new().user(&node)));
//! let registry = Socket::bind(None).serve(azure.registry("contoso.azurecr.io"));
//! // ... a client asks `imds.url()` for a token and gives it to `registry.url()` ...
//! assert_eq!(azure.count(Service::Exchange), 0);
//! # drop((imds, registry));
//! ```

mod app_service;
mod arc;
mod binding;
mod call;
mod certificate;
mod cloud;
mod directory;
mod entra;
mod error;
mod front;
mod imds;
mod machine;
mod registry;
#[cfg(test)]
mod tests;
mod token;

pub use app_service::AppService;
pub use arc::{ArcAgent, KeyFile, UserAssigned};
pub use binding::IdentityBinding;
pub use call::{Call, Canned, Service};
pub use certificate::ClientCertificate;
pub use cloud::Cloud;
pub use directory::{Federation, Identity, Tenant};
pub use machine::Machine;
pub use registry::Registry;
pub use token::{Expires, Login, TokenAnswer};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use tempfile::TempDir;

use crate::fakes::log::Log;
use crate::jwt::{self, SigningKey};
use crate::plugin::PluginRun;
use crate::tls::write_self_signed;

/// The registries' certificate, in [`Shared::folder`].
const CERTIFICATE: &str = "registries.pem";

/// One simulated Azure. A clone is the same one.
#[derive(Clone)]
pub struct Azure(Arc<Shared>);

struct Shared {
    /// Fetches the keys of federated issuers, and calls the program that serves a registry.
    client: reqwest::Client,
    entra_key: SigningKey,
    registry_key: SigningKey,
    /// The registries' certificate in DER.
    certificate: Vec<u8>,
    folder: TempDir,
    state: Mutex<State>,
    log: Log<Service, Call>,
}

#[derive(Default)]
struct State {
    clock_offset: i64,
    clouds: Vec<Cloud>,
    tenants: Vec<Tenant>,
    identities: Vec<Identity>,
    registries: Vec<Registry>,
    token_answers: BTreeMap<Service, TokenAnswer>,
    logins: Vec<Login>,
}

/// Setting it up.
impl Azure {
    /// An Azure of three empty clouds. `client` fetches the keys of the issuers that identities are
    /// federated with.
    pub fn new(client: reqwest::Client) -> Self {
        let (entra_key, registry_key) = (SigningKey::generate(), SigningKey::generate());
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(CERTIFICATE);
        let certificate = write_self_signed(&registry_key.certificate_key(), &file);
        let clouds = vec![Cloud::public(), Cloud::government(), Cloud::china()];
        let state = Mutex::new(State { clouds, ..State::default() });
        let log = Log::new();
        Self(Arc::new(Shared { client, entra_key, registry_key, certificate, folder, state, log }))
    }

    /// A tenant, and its cloud if that is a new one. Hands it back.
    pub fn add_tenant(&self, tenant: Tenant) -> Tenant {
        let mut state = self.state();
        if !state.clouds.contains(&tenant.cloud) {
            state.clouds.push(tenant.cloud.clone());
        }
        state.tenants.push(tenant.clone());
        tenant
    }

    /// An application or a managed identity; one of the same client ID is replaced. Hands it back.
    pub fn add_identity(&self, identity: Identity) -> Identity {
        for (name, secret) in identity.secrets() {
            self.log().add_secret(name, &secret);
        }
        let mut state = self.state();
        assert!(state.tenants.iter().any(|tenant| tenant.id == identity.tenant), "no such tenant");
        state.identities.retain(|known| known.client_id != identity.client_id);
        state.identities.push(identity.clone());
        identity
    }

    /// A registry; one of the same name is replaced. Hands it back.
    pub fn add_registry(&self, registry: Registry) -> Registry {
        let mut state = self.state();
        assert!(state.tenants.iter().any(|tenant| tenant.id == registry.tenant), "no such tenant");
        state.registries.retain(|known| known.login_server != registry.login_server);
        state.registries.push(registry.clone());
        registry
    }

    /// Moves every service's clock so many seconds ahead of the machine's.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state().clock_offset = seconds;
    }

    /// How the tokens of [`Service::Exchange`] and [`Service::PullToken`] are from now on.
    pub fn set_token_answer(&self, service: Service, answer: TokenAnswer) {
        self.state().token_answers.insert(service, answer);
    }

    /// Answers one call of the service like this, after those that wait already.
    pub fn next(&self, service: Service, canned: Canned) {
        self.log().next(service, canned);
    }

    /// Answers every call of the service like this once nothing waits; `None` ends it.
    pub fn always(&self, service: Service, canned: Option<Canned>) {
        self.log().always(service, canned);
    }

    /// An Entra access token for an identity in its own tenant, as any of the services would
    /// issue it, but without any proof; with less than zero seconds it has expired.
    pub fn access_token(&self, identity: &Identity, resource: &str, seconds: i64) -> String {
        let tenant = self.tenant(&identity.tenant).expect("a tenant that was added");
        token::access_token(self, identity, &tenant, resource, seconds)
    }
}

/// Serving it.
impl Azure {
    /// Entra ID of every cloud, told apart by the `Host` header.
    pub fn entra(&self) -> Router {
        entra::router(self.clone(), None)
    }

    /// Entra ID of one cloud, whatever the `Host` header says; for a server on loopback.
    pub fn entra_of(&self, cloud: &Cloud) -> Router {
        entra::router(self.clone(), Some(cloud.clone()))
    }

    /// Every registry, told apart by the `Host` header.
    pub fn registries(&self) -> Router {
        registry::router(self.clone(), None)
    }

    /// One registry, whatever the `Host` header says; for a server on loopback.
    pub fn registry(&self, login_server: &str) -> Router {
        registry::router(self.clone(), Some(login_server.to_owned()))
    }

    /// The metadata service of one virtual machine, at 169.254.169.254.
    pub fn imds(&self, machine: Machine) -> Router {
        imds::router(self.clone(), machine)
    }

    /// The Connected Machine agent of one server outside Azure, at 127.0.0.1:40342.
    pub fn arc(&self, agent: ArcAgent) -> Router {
        arc::router(self.clone(), agent)
    }

    /// The identity endpoint of one App Service or what is like it, at `/msi/token`.
    pub fn app_service(&self, service: AppService) -> Router {
        app_service::router(self.clone(), service)
    }

    /// The token endpoint on an AKS cluster's API server.
    pub fn identity_binding(&self, binding: IdentityBinding) -> Router {
        binding::router(self.clone(), binding)
    }

    /// The certificate of the key that signs pull tokens, a PEM file: the `rootcertbundle` of a
    /// `docker-registry` that a [`Registry`] is backed by. Their issuer is [`Registry::ISSUER`].
    pub fn certificate_file(&self) -> PathBuf {
        self.0.folder.path().join(CERTIFICATE)
    }
}

/// Looking at what happened.
impl Azure {
    /// Every call, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.log().calls()
    }

    /// The calls of one service.
    pub fn calls_to(&self, service: Service) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.service == service).collect()
    }

    /// How often a service was called.
    pub fn count(&self, service: Service) -> usize {
        self.calls_to(service).len()
    }

    /// `Host` headers of requests for an Entra ID or a registry that does not exist.
    pub fn strays(&self) -> Vec<String> {
        self.log().strays()
    }

    /// Every login that the registries handed out.
    pub fn logins(&self) -> Vec<Login> {
        self.state().logins.clone()
    }

    /// Whose login that is, as a registry would find out; `None` for one that was never handed out
    /// for this host, or is over.
    pub fn accepts(&self, host: &str, username: &str, password: &str) -> Option<Login> {
        let registry = self.registry_at(host)?;
        self.login(&registry, username, password)
    }

    /// Everything secret that was made so far, each under a name that may be printed.
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.log().secrets()
    }

    /// The secrets that a run's output holds, by name. What is minted during a run cannot be given
    /// to the command before it.
    pub fn leaks(&self, run: &PluginRun) -> Vec<String> {
        self.log().leaks(run)
    }

    /// The services' time, in seconds of the Unix epoch.
    pub fn now(&self) -> i64 {
        jwt::now() + self.state().clock_offset
    }
}

/// For the services.
impl Azure {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn log(&self) -> &Log<Service, Call> {
        &self.0.log
    }

    /// The cloud whose Entra ID has that name.
    fn cloud_at(&self, host: &str) -> Option<Cloud> {
        let host = host.split(':').next().unwrap_or_default();
        self.state()
            .clouds
            .iter()
            .find(|cloud| cloud.authorities.iter().any(|it| it == host))
            .cloned()
    }

    /// A tenant by its ID or its domain.
    fn tenant(&self, name: &str) -> Option<Tenant> {
        self.state().tenants.iter().find(|tenant| tenant.is_called(name)).cloned()
    }

    fn identity(&self, client_id: &str) -> Option<Identity> {
        let state = self.state();
        let mut identities = state.identities.iter();
        identities.find(|known| known.client_id.eq_ignore_ascii_case(client_id)).cloned()
    }

    /// A registry by one of its login servers, with or without a port.
    fn registry_at(&self, host: &str) -> Option<Registry> {
        let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
        self.state().registries.iter().find(|registry| registry.answers_to(&host)).cloned()
    }

    fn login(&self, registry: &Registry, username: &str, password: &str) -> Option<Login> {
        let now = self.now();
        self.logins().into_iter().find(|login| {
            login.registry == registry.login_server
                && login.username == username
                && login.password == password
                && login.expires > now
        })
    }

    fn hand_out(&self, login: Login) {
        self.log().add_secret(format!("{} of {}", login.kind(), login.client_id), &login.password);
        self.state().logins.push(login);
    }

    fn token_answer(&self, service: Service) -> TokenAnswer {
        let answer = self.state().token_answers.get(&service).cloned();
        answer.unwrap_or_else(|| TokenAnswer::of(service))
    }
}
