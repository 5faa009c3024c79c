//! The configuration. What the kubelet and our lints say about it comes from `pullpass check`.

use pullpass_kubelet::KubeletVersion;

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::{Configuration, Node};

use Severity::{KillsKubelet, NoCredentials, Risk};

/// What the kubelet would refuse at its next start.
pub(super) fn refused(node: &Node) -> Vec<Finding> {
    let Some(config) = &node.config else { return Vec::new() };
    let refusals = config.refusals.iter().map(|(finding, hint)| {
        let read = finding.location.as_ref().map(ToString::to_string);
        let message = match &finding.path {
            Some(path) => format!("{} ({})", finding.message, path.display()),
            None => finding.message.clone(),
        };
        Finding::new(
            finding.code.as_str(),
            KillsKubelet,
            message,
            read.unwrap_or_else(|| config.path.display().to_string()),
            hint,
        )
    });
    refusals.collect()
}

/// What it accepts but does not work.
pub(super) fn warned(node: &Node) -> Vec<Finding> {
    let Some(config) = &node.config else { return Vec::new() };
    let warnings = config.warnings.iter().filter(|lint| {
        // The path as a whole is checked elsewhere.
        !matches!(lint.code, "writable-config" | "writable-bin-dir")
    });
    let warnings = warnings.map(|lint| {
        let severity = match lint.code {
            "overlapping-patterns"
            | "secret-in-env"
            | "secret-in-args"
            | "writable-binary"
            | "skipped-file" => Risk,
            _ => NoCredentials,
        };
        let read = lint.location.as_ref().map(ToString::to_string);
        let read = read.unwrap_or_else(|| config.path.display().to_string());
        Finding::new(lint.code, severity, &lint.message, read, &lint.hint)
    });
    warnings.collect()
}

/// The kubelet reads its configuration only once.
pub(super) fn newer_than_kubelet(node: &Node) -> Vec<Finding> {
    let files = node.config.iter().flat_map(|config| &config.files);
    files
        .filter(|(_, changed)| node.is_newer_than_kubelet(*changed))
        .map(|(path, _)| {
            Finding::new(
                "config-newer-than-kubelet",
                Risk,
                format!(
                    "`{}` was changed after the kubelet's start, which read it before",
                    path.display()
                ),
                format!("the time of {}", path.display()),
                format!("systemctl restart {}", node.unit_name()),
            )
        })
        .collect()
}

/// The kubelet opens a pipe and waits for its other end.
pub(super) fn odd_entry(node: &Node) -> Vec<Finding> {
    let Some(config) = &node.config else { return Vec::new() };
    let entries = config.odd_entries.iter().map(|path| {
        Finding::new(
            "not-a-file",
            KillsKubelet,
            format!(
                "`{}` is a pipe, a socket or a device: the kubelet would wait for it or refuse it",
                path.display()
            ),
            path.display().to_string(),
            format!("rm {}", path.display()),
        )
    });
    entries.collect()
}

/// A directory as the configuration works since 1.34.
pub(super) fn directory_too_early(node: &Node) -> Vec<Finding> {
    let is_early = node.minor.is_some_and(|minor| minor < 34);
    let Some(config) = node.config.as_ref().filter(|config| config.is_directory && is_early) else {
        return Vec::new();
    };
    vec![Finding::new(
        "directory-too-early",
        KillsKubelet,
        format!("`{}` is a directory, which kubelets read from 1.34 on", config.path.display()),
        config.path.display().to_string(),
        "name one file in `--image-credential-provider-config`",
    )]
}

/// `v1` of the configuration exists since 1.26.
pub(super) fn v1_too_early(node: &Node) -> Vec<Finding> {
    let early = |config: &&Configuration| config.is_v1;
    let Some(minor) = node.minor.filter(|minor| *minor < 26) else { return Vec::new() };
    let Some(config) = node.config.as_ref().filter(early) else { return Vec::new() };
    vec![Finding::new(
        "v1-too-early",
        KillsKubelet,
        format!("kubelet 1.{minor} does not know `kubelet.config.k8s.io/v1`, which came with 1.26"),
        config.path.display().to_string(),
        "write `v1beta1` in both `apiVersion` fields, or upgrade the kubelet",
    )]
}

/// Up to 1.22 the environment of a plugin was its provider's `env` alone, or the kubelet's alone.
pub(super) fn env_too_early(node: &Node) -> Vec<Finding> {
    let Some(minor) = node.minor.filter(|minor| *minor < 23) else { return Vec::new() };
    let Some(config) = &node.config else { return Vec::new() };
    let with_env = config.providers.iter().filter(|provider| !provider.env.is_empty());
    with_env
        .map(|provider| {
            Finding::new(
                "env-too-early",
                NoCredentials,
                format!(
                    "kubelet 1.{minor} is older than 1.23 and does not join the `env` of `{}` with its own variables; \
                     Pullpass judges from {} on",
                    provider.name.as_str(),
                    KubeletVersion::OLDEST
                ),
                provider.name.location.to_string(),
                "set the variables in the kubelet's unit, or upgrade the kubelet",
            )
        })
        .collect()
}

/// A user who may write to the configuration, or to a directory above it, runs programs as root.
pub(super) fn writable(node: &Node) -> Vec<Finding> {
    let parts = node.config.iter().flat_map(|config| &config.writable);
    parts
        .map(|path| {
            Finding::new(
                "writable-config",
                Risk,
                format!("others than root may write to `{}`, and the kubelet runs as root what the configuration names", path.display()),
                format!("the mode of {}", path.display()),
                format!("chmod go-w {}", path.display()),
            )
        })
        .collect()
}
