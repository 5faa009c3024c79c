//! Amazon ECR.

use serde_json::json;

use super::{METADATA, node_provider, pod_provider};
use crate::cluster::api::ISSUER;
use crate::cluster::trials::{Trial, lookup};
use crate::cluster::{Cluster, PodSpec};
use crate::fakes::aws::{Aws, Expires, Instance, PULL, Role, Service, Token, TokenAnswer};
use crate::image::Image;
use crate::judges::docker_registry::{DockerRegistry, Https};
use crate::jwt::random_text;
use crate::server::Server;
use crate::world::World;

const PLUGIN: &str = "ecr-credential-provider";
const ACCOUNT: &str = "111122223333";
const REGION: &str = "us-west-2";
pub(super) const REGISTRY: &str = "111122223333.dkr.ecr.us-west-2.amazonaws.com";
const AUDIENCE: &str = "sts.amazonaws.com";
const ANNOTATION: &str = "eks.amazonaws.com/ecr-role-arn";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("ecr: the node's role", as_the_node),
        Trial::new("ecr: the pod's role", as_the_pod),
        Trial::new("ecr: wrong annotation", wrong_annotation),
    ]
}

/// AWS with a registry under ECR's name.
struct Cloud {
    aws: Aws,
    _registry: DockerRegistry,
    _servers: Vec<Server>,
}

impl Cloud {
    /// With the roles `node`, for instances, and `pull`, for `shop/web`.
    fn start(world: &World) -> Self {
        let aws = Aws::new();
        aws.add_issuer(ACCOUNT, ISSUER, &[AUDIENCE], world.client());
        aws.add_role(Role::new(&role("node")).allow(&PULL));
        let trusted = Role::new(&role("pull")).allow(&PULL);
        let subject = "system:serviceaccount:shop:web";
        aws.add_role(trusted.trust_issuer(ISSUER, AUDIENCE, &[subject]));
        let endpoints = aws.endpoints(REGION);
        let serve = |host: String| world.https(&host, aws.router());
        let mut servers: Vec<Server> =
            endpoints.iter().map(|endpoint| serve(endpoint.host())).collect();
        let instance = Instance::new(&role("node"), REGION);
        servers.push(world.http(METADATA, aws.imds(instance)));
        // A real one is longer than a registry with a password file can tell from another.
        let password = random_text(40);
        let token = Token::Text(format!("AWS:{password}"));
        let expires = Expires::In(43_200.0);
        aws.set_token_answer(Service::Ecr, TokenAnswer { token, expires });
        let certificate = world.certificate(&[REGISTRY]);
        let https = Https {
            address: (world.address_of(REGISTRY), 443).into(),
            certificate: &certificate.certificate,
            key: &certificate.key,
        };
        let registry = DockerRegistry::start_with_password("AWS", &password, Some(&https))
            .expect("the judge `docker-registry`");
        registry.seed("team/app", "1", &Image::that_runs("of Amazon ECR"));
        Self { aws, _registry: registry, _servers: servers }
    }

    /// Who was given logins.
    fn principals(&self) -> String {
        assert_eq!(self.aws.strays(), Vec::<String>::new());
        let logins = self.aws.logins();
        let principals: Vec<String> = logins.into_iter().map(|login| login.principal).collect();
        principals.join(" ")
    }
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

fn image() -> String {
    format!("{REGISTRY}/team/app:1")
}

fn as_the_node(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    cluster.start_kubelet(&json!([node_provider(PLUGIN, REGISTRY, &[])]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "plain", &image())));
    let principals = cloud.principals();
    assert!(principals.contains(":assumed-role/node/"), "{principals}");
    format!("{} plugin run, login of {principals}", cluster.plugin_runs(PLUGIN))
}

fn as_the_pod(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    cluster.allow_audience(AUDIENCE);
    cluster.service_account("shop", "web", &json!({ANNOTATION: role("pull")}));
    let provider = pod_provider(PLUGIN, REGISTRY, &[], AUDIENCE, &[ANNOTATION]);
    cluster.start_kubelet(&json!([provider]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &image())));
    let principals = cloud.principals();
    assert!(principals.contains(":assumed-role/pull/ns=shop,sa=web"), "{principals}");
    assert!(cloud.aws.calls_to(Service::Imds).is_empty(), "the node was asked");
    format!("{} plugin run, login of {principals}", cluster.plugin_runs(PLUGIN))
}

/// A role that does not trust the service account: refused, and never the node's.
fn wrong_annotation(cluster: &Cluster<'_>) -> String {
    let cloud = Cloud::start(cluster.world);
    cluster.allow_audience(AUDIENCE);
    let annotation = (ANNOTATION, role("node"));
    cluster.service_account("shop", "web", &json!({ANNOTATION: annotation.1}));
    let provider = pod_provider(PLUGIN, REGISTRY, &[], AUDIENCE, &[ANNOTATION]);
    let options = cluster.kubelet_options(&json!([provider]));
    cluster.start_kubelet_with(&options);
    let pod = cluster.create(PodSpec::new("shop", "web", &image()));
    cluster.refuses(&pod);
    let token = cluster.api.token("shop", "web", AUDIENCE);
    let asked = lookup::of_pod(&pod, "web", Some(&token)).annotation(annotation.0, &annotation.1);
    let line = asked.run(cluster, &options).is_in_the_kubelets_log(cluster, &pod);
    assert!(cloud.aws.calls_to(Service::Imds).is_empty(), "the node was asked");
    assert_eq!(cloud.principals(), "", "a login was given");
    format!("no login, the node is not asked, log as `pullpass lookup`: {line}")
}
