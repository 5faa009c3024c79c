//! A Google under its real names, a cluster whose issuer it believes, and requests.

use std::fs;
use std::path::PathBuf;

use axum::routing::get;
use axum::{Json, Router};
use pullpass_tests::fakes::google::{
    Google, Machine, Provider, Service, ServiceAccount, ServiceAccountKey, Token, USER,
};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::pod_request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PLUGIN;

pub(crate) const REGISTRY: &str = "us-docker.pkg.dev";
pub(crate) const IMAGE: &str = "us-docker.pkg.dev/contoso/team/app";
pub(crate) const NODE: &str = "node@contoso.iam.gserviceaccount.com";
pub(crate) const PULLER: &str = "puller@contoso.iam.gserviceaccount.com";
pub(crate) const SUBJECT: &str = "system:serviceaccount:demo:web";
pub(crate) const NUMBER: &str = "123456789012";
pub(crate) const PROJECT: &str = "my-project";
pub(crate) const OPT_IN: &str = "iam.gke.io/enable-wi-image-pull";
pub(crate) const SERVICE_ACCOUNT: &str = "iam.gke.io/gcp-service-account";
pub(crate) const PROVIDER: &str = "gcp.auth.fluxcd.io/workload-identity-provider";
pub(crate) const METADATA: &str = "169.254.169.254";
/// No program listens there: a call that is sent through it fails.
pub(crate) const NO_PROXY_AT_ALL: &str = "http://127.0.0.1:9";
/// A GKE cluster, as its tokens name it.
pub(crate) const CLUSTER: &str =
    "https://container.googleapis.com/v1/projects/my-project/locations/us-central1/clusters/c1";
const ISSUER: &str = "oidc.cluster.example";

/// Google, a cluster, and what is served of them.
pub(crate) struct Cloud<'w> {
    pub(crate) world: &'w World,
    pub(crate) google: Google,
    pub(crate) issuer: Issuer,
    /// The cluster's, in a pool of the operator's own.
    pub(crate) provider: Provider,
    servers: Vec<Server>,
    folder: TempDir,
}

impl<'w> Cloud<'w> {
    /// The public cloud, whose services all have their names.
    pub(crate) fn new(world: &'w World) -> Self {
        let mut cloud = Self::unserved(world);
        cloud.serve();
        cloud
    }

    /// The public cloud, where no server answers.
    pub(crate) fn unserved(world: &'w World) -> Self {
        let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
        let google = Google::new(world.client());
        let provider = Provider::new(NUMBER, "edge", "k3s", issuer.url());
        let provider = google.add_provider(provider);
        let (servers, folder) = (Vec::new(), TempDir::new().unwrap());
        let cloud = Self { world, google, issuer, provider, servers, folder };
        cloud.google.add_reader(&cloud.principal());
        cloud
    }

    /// Gives the services of every universe that is known by now their names.
    pub(crate) fn serve(&mut self) {
        for host in self.google.hosts() {
            self.keep(self.world.https(&host, self.google.services()));
        }
    }

    /// The service account [`NODE`], which may pull, and the metadata server of its machine.
    pub(crate) fn node(&mut self) {
        self.google.add_reader(&member(NODE));
        self.serve_metadata(Machine::of(NODE));
    }

    /// The metadata server at its address.
    pub(crate) fn serve_metadata(&mut self, machine: Machine) {
        self.keep(self.world.http(METADATA, self.google.metadata(machine)));
    }

    /// The service account [`PULLER`], which may pull, and as which `demo/web` may act.
    pub(crate) fn puller(&self) {
        self.google.add_reader(&member(PULLER));
        let account = ServiceAccount::new(PULLER).impersonated_by(&self.principal());
        self.google.add_service_account(account);
    }

    /// The GKE pool for [`PROJECT`], with the cluster [`CLUSTER`] in it.
    pub(crate) fn cluster(&mut self) -> Provider {
        self.cluster_at(CLUSTER, PROJECT)
    }

