//! The two flags: whether the kubelet has them, and which file overrides them.

use std::path::Path;

use crate::doctor::finding::{Finding, Severity};
use crate::doctor::node::{BIN_DIR_FLAG, CONFIG_FLAG, EnvFile, Node, UnitFile};

use Severity::{KillsKubelet, NoCredentials, Risk};

const RESTART: &str = "systemctl daemon-reload && systemctl restart";

/// More than one process could be the kubelet.
pub(super) fn several_kubelets(node: &Node) -> Vec<Finding> {
    let Some(kubelet) = &node.kubelet else { return Vec::new() };
    if node.other_kubelets.is_empty() || kubelet.name != "kubelet" {
        return Vec::new();
    }
    let others: Vec<String> = node.other_kubelets.iter().map(u32::to_string).collect();
    vec![Finding::new(
        "several-kubelets",
        Risk,
        format!(
            "process {} is taken for the kubelet, and there are others of that name",
            kubelet.pid
        ),
        format!("/proc/*/comm: {}, {}", kubelet.pid, others.join(", ")),
        format!("end what is not the node's kubelet: ps -fp {}", others.join(",")),
    )]
}

/// A kubelet with only one of the two refuses to start, or uses no providers.
pub(super) fn one_flag(node: &Node) -> Vec<Finding> {
    let (config, bin_dir) = (node.config_is_named(), node.bin_dir.is_some());
    let missing = match (config, bin_dir) {
        (true, false) => BIN_DIR_FLAG,
        (false, true) => CONFIG_FLAG,
        _ => return Vec::new(),
    };
    vec![Finding::new(
        "one-flag",
        KillsKubelet,
        format!("the kubelet has only one of its two flags: `--{missing}` is missing"),
        node.command_line(),
        format!("add `--{missing}=...` where the other one is, and restart the kubelet"),
    )]
}

/// A file that the unit reads has the flag, but the running kubelet has not.
pub(super) fn flag_not_running(node: &Node) -> Vec<Finding> {
    let Some(kubelet) = node.kubelet.as_ref().filter(|kubelet| kubelet.name == "kubelet") else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for (path, variable, value) in written(node) {
        let is_read = node.is_read(path) || node.unit.iter().any(|file| file.path == path);
        let is_used = variable.is_none_or(|variable| node.uses(variable));
        if !is_read || !is_used || is_overridden(node, path, variable) {
            continue;
        }
        for flag in [CONFIG_FLAG, BIN_DIR_FLAG] {
            if has_flag(value, flag) && kubelet.flag(flag).is_empty() {
                findings.push(Finding::new(
                    "flag-not-running",
                    NoCredentials,
                    format!(
                        "`--{flag}` is in `{}`, and the running kubelet does not have it",
                        path.display()
                    ),
                    format!("{} and /proc/{}/cmdline", path.display(), kubelet.pid),
                    format!("{RESTART} {}", node.unit_name()),
                ));
                break;
            }
        }
    }
    findings
}

/// systemd lets a value of an `EnvironmentFile` take precedence over `Environment`, whatever the
/// order of the files.
pub(super) fn environment_overridden(node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &node.unit {
        for (variable, value) in &file.environment {
            if !has_any_flag(value) {
                continue;
            }
            let Some(other) = assigning(node, variable).find(|other| !other.has_flags(variable))
            else {
                continue;
            };
            findings.push(Finding::new(
                "environment-overridden",
                NoCredentials,
                format!(
                    "`Environment={variable}=` in `{}` has no effect: `{}` assigns `{variable}` too, \
                     and an EnvironmentFile takes precedence",
                    file.path.display(),
                    other.path.display()
                ),
                format!("{} and {}", file.path.display(), other.path.display()),
                format!("write the flags into `{variable}` of `{}`, then {RESTART} kubelet", other.path.display()),
            ));
        }
    }
    findings
}

/// The flags are in a file that only another distribution reads.
pub(super) fn env_file_not_read(node: &Node) -> Vec<Finding> {
    if node.unit.is_empty() {
        return Vec::new();
    }
    let unread = node.env_files.iter().filter(|file| !node.is_read(&file.path));
    let unread =
        unread.filter(|file| file.assignments.iter().any(|(_, value)| has_any_flag(value)));
    let read: Vec<String> = node
        .unit
        .iter()
        .flat_map(|file| &file.environment_files)
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let instead = if read.is_empty() { "none".to_owned() } else { read.join(", ") };
    unread
        .map(|file| {
            Finding::new(
                "env-file-not-read",
                NoCredentials,
                format!(
                    "the flags are in `{}`, which the kubelet's unit does not read",
                    file.path.display()
                ),
                format!("{}; the unit reads {instead}", file.path.display()),
                "move the flags into a file that the unit reads, and restart the kubelet",
            )
        })
        .collect()
}

/// The unit reads the file, but its command line does not use the variable.
pub(super) fn variable_not_used(node: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in node.env_files.iter().filter(|file| node.is_read(&file.path)) {
        for (variable, value) in &file.assignments {
            if !has_any_flag(value) || node.uses(variable) {
                continue;
            }
            let lines = node.unit.iter().flat_map(|file| &file.exec_start);
            let mut used: Vec<&str> = lines
                .flat_map(|line| line.split(' '))
                .filter(|word| word.starts_with('$'))
                .collect();
            used.dedup();
            findings.push(Finding::new(
                "variable-not-used",
                NoCredentials,
                format!(
                    "`{variable}` in `{}` is not used by the kubelet's unit",
                    file.path.display()
                ),
                format!("{}; ExecStart uses {}", file.path.display(), used.join(" ")),
                "put the flags into a variable that ExecStart uses, and restart the kubelet",
            ));
        }
    }
    findings
}

