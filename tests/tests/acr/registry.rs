//! The plugin's answer works with a registry and a client that this project did not write.

use pullpass_tests::fakes::azure::{Identity, Registry, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::image::Image;
use pullpass_tests::judges::docker_registry::DockerRegistry;
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_login_of_the_node_pulls),
        Trial::of(the_login_of_the_pod_pulls_what_the_pod_may),
        Trial::of(a_repositorys_login_pulls_this_one_and_no_other),
        Trial::of(the_secret_of_a_principal_pulls),
    ]
}

/// `docker-registry` under the registry's name, with two repositories, and skopeo.
struct Judges {
    registry: DockerRegistry,
    skopeo: Skopeo,
    image: Image,
}

impl Judges {
    fn start(cloud: &Cloud<'_>) -> Option<Self> {
        let realm = format!("https://{REGISTRY}/oauth2/token");
        let certificate = cloud.azure.certificate_file();
        let registry =
            DockerRegistry::start_with_tokens(&realm, REGISTRY, Registry::ISSUER, &certificate)?;
        let skopeo = Skopeo::find()?.trusting(&cloud.world.ca().pem_file());
        let image = Image::with_text("for whoever may pull");
        registry.seed("team/app", "1", &image);
        registry.seed("team/db", "1", &image);
        let address = registry.authority().parse().unwrap();
        cloud.change_registry(|registry| registry.backed_by(address));
        Some(Self { registry, skopeo, image })
    }

    /// Whether a login pulls that repository.
    fn pulls(&self, repository: &str, login: Option<(&str, &str)>) -> bool {
        let pull = self.skopeo.pull(&format!("{REGISTRY}/{repository}:1"), login);
        if pull.success {
            assert_eq!(pull.digest, Some(self.image.digest()));
        } else {
            let refused = ["unauthorized", "authentication required", "denied"];
            let is_refused = refused.iter().any(|word| pull.stderr.contains(word));
            assert!(is_refused, "{}\n{}", pull.stderr, self.registry.log());
        }
        pull.success
    }

    /// Whether a run's login pulls each of the two repositories.
    fn opens(&self, run: &PluginRun) -> [bool; 2] {
        let (key, user, password) = run.login();
        assert_eq!(key, REGISTRY);
        ["team/app", "team/db"].map(|name| self.pulls(name, Some((&user, &password))))
    }
}

fn the_login_of_the_node_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let Some(judges) = Judges::start(&cloud) else { return };
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    assert_eq!(judges.opens(&run), [true, true]);
    assert!(!judges.pulls("team/app", None), "without a login");
    let (_, user, password) = run.login();
    assert!(!judges.pulls("team/app", Some((&user, &format!("{password}x")))), "spoilt");
}

fn the_login_of_the_pod_pulls_what_the_pod_may(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = Identity::application(&cloud.tenant, "web");
    let pod = cloud.azure.add_identity(pod.federated(cloud.federation("demo", "web")));
    cloud.change_registry(|registry| registry.pull_from(&pod, &["team/app"]));
    let Some(judges) = Judges::start(&cloud) else { return };
    let run = cloud.run_once(&cloud.plugin_as_node(), &cloud.request_of(&pod));
    assert_eq!(judges.opens(&run), [true, false]);
}

fn a_repositorys_login_pulls_this_one_and_no_other(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let Some(judges) = Judges::start(&cloud) else { return };
    let plugin = cloud.plugin_as_node().arg("--repository-scope");
    let run = cloud.run_once(&plugin, &request(IMAGE));
    let response = run.response();
    // Or the kubelet would take it for the next repository's too.
    assert_eq!(response["cacheKeyType"], "Image");
    assert_eq!(response["cacheDuration"], "1h0m0s");
    let (key, user, password) = run.login();
    let login = cloud.known(&key, &user, &password);
    assert_eq!(login.client_id, node.client_id);
    assert_eq!(login.repositories, Some(vec!["team/app".to_owned()]));
    let call = cloud.azure.calls_to(Service::PullToken).pop().unwrap();
    assert_eq!(call.field("grant_type"), Some("refresh_token"));
    assert_eq!(call.field("scope"), Some("repository:team/app:pull"));
    assert_eq!(call.field("service"), Some(REGISTRY));
    assert_eq!(judges.opens(&run), [true, false]);
    // A mirror's images may be under a path of the registry's.
    let mirror = format!("--registry-mirror=mcr.microsoft.com:{REGISTRY}/cached/mcr");
    let plugin = cloud.plugin_as_node().arg("--repository-scope").arg(mirror);
    assert_eq!(cloud.run_once(&plugin, &request("mcr.microsoft.com/oss/pause")).code, Some(0));
    let call = cloud.azure.calls_to(Service::PullToken).pop().unwrap();
    assert_eq!(call.field("scope"), Some("repository:cached/mcr/oss/pause:pull"));
    // A repository that the identity may not pull has no login at all.
    cloud
        .azure
        .add_registry(Registry::new(REGISTRY, &cloud.tenant).pull_from(&node, &["team/app"]));
    let plugin = cloud.plugin_as_node().arg("--repository-scope");
    cloud.fails(plugin, &request(&format!("{REGISTRY}/team/db")), 3, &["HTTP 401 UNAUTHORIZED"]);
}

fn the_secret_of_a_principal_pulls(world: &World) {
    let cloud = Cloud::new(world);
    let secret = "Qx8~the-secret_of.contoso";
    let node = Identity::application(&cloud.tenant, "node").client_secret(secret);
    let node = cloud.allow(node);
    let Some(judges) = Judges::start(&cloud) else { return };
    let plugin = cloud
        .plugin()
        .arg(format!("--tenant-id={}", cloud.tenant.id))
        .arg(format!("--client-id={}", node.client_id))
        .arg("--client-secret-file")
        .arg(cloud.file("secret", secret));
    assert_eq!(judges.opens(&cloud.run_once(&plugin, &request(IMAGE))), [true, true]);
    let plugin = plugin.arg("--static-service-principal");
    assert_eq!(judges.opens(&cloud.run_once(&plugin, &request(IMAGE))), [true, true]);
}
