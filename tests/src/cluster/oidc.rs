//! The generic plugin in a cluster: its profile file, and how the kubelet is told of it.

use serde_json::{Value, json};

use super::{Cluster, REGISTRY};

/// The plugin's name.
pub const PLUGIN: &str = "oidc-credential-provider";

/// Writes a profile file of one profile for [`REGISTRY`] and returns its path.
pub fn profile(cluster: &Cluster<'_>, audience: &str, sections: &Value) -> String {
    let profile = json!({
        "name": "ours",
        "registries": [REGISTRY],
        "serviceAccountToken": {"audience": audience},
    });
    write(cluster, &profile, sections)
}

fn write(cluster: &Cluster<'_>, profile: &Value, sections: &Value) -> String {
    let mut profile = profile.clone();
    profile.as_object_mut().unwrap().extend(sections.as_object().unwrap().clone());
    let file = json!({
        "apiVersion": "pullpass.dev/v1alpha1",
        "kind": "OIDCExchangeConfig",
        "profiles": [profile],
    });
    cluster.file("oidc.json", &format!("{file:#}")).display().to_string()
}

/// Writes the profile file of a registry that takes the pod's token itself.
pub fn passthrough(cluster: &Cluster<'_>) -> String {
    let sections = json!({"exchange": {"type": "passthrough"}, "response": {"username": "jwt"}});
    profile(cluster, REGISTRY, &sections)
}

/// The kubelet's entry for the plugin with a login in a file next to the profile file, and no
/// token.
pub fn static_provider(cluster: &Cluster<'_>, file: &str) -> Value {
    let sections = json!({"exchange": {"type": "static", "file": file}});
    let profile = write(cluster, &json!({"name": "fixed", "registries": [REGISTRY]}), &sections);
    let mut provider = provider(&profile, "");
    provider.as_object_mut().unwrap().remove("tokenAttributes");
    provider
}

/// The kubelet's entry for the plugin with that profile file.
pub fn provider(profile: &str, audience: &str) -> Value {
    json!({
        "name": PLUGIN,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [REGISTRY],
        "defaultCacheDuration": "10m",
        "args": ["--config", profile],
        "tokenAttributes": {
            "serviceAccountTokenAudience": audience,
            "requireServiceAccount": true,
            "cacheType": "Token",
        },
    })
}
