//! Plugins that hang, print what they should not, or die; and configurations that a kubelet does
//! not start with. The kubelet logs what `pullpass` says.

use serde_json::{Value, json};

use super::fail_closed::program;
use super::{Trial, lookup};
use crate::cluster::{Cluster, KubeletOptions, PodSpec, REGISTRY, TokenRegistry};

const PLUGIN: &str = "bad-credential-provider";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::new("bad plugin: prints garbage", |cluster| bad(cluster, "echo '<html>'")),
        Trial::new("bad plugin: exits with 3", |cluster| {
            bad(cluster, "echo 'error: the identity was refused' >&2; exit 3")
        }),
        Trial::new("bad plugin: is killed", |cluster| bad(cluster, "kill -9 $$")),
        Trial::new("bad plugin: an answer of another version", |cluster| {
            bad(cluster, &format!("echo '{}'", answer("v1beta1", "Registry")))
        }),
        Trial::new("bad plugin: an unknown cache key", |cluster| {
            bad(cluster, &format!("echo '{}'", answer("v1", "ServiceAccount")))
        }),
        Trial::new("bad plugin: hangs", |cluster| bad(cluster, "exec sleep 300")),
        Trial::new("refused configurations", refused_configurations),
    ]
}

fn answer(version: &str, key: &str) -> Value {
    json!({
        "kind": "CredentialProviderResponse",
        "apiVersion": format!("credentialprovider.kubelet.k8s.io/{version}"),
        "cacheKeyType": key,
        "auth": {},
    })
}

fn provider() -> Value {
    json!({
        "name": PLUGIN,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [REGISTRY],
        "defaultCacheDuration": "10m",
    })
}

/// A plugin of these shell commands.
fn bad(cluster: &Cluster<'_>, commands: &str) -> String {
    let registry = TokenRegistry::for_pods(cluster.world);
    let bin_dir = program(cluster, PLUGIN, &format!("#!/bin/sh\n{commands}\n"));
    let options = KubeletOptions { bin_dir, ..cluster.kubelet_options(&json!([provider()])) };
    cluster.start_kubelet_with(&options);
    let pod = cluster.create(PodSpec::new("shop", "web", &registry.image(1)));
    // While the kubelet waits for it.
    let found = lookup::of_pod(&pod, "web", None).run(cluster, &options);
    let event = cluster.refuses(&pod);
    assert!(event.contains("failed to fetch anonymous token"), "{event}");
    let line = found.is_in_the_kubelets_log(cluster, &pod);
    assert_eq!(found.credentials(), 0);
    assert_eq!(registry.refusals(), ["no credentials"]);
    format!("pulled anonymously; log as `pullpass lookup`: {line}")
}

/// Faults with which no kubelet starts, and `pullpass check` says so in the same words.
fn refused_configurations(cluster: &Cluster<'_>) -> String {
    let faults = [
        ("no matchImages", json!({"matchImages": []})),
        ("a bad pattern", json!({"matchImages": ["registry.example:port"]})),
        ("a negative duration", json!({"defaultCacheDuration": "-1s"})),
        ("an unknown field", json!({"cacheType": "Token"})),
        ("tokens without an audience", json!({"tokenAttributes": {"requireServiceAccount": true}})),
    ];
    let good = program(cluster, PLUGIN, "#!/bin/sh\n");
    let mut cases = Vec::new();
    for (name, fields) in faults {
        let mut provider = provider();
        provider.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        cases.push((name, provider, good.clone()));
    }
    cases.push(("a missing program", provider(), cluster.bin_dir().to_owned()));
    for (name, provider, bin_dir) in &cases {
        let options = KubeletOptions {
            bin_dir: bin_dir.clone(),
            ..cluster.kubelet_options(&json!([provider]))
        };
        let output = cluster.pullpass(&[
            "check",
            options.providers.to_str().unwrap(),
            "--bin-dir",
            bin_dir.to_str().unwrap(),
            "--kubelet-version",
            &cluster.minor,
            "--format",
            "json",
        ]);
        let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(verdict["verdict"], "refused", "{name}: {}", lookup::text_of(&output));
        let line = verdict["log"].as_str().unwrap();
        let (code, log) = cluster.refused_kubelet(&options);
        assert_eq!(code, Some(1), "{name}: {log}");
        let said = log.lines().find(|line| line.contains("Failed to register CRI auth plugins"));
        assert!(
            log.contains(&format!("] {line}\n")),
            "{name}: `pullpass`: {line}\nkubelet: {said:?}"
        );
        cluster.transcript.say("refused", &format!("{name}: {line}"));
    }
    format!(
        "{} configurations, each with exit code 1 and the words of `pullpass check`",
        cases.len()
    )
}
