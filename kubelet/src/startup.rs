//! The kubelet's start, as far as image credential providers go: the bin dir, then the
//! configuration, then the programs.
//!
//! Source: kubelet, `RegisterCredentialProviderPlugins`.

mod programs;

use std::path::Path;
use std::sync::Arc;

use crate::config::{Config, CredentialProvider};
use crate::finding::{Finding, FindingCode, StartupError};
use crate::source::Source;
use crate::version::{Target, UNRECOGNIZED};

pub(crate) use self::programs::nearby_program;

/// The result of a start.
#[derive(Debug)]
#[non_exhaustive]
pub struct Startup {
    /// The configuration, if it is acceptable by itself. It may be present although the
    /// kubelet would not start.
    pub config: Option<Config>,
    /// Why the kubelet would not start; `None` when it would.
    pub error: Option<StartupError>,
    /// What could be read of a configuration that is not acceptable.
    readable: Vec<CredentialProvider>,
}

impl Startup {
    /// The files that were read.
    pub fn sources(&self) -> &[Arc<Source>] {
        match (&self.config, &self.error) {
            (Some(config), _) => &config.sources,
            (None, Some(error)) => &error.sources,
            (None, None) => &[],
        }
    }

    /// The providers of the configuration, for advice. If it is not acceptable, what is missing
    /// or wrong in them is left out, or has a value about which there is no advice.
    pub fn providers(&self) -> &[CredentialProvider] {
        self.config.as_ref().map_or(&self.readable, |config| &config.providers)
    }

    /// The configuration, if the kubelet would start with it.
    ///
    /// # Errors
    /// Why it would not.
    pub fn into_config(self) -> Result<Config, StartupError> {
        match (self.error, self.config) {
            (None, Some(config)) => Ok(config),
            (Some(error), _) => Err(error),
            // Without a configuration there is an error, see `startup`.
            (None, None) => Err(programs::no_configuration()),
        }
    }
}

/// Starts a kubelet with the configuration at `config`, a file or from 1.34 a directory, and
/// with the programs in `bin_dir`. Without a bin dir programs are not looked for.
pub fn startup(config: &Path, bin_dir: Option<&Path>, target: &Target) -> Startup {
    // The kubelet sets its gates before all else.
    let gates = check_gates(target);
    let no_bin_dir = bin_dir.and_then(programs::check_directory);
    // Each program is looked up before its provider is registered.
    let programs_dir = bin_dir.filter(|_| no_bin_dir.is_none());
    let mut readable = Vec::new();
    let (mut config, mut error) = match Config::read(config, target) {
        Ok(config) => (Some(config), None),
        Err(refused) => {
            readable = refused.providers;
            (None, Some(refused.error))
        }
    };
    if programs_dir.is_none()
        && let Some(accepted) = config.take()
    {
        match accepted.register() {
            Ok(accepted) => config = Some(accepted),
            Err(refused) => error = Some(refused),
        }
    }
    if let (Some(config), Some(bin_dir)) = (&config, programs_dir) {
        error = programs::check(config, bin_dir);
    }
    for first in no_bin_dir.into_iter().chain(gates) {
        error = Some(before(first, error));
    }
    Startup { config, error, readable }
}

/// What the kubelet reports first, with what it would report later.
fn before(mut first: StartupError, later: Option<StartupError>) -> StartupError {
    if let Some(later) = later {
        first.further.extend(later.findings);
        first.further.extend(later.further);
        first.sources = later.sources;
    }
    first
}

/// The kubelet's errors about the feature gates of the command line.
fn check_gates(target: &Target) -> Option<StartupError> {
    let faults = target.gate_faults();
    let unknown = faults.iter().find(|fault| fault.starts_with(UNRECOGNIZED));
    let message = match (faults.as_slice(), unknown) {
        ([], _) => return None,
        ([one], _) => one.clone(),
        // Up to 1.30 it stops at the first error, later at the first gate that it
        // does not know.
        ([first, ..], _) if target.version.minor() <= 30 => first.clone(),
        (_, Some(unknown)) => unknown.clone(),
        (several, None) => format!("[{}]", several.join(", ")),
    };
    // The order of several is random.
    let verbatim = faults.len() == 1;
    let findings: Vec<Finding> =
        faults.into_iter().map(|fault| Finding::new(FindingCode::FeatureGate, fault)).collect();
    let error = StartupError::plain(FindingCode::FeatureGate, message);
    Some(StartupError { findings, verbatim, ..error })
}
