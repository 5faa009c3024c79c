//! The records for programs.

use serde_json::{Value, json};

use crate::records::{Findings, Row};

/// One object.
pub(super) fn render(findings: &Findings<'_>) -> Value {
    let target = findings.args.target.target();
    let intents = findings.records.intents.iter().filter_map(|file| {
        let intent = file.record.as_ref().ok().filter(|intent| findings.is_about(&intent.image))?;
        Some(json!({"image": intent.image, "file": file.path.display().to_string()}))
    });
    let unreadable = findings
        .unreadable()
        .map(|(path, message)| json!({"file": path.display().to_string(), "message": message}));
    let misnamed = findings.misnamed().map(|path| path.display().to_string());
    json!({
        "image": findings.args.image,
        "kubelet_version": target.version.to_string(),
        "enabled": target.verifies_pulled_images(),
        "policy": findings.args.policy,
        "records": findings.rows.iter().map(row).collect::<Vec<Value>>(),
        "intents": intents.collect::<Vec<Value>>(),
        "unreadable": unreadable.collect::<Vec<Value>>(),
        "misnamed": misnamed.collect::<Vec<String>>(),
    })
}

fn row(row: &Row<'_>) -> Value {
    let credentials = row.credentials;
    let secrets = credentials.secrets.iter().map(
        |secret| json!({"namespace": secret.namespace, "name": secret.name, "uid": secret.uid}),
    );
    let accounts = credentials.service_accounts.iter().map(
        |account| json!({"namespace": account.namespace, "name": account.name, "uid": account.uid}),
    );
    json!({
        "image": row.name,
        "image_ref": row.record.image_ref,
        "last_updated": row.record.last_updated,
        "version": row.record.version,
        "file": row.path.display().to_string(),
        "node_pods_accessible": credentials.node_pods_accessible,
        "secrets": secrets.collect::<Vec<Value>>(),
        "service_accounts": accounts.collect::<Vec<Value>>(),
        "must_pull": row.decision.as_ref().map(|decision| decision.must_pull),
        "reason": row.decision.as_ref().map(|decision| decision.reason.as_str()),
        "message": row.decision.as_ref().map(|decision| decision.reason.to_string()),
    })
}
