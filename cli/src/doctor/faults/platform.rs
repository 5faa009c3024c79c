//! Platforms that write the same files themselves.

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::Node;

use Severity::Risk;

/// Files that a program of the platform writes at each boot, its own provider, and a lasting change.
const SET_BACK: [(&str, &str, &str); 3] = [
    (
        "/etc/eks/image-credential-provider/config.json",
        "ecr-credential-provider",
        "nodeadm writes it at each boot: keep a file of your own, and name it in the NodeConfig's \
         `spec.kubelet.flags`",
    ),
    (
        "/etc/srv/kubernetes/cri_auth_config.yaml",
        "auth-provider-gcp",
        "GKE's node image sets /etc back at each boot: merge again at each boot, as a DaemonSet does",
    ),
    (
        "/var/lib/kubelet/credential-provider.conf",
        "",
        "nodeup writes it at each boot: use a cluster hook of kops that merges after it",
    ),
];

/// A provider that was added by hand to a file that is rewritten at each boot.
pub(super) fn file_set_back(node: &Node) -> Vec<Finding> {
    let Some(config) = &node.config else { return Vec::new() };
    let owned = SET_BACK.iter().find(|(path, ..)| config.path == std::path::Path::new(path));
    let Some((path, own, fix)) = owned else { return Vec::new() };
    let is_own = |name: &str| match *own {
        "" => matches!(name, "ecr-credential-provider" | "gcp-credential-provider"),
        own => name == own,
    };
    added(node, "set-back-at-boot", is_own, path, fix, "is gone after the next boot")
}

/// AKS writes the file onto a new disk at each upgrade of the node image.
pub(super) fn lost_at_upgrade(node: &Node) -> Vec<Finding> {
    let path = "/var/lib/kubelet/credential-provider-config.yaml";
    let Some(config) = &node.config else { return Vec::new() };
    let is_there = config.path == std::path::Path::new(path);
    let has_own = node.provider_names().contains(&"acr-credential-provider");
    if !is_there || !has_own {
        return Vec::new();
    }
    let is_own = |name: &str| name == "acr-credential-provider";
    let fix = "put it there by a DaemonSet, which comes back with the new image";
    added(
        node,
        "lost-at-upgrade",
        is_own,
        path,
        fix,
        "is gone after the next upgrade of the node image",
    )
}

/// Bottlerocket has no place for other programs.
pub(super) fn bottlerocket(node: &Node) -> Vec<Finding> {
    if node.os.id != "bottlerocket" {
        return Vec::new();
    }
    let is_own = |name: &str| name == "ecr-credential-provider";
    let fix = "apiclient set settings.kubernetes.credential-providers.ecr-credential-provider.enabled=true; \
               other plugins need an image of your own";
    added(
        node,
        "not-possible-here",
        is_own,
        "/etc/os-release",
        fix,
        "cannot be installed on Bottlerocket",
    )
}

/// `minikube start` writes the unit's drop-in again.
pub(super) fn minikube(node: &Node) -> Vec<Finding> {
    let is_used = node.config.is_some() || node.bin_dir.is_some();
    if !node.is_minikube || !is_used {
        return Vec::new();
    }
    let own = "10-kubeadm.conf";
    let others = node.unit.iter().filter(|file| {
        let text = file.exec_start.iter().chain(file.environment.iter().map(|(_, value)| value));
        let mut text = text.filter(|text| text.contains("-image-credential-provider-"));
        text.next().is_some() && !file.path.ends_with(own)
    });
    others
        .map(|file| {
            Finding::new(
                "written-by-minikube",
                Risk,
                format!("`{}` has the flags, and `minikube start` writes the kubelet's command line again", file.path.display()),
                format!("{} and /var/lib/minikube", file.path.display()),
                "minikube start --extra-config=kubelet.image-credential-provider-config=FILE \
                 --extra-config=kubelet.image-credential-provider-bin-dir=DIR",
            )
        })
        .collect()
}

fn added(
    node: &Node,
    id: &'static str,
    is_own: impl Fn(&str) -> bool,
    read: &str,
    fix: &str,
    what: &str,
) -> Vec<Finding> {
    let others = node.provider_names().into_iter().filter(|name| !is_own(name));
    others.map(|name| Finding::new(id, Risk, format!("`{name}` {what}"), read, fix)).collect()
}
