//! An AWS under its real names, a cluster whose issuer it believes, and requests.

use std::collections::BTreeSet;

use pullpass_tests::fakes::aws::{Aws, Credentials, Endpoint, Instance, PULL, Role, Service};
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::pod_request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::Value;

use crate::PLUGIN;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const REGION: &str = "us-west-2";
pub(crate) const REGISTRY: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
pub(crate) const AUDIENCE: &str = "sts.amazonaws.com";
pub(crate) const ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";
pub(crate) const SUBJECT: &str = "system:serviceaccount:demo:web";
const ISSUER: &str = "oidc.cluster.example";

/// The ARN of a role in the test's account.
pub(crate) fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// AWS, a cluster, and what is served of them.
pub(crate) struct Cloud<'w> {
    pub(crate) world: &'w World,
    pub(crate) aws: Aws,
    pub(crate) issuer: Issuer,
    servers: Vec<Server>,
    names: BTreeSet<String>,
}

impl<'w> Cloud<'w> {
    /// With every endpoint of [`REGION`], and two roles: `node` for instances, and `pull` for the
    /// service account `demo/web`.
    pub(crate) fn new(world: &'w World) -> Self {
        let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
        let aws = Aws::new();
        aws.add_issuer(ACCOUNT, issuer.url(), &[AUDIENCE], world.client());
        aws.add_role(Role::new(&role("node")).allow(&PULL));
        let trusted = Role::new(&role("pull")).allow(&PULL);
        aws.add_role(trusted.trust_issuer(issuer.url(), AUDIENCE, &[SUBJECT]));
        let mut cloud = Self { world, aws, issuer, servers: Vec::new(), names: BTreeSet::new() };
        cloud.serve_region(REGION);
        cloud
    }

    /// Gives every endpoint of a region its name.
    pub(crate) fn serve_region(&mut self, region: &str) {
        for endpoint in self.aws.endpoints(region) {
            self.serve(&endpoint);
        }
    }

    /// Gives one endpoint its name, unless it has it; in GovCloud two endpoints share one.
    fn serve(&mut self, endpoint: &Endpoint) {
        let host = endpoint.host();
        if self.names.insert(host.clone()) {
            let server = self.world.https(&host, self.aws.router());
            self.servers.push(server);
        }
    }

    /// The metadata service at its address.
    pub(crate) fn serve_imds(&mut self, address: &str, instance: Instance) {
        let server = self.world.http(address, self.aws.imds(instance));
        self.servers.push(server);
    }

    /// Any other server, for as long as this cloud is there.
    pub(crate) fn keep(&mut self, server: Server) {
        self.servers.push(server);
    }

    /// The plugin, with nothing in its environment.
    pub(crate) fn plugin(&self) -> PluginCommand {
        self.world.plugin(PLUGIN)
    }

    /// The plugin with a user's keys, who may pull.
    pub(crate) fn plugin_as_user(&self) -> PluginCommand {
        let keys = self.aws.add_user(&format!("arn:aws:iam::{ACCOUNT}:user/node"), &PULL);
        with_keys(self.plugin(), &keys)
    }

    /// Runs it, with the log at trace and as it is by default, and looks for what was minted on
    /// the way.
    pub(crate) fn run(&self, plugin: PluginCommand, request: &Value) -> PluginRun {
        Fake::run(&self.aws, &plugin, request)
    }

    /// Runs it and returns the auth key, and whose login it is: principal and region.
    pub(crate) fn login(&self, plugin: PluginCommand, request: &Value) -> (String, String, String) {
        let (key, user, password) = self.run(plugin, request).login();
        let login = self.aws.accepts(&user, &password).expect("a login of this AWS");
        assert_eq!(self.aws.strays(), Vec::<String>::new());
        (key, login.principal, login.region)
    }

    /// A request with a pod's token for STS, and these annotations.
    pub(crate) fn pod_request(&self, image: &str, annotations: &[(&str, &str)]) -> Value {
        let token = self.issuer.token(AUDIENCE).build();
        pod_request(image, &token, annotations)
    }

    /// How often an operation of STS or ECR was called.
    pub(crate) fn count(&self, service: Service, operation: &str) -> usize {
        self.aws.count(service, operation)
    }
}

/// Puts keys into the environment.
pub(crate) fn with_keys(plugin: PluginCommand, keys: &Credentials) -> PluginCommand {
    keys.env().into_iter().fold(plugin, |plugin, (name, value)| plugin.env(name, value))
}
