//! The plugins of the clouds, as the node and as the pod. The clouds are fakes under their real
//! names; their registries are `docker-registry`.

mod aws;
mod azure;
mod google;

use serde_json::{Value, json};

use super::Trial;

pub(super) fn trials() -> Vec<Trial> {
    [aws::trials(), azure::trials(), google::trials()].into_iter().flatten().collect()
}

/// The registries of the clouds.
pub(super) const REGISTRIES: [&str; 3] = [aws::REGISTRY, azure::REGISTRY, google::REGISTRY];
/// Where the metadata services of all clouds are.
const METADATA: &str = "169.254.169.254";

/// The kubelet's entry for a plugin that pulls as the node.
fn node_provider(plugin: &str, host: &str, args: &[&str]) -> Value {
    json!({
        "name": plugin,
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [host],
        "defaultCacheDuration": "10m",
        "args": args,
    })
}

/// The kubelet's entry for a plugin that pulls as the pod, whose service account may have these
/// annotations.
fn pod_provider(
    plugin: &str,
    host: &str,
    args: &[&str],
    audience: &str,
    annotations: &[&str],
) -> Value {
    let mut provider = node_provider(plugin, host, args);
    provider["tokenAttributes"] = json!({
        "serviceAccountTokenAudience": audience,
        "requireServiceAccount": true,
        "cacheType": "ServiceAccount",
        "optionalServiceAccountAnnotationKeys": annotations,
    });
    provider
}
