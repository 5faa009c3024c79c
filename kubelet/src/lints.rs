//! Our own advice: about configurations, and about the kubelet's errors. It is
//! never mixed with what the kubelet says.

mod files;
mod hints;
mod overlap;
mod pattern;
mod program;
mod provider;
mod rbac;
mod secrets;

use std::collections::HashSet;
use std::fmt;

use crate::config::CredentialProvider;
use crate::source::{Location, hide};

pub use self::files::{check_files, check_files_below};
pub use self::hints::{hint, pattern_hint};
pub use self::rbac::audience_manifest;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// An identifier for programs that never changes.
    pub code: &'static str,
    /// How serious it is.
    pub severity: Severity,
    /// What was found. Holds no secret.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// The place.
    pub location: Option<Location>,
    /// What to apply to the cluster, as YAML.
    pub manifest: Option<String>,
}

/// How serious a lint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; a configuration may be right with it.
    Advice,
    /// Almost certainly a mistake.
    Warning,
}

impl Severity {
    /// The word in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advice => "advice",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One line: place, severity, message and code.
impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}: {} [{}]", self.severity, self.message, self.code)
    }
}

impl Lint {
    /// A warning about what is at `location`.
    pub fn warning(code: &'static str, location: &Location, message: String, hint: String) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            message: hide(&message).into_owned(),
            hint: hide(&hint).into_owned(),
            location: Some(location.clone()),
            manifest: None,
        }
    }

    /// Advice about what is at `location`.
    pub fn advice(code: &'static str, location: &Location, message: String, hint: String) -> Self {
        Self { severity: Severity::Advice, ..Self::warning(code, location, message, hint) }
    }
}

/// All advice about what a configuration says, whether it is acceptable or not. [`check_files`]
/// checks the files.
pub fn check(providers: &[CredentialProvider]) -> Vec<Lint> {
    let mut lints = Vec::new();
    for provider in providers {
        provider::check(provider, &mut lints);
        let has_wider =
            provider.match_images.iter().any(|pattern| pattern.as_str().starts_with("*.*"));
        let mut earlier = HashSet::new();
        for pattern in &provider.match_images {
            pattern::check(pattern, has_wider, &mut lints);
            if !earlier.insert(pattern.as_str()) {
                lints.push(pattern::repeated(pattern));
            }
        }
        secrets::check(provider, &mut lints);
    }
    overlap::check(providers, &mut lints);
    rbac::check(providers, &mut lints);
    lints
}
