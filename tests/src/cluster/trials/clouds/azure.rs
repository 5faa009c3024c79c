//! Azure Container Registry.

use serde_json::json;

use super::{METADATA, node_provider, pod_provider};
use crate::cluster::api::ISSUER;
use crate::cluster::trials::Trial;
use crate::cluster::{Cluster, PodSpec};
use crate::fakes::azure::{
    Azure, Cloud as AzureCloud, Federation, Identity, Machine, Registry, Service, Tenant,
};
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::server::Server;
use crate::world::World;

const PLUGIN: &str = "acr-credential-provider";
pub(super) const REGISTRY: &str = "contoso.azurecr.io";
const CLIENT_ID: &str = "kubernetes.azure.com/acr-client-id";
const TENANT_ID: &str = "kubernetes.azure.com/acr-tenant-id";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("acr: the node's managed identity", as_the_node),
        Trial::new("acr: the pod's Entra application", as_the_pod),
    ]
}

/// Azure with a registry under the name of its login server.
struct Cloud {
    azure: Azure,
    tenant: Tenant,
    node: Identity,
    pod: Identity,
    _registry: DockerRegistry,
    _servers: Vec<Server>,
}

impl Cloud {
    /// With the machine's identity, and an application that trusts `shop/web`; both may pull.
    fn start(world: &World) -> Self {
        let azure = Azure::new(world.client());
        let tenant = azure.add_tenant(Tenant::new(AzureCloud::public()));
        let node = azure.add_identity(Identity::system_assigned(&tenant, "node-0"));
        let federation = Federation::service_account(ISSUER, "shop", "web", &tenant.cloud);
        let pod = Identity::application(&tenant, "web").federated(federation);
        let pod = azure.add_identity(pod);
        let realm = format!("https://{REGISTRY}/oauth2/token");
        let certificate = azure.certificate_file();
        let registry =
            DockerRegistry::start_with_tokens(&realm, REGISTRY, Registry::ISSUER, &certificate)
                .expect("the judge `docker-registry`");
        registry.seed("team/app", "1", &Image::that_runs("of Azure"));
        let address = registry.authority().parse().unwrap();
        let login_server = Registry::new(REGISTRY, &tenant).pull(&node).pull(&pod);
        azure.add_registry(login_server.backed_by(address));
        let authorities = tenant.cloud.authorities.iter();
        let mut servers: Vec<Server> =
            authorities.map(|host| world.https(host, azure.entra())).collect();
        servers.push(world.https(REGISTRY, azure.registries()));
        servers.push(world.http(METADATA, azure.imds(Machine::new().system(&node))));
        Self { azure, tenant, node, pod, _registry: registry, _servers: servers }
    }

    /// The client IDs that were given logins.
    fn clients(&self) -> Vec<String> {
        assert_eq!(self.azure.strays(), Vec::<String>::new());
        let mut clients: Vec<String> =
            self.azure.logins().into_iter().map(|login| login.client_id).collect();
        clients.dedup();
        clients
    }
}

fn image() -> String {
    format!("{REGISTRY}/team/app:1")
}

fn as_the_node(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    let provider = node_provider(PLUGIN, REGISTRY, &["--managed-identity=system"]);
    cluster.start_kubelet(&json!([provider]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "plain", &image())));
    assert_eq!(cloud.clients(), [&*cloud.node.client_id]);
    format!("{} plugin run, login of the machine's identity", cluster.plugin_runs(PLUGIN))
}

fn as_the_pod(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    let audience = &cloud.tenant.cloud.federation_audience;
    cluster.allow_audience(audience);
    let annotations = json!({CLIENT_ID: cloud.pod.client_id, TENANT_ID: cloud.pod.tenant});
    cluster.service_account("shop", "web", &annotations);
    let provider = pod_provider(PLUGIN, REGISTRY, &[], audience, &[CLIENT_ID, TENANT_ID]);
    cluster.start_kubelet(&json!([provider]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &image())));
    assert_eq!(cloud.clients(), [&*cloud.pod.client_id]);
    assert_eq!(cloud.azure.count(Service::Imds), 0, "the node was asked");
    format!("{} plugin run, login of the application of shop/web", cluster.plugin_runs(PLUGIN))
}
