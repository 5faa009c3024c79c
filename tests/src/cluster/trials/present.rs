//! Images that are on the node already: who may use them, and what that costs.

use serde_json::json;

use super::{Trial, number};
use crate::cluster::{
    Cluster, ExchangeRegistry, PasswordRegistry, Pod, PodSpec, REGISTRY, TokenRegistry, oidc,
};

/// What the kubelet says of an image that it need not pull.
const PRESENT: &str = "already present on machine";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("present image: the same service account", same_service_account),
        Trial::new("present image: another service account", other_service_account),
        Trial::new("present image: a foreign namespace", foreign_namespace),
        Trial::new("present image: pulled without a pod's token", pulled_as_the_node),
        Trial::new("present image: the token server is down", token_server_down),
        Trial::new("present image: the same, NeverVerify", never_verify).since(VERIFIED_SINCE),
        Trial::new("image volume", image_volume),
    ]
}

/// The first minor that asks who may use an image that is there: `KubeletEnsureSecretPulledImages`
/// is on by default from there on.
const VERIFIED_SINCE: u32 = 35;

fn verifies(cluster: &Cluster<'_>) -> bool {
    number(&cluster.minor) >= VERIFIED_SINCE
}

/// What `pullpass records` says before the pod is made. What the kubelet then does is compared with
/// `expected` by the trial. Kubelets that do not ask write no records.
fn compare_records(cluster: &Cluster<'_>, image: &str, service_account: &str, expected: bool) {
    if verifies(cluster) {
        let must_pull = cluster.must_pull(image, service_account, &[]);
        assert_eq!(must_pull, expected, "what the records say of {service_account} and {image}");
    }
}

/// A registry, a kubelet, and an image that `shop/web` has pulled.
fn pulled(cluster: &Cluster<'_>, number: usize) -> ExchangeRegistry {
    let ours = ExchangeRegistry::start(cluster, 3600);
    ours.start_kubelet(cluster);
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &ours.registry.image(number))));
    ours
}

/// A pod that takes the image as it is, if it may.
fn second(cluster: &Cluster<'_>, namespace: &str, service_account: &str, image: &str) -> Pod {
    cluster.create(PodSpec::new(namespace, service_account, image).if_not_present())
}

/// The event about the pull of a pod that runs.
fn pull_event(cluster: &Cluster<'_>, pod: &Pod) -> String {
    cluster.runs(pod);
    let events = pod.events(&cluster.api);
    let event = events.into_iter().find(|event| event.reason == "Pulled");
    event.unwrap_or_else(|| panic!("no `Pulled`: {}", pod.story(&cluster.api))).message
}

fn same_service_account(cluster: &Cluster<'_>) -> String {
    let ours = pulled(cluster, 31);
    let (logins, runs) = (ours.registry.logins().len(), cluster.plugin_runs(oidc::PLUGIN));
    compare_records(cluster, &ours.registry.image(31), "shop/web", false);
    let pod = second(cluster, "shop", "web", &ours.registry.image(31));
    let event = pull_event(cluster, &pod);
    assert!(event.contains(PRESENT), "{event}");
    assert_eq!(ours.registry.logins().len(), logins, "it was pulled again");
    let more = cluster.plugin_runs(oidc::PLUGIN) - runs;
    format!("no pull, {more} plugin runs more: {event}")
}

fn other_service_account(cluster: &Cluster<'_>) -> String {
    let ours = pulled(cluster, 32);
    let before = ours.registry.logins().len();
    compare_records(cluster, &ours.registry.image(32), "shop/db", true);
    let pod = second(cluster, "shop", "db", &ours.registry.image(32));
    let event = pull_event(cluster, &pod);
    let subjects = ours.registry.subjects();
    let pulled_again = subjects.contains(&"system:serviceaccount:shop:db".to_owned());
    assert_eq!(pulled_again, verifies(cluster), "{event}");
    format!("{} logins more: {event}", ours.registry.logins().len() - before)
}

