//! An Azure under its real names, a cluster whose issuer it believes, and requests.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use pullpass_tests::fakes::azure::{
    Azure, Cloud as AzureCloud, Federation, Identity, Login, Machine, Registry, Service, Tenant,
};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::pod_request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::Value;
use tempfile::TempDir;

use crate::PLUGIN;

pub(crate) const REGISTRY: &str = "contoso.azurecr.io";
pub(crate) const IMAGE: &str = "contoso.azurecr.io/team/app";
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";
pub(crate) const CLIENT_ID: &str = "kubernetes.azure.com/acr-client-id";
pub(crate) const TENANT_ID: &str = "kubernetes.azure.com/acr-tenant-id";
pub(crate) const SUBJECT: &str = "system:serviceaccount:demo:web";
pub(crate) const IMDS: &str = "169.254.169.254";
/// No program listens there: a call that is sent through it fails.
pub(crate) const NO_PROXY_AT_ALL: &str = "http://127.0.0.1:9";
const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";
const ISSUER: &str = "oidc.cluster.example";

/// Azure, a cluster, and what is served of them.
pub(crate) struct Cloud<'w> {
    pub(crate) world: &'w World,
    pub(crate) azure: Azure,
    pub(crate) tenant: Tenant,
    pub(crate) issuer: Issuer,
    registry: RefCell<Registry>,
    servers: Vec<Server>,
    folder: TempDir,
}

impl<'w> Cloud<'w> {
    /// One tenant in the public cloud, with the registry [`REGISTRY`].
    pub(crate) fn new(world: &'w World) -> Self {
        Self::of(world, AzureCloud::public(), REGISTRY)
    }

    /// One tenant in that cloud, with one registry. Both have their names.
    pub(crate) fn of(world: &'w World, cloud: AzureCloud, login_server: &str) -> Self {
        let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
        let azure = Azure::new(world.client());
        let tenant = azure.add_tenant(Tenant::new(cloud));
        let registry = azure.add_registry(Registry::new(login_server, &tenant));
        let servers = tenant.cloud.authorities.iter().map(|host| world.https(host, azure.entra()));
        let mut servers: Vec<Server> = servers.collect();
        servers.push(world.https(login_server, azure.registries()));
        let (registry, folder) = (RefCell::new(registry), TempDir::new().unwrap());
        Self { world, azure, tenant, issuer, registry, servers, folder }
    }

    /// Lets an identity pull everything.
    pub(crate) fn allow(&self, identity: Identity) -> Identity {
        let identity = self.azure.add_identity(identity);
        self.change_registry(|registry| registry.pull(&identity));
        identity
    }

    /// Replaces the registry by another of the same name.
    pub(crate) fn change_registry(&self, change: impl FnOnce(Registry) -> Registry) {
        let changed = change(self.registry.borrow().clone());
        self.azure.add_registry(changed.clone());
        self.registry.replace(changed);
    }

    /// A machine's own identity, which may pull, and the metadata service that gives it out.
    pub(crate) fn node(&mut self) -> Identity {
        let node = self.allow(Identity::system_assigned(&self.tenant, "node-0"));
        self.serve_imds(Machine::new().system(&node));
        node
    }

    /// An application that trusts the service account `demo/web`, and may pull.
    pub(crate) fn pod(&self) -> Identity {
        let pod = Identity::application(&self.tenant, "web");
        self.allow(pod.federated(self.federation("demo", "web")))
    }

    /// What an application must hold to trust a service account of the cluster.
    pub(crate) fn federation(&self, namespace: &str, name: &str) -> Federation {
        Federation::service_account(self.issuer.url(), namespace, name, &self.tenant.cloud)
    }

    /// The metadata service at its address.
    pub(crate) fn serve_imds(&mut self, machine: Machine) {
        let server = self.world.http(IMDS, self.azure.imds(machine));
        self.keep(server);
    }

    /// Any other server, for as long as this cloud is there.
    pub(crate) fn keep(&mut self, server: Server) {
        self.servers.push(server);
    }

    /// A file with that content, in a folder of this cloud's.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join(name);
        fs::write(&file, content).unwrap();
        file
    }

    /// `azure.json` with these fields.
    pub(crate) fn azure_json(&self, fields: &Value) -> PathBuf {
        self.file("azure.json", fields.to_string())
    }

    /// The plugin without a word.
    pub(crate) fn plugin(&self) -> PluginCommand {
        self.world.plugin(PLUGIN)
    }

    /// The plugin on a node with an identity of its own.
    pub(crate) fn plugin_as_node(&self) -> PluginCommand {
        self.plugin().arg("--managed-identity=system")
    }

    /// Runs it with the log at trace, and looks for what was minted on the way.
    pub(crate) fn run_once(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run_once(&self.azure, plugin, request)
    }

    /// As [`Cloud::run_once`], and then again with the log as it is by default.
    pub(crate) fn run(&self, plugin: PluginCommand, request: &Value) -> PluginRun {
        self.run_once(&plugin, request);
        self.run_once(&plugin.quiet(), request)
    }

    /// Runs it and returns the auth key and whose login it is.
    pub(crate) fn login(&self, plugin: PluginCommand, request: &Value) -> (String, Login) {
        let (key, user, password) = self.run(plugin, request).login();
        let login = self.known(&key, &user, &password);
        (key, login)
    }

    /// Whose login that is.
    pub(crate) fn known(&self, host: &str, user: &str, password: &str) -> Login {
        assert_eq!(user, NULL_GUID);
        assert_eq!(self.azure.strays(), Vec::<String>::new());
        self.azure.accepts(host, user, password).expect("a login of this registry's")
    }

    /// Runs it, and makes sure that this identity logs in to [`REGISTRY`].
    pub(crate) fn logs_in_as(&self, identity: &Identity, plugin: PluginCommand, request: &Value) {
        let (key, login) = self.login(plugin, request);
        assert_eq!((&*key, &*login.client_id), (REGISTRY, &*identity.client_id));
    }

    /// Runs it, which fails with that exit code and says all this.
    pub(crate) fn fails(
        &self,
        plugin: PluginCommand,
        request: &Value,
        code: i32,
        says: &[&str],
    ) -> PluginRun {
        let run = self.run(plugin, request);
        checks::fails(&run, code, says);
        run
    }

    /// A request with a token of the pod's for Entra in the public cloud, and these annotations.
    pub(crate) fn pod_request(&self, image: &str, annotations: &[(&str, &str)]) -> Value {
        let audience = &self.tenant.cloud.federation_audience;
        pod_request(image, &self.issuer.token(audience).build(), annotations)
    }

    /// A request of a pod's that is annotated with the application and its tenant.
    pub(crate) fn request_of(&self, pod: &Identity) -> Value {
        self.pod_request(IMAGE, &[(CLIENT_ID, &pod.client_id), (TENANT_ID, &pod.tenant)])
    }

    /// How often a service was called.
    pub(crate) fn count(&self, service: Service) -> usize {
        self.azure.count(service)
    }
}
