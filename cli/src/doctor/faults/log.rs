//! What the kubelet already logged. Its lines may hold what a plugin wrote, so they are recognised
//! and not repeated.

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::Node;

use Severity::NoCredentials;

/// A part of a line, its id, what it means, and what to do.
const LINES: [(&str, &str, &str, &str); 9] = [
    (
        "not found in pod spec volume",
        "audience-not-allowed",
        "the API server gives this node no token for the provider's audience",
        "pullpass config --rbac --service-account-audience AUDIENCE | kubectl apply -f -",
    ),
    (
        "not authorized to request tokens for audience",
        "audience-not-allowed",
        "the API server gives this node no token for the provider's audience",
        "pullpass config --rbac --service-account-audience AUDIENCE | kubectl apply -f -",
    ),
    (
        "did not match expected apiVersion",
        "plugin-answers-other-version",
        "a plugin answered in another apiVersion than its provider's: it is older or newer",
        "write the version that the plugin speaks into the provider's `apiVersion`, or replace it",
    ),
    (
        "couldn't get version/kind; json parse error",
        "plugin-answer-not-json",
        "a plugin wrote something else than one JSON object on stdout, such as a log line",
        "pullpass lookup IMAGE --config PATH --bin-dir DIR shows what it wrote",
    ),
    (
        "did not return a valid cacheKeyType",
        "plugin-cache-key-type",
        "a plugin answered with a `cacheKeyType` that the kubelet does not know",
        "the plugin must answer `Image`, `Registry` or `Global`",
    ),
    (
        "context deadline exceeded",
        "plugin-too-slow",
        "a plugin took longer than the kubelet's minute",
        "check for a proxy or firewall; pullpass lookup IMAGE --timeout 1m shows how long it takes",
    ),
    (
        "exec format error",
        "plugin-exec-format",
        "the kernel cannot run a plugin: it is for another architecture",
        "install the build for this machine: uname -m",
    ),
    (
        "operation not permitted",
        "plugin-not-permitted",
        "a security module such as fapolicyd refused to run a plugin",
        "fapolicyd-cli --file add PATH && fapolicyd-cli --update",
    ),
    (
        "is not yet valid",
        "clock",
        "a token was refused since its time has not come: the node's clock is wrong",
        "timedatectl set-ntp true",
    ),
];

/// One finding for each kind of line.
pub(super) fn logged(node: &Node) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (path, line) in &node.log {
        let found = LINES.iter().find(|(part, ..)| line.contains(part));
        let Some((_, id, message, fix)) = found else { continue };
        if !findings.iter().any(|known| known.id == *id) {
            findings.push(Finding::new(
                id,
                NoCredentials,
                *message,
                path.display().to_string(),
                *fix,
            ));
        }
    }
    findings
}