    /// The pool of a project, and in it a cluster of that issuer, which publishes our cluster's
    /// keys.
    pub(crate) fn cluster_at(&mut self, url: &str, project: &str) -> Provider {
        let discovery = json!({
            "issuer": url,
            "jwks_uri": format!("{}/openid/v1/jwks", self.issuer.url()),
        });
        let (host, path) = url.strip_prefix("https://").unwrap().split_once('/').unwrap();
        let path = format!("/{path}/.well-known/openid-configuration");
        let router = Router::new().route(&path, get(async || Json(discovery)));
        self.keep(self.world.https(host, router));
        let provider = self.google.add_provider(Provider::cluster(NUMBER, project, url));
        self.google.add_reader(&provider.principal("demo", "web"));
        provider
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

    /// The file of a new key of [`NODE`]'s, which may pull.
    pub(crate) fn key_file(&self) -> PathBuf {
        let key = self.google.add_key(ServiceAccountKey::generate(NODE));
        self.google.add_reader(&member(NODE));
        self.file("key.json", key.json().to_string())
    }

    /// Who `demo/web` is by [`Cloud::provider`].
    pub(crate) fn principal(&self) -> String {
        self.provider.principal("demo", "web")
    }

    /// The plugin without a word.
    pub(crate) fn plugin(&self) -> PluginCommand {
        self.world.plugin(PLUGIN)
    }

    /// The plugin where pods are known by [`Cloud::provider`].
    pub(crate) fn plugin_for_pods(&self) -> PluginCommand {
        self.plugin().arg("--workload-identity-provider").arg(self.provider.name())
    }

    /// The plugin where pods are known by GKE's pool.
    pub(crate) fn plugin_on_gke(&self) -> PluginCommand {
        self.plugin()
            .arg(format!("--project-id={PROJECT}"))
            .arg(format!("--identity-provider={CLUSTER}"))
    }

    /// Runs it, and looks for what was minted on the way.
    pub(crate) fn run_once(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run_once(&self.google, plugin, request)
    }

    /// Runs it with the log at trace, and then again with the log as it is by default, where stderr
    /// is the error and nothing else.
    pub(crate) fn run(&self, plugin: PluginCommand, request: &Value) -> PluginRun {
        let loud = self.run_once(&plugin, request);
        let run = self.run_once(&plugin.quiet(), request);
        assert_eq!(loud.code, run.code, "{}", loud.stderr);
        let known = ["error: ", "caused by: ", "hint: "];
        for line in run.stderr.lines() {
            assert!(known.iter().any(|start| line.starts_with(start)), "{}", run.stderr);
        }
        run
    }

    /// Runs it and returns the auth key and whose token it is.
    pub(crate) fn login(&self, plugin: PluginCommand, request: &Value) -> (String, Token) {
        let (key, user, password) = self.run(plugin, request).login();
        assert_eq!(user, USER);
        (key, self.known(&password))
    }

    /// Whose token that is.
    pub(crate) fn known(&self, password: &str) -> Token {
        assert_eq!(self.google.strays(), Vec::<String>::new());
        self.google.accepts(USER, password).expect("a token of Google's")
    }

    /// Runs it, and makes sure that this principal logs in to [`REGISTRY`].
    pub(crate) fn logs_in_as(&self, principal: &str, plugin: PluginCommand, request: &Value) {
        let (key, token) = self.login(plugin, request);
        assert_eq!((&*key, &*token.principal), (REGISTRY, principal));
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

    /// A request of `demo/web`, with a token for [`Cloud::provider`] and these annotations.
    pub(crate) fn pod_request(&self, annotations: &[(&str, &str)]) -> Value {
        self.pod_request_for(IMAGE, annotations)
    }

    /// The same for another image.
    pub(crate) fn pod_request_for(&self, image: &str, annotations: &[(&str, &str)]) -> Value {
        let token = self.issuer.token(&self.provider.token_audience()).build();
        pod_request(image, &token, annotations)
    }

    /// A request of `demo/web` of a cluster of that issuer, in the pool of that project.
    pub(crate) fn request_of(
        &self,
        cluster: &str,
        project: &str,
        annotations: &[(&str, &str)],
    ) -> Value {
        let token = self.issuer.token(&format!("{project}.svc.id.goog")).issued_by(cluster);
        pod_request(IMAGE, &token.build(), annotations)
    }

    /// A request of `demo/web` on GKE.
    pub(crate) fn gke_request(&self, annotations: &[(&str, &str)]) -> Value {
        self.request_of(CLUSTER, PROJECT, annotations)
    }

    /// How often a service was called.
    pub(crate) fn count(&self, service: Service) -> usize {
        self.google.count(service)
    }
}

/// A service account as a principal.
pub(crate) fn member(email: &str) -> String {
    format!("serviceAccount:{email}")
}

/// The keys of a response.
pub(crate) fn keys(run: &PluginRun) -> Vec<String> {
    run.response()["auth"].as_object().unwrap().keys().cloned().collect()
}
