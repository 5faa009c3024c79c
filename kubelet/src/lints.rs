//! Our own advice about configurations that the kubelet accepts. It is never mixed
//! with what the kubelet says.

mod files;
mod overlap;
mod pattern;
mod provider;
mod rbac;
mod secrets;

use std::collections::HashSet;

use crate::config::Config;
use crate::source::Location;

pub use self::files::check_files;
pub use self::rbac::audience_manifest;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// A word for programs that never changes.
    pub code: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// What is so. Holds no secret.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Where it is so.
    pub location: Option<Location>,
    /// What to apply to the cluster, as YAML.
    pub manifest: Option<String>,
}

/// How much a lint weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; a configuration may be right with it.
    Advice,
    /// Hardly ever meant so.
    Warning,
}

impl Lint {
    fn warning(code: &'static str, location: &Location, message: String, hint: String) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message,
            hint,
            location: Some(location.clone()),
            manifest: None,
        }
    }

    fn advice(code: &'static str, location: &Location, message: String, hint: String) -> Self {
        Self { severity: Severity::Advice, ..Self::warning(code, location, message, hint) }
    }
}

/// All advice about what the configuration says. [`check_files`] looks at the files.
pub fn check(config: &Config) -> Vec<Lint> {
    let mut lints = Vec::new();
    for provider in &config.providers {
        provider::check(provider, &mut lints);
        let mut earlier = HashSet::new();
        for pattern in &provider.match_images {
            pattern::check(pattern, &mut lints);
            if !earlier.insert(pattern.as_str()) {
                lints.push(pattern::repeated(pattern));
            }
        }
        secrets::check(provider, &mut lints);
    }
    overlap::check(&config.providers, &mut lints);
    rbac::check(&config.providers, &mut lints);
    lints
}
