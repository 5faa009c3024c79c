//! Static pods, which have no service account.

use serde_json::{Value, json};

use super::{Trial, lookup};
use crate::cluster::{
    Cluster, KubeletOptions, PasswordRegistry, Pod, PodSpec, REGISTRY, TokenRegistry, oidc,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("static pod: requireServiceAccount true", |cluster| refused(cluster, true)),
        Trial::new("static pod: requireServiceAccount false", |cluster| refused(cluster, false)),
        Trial::new("static pod: a provider without tokens", as_the_node),
    ]
}

/// Starts a kubelet with that provider and a static pod.
fn start(cluster: &Cluster<'_>, provider: &Value, image: &str) -> (Pod, KubeletOptions) {
    let mut options = cluster.kubelet_options(&json!([provider]));
    let folder = cluster.static_pods();
    options.settings = json!({"staticPodPath": folder, "fileCheckFrequency": "1s"});
    cluster.start_kubelet_with(&options);
    (cluster.create_static(PodSpec::new("shop", "", image)), options)
}

/// A plugin that needs a token is not run, or refuses; the pod pulls anonymously.
fn refused(cluster: &Cluster<'_>, required: bool) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    cluster.allow_audience(REGISTRY);
    let mut provider = oidc::provider(&oidc::passthrough(cluster), REGISTRY);
    provider["tokenAttributes"]["requireServiceAccount"] = json!(required);
    let (pod, options) = start(cluster, &provider, &registry.image(1));
    let event = cluster.refuses(&pod);
    assert!(event.contains("failed to fetch anonymous token"), "{event}");
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    assert_eq!(runs == 0, required, "{runs} plugin runs");
    assert_eq!(registry.refusals(), ["no credentials"]);
    let line =
        lookup::of_static_pod(&pod).run(cluster, &options).is_in_the_kubelets_log(cluster, &pod);
    format!("pulled anonymously; log as `pullpass lookup`: {line}")
}

/// A login that needs no token is for static pods too.
fn as_the_node(cluster: &Cluster<'_>) -> String {
    let registry = PasswordRegistry::start(cluster);
    let (pod, _) = start(cluster, &registry.provider(cluster), &registry.image());
    cluster.runs(&pod);
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    format!("{runs} plugin run, and the pod runs")
}
