//! The kubelet's start, as far as image credential providers go: the bin dir, then the
//! configuration, then the programs.
//!
//! Source: kubelet, `RegisterCredentialProviderPlugins`.

mod programs;

use std::path::Path;

use crate::config::Config;
use crate::finding::StartupError;
use crate::version::Target;

/// What a start comes to.
#[derive(Debug)]
#[non_exhaustive]
pub struct Startup {
    /// The configuration, where it is acceptable by itself. It may be there although the
    /// kubelet would not start.
    pub config: Option<Config>,
    /// Why the kubelet would not start; `None` when it would.
    pub error: Option<StartupError>,
}

impl Startup {
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
    let no_bin_dir = bin_dir.and_then(programs::check_directory);
    // Every program is looked for before its provider is registered.
    let programs_dir = bin_dir.filter(|_| no_bin_dir.is_none());
    let read = match programs_dir {
        Some(_) => Config::read(config, target),
        None => Config::load(config, target),
    };
    let (config, mut error) = match read {
        Ok(config) => (Some(config), None),
        Err(error) => (None, Some(error)),
    };
    if let (Some(config), Some(bin_dir)) = (&config, programs_dir) {
        error = programs::check(config, bin_dir);
    }
    if let Some(mut first) = no_bin_dir {
        if let Some(later) = error {
            first.further = later.findings;
            first.further.extend(later.further);
        }
        error = Some(first);
    }
    Startup { config, error }
}
