//! Profile files and requests for the plugin, as an operator and the kubelet write them.

use std::fs;
use std::path::PathBuf;

use pullpass_tests::plugin::PluginCommand;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const PLUGIN: &str = "oidc-credential-provider";
/// The audience that the profiles expect in a pod's token.
pub(crate) const AUDIENCE: &str = "exchange.example";

/// A profile file in a folder of its own.
pub(crate) struct ProfileFile(TempDir);

impl ProfileFile {
    /// One profile: `registry`, with the given `exchange` section and further sections.
    pub(crate) fn new(registry: &str, exchange: Value, more: Value) -> Self {
        let mut profile = json!({
            "name": "test",
            "registries": [registry],
            "serviceAccountToken": {"audience": AUDIENCE},
            "exchange": exchange,
        });
        let sections = profile.as_object_mut().unwrap();
        sections.extend(more.as_object().unwrap().clone());
        Self::text(
            &json!({
                "apiVersion": "pullpass.dev/v1alpha1",
                "kind": "OIDCExchangeConfig",
                "profiles": [profile],
            })
            .to_string(),
        )
    }

    pub(crate) fn passthrough(registry: &str) -> Self {
        Self::new(
            registry,
            json!({"type": "passthrough"}),
            json!({"response": {"username": {"value": "jwt"}}}),
        )
    }

    /// A token exchange at `endpoint`, plain HTTP on loopback allowed.
    pub(crate) fn exchange(registry: &str, endpoint: &str) -> Self {
        let exchange = json!({"type": "tokenExchange", "endpoint": endpoint});
        Self::new(registry, exchange, json!({"http": {"allowLoopbackHttp": true}}))
    }

    pub(crate) fn text(text: &str) -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("oidc.yaml"), text).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("oidc.yaml")
    }

    /// The plugin with this file, which must not print `token`.
    pub(crate) fn plugin(&self, token: &str) -> PluginCommand {
        PluginCommand::new(PLUGIN).arg("--config").arg(self.path()).secret("the pod's token", token)
    }
}

/// What the kubelet writes for a pod.
pub(crate) fn request(image: &str, token: &str) -> Vec<u8> {
    let request = json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": image,
        "serviceAccountToken": token,
    });
    format!("{request}\n").into_bytes()
}
