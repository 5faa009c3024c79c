//! What the cluster has besides pods: namespaces, service accounts, and rights.

use serde_json::{Value, json};

use super::Cluster;

/// The namespaces in which trials make pods, and their service accounts.
const SERVICE_ACCOUNTS: [(&str, &str); 5] =
    [("shop", "web"), ("shop", "db"), ("shop", "plain"), ("shop", "stranger"), ("other", "web")];

/// The right to read the API server's keys.
const DISCOVERY: &str = "issuer-discovery-for-everyone";

impl Cluster<'_> {
    /// Makes the namespaces and service accounts.
    pub(super) fn make_objects(&self) {
        for (namespace, name) in SERVICE_ACCOUNTS {
            self.api.create(&json!({
                "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace},
            }));
            self.service_account(namespace, name, &json!({}));
        }
    }

    /// Lets everyone read the keys of the API server, for registries that fetch them. By default it
    /// refuses readers without a login.
    pub fn allow_discovery(&self) {
        let group = "rbac.authorization.k8s.io";
        self.api.create(&json!({
            "apiVersion": format!("{group}/v1"),
            "kind": "ClusterRoleBinding",
            "metadata": {"name": DISCOVERY},
            "roleRef": {
                "apiGroup": group,
                "kind": "ClusterRole",
                "name": "system:service-account-issuer-discovery",
            },
            "subjects": [{"apiGroup": group, "kind": "Group", "name": "system:unauthenticated"}],
        }));
    }

    /// Takes that right away until the next trial.
    pub fn forbid_discovery(&self) {
        let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        self.api.delete(&format!("{bindings}/{DISCOVERY}"));
    }

    /// Makes a service account with these annotations, or replaces those it has.
    pub fn service_account(&self, namespace: &str, name: &str, annotations: &Value) {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"namespace": namespace, "name": name, "annotations": annotations},
        });
        self.api.delete(&format!("/api/v1/namespaces/{namespace}/serviceaccounts/{name}"));
        self.api.create(&object);
    }

    /// Lets nodes ask for tokens of that audience, until [`Cluster::forbid_audience`]: what
    /// `pullpass config --rbac` prints, sent as it is.
    pub fn allow_audience(&self, audience: &str) {
        self.api.create_yaml(&self.audience_rbac(audience));
    }

    /// Takes that right away.
    pub fn forbid_audience(&self, audience: &str) {
        self.api.delete_yaml(&self.audience_rbac(audience));
    }

    fn audience_rbac(&self, audience: &str) -> String {
        self.printed(&["config", "--rbac", "--service-account-audience", audience])
    }
}
