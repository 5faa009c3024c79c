//! The records for people.

use std::fmt::Write as _;

use pullpass_kubelet::ENSURE_SECRET_PULLED_IMAGES;
use pullpass_kubelet::image_name::lookup_name;
use pullpass_kubelet::pull_records::{ImagePullCredentials, PullReason};

use crate::records::{Findings, Row, has_pod};
use crate::text::sanitize;

/// Each image with who may use it, then what the kubelet ignores.
pub(super) fn render(findings: &Findings<'_>) -> String {
    let mut text = String::new();
    let target = findings.args.target.target();
    if !target.verifies_pulled_images() {
        let _ = writeln!(
            text,
            "note: kubelet {} has the feature gate `{ENSURE_SECRET_PULLED_IMAGES}` off by default: \
             it reads no records, and every pod may use every image of the node",
            target.version
        );
    }
    for (number, row) in findings.rows.iter().enumerate() {
        if number > 0 {
            text.push('\n');
        }
        write_row(&mut text, row);
    }
    if findings.rows.is_empty() {
        write_nothing(&mut text, findings);
    }
    write_intents(&mut text, findings);
    write_problems(&mut text, findings);
    sanitize(&text)
}

fn write_row(text: &mut String, row: &Row<'_>) {
    let record = row.record;
    let _ = writeln!(text, "image: {}", row.name);
    let _ =
        writeln!(text, "  on the node: {} (recorded {})", record.image_ref, record.last_updated);
    write_users(text, row.credentials);
    match &row.decision {
        Some(decision) if decision.must_pull => {
            let _ = writeln!(text, "  must pull: {}", decision.reason);
            let _ = writeln!(text, "  hint: {}", hint(&decision.reason));
        }
        Some(decision) => {
            let _ = writeln!(text, "  ok: no pull, since {}", decision.reason);
        }
        None => {}
    }
}

fn write_users(text: &mut String, credentials: &ImagePullCredentials) {
    if credentials.node_pods_accessible {
        text.push_str(
            "  no pull: every pod of this node (it was pulled without credentials, or with the \
             node's own)\n",
        );
        return;
    }
    for account in &credentials.service_accounts {
        let _ = writeln!(
            text,
            "  no pull: pods of service account `{}/{}` (uid {}), by a credential provider",
            account.namespace, account.name, account.uid
        );
    }
    for secret in &credentials.secrets {
        // Its hash has no salt: with it, a weak password could be guessed.
        let _ = writeln!(
            text,
            "  no pull: pods with secret `{}/{}` (uid {}), or with the same login in another \
             secret",
            secret.namespace, secret.name, secret.uid
        );
    }
    let all_other = match credentials.secrets.len() + credentials.service_accounts.len() {
        0 => "every pod",
        _ => "every other pod",
    };
    let _ = writeln!(text, "  pull again: {all_other}, with its own credentials");
}

fn hint(reason: &PullReason) -> &'static str {
    match reason {
        PullReason::OtherCredentials => {
            "the pull is a check of the pod's own credentials; layers that are on the node are not \
             fetched again. A service account or secret that was deleted and made again has another UID"
        }
        PullReason::Unreadable(_) => "the next pull writes a new record",
        PullReason::OtherNames(_) => "name the image as it was pulled, or let the pod pull once",
        _ => "after one pull with the pod's credentials they are in the record",
    }
}

fn write_nothing(text: &mut String, findings: &Findings<'_>) {
    let has_records = !findings.records.pulled.is_empty();
    if findings.args.image.is_none() || !has_records {
        text.push_str(
            "none: this node has no records of pulls\n\
             hint: `--kubelet-dir` names the kubelet's directory, if it is not /var/lib/kubelet\n",
        );
    }
    let Some(image) = &findings.args.image else { return };
    if has_records {
        let _ = writeln!(text, "none: no record has the image {image}");
    }
    let mut others = other_names(findings, image);
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        let _ = writeln!(
            text,
            "hint: it is recorded as {}; the kubelet compares the name as the pod writes it, so \
             a pod that writes it otherwise pulls again",
            others.join(", ")
        );
    } else if has_pod(findings.args) {
        text.push_str(
            "hint: if the image is on the node, the kubelet did not pull it under this name; \
             `--policy` then decides\n",
        );
    } else {
        let _ = writeln!(
            text,
            "hint: an image that is on the node without a record was there before the kubelet; \
             with the policy `{}` {}",
            findings.args.policy,
            match findings.args.policy.as_str() {
                "NeverVerify" | "NeverVerifyPreloadedImages" => "every pod may use it",
                "AlwaysVerify" => "every pod must pull it",
                _ => "every pod may use it if the allowlist has it, and else must pull it",
            }
        );
    }
}

/// Names of the same repository that are written otherwise.
fn other_names<'a>(findings: &'a Findings<'_>, image: &str) -> Vec<&'a str> {
    let Ok(wanted) = lookup_name(image) else { return Vec::new() };
    let records = findings.records.pulled.iter().filter_map(|file| file.record.as_ref().ok());
    let names = records.flat_map(|record| record.credentials.keys());
    names.filter(|name| lookup_name(name).as_ref() == Ok(&wanted)).map(String::as_str).collect()
}

fn write_intents(text: &mut String, findings: &Findings<'_>) {
    let intents = findings.records.intents.iter().filter_map(|file| file.record.as_ref().ok());
    for intent in intents.filter(|it| findings.is_about(&it.image)) {
        let _ = writeln!(
            text,
            "note: a pull of {} began and its end is not recorded: it runs now, or the kubelet \
             ended during it; then every pod pulls it once more",
            intent.image
        );
    }
}

/// Files that the kubelet cannot use, which may be records of the image.
fn write_problems(text: &mut String, findings: &Findings<'_>) {
    for (path, message) in findings.unreadable() {
        let _ = writeln!(
            text,
            "warning: the kubelet cannot read {}: {message}\n\
             hint: until a pull writes a new one, every pod pulls the image of this record",
            path.display()
        );
    }
    for path in findings.misnamed() {
        let _ = writeln!(
            text,
            "warning: the kubelet never finds {}: its name is not the SHA-256 of what it is about",
            path.display()
        );
    }
}
