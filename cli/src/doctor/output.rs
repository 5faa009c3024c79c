//! The findings for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::doctor::finding::Finding;
use crate::doctor::node::{CONFIG_FLAG, Node};
use crate::text::{count, sanitize};

/// What was checked, what is wrong, and what could not be read.
pub(super) fn text(node: &Node, findings: &[Finding]) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "kubelet: {}", describe_kubelet(node));
    match &node.config {
        Some(config) => {
            let _ = writeln!(
                text,
                "config: {} ({})",
                config.path.display(),
                count(config.providers.len(), "provider")
            );
        }
        None => {
            let _ = writeln!(
                text,
                "config: none: no `--{CONFIG_FLAG}` was found, without which a kubelet runs no \
                 credential provider"
            );
        }
    }
    if let Some(bin_dir) = &node.bin_dir {
        let _ = writeln!(text, "programs: {}", bin_dir.path.display());
    }
    for finding in findings {
        let _ =
            writeln!(text, "\n{} {} [{}]", finding.severity.label(), finding.message, finding.id);
        let _ = writeln!(text, "  read: {}", finding.read);
        let _ = writeln!(text, "  fix: {}", finding.fix);
    }
    text.push('\n');
    for (what, why) in &node.unseen {
        let _ = writeln!(text, "note: not seen: {what}: {why}");
    }
    match findings.len() {
        0 => text.push_str("ok: nothing is wrong in what was seen\n"),
        number => {
            let _ = writeln!(text, "{}", count(number, "finding"));
        }
    }
    sanitize(&text)
}

fn describe_kubelet(node: &Node) -> String {
    let version = node.minor.map_or_else(
        || format!("{} assumed", node.target.version),
        |minor| format!("version 1.{minor}"),
    );
    match &node.kubelet {
        Some(kubelet) => {
            let unit = kubelet.unit.as_deref().unwrap_or("no unit");
            format!("process {} `{}`, {unit}, {version}", kubelet.pid, kubelet.name)
        }
        None => format!("not running, {version}"),
    }
}

/// One object.
pub(super) fn json(node: &Node, findings: &[Finding]) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "id": finding.id,
            "severity": finding.severity.as_str(),
            "message": finding.message,
            "read": finding.read,
            "fix": finding.fix,
        })
    };
    let unseen = node.unseen.iter().map(|(what, why)| json!({"what": what, "why": why}));
    let kubelet = node
        .kubelet
        .as_ref()
        .map(|kubelet| json!({"pid": kubelet.pid, "name": kubelet.name, "unit": kubelet.unit}));
    json!({
        "kubelet": kubelet,
        "kubelet_version": node.minor.map(|minor| format!("1.{minor}")),
        "judged_as": node.target.version.to_string(),
        "config": node.config.as_ref().map(|config| config.path.display().to_string()),
        "bin_dir": node.bin_dir.as_ref().map(|dir| dir.path.display().to_string()),
        "findings": findings.iter().map(finding).collect::<Vec<Value>>(),
        "unseen": unseen.collect::<Vec<Value>>(),
    })
}