/// Of repeated flags the last one is used, and the providers of the first are lost.
pub(super) fn flag_repeated(node: &Node) -> Vec<Finding> {
    let Some(kubelet) = &node.kubelet else { return Vec::new() };
    let mut findings = Vec::new();
    for flag in [CONFIG_FLAG, BIN_DIR_FLAG] {
        let values = kubelet.flag(flag);
        let Some((last, others)) = values.split_last() else { continue };
        let lost: Vec<&str> = others.iter().copied().filter(|value| value != last).collect();
        if lost.is_empty() {
            continue;
        }
        findings.push(Finding::new(
            "flag-repeated",
            NoCredentials,
            format!(
                "`--{flag}` is there more than once: `{last}` is used, {} is not",
                lost.join(", ")
            ),
            format!("/proc/{}/cmdline", kubelet.pid),
            match flag {
                CONFIG_FLAG => format!(
                    "merge the files with `pullpass config merge {last} ENTRY`, and keep one flag"
                ),
                _ => format!("move the programs into `{last}`, and keep one flag"),
            },
        ));
    }
    findings
}

/// Neither flag is a field of KubeletConfiguration.
pub(super) fn flag_in_kubelet_configuration(node: &Node) -> Vec<Finding> {
    let Some((path, keys)) = &node.misplaced_keys else { return Vec::new() };
    vec![Finding::new(
        "flag-in-kubelet-configuration",
        KillsKubelet,
        format!("KubeletConfiguration has no field `{}`; it is a flag only", keys.join("`, `")),
        path.display().to_string(),
        format!(
            "take it out of `{}` and give the kubelet `--{CONFIG_FLAG}` and `--{BIN_DIR_FLAG}`",
            path.display()
        ),
    )]
}

/// systemd starts a unit as it last read it.
pub(super) fn daemon_reload_needed(node: &Node) -> Vec<Finding> {
    let is_newer =
        |file: &&UnitFile| file.changed.is_some_and(|changed| node.is_newer_than_kubelet(changed));
    let newer = node.unit.iter().filter(is_newer).map(|file| {
        Finding::new(
            "unit-newer-than-kubelet",
            Risk,
            format!("`{}` was changed after the kubelet's start", file.path.display()),
            format!("the time of {}", file.path.display()),
            format!("{RESTART} {}", node.unit_name()),
        )
    });
    newer.collect()
}

/// A drop-in for `kubelet.service`, although the kubelet belongs to another unit.
pub(super) fn other_unit(node: &Node) -> Vec<Finding> {
    let with_flags = node.foreign_drop_ins.iter().filter(|file| {
        let variables = file.environment.iter().map(|(_, value)| value);
        file.exec_start.iter().chain(variables).any(|text| has_any_flag(text))
    });
    with_flags
        .map(|file| {
            Finding::new(
                "other-unit",
                NoCredentials,
                format!(
                    "`{}` is for `kubelet.service`, and the kubelet is part of `{}`",
                    file.path.display(),
                    node.unit_name()
                ),
                format!("{} and the control group of the process", file.path.display()),
                format!("put the flags where `{}` has them, and restart it", node.unit_name()),
            )
        })
        .collect()
}

/// Every text that has the flags: its file, its variable and its value.
fn written(node: &Node) -> Vec<(&Path, Option<&str>, &str)> {
    let mut texts: Vec<(&Path, Option<&str>, &str)> = Vec::new();
    for file in &node.unit {
        let lines = file.exec_start.iter().map(|line| (file.path.as_path(), None, line.as_str()));
        texts.extend(lines);
        let variables = file.environment.iter();
        texts.extend(
            variables
                .map(|(name, value)| (file.path.as_path(), Some(name.as_str()), value.as_str())),
        );
    }
    for file in &node.env_files {
        texts.extend(
            file.assignments
                .iter()
                .map(|(name, value)| (file.path.as_path(), Some(name.as_str()), value.as_str())),
        );
    }
    texts.retain(|(_, _, value)| has_any_flag(value));
    texts
}

fn is_overridden(node: &Node, path: &Path, variable: Option<&str>) -> bool {
    let is_unit = node.unit.iter().any(|file| file.path == path);
    is_unit && variable.is_some_and(|variable| assigning(node, variable).next().is_some())
}

/// The files of variables that the unit reads and that assign this one.
fn assigning<'a>(node: &'a Node, variable: &'a str) -> impl Iterator<Item = &'a EnvFile> {
    let read = node.env_files.iter().filter(|file| node.is_read(&file.path));
    read.filter(move |file| file.assignments.iter().any(|(name, _)| name == variable))
}

fn has_any_flag(text: &str) -> bool {
    has_flag(text, CONFIG_FLAG) || has_flag(text, BIN_DIR_FLAG)
}

fn has_flag(text: &str, flag: &str) -> bool {
    text.contains(&format!("-{flag}"))
}

impl EnvFile {
    fn has_flags(&self, variable: &str) -> bool {
        self.assignments.iter().any(|(name, value)| name == variable && has_any_flag(value))
    }
}

impl Node {
    fn config_is_named(&self) -> bool {
        self.config.is_some()
    }

    fn command_line(&self) -> String {
        match &self.kubelet {
            Some(kubelet) if !kubelet.args.is_empty() => format!("/proc/{}/cmdline", kubelet.pid),
            _ => "the unit and its files of variables".to_owned(),
        }
    }
}
