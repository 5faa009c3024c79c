//! Google Artifact Registry.

use serde_json::json;

use super::{METADATA, node_provider, pod_provider};
use crate::cluster::api::ISSUER;
use crate::cluster::trials::Trial;
use crate::cluster::{Cluster, PodSpec};
use crate::fakes::docker_token::{TokenOptions, TokenServer};
use crate::fakes::google::{Google, Machine, Provider, Service, USER};
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::server::Server;
use crate::world::World;

const PLUGIN: &str = "gar-credential-provider";
pub(super) const REGISTRY: &str = "us-docker.pkg.dev";
const NODE: &str = "node@contoso.iam.gserviceaccount.com";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("gar: the node's service account", as_the_node),
        Trial::new("gar: the pod by workload identity federation", as_the_pod),
    ]
}

/// Google with a registry under Artifact Registry's name.
struct Cloud {
    google: Google,
    provider: Provider,
    tokens: TokenServer,
    _registry: DockerRegistry,
    _servers: Vec<Server>,
}

impl Cloud {
    /// With the machine's service account, and a pool that knows the cluster; both may pull.
    fn start(world: &World) -> Self {
        let google = Google::new(world.client());
        let provider = google.add_provider(Provider::new("123456789012", "edge", "k3s", ISSUER));
        google.add_reader(&provider.principal("shop", "web"));
        google.add_reader(&format!("serviceAccount:{NODE}"));
        let hosts = google.hosts();
        let serve = |host: &String| world.https(host, google.services());
        let mut servers: Vec<Server> = hosts.iter().map(serve).collect();
        servers.push(world.http(METADATA, google.metadata(Machine::of(NODE))));
        let options = TokenOptions {
            service: REGISTRY.to_owned(),
            trust: google.trust(),
            username: Some(USER.to_owned()),
            repositories: vec!["contoso/team/app".to_owned()],
        };
        let tokens = TokenServer::start(options, Some(world.ca()));
        let registry = DockerRegistry::start(&tokens).expect("the judge `docker-registry`");
        registry.seed("contoso/team/app", "1", &Image::that_runs("of Google"));
        servers.push(world.https_to(REGISTRY, registry.authority().parse().unwrap()));
        Self { google, provider, tokens, _registry: registry, _servers: servers }
    }

    /// Who logged in.
    fn subjects(&self) -> Vec<String> {
        assert_eq!(self.google.strays(), Vec::<String>::new());
        let logins = self.tokens.logins().into_iter().filter_map(|login| login.outcome.ok());
        let mut subjects: Vec<String> = logins.map(|(subject, _)| subject).collect();
        subjects.dedup();
        subjects
    }
}

fn image() -> String {
    format!("{REGISTRY}/contoso/team/app:1")
}

fn as_the_node(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    cluster.start_kubelet(&json!([node_provider(PLUGIN, REGISTRY, &[])]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "plain", &image())));
    assert_eq!(cloud.subjects(), [format!("serviceAccount:{NODE}")]);
    format!("{} plugin run, login of {NODE}", cluster.plugin_runs(PLUGIN))
}

fn as_the_pod(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    let audience = cloud.provider.token_audience();
    cluster.allow_audience(&audience);
    let name = format!("--workload-identity-provider={}", cloud.provider.name());
    let provider = pod_provider(PLUGIN, REGISTRY, &[&name], &audience, &[]);
    cluster.start_kubelet(&json!([provider]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &image())));
    assert_eq!(cloud.subjects(), [cloud.provider.principal("shop", "web")]);
    assert_eq!(cloud.google.count(Service::Metadata), 0, "the node was asked");
    format!("{} plugin run, login of the principal of shop/web", cluster.plugin_runs(PLUGIN))
}
