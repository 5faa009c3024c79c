//! The right of nodes to ask for tokens of an audience.
//!
//! Source: Kubernetes documentation, "Configure a kubelet image credential provider";
//! feature gate ServiceAccountNodeAudienceRestriction of the API server.

use std::collections::HashSet;

use crate::config::CredentialProvider;
use crate::go::json_string;
use crate::lints::Lint;

pub(super) fn check(providers: &[CredentialProvider], lints: &mut Vec<Lint>) {
    let mut seen = HashSet::new();
    let tokens = providers.iter().filter_map(|provider| provider.token_attributes.as_ref());
    for audience in tokens.map(|tokens| &tokens.audience) {
        if !seen.insert(audience.as_str()) {
            continue;
        }
        let lint = Lint::advice(
            "audience-rbac",
            &audience.location,
            format!(
                "the API server gives nodes a token for audience `{}` only if RBAC allows it; \
                 otherwise pulls go on without credentials, and only the kubelet's log says why",
                audience.value
            ),
            format!(
                "apply this ClusterRole and ClusterRoleBinding, unless the cluster allows it \
                 already; to find out (`kubectl auth can-i` cannot tell), run `pullpass config \
                 --access-review --service-account-audience {} | kubectl create -o yaml -f - | \
                 grep allowed:`",
                audience.value
            ),
        );
        lints.push(Lint { manifest: Some(audience_manifest(audience)), ..lint });
    }
}

/// The ClusterRole and ClusterRoleBinding that let every node ask for tokens of
/// `audience`, as YAML.
pub fn audience_manifest(audience: &str) -> String {
    let mut quoted = Vec::new();
    json_string::write_string(&mut quoted, audience);
    let quoted = String::from_utf8_lossy(&quoted);
    let name = role_name(audience);
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {name}
rules:
- apiGroups: [\"\"]
  resources: [{quoted}]
  verbs: [\"request-serviceaccounts-token-audience\"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {name}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {name}
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: system:nodes
"
    )
}

/// A name that Kubernetes accepts, made of the audience's letters and digits.
fn role_name(audience: &str) -> String {
    let mut name = String::from("image-pull-audience");
    let letters = audience.to_ascii_lowercase();
    let words = letters.split(|c: char| !c.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        if name.len() + word.len() > 200 {
            break;
        }
        name.push('-');
        name.push_str(word);
    }
    name
}
