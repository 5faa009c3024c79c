//! What the kubelet says at its start: of the bin dir, then of the configuration, then
//! of the programs.

use std::path::{Path, PathBuf};

use pullpass_kubelet::startup::programs::{self, ProgramProblem};
use pullpass_kubelet::{Config, Finding, Target};

/// The kubelet's verdict.
pub(crate) struct Verdict {
    /// The configuration, where it is acceptable for itself.
    pub(crate) config: Option<Config>,
    /// Why the kubelet would not start.
    pub(crate) refusal: Option<Refusal>,
    /// Programs that cannot be run: provider, path, fault.
    pub(crate) programs: Vec<(String, PathBuf, ProgramProblem, String)>,
}

/// Why the kubelet would not start.
pub(crate) struct Refusal {
    /// Its whole message.
    pub(crate) message: String,
    /// Whether that is to the letter.
    pub(crate) verbatim: bool,
    /// The faults in the message.
    pub(crate) errors: Vec<Finding>,
    /// Faults that it would come to later.
    pub(crate) further: Vec<Finding>,
}

/// Judges what is at `path`, and the programs where `bin_dir` is given.
pub(crate) fn judge(path: &Path, bin_dir: Option<&Path>, target: &Target) -> Verdict {
    let no_dir = bin_dir.and_then(programs::check_directory);
    let (config, mut refusal) = match Config::load(path, target) {
        Ok(config) => (Some(config), None),
        Err(error) => (
            None,
            Some(Refusal {
                message: error.message,
                verbatim: error.verbatim,
                errors: error.findings,
                further: error.further,
            }),
        ),
    };
    let mut programs = Vec::new();
    if let (None, Some(config), Some(bin_dir)) = (&no_dir, &config, bin_dir) {
        let found = programs::check(config, bin_dir);
        let mut findings: Vec<Finding> = found.findings().collect();
        for binary in found.binaries {
            if let Some(fault) = binary.fault {
                programs.push((binary.provider, binary.path, fault.problem, fault.message));
            }
        }
        if let Some(message) = found.verdict {
            // The kubelet stops at the first.
            let further = findings.split_off(1.min(findings.len()));
            refusal = Some(Refusal { message, verbatim: true, errors: findings, further });
        }
    }
    if let Some(message) = no_dir {
        let mut further = Vec::new();
        if let Some(later) = refusal {
            further = later.errors;
            further.extend(later.further);
        }
        let errors = vec![Finding { message: message.clone(), location: None }];
        refusal = Some(Refusal { message, verbatim: true, errors, further });
    }
    Verdict { config, refusal, programs }
}
