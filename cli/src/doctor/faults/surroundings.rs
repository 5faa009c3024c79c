//! The surroundings of a plugin: variables, container runtime, security modules, extensions.

use pullpass_kubelet::CredentialProvider;
use pullpass_kubelet::image_name::lookup_name;

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::{Extension, Node, OsRelease};

use Severity::{NoCredentials, Risk};

/// Without `HOME` an SDK does not find the files of a profile.
pub(super) fn no_home(node: &Node) -> Vec<Finding> {
    let kubelet = node.kubelet.as_ref().filter(|kubelet| kubelet.environ.is_some());
    let Some(kubelet) = kubelet.filter(|kubelet| kubelet.variable("HOME").is_none()) else {
        return Vec::new();
    };
    let misses = |provider: &&CredentialProvider| {
        has(provider, "AWS_PROFILE")
            && !has(provider, "HOME")
            && !has(provider, "AWS_CONFIG_FILE")
            && !has(provider, "AWS_SHARED_CREDENTIALS_FILE")
    };
    providers(node)
        .iter()
        .filter(misses)
        .map(|provider| {
            Finding::new(
                "no-home",
                NoCredentials,
                format!("`{}` has a profile and no `HOME` to find it in", provider.name.as_str()),
                format!("/proc/{}/environ and {}", kubelet.pid, provider.name.location),
                "add `{name: HOME, value: /root}` to the provider's `env`, or AWS_CONFIG_FILE",
            )
        })
        .collect()
}

/// The node has a proxy, but neither the kubelet nor the plugin knows it.
pub(super) fn no_proxy(node: &Node) -> Vec<Finding> {
    let kubelet = node.kubelet.as_ref().filter(|kubelet| kubelet.environ.is_some());
    let Some(kubelet) = kubelet.filter(|_| !node.proxies.is_empty()) else { return Vec::new() };
    let names = ["HTTPS_PROXY", "https_proxy"];
    if names.iter().any(|name| kubelet.variable(name).is_some()) {
        return Vec::new();
    }
    let misses = |provider: &&CredentialProvider| !names.iter().any(|name| has(provider, name));
    providers(node)
        .iter()
        .filter(misses)
        .map(|provider| {
            Finding::new(
                "no-proxy",
                NoCredentials,
                format!(
                    "the node has a proxy, and `{}` is not told of it: its calls may time out",
                    provider.name.as_str()
                ),
                format!("/etc/environment and /proc/{}/environ", kubelet.pid),
                "add HTTPS_PROXY and NO_PROXY to the provider's `env`",
            )
        })
        .collect()
}

/// Patterns match the name in the pod, not the mirror that is used instead.
pub(super) fn mirror_in_pattern(node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    for provider in providers(node) {
        for pattern in &provider.match_images {
            let is_of = |host: &str| pattern.matches(&format!("{host}/x"));
            let hidden =
                node.mirrors.iter().find(|(registry, host)| is_of(host) && !is_of(registry));
            let Some((registry, host)) = hidden else { continue };
            findings.push(Finding::new(
                "mirror-in-pattern",
                NoCredentials,
                format!(
                    "`{}` is for the mirror `{host}`; pods name `{registry}`, and that is compared",
                    pattern.as_str()
                ),
                format!("{} and /etc/containerd/certs.d/{registry}/hosts.toml", pattern.location),
                format!("add `{registry}` to `matchImages` of `{}`", provider.name.as_str()),
            ));
        }
    }
    findings
}

/// The container runtime pulls the pause image itself, without any plugin.
pub(super) fn pause_image(node: &Node) -> Vec<Finding> {
    let Some((image, path)) = &node.sandbox_image else { return Vec::new() };
    let Ok(name) = lookup_name(image) else { return Vec::new() };
    let is_covered = providers(node)
        .iter()
        .any(|provider| provider.match_images.iter().any(|pattern| pattern.matches(&name)));
    if !is_covered {
        return Vec::new();
    }
    vec![Finding::new(
        "pause-image",
        Risk,
        format!(
            "the pause image `{image}` is in a registry that needs a provider, and the container runtime asks none"
        ),
        path.display().to_string(),
        "let the node's image hold it, or give the runtime its own credentials for it",
    )]
}

/// SELinux keeps the kubelet from running a program.
pub(super) fn selinux(node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    for program in node.programs() {
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mark = format!("name=\"{name}\"");
        if node.denials.iter().any(|line| line.contains(&mark)) {
            findings.push(Finding::new(
                "selinux-denied",
                NoCredentials,
                format!("SELinux refused access to `{}`", program.display()),
                "/var/log/audit/audit.log",
                format!("restorecon -v {}", program.display()),
            ));
        }
    }
    findings
}

/// fapolicyd only lets programs run that its rules or its trust list have.
pub(super) fn fapolicyd(node: &Node) -> Vec<Finding> {
    let Some(daemon) = node.fapolicyd.as_ref().filter(|daemon| !daemon.is_permissive) else {
        return Vec::new();
    };
    let programs = node.programs().into_iter().filter(|program| {
        !daemon.directories.iter().any(|folder| program.starts_with(folder))
            && !daemon.trusted.contains(program)
    });
    programs
        .map(|program| {
            Finding::new(
                "fapolicyd",
                Risk,
                format!(
                    "fapolicyd may refuse to run `{}`: no rule and no trust file covers it",
                    program.display()
                ),
                "/etc/fapolicyd; trust by the RPM database is not looked at",
                format!("fapolicyd-cli --file add {} && fapolicyd-cli --update", program.display()),
            )
        })
        .collect()
}

/// systemd does not merge an extension that is made for another system.
pub(super) fn extension(node: &Node) -> Vec<Finding> {
    let unfit = node.extensions.iter().filter(|extension| !fits(extension, &node.os));
    unfit
        .map(|extension| {
            Finding::new(
                "extension-not-merged",
                NoCredentials,
                format!(
                    "the extension `{}` is for `{} {}`, and the node is `{} {}`: systemd does not merge it",
                    extension.path.display(),
                    extension.id,
                    extension.version_id,
                    node.os.id,
                    node.os.version_id
                ),
                "its extension-release file and os-release",
                "take the extension for this system, then: systemd-sysext refresh",
            )
        })
        .collect()
}

fn fits(extension: &Extension, os: &OsRelease) -> bool {
    let is_same = |own: &str, other: &str| !own.is_empty() && own == other;
    extension.id == "_any"
        || extension.id == os.id
            && (is_same(&extension.sysext_level, &os.sysext_level)
                || is_same(&extension.version_id, &os.version_id))
}

fn providers(node: &Node) -> &[CredentialProvider] {
    node.config.as_ref().map_or(&[], |config| &config.providers)
}

fn has(provider: &CredentialProvider, name: &str) -> bool {
    provider.env.iter().any(|variable| variable.name.as_str() == name)
}
