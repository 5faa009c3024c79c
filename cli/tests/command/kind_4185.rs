//! kubernetes-sigs/kind#4185: three mistakes on top of each other, each of which made
//! pulls anonymous without any message. One command finds each and says how to fix it.

use crate::{LOGIN, Node, Ran, answer, pullpass};

const IMAGE: &str = "registry.example/team/app:1";

/// The thread's set-up: `pattern` in `matchImages`, and a plugin that answers with
/// `key_type`.
fn node(pattern: &str, key_type: &str) -> (Node, String) {
    let node = Node::new();
    let config = node.config(&format!(
        "- name: workload-identity\n  apiVersion: credentialprovider.kubelet.k8s.io/v1\n  \
         matchImages:\n  - \"{pattern}\"\n  defaultCacheDuration: 10m\n  tokenAttributes:\n    \
         serviceAccountTokenAudience: registry.example\n    cacheType: ServiceAccount\n    \
         requireServiceAccount: true\n"
    ));
    node.script("workload-identity", &format!("cat > /dev/null\n{}", answer(key_type, LOGIN)));
    node.write("token", "a-token-of-the-pod");
    (node, config)
}

fn lookup(node: &Node, config: &str) -> Ran {
    let (bin, token) = (node.text("bin"), node.text("token"));
    pullpass([
        "lookup",
        IMAGE,
        "--config",
        config,
        "--bin-dir",
        &bin,
        "--service-account",
        "team/default",
        "--token-file",
        &token,
    ])
}

fn says(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "`{words}` is not in\n{text}");
    }
}

#[test]
fn the_glob_in_the_path() {
    let (_node, config) = node("registry.example/*", "Registry");
    let ran = pullpass(["check", &config, "--strict"]);
    assert_eq!(ran.code, Some(1));
    says(
        &ran.stdout,
        &[
            "accepted: ",
            "[glob-in-path]",
            "config.yaml:7:5",
            "^^^^^^^^^^^^^^^^^^^^",
            "hint: write `registry.example`",
        ],
    );
    let ran = pullpass(["match", IMAGE, "--config", &config]);
    assert_eq!(ran.code, Some(1));
    says(&ran.stdout, &["no match: ", "`*` in a path", "hint: write `registry.example`"]);
}

#[test]
fn the_wrong_cache_key_type() {
    let (node, config) = node("registry.example", "ServiceAccount");
    let ran = lookup(&node, &config);
    assert_eq!(ran.code, Some(1));
    says(
        &ran.stdout,
        &[
            "credential provider plugin did not return a valid cacheKeyType: ServiceAccount",
            "hint: the plugin must answer `cacheKeyType` with `Image`, `Registry` or `Global`",
            "`ServiceAccount` is a value of `tokenAttributes.cacheType`",
        ],
    );
}

#[test]
fn the_missing_right_to_the_audience() {
    let (_node, config) = node("registry.example", "Registry");
    let ran = pullpass(["check", &config, "--strict"]);
    assert_eq!(ran.code, Some(0), "advice is no warning");
    says(
        &ran.stdout,
        &[
            "[audience-rbac]",
            "hint: apply this ClusterRole and ClusterRoleBinding",
            "kind: ClusterRole\n",
            "verbs: [\"request-serviceaccounts-token-audience\"]",
            "resources: [\"registry.example\"]",
            "kind: ClusterRoleBinding\n",
            "name: system:nodes",
        ],
    );
}

#[test]
fn with_all_of_it_fixed_the_pull_works() {
    let (node, config) = node("registry.example", "Registry");
    let ran = lookup(&node, &config);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    says(
        &ran.stdout,
        &["1. user `user`, password REDACTED", "stored for all images of this registry"],
    );
}
