//! The verdict and the lints for programs.

use pullpass_kubelet::lints::Lint;
use pullpass_kubelet::{Finding, Location, Startup, StartupError, Target};
use serde_json::{Map, Value, json};

use crate::check::advice;

/// One object.
pub(super) fn render(startup: &Startup, lints: &[Lint], target: &Target) -> Value {
    let refused = startup.error.as_ref();
    let findings = |findings: &[Finding]| -> Vec<Value> {
        findings.iter().map(|one| finding(one, target)).collect()
    };
    json!({
        "verdict": if refused.is_some() { "refused" } else { "accepted" },
        "kubelet_version": target.version.to_string(),
        "message": refused.map(|refused| refused.message.as_str()),
        "log": refused.map(StartupError::log_line),
        "verbatim": refused.map(|refused| refused.verbatim),
        "errors": refused.map_or_else(Vec::new, |refused| findings(&refused.findings)),
        "further": refused.map_or_else(Vec::new, |refused| findings(&refused.further)),
        "warnings": lints.iter().map(lint).collect::<Vec<Value>>(),
        "hash": startup.config.as_ref().map(|config| config.hash.as_str()),
    })
}

fn finding(finding: &Finding, target: &Target) -> Value {
    let mut object = place(finding.location.as_ref());
    object.insert("code".to_owned(), finding.code.as_str().into());
    object.insert("message".to_owned(), finding.message.as_str().into());
    object.insert("hint".to_owned(), advice::hint(finding, target).into());
    Value::Object(object)
}

fn lint(lint: &Lint) -> Value {
    let mut object = place(lint.location.as_ref());
    for (name, value) in [
        ("code", lint.code.into()),
        ("severity", lint.severity.as_str().into()),
        ("message", lint.message.as_str().into()),
        ("hint", lint.hint.as_str().into()),
        ("manifest", lint.manifest.as_deref().into()),
    ] {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

fn place(location: Option<&Location>) -> Map<String, Value> {
    let file = location.map(|at| at.source().path().display().to_string());
    [
        ("file".to_owned(), file.into()),
        ("line".to_owned(), location.map(Location::line).into()),
        ("column".to_owned(), location.map(Location::column).into()),
    ]
    .into_iter()
    .collect()
}
