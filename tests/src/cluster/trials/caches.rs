//! What the kubelet remembers, and how often it runs a plugin.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::Trial;
use crate::cluster::{Cluster, ExchangeRegistry, Pod, PodSpec, REGISTRY, TokenRegistry, oidc};

/// How many pods are made at once.
const PODS: usize = 20;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("cache: 20 pods at once, cacheType Token", many_by_token),
        Trial::new("cache: 20 pods at once, cacheType ServiceAccount", many_by_service_account),
        Trial::new("cache: expiry", expiry),
        Trial::new("cache: kubelet restart", restart),
        Trial::new("cache: back-off", back_off),
    ]
}

/// Makes a pod for each of these images, and waits for all.
fn run_all(cluster: &Cluster<'_>, images: impl Iterator<Item = String>) {
    let pods: Vec<Pod> =
        images.map(|image| cluster.create(PodSpec::new("shop", "web", &image))).collect();
    for pod in &pods {
        cluster.runs(pod);
    }
}

/// Each pod has a token of its own, and so an entry of its own.
fn many_by_token(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    cluster.allow_audience(REGISTRY);
    cluster.start_kubelet(&json!([oidc::provider(&oidc::passthrough(cluster), REGISTRY)]));
    run_all(cluster, (1..=PODS).map(|number| registry.image(number)));
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    assert_eq!(runs, PODS as u64);
    format!("{PODS} pods: {runs} plugin runs, {} logins", registry.logins().len())
}

/// All pods of a service account share one answer, which holds for the whole registry.
fn many_by_service_account(cluster: &Cluster<'_>) -> String {
    let ours = ExchangeRegistry::start(cluster, 3600);
    ours.start_kubelet(cluster);
    run_all(cluster, (1..=PODS).map(|number| ours.registry.image(number)));
    let first = cluster.plugin_runs(oidc::PLUGIN);
    run_all(cluster, (PODS + 1..=2 * PODS).map(|number| ours.registry.image(number)));
    let all = cluster.plugin_runs(oidc::PLUGIN);
    // Those that begin before the first has ended run it too.
    assert!((1..=PODS as u64).contains(&first), "{first} runs for {PODS} pods");
    assert_eq!(all, first, "the second {PODS} pods ran the plugin");
    assert_eq!(ours.exchanges() as u64, first);
    format!("{PODS} pods: {first} plugin runs; {PODS} more: {} runs", all - first)
}

/// The answer is used until shortly before the password's end, and no longer.
fn expiry(cluster: &Cluster<'_>) -> String {
    // The margin is a tenth of that.
    let (lifetime, kept) = (20, 18);
    let ours = ExchangeRegistry::start(cluster, lifetime);
    ours.start_kubelet(cluster);
    let pull = |number| {
        cluster.runs(&cluster.create(PodSpec::new("shop", "web", &ours.registry.image(number))));
        cluster.plugin_runs(oidc::PLUGIN)
    };
    let (first, second) = (pull(1), pull(2));
    thread::sleep(Duration::from_secs(kept + 1));
    let third = pull(3);
    assert_eq!((first, second, third), (1, 1, 2));
    assert_eq!(ours.registry.refusals(), Vec::<String>::new(), "an expired password was used");
    format!("a password of {lifetime} s: the second pull runs nothing, one {kept} s later does")
}

/// What a kubelet remembers is in its memory only.
fn restart(cluster: &Cluster<'_>) -> String {
    let ours = ExchangeRegistry::start(cluster, 3600);
    let mut runs = Vec::new();
    for number in [1, 2] {
        ours.start_kubelet(cluster);
        cluster.runs(&cluster.create(PodSpec::new("shop", "web", &ours.registry.image(number))));
        runs.push(cluster.plugin_runs(oidc::PLUGIN));
    }
    assert_eq!(runs, [1, 1]);
    assert_eq!(ours.exchanges(), 2);
    "1 plugin run before and 1 after, 2 exchanges".to_owned()
}

/// A plugin that fails is asked again at every look at the pod, also between two pulls.
fn back_off(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    let other = "other.example";
    cluster.allow_audience(other);
    let mut provider = oidc::provider(&oidc::passthrough(cluster), REGISTRY);
    provider["tokenAttributes"]["serviceAccountTokenAudience"] = json!(other);
    cluster.start_kubelet(&json!([provider]));
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    cluster.refuses(&pod);
    let seconds = 40;
    thread::sleep(Duration::from_secs(seconds));
    let pulls: u64 = pod
        .events(&cluster.api)
        .iter()
        .filter(|event| event.reason == "Pulling")
        .map(|event| event.count)
        .sum();
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    assert!(pulls > 1 && runs >= pulls, "{runs} runs for {pulls} pulls");
    format!("a plugin that fails, {seconds} s: {runs} plugin runs for {pulls} pulls")
}
