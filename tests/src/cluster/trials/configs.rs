//! What `pullpass config` prints, used word for word.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use super::Trial;
use crate::cluster::{Cluster, KubeletOptions, PodSpec, REGISTRY, TokenRegistry, oidc};

/// A second registry, with an audience of its own.
pub(super) const OTHER: &str = "other.example";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("config: access review, before and after", access_review),
        Trial::new("config: one provider", one_provider),
        Trial::new("config: two audiences and a linked name", two_audiences),
        Trial::new("config: a directory", directory),
    ]
}

/// What asks the API server whether nodes may have tokens, before and after `--rbac` was applied.
fn access_review(cluster: &Cluster<'_>) -> String {
    // With a dot, with slashes, and with both and a colon.
    let audiences =
        [REGISTRY, "api://AzureADTokenExchange", "https://iam.googleapis.com/projects/1/x"];
    for audience in audiences {
        let review =
            cluster.printed(&["config", "--access-review", "--service-account-audience", audience]);
        let allowed = || cluster.api.create_yaml(&review)[0]["status"]["allowed"].clone();
        cluster.forbid_audience(audience);
        // The authorizer sees changes a moment later.
        let settles = |wanted: bool| {
            for _ in 0..100 {
                if allowed() == wanted {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            panic!("`allowed` is not {wanted} for {audience}");
        };
        settles(false);
        cluster.allow_audience(audience);
        settles(true);
        cluster.transcript.say("review", &format!("{audience}: allowed: false, then true"));
    }
    format!("{} audiences: `allowed: false`, after `--rbac` `allowed: true`", audiences.len())
}

/// The file that `pullpass config` prints for a profile file.
fn print_config(cluster: &Cluster<'_>, name: &str, args: &[&str]) -> PathBuf {
    let version = ["config", "--kubelet-version", &cluster.minor];
    let file = cluster.file(name, &cluster.printed(&[&version, args].concat()));
    check(cluster, &file);
    file
}

/// `pullpass check --strict` accepts it.
fn check(cluster: &Cluster<'_>, config: &std::path::Path) {
    let config = config.to_str().unwrap();
    cluster.printed(&["check", config, "--strict", "--kubelet-version", &cluster.minor]);
}

/// Applies what `pullpass config --rbac` prints for a profile file.
fn apply_rbac(cluster: &Cluster<'_>, profile: &str) {
    let rbac = cluster.printed(&["config", "oidc", "--profiles", profile, "--rbac"]);
    cluster.api.delete_yaml(&rbac);
    cluster.api.create_yaml(&rbac);
}

fn one_provider(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    let profile = oidc::passthrough(cluster);
    let providers = print_config(cluster, "providers.yaml", &["oidc", "--profiles", &profile]);
    apply_rbac(cluster, &profile);
    let verdict = cluster.printed(&[
        "check",
        providers.to_str().unwrap(),
        "--kubelet-version",
        &cluster.minor,
        "--format",
        "json",
    ]);
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    let bin_dir = cluster.bin_dir().to_owned();
    cluster.start_kubelet_with(&KubeletOptions { providers, bin_dir, settings: json!({}) });
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &registry.image(1))));
    let hash = verdict["hash"].as_str().unwrap();
    let metrics = cluster.kubelet_metrics();
    let metric = format!("kubelet_credential_provider_config_info{{hash=\"{hash}\"}} 1");
    assert!(metrics.contains(&metric), "the kubelet has another hash than {hash}");
    let subjects = registry.subjects().join(" ");
    format!("its file and its RBAC, as printed, and the hash of `check`; logins of {subjects}")
}

/// One profile for each of two registries.
fn two_profiles(cluster: &Cluster<'_>) -> String {
    let profile = |name: &str, registry: &str| {
        json!({
            "name": name,
            "registries": [registry],
            "serviceAccountToken": {"audience": registry},
            "exchange": {"type": "passthrough"},
            "response": {"username": "jwt"},
        })
    };
    let file = json!({
        "apiVersion": "pullpass.dev/v1alpha1",
        "kind": "OIDCExchangeConfig",
        "profiles": [profile("ours", REGISTRY), profile("theirs", OTHER)],
    });
    cluster.file("oidc.json", &file.to_string()).display().to_string()
}

fn two_audiences(cluster: &Cluster<'_>) -> String {
    let ours = TokenRegistry::for_pods(cluster.world);
    let theirs = TokenRegistry::for_pods_at(cluster.world, OTHER);
    let profiles = two_profiles(cluster);
    let providers = print_config(cluster, "providers.yaml", &["oidc", "--profiles", &profiles]);
    apply_rbac(cluster, &profiles);
    // The commands that the file tells the operator to run in the folder of the programs.
    let bin_dir = cluster.file("bin/README", "").parent().unwrap().to_owned();
    symlink(cluster.bin_dir().join(oidc::PLUGIN), bin_dir.join(oidc::PLUGIN)).unwrap();
    let text = std::fs::read_to_string(&providers).unwrap();
    let commands: Vec<&str> =
        text.lines().filter_map(|line| line.trim().strip_prefix("#   ")).collect();
    let links = commands.iter().filter(|command| command.starts_with("ln -s "));
    let mut count = 0;
    for link in links {
        let status = Command::new("sh").args(["-c", link]).current_dir(&bin_dir).status().unwrap();
        assert!(status.success(), "{link}");
        count += 1;
    }
    assert_eq!(count, 1, "{text}");
    cluster.start_kubelet_with(&KubeletOptions { providers, bin_dir, settings: json!({}) });
    let pods = [&ours, &theirs]
        .map(|registry| cluster.create(PodSpec::new("shop", "web", &registry.image(1))));
    for pod in &pods {
        cluster.runs(pod);
    }
    for registry in [&ours, &theirs] {
        assert_eq!(registry.subjects(), ["system:serviceaccount:shop:web"]);
        assert_eq!(registry.refusals(), Vec::<String>::new(), "a token of the other audience");
    }
    let linked = cluster.plugin_runs("oidc-theirs-credential-provider");
    format!("{} run and {linked} run by the linked name", cluster.plugin_runs(oidc::PLUGIN))
}

fn directory(cluster: &Cluster<'_>) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    let profile = oidc::passthrough(cluster);
    print_config(cluster, "providers.d/10-clouds.yaml", &["ecr", "gar"]);
    let second = ["oidc", "--profiles", &profile];
    let file = print_config(cluster, "providers.d/20-ours.yaml", &second);
    apply_rbac(cluster, &profile);
    let providers = file.parent().unwrap().to_owned();
    check(cluster, &providers);
    let bin_dir = cluster.bin_dir().to_owned();
    cluster.start_kubelet_with(&KubeletOptions { providers, bin_dir, settings: json!({}) });
    cluster.runs(&cluster.create(PodSpec::new("shop", "web", &registry.image(1))));
    let log = cluster.kubelet_log();
    let registered = log.matches("Registered credential provider").count();
    assert_eq!(registered, 3, "{log}");
    format!("{registered} providers of two files; logins of {}", registry.subjects().join(" "))
}