fn foreign_namespace(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    cluster.allow_audience(REGISTRY);
    let profile = oidc::passthrough(cluster);
    cluster.start_kubelet(&json!([oidc::provider(&profile, REGISTRY)]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &registry.image(33))));
    compare_records(cluster, &registry.image(33), "other/web", true);
    let pod = second(cluster, "other", "web", &registry.image(33));
    if !verifies(cluster) {
        return format!("this kubelet lets it: {}", pull_event(cluster, &pod));
    }
    let event = cluster.refuses(&pod);
    assert!(event.contains("401 Unauthorized"), "{event}");
    format!("refused: registry: {}", registry.refusals().join(", "))
}

/// What came by a login of the node's is for every pod of the node, and no plugin is asked.
fn pulled_as_the_node(cluster: &Cluster<'_>) -> String {
    let registry = PasswordRegistry::start(cluster);
    cluster.start_kubelet(&json!([registry.provider(cluster)]));
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &registry.image())));
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    compare_records(cluster, &registry.image(), "other/web", false);
    let event = pull_event(cluster, &second(cluster, "other", "web", &registry.image()));
    assert!(event.contains(PRESENT), "{event}");
    assert_eq!(cluster.plugin_runs(oidc::PLUGIN), runs, "a plugin was asked");
    format!("a pod of another namespace uses it, no plugin run: {event}")
}

/// After a restart the kubelet remembers who pulled what, but no answer of a plugin.
fn token_server_down(cluster: &Cluster<'_>) -> String {
    let ours = pulled(cluster, 34);
    let (image, provider) = (ours.registry.image(34), ours.provider());
    let _registry = ours.without_exchange();
    cluster.start_kubelet(&json!([provider]));
    let pod = second(cluster, "shop", "web", &image);
    if !verifies(cluster) {
        return format!("this kubelet starts it: {}", pull_event(cluster, &pod));
    }
    let event = cluster.refuses(&pod);
    format!("the pod does not start: {event}")
}

/// The setting with which it starts nevertheless, as does every pod that names the image.
fn never_verify(cluster: &Cluster<'_>) -> String {
    let ours = pulled(cluster, 35);
    let (image, provider) = (ours.registry.image(35), ours.provider());
    let _registry = ours.without_exchange();
    let mut options = cluster.kubelet_options(&json!([provider]));
    options.settings = json!({"imagePullCredentialsVerificationPolicy": "NeverVerify"});
    cluster.start_kubelet_with(&options);
    for account in ["shop/web", "other/web"] {
        assert!(!cluster.must_pull(&image, account, &["--policy", "NeverVerify"]), "{account}");
    }
    let event = pull_event(cluster, &second(cluster, "shop", "web", &image));
    assert!(event.contains(PRESENT), "{event}");
    let event = pull_event(cluster, &second(cluster, "other", "web", &image));
    format!("the pod starts, and so does one of a foreign namespace: {event}")
}

/// The image of a volume is pulled as the pod too. Whether it can be mounted is the runtime's
/// matter: containerd can from 2.1 on.
fn image_volume(cluster: &Cluster<'_>) -> String {
    let ours = ExchangeRegistry::start(cluster, 3600);
    let mut options = cluster.kubelet_options(&json!([ours.provider()]));
    // On by default since 1.35.
    if number(&cluster.minor) < 35 {
        options.settings =
            json!({"featureGates": {"KubeletInUserNamespace": true, "ImageVolume": true}});
    }
    cluster.start_kubelet_with(&options);
    let volume = ours.registry.image(37);
    let spec = PodSpec::new("shop", "web", &ours.registry.image(36)).image_volume(&volume);
    let pod = cluster.create(spec);
    let event = cluster
        .wait_for_event(&pod, |event| event.reason == "Pulled" && event.message.contains(&volume));
    assert_eq!(ours.registry.subjects(), ["system:serviceaccount:shop:web"]);
    format!("pulled as the pod: {}", event.message)
}
