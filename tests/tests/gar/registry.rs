//! The plugin's answer works with a registry and a client that this project did not write.

use pullpass_tests::fakes::docker_token::{TokenOptions, TokenServer};
use pullpass_tests::fakes::google::{Machine, Provider, ServiceAccountKey, USER};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::image::Image;
use pullpass_tests::judges::docker_registry::DockerRegistry;
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::server::Server;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{
    CLUSTER, Cloud, IMAGE, NODE, NUMBER, OPT_IN, PROJECT, PULLER, REGISTRY, SERVICE_ACCOUNT, member,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_login_of_the_node_pulls),
        Trial::of(the_login_of_the_pod_pulls),
        Trial::of(the_login_of_a_pod_of_gkes_pulls),
        Trial::of(the_login_of_an_impersonated_account_pulls),
        Trial::of(the_login_of_a_key_pulls),
        Trial::of(the_login_for_a_regional_endpoint_pulls),
    ]
}

/// `docker-registry` under a Google name, and skopeo.
struct Judges {
    registry: DockerRegistry,
    skopeo: Skopeo,
    image: Image,
    host: String,
    _tokens: TokenServer,
    _name: Server,
}

impl Judges {
    fn start(cloud: &Cloud<'_>, host: &str) -> Option<Self> {
        let options = TokenOptions {
            service: host.to_owned(),
            trust: cloud.google.trust(),
            username: Some(USER.to_owned()),
            repositories: vec!["contoso/team/app".to_owned()],
        };
        // The registry's token server, which the client is sent to, is in this world too.
        let tokens = TokenServer::start(options, Some(cloud.world.ca()));
        let registry = DockerRegistry::start(&tokens)?;
        let skopeo = Skopeo::find()?.trusting(&cloud.world.ca().pem_file());
        let image = Image::with_text("for whoever may pull");
        registry.seed("contoso/team/app", "1", &image);
        let name = cloud.world.https_to(host, registry.authority().parse().unwrap());
        Some(Self { registry, skopeo, image, host: host.to_owned(), _tokens: tokens, _name: name })
    }

    fn pulls(&self, login: Option<(&str, &str)>) -> bool {
        let pull = self.skopeo.pull(&format!("{}/contoso/team/app:1", self.host), login);
        if pull.success {
            assert_eq!(pull.digest, Some(self.image.digest()));
        } else {
            let refused = ["unauthorized", "authentication required", "denied"];
            let is_refused = refused.iter().any(|word| pull.stderr.contains(word));
            assert!(is_refused, "{}\n{}", pull.stderr, self.registry.log());
        }
        pull.success
    }

    /// Whether a run's login pulls. Whatever is near it does not.
    fn opens(&self, run: &PluginRun) -> bool {
        let (key, user, password) = run.login();
        assert_eq!(key, self.host);
        assert!(!self.pulls(None), "without a login");
        assert!(!self.pulls(Some((&user, &format!("{password}x")))), "spoilt");
        assert!(!self.pulls(Some(("_json_key", &password))), "the user of another login");
        self.pulls(Some((&user, &password)))
    }
}

fn the_login_of_the_node_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let Some(judges) = Judges::start(&cloud, REGISTRY) else { return };
    assert!(judges.opens(&cloud.run_once(&cloud.plugin(), &request(IMAGE))));
}

/// The pod may, though the node may not; and another pod may not.
fn the_login_of_the_pod_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_metadata(Machine::of(NODE));
    let Some(judges) = Judges::start(&cloud, REGISTRY) else { return };
    assert!(judges.opens(&cloud.run_once(&cloud.plugin_for_pods(), &cloud.pod_request(&[]))));
    assert!(!judges.opens(&cloud.run_once(&cloud.plugin(), &request(IMAGE))));
    let other = cloud.issuer.token(&cloud.provider.token_audience());
    let other = other.service_account("demo", "other").build();
    let run = cloud.run_once(&cloud.plugin_for_pods(), &pod_request(IMAGE, &other, &[]));
    assert!(!judges.opens(&run));
}

fn the_login_of_a_pod_of_gkes_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.cluster();
    let Some(judges) = Judges::start(&cloud, REGISTRY) else { return };
    let request = cloud.gke_request(&[(OPT_IN, "true")]);
    assert!(judges.opens(&cloud.run_once(&cloud.plugin_on_gke(), &request)));
    let other = cloud.issuer.token(&format!("{PROJECT}.svc.id.goog")).issued_by(CLUSTER);
    let other = other.service_account("other", "web").build();
    let request = pod_request(IMAGE, &other, &[(OPT_IN, "true")]);
    assert!(!judges.opens(&cloud.run_once(&cloud.plugin_on_gke(), &request)));
}

/// The account may, though the pod itself may not.
fn the_login_of_an_impersonated_account_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    let provider = Provider::new(NUMBER, "other", "k3s", cloud.issuer.url());
    cloud.provider = cloud.google.add_provider(provider);
    cloud.puller();
    let Some(judges) = Judges::start(&cloud, REGISTRY) else { return };
    let plugin = cloud.plugin_for_pods();
    let request = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    assert!(judges.opens(&cloud.run_once(&plugin, &request)));
    assert!(!judges.opens(&cloud.run_once(&plugin, &cloud.pod_request(&[]))));
}

fn the_login_of_a_key_pulls(world: &World) {
    let cloud = Cloud::new(world);
    let Some(judges) = Judges::start(&cloud, REGISTRY) else { return };
    let plugin = cloud.plugin().arg("--credentials").arg(cloud.key_file());
    assert!(judges.opens(&cloud.run_once(&plugin, &request(IMAGE))));
    let other =
        cloud.google.add_key(ServiceAccountKey::generate("x@contoso.iam.gserviceaccount.com"));
    let other = cloud.file("other.json", other.json().to_string());
    let plugin = cloud.plugin().arg("--credentials").arg(other);
    assert!(!judges.opens(&cloud.run_once(&plugin, &request(IMAGE))));
}

fn the_login_for_a_regional_endpoint_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    let scope = "https://www.googleapis.com/auth/devstorage.read_only";
    cloud.google.add_reader(&member(NODE));
    cloud.serve_metadata(Machine::of(NODE).scopes(&[scope]));
    let host = "docker.us-east1.rep.pkg.dev";
    let Some(judges) = Judges::start(&cloud, host) else { return };
    let image = format!("{host}/contoso/team/app");
    assert!(judges.opens(&cloud.run_once(&cloud.plugin(), &request(&image))));
}
