//! Identities that are not good enough: the pull fails, nothing is sent in their place, and the
//! kubelet logs what `pullpass lookup` says.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Trial, lookup};
use crate::cluster::{Cluster, KubeletOptions, Pod, PodSpec, REGISTRY, TokenRegistry, oidc};

/// What a service account must have for the plugin to be asked, in one of the trials.
const ANNOTATION: &str = "pullpass.example/team";
/// How containerd says that the kubelet gave it no login.
const NO_LOGIN: &str = "failed to fetch anonymous token";
/// How it says that a login was refused.
const REFUSED: &str = "failed to fetch oauth token";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("fail closed: no RBAC for the audience", no_rbac),
        Trial::new("fail closed: missing annotation", missing_annotation),
        Trial::new("fail closed: foreign service account", foreign_service_account),
        Trial::new("fail closed: foreign namespace", foreign_namespace),
        Trial::new("fail closed: wrong audience", wrong_audience),
        Trial::new("fail closed: expired token", expired_token),
        Trial::new("fail closed: a registry that cannot read the keys", no_discovery),
    ]
}

/// A registry, the plugin's provider changed, and a kubelet.
fn start(
    cluster: &Cluster<'_>,
    change: impl FnOnce(&mut Value),
) -> (TokenRegistry, KubeletOptions) {
    let registry = TokenRegistry::for_pods(cluster.world);
    let mut provider = oidc::provider(&oidc::passthrough(cluster), REGISTRY);
    change(&mut provider);
    let options = cluster.kubelet_options(&json!([provider]));
    cluster.start_kubelet_with(&options);
    (registry, options)
}

/// The event of a pull that the registry refused, which must say this.
fn refused(cluster: &Cluster<'_>, pod: &Pod, says: &str) {
    let event = cluster.refuses(pod);
    assert!(event.contains(says), "the event does not say `{says}`: {event}");
    assert!(event.contains("401 Unauthorized"), "{event}");
}

fn no_rbac(cluster: &Cluster<'_>) -> String {
    cluster.forbid_audience(REGISTRY);
    let (registry, _) = start(cluster, |_| {});
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    refused(cluster, &pod, NO_LOGIN);
    assert_eq!(cluster.plugin_runs(oidc::PLUGIN), 0, "the plugin was run");
    assert_eq!(registry.refusals(), ["no credentials"]);
    // The words that the README tells to look for.
    let says = "is not authorized to request tokens for audience";
    let log = cluster.kubelet_log();
    let line = log.lines().find(|line| line.contains(says)).expect("the kubelet says why");
    format!("no plugin run; `{NO_LOGIN}`; log: {}", line.split_once("] ").unwrap().1)
}

fn missing_annotation(cluster: &Cluster<'_>) -> String {
    cluster.allow_audience(REGISTRY);
    let (registry, options) = start(cluster, |provider| {
        provider["tokenAttributes"]["requiredServiceAccountAnnotationKeys"] = json!([ANNOTATION]);
    });
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    refused(cluster, &pod, NO_LOGIN);
    assert_eq!(cluster.plugin_runs(oidc::PLUGIN), 0, "the plugin was run");
    let token = cluster.api.token("shop", "web", REGISTRY);
    let found = lookup::of_pod(&pod, "web", Some(&token)).run(cluster, &options);
    let line = found.is_in_the_kubelets_log(cluster, &pod);
    format!("no plugin run; `{NO_LOGIN}`; log as `pullpass lookup`: {line}")
}

