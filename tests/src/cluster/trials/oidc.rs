//! The generic plugin: the pod's own token, and a token that it is exchanged for.

use serde_json::json;

use super::Trial;
use crate::cluster::{
    Cluster, ExchangeRegistry, PasswordRegistry, PodSpec, REGISTRY, TokenRegistry, oidc,
};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("oidc: passthrough", passthrough),
        Trial::new("oidc: tokenExchange", token_exchange),
        Trial::new("oidc: static password", static_password),
    ]
}

fn passthrough(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    cluster.allow_audience(REGISTRY);
    let profile = oidc::passthrough(cluster);
    cluster.start_kubelet(&json!([oidc::provider(&profile, REGISTRY)]));
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    cluster.runs(&pod);
    assert_eq!(registry.subjects(), ["system:serviceaccount:shop:web"]);
    format!(
        "{} plugin run, {} logins as {}",
        cluster.plugin_runs(oidc::PLUGIN),
        registry.logins().len(),
        registry.subjects().join(" ")
    )
}

fn token_exchange(cluster: &Cluster<'_>) -> String {
    let ours = ExchangeRegistry::start(cluster, 3600);
    ours.start_kubelet(cluster);
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &ours.registry.image(1))));
    let subjects = ours.registry.subjects();
    assert_eq!(subjects, ["system:serviceaccount:shop:web"]);
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    format!("{runs} plugin run, {} exchange, logins of {}", ours.exchanges(), subjects.join(" "))
}

/// A login that an operator put on the node: no token, so pods of any service account pull.
fn static_password(cluster: &Cluster<'_>) -> String {
    let registry = PasswordRegistry::start(cluster);
    cluster.start_kubelet(&json!([registry.provider(cluster)]));
    let pods = [("shop", "web"), ("other", "web")];
    for (namespace, service_account) in pods {
        cluster.runs(&cluster.create(PodSpec::new(namespace, service_account, &registry.image())));
    }
    format!("{} plugin runs for {} pulls", cluster.plugin_runs(oidc::PLUGIN), pods.len())
}