/// The registry believes who it is, and does not know it.
fn refused_login(cluster: &Cluster<'_>, namespace: &str, service_account: &str) -> String {
    cluster.allow_audience(REGISTRY);
    let (registry, options) = start(cluster, |_| {});
    let pod = cluster.create(PodSpec::new(namespace, service_account, &registry.image(1)));
    refused(cluster, &pod, REFUSED);
    assert_eq!(registry.subjects(), Vec::<String>::new(), "a login was let in");
    // The kubelet and the plugin did their part, and the look-up says so too.
    let token = cluster.api.token(namespace, service_account, REGISTRY);
    let found = lookup::of_pod(&pod, service_account, Some(&token)).run(cluster, &options);
    assert_eq!(found.credentials(), 1);
    let runs = cluster.plugin_runs(oidc::PLUGIN);
    format!("{runs} plugin run; `{REFUSED}`; registry: {}", registry.refusals().join(", "))
}

fn foreign_service_account(cluster: &Cluster<'_>) -> String {
    refused_login(cluster, "shop", "stranger")
}

fn foreign_namespace(cluster: &Cluster<'_>) -> String {
    refused_login(cluster, "other", "web")
}

/// The kubelet requests another audience than the profile expects: the plugin refuses.
fn wrong_audience(cluster: &Cluster<'_>) -> String {
    let other = "other.example";
    cluster.allow_audience(other);
    let (registry, options) = start(cluster, |provider| {
        provider["tokenAttributes"]["serviceAccountTokenAudience"] = json!(other);
    });
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    refused(cluster, &pod, NO_LOGIN);
    assert_eq!(registry.refusals(), ["no credentials"], "a token was sent");
    let token = cluster.api.token("shop", "web", other);
    let found = lookup::of_pod(&pod, "web", Some(&token)).run(cluster, &options);
    let line = found.is_in_the_kubelets_log(cluster, &pod);
    format!("`{NO_LOGIN}`; log as `pullpass lookup`: {line}")
}

/// An API server issues no expired token. So a script between the kubelet and the plugin puts one
/// into the request that the API server signed an hour ago, as far as the plugin can tell.
fn expired_token(cluster: &Cluster<'_>) -> String {
    cluster.allow_audience(REGISTRY);
    let registry = TokenRegistry::for_pods(cluster.world);
    let expired = cluster.api.sign_expired("shop", "web", REGISTRY);
    let script = format!(
        "#!/bin/sh\nsed 's/\"serviceAccountToken\":\"[^\"]*\"/\"serviceAccountToken\":\"{expired}\"/' |\n  \
         '{}' \"$@\"\n",
        cluster.bin_dir().join(oidc::PLUGIN).display()
    );
    let bin_dir = program(cluster, oidc::PLUGIN, &script);
    let provider = oidc::provider(&oidc::passthrough(cluster), REGISTRY);
    let options = KubeletOptions { bin_dir, ..cluster.kubelet_options(&json!([provider])) };
    cluster.start_kubelet_with(&options);
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    refused(cluster, &pod, NO_LOGIN);
    assert_eq!(registry.refusals(), ["no credentials"], "the token was sent");
    let found = lookup::of_pod(&pod, "web", Some(&expired)).run(cluster, &options);
    let line = found.is_in_the_kubelets_log(cluster, &pod);
    let log = cluster.kubelet_log();
    assert!(log.contains("token expired"), "{line}");
    let signature = expired.rsplit('.').next().unwrap();
    assert!(!log.contains(signature), "the token is in the kubelet's log");
    format!("`{NO_LOGIN}`; log as `pullpass lookup`: {line}")
}

/// The API server refuses readers of its keys that have no login, unless RBAC allows them.
fn no_discovery(cluster: &Cluster<'_>) -> String {
    cluster.allow_audience(REGISTRY);
    cluster.forbid_discovery();
    let (registry, _) = start(cluster, |_| {});
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    refused(cluster, &pod, REFUSED);
    let refusals = registry.refusals().join(", ");
    assert!(refusals.contains("403"), "{refusals}");
    format!("`{REFUSED}`; registry: {refusals}")
}

/// A folder with that script as a program.
pub(super) fn program(cluster: &Cluster<'_>, name: &str, script: &str) -> PathBuf {
    let file = cluster.file(&format!("bin/{name}"), script);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    file.parent().unwrap().to_owned()
}
