//! CredentialProviderConfig: reads, merges and checks it as the kubelet does at
//! its start.
//!
//! Source: Kubernetes API reference, "Kubelet Configuration (v1)",
//! `CredentialProviderConfig`; kubelet flag `--image-credential-provider-config`.

mod decode;
mod files;
mod go_types;
mod provider;
mod raw;
mod validate;
mod visible;

use std::path::Path;
use std::sync::Arc;

use crate::finding::{Finding, StartupError};
use crate::source::Source;
use crate::version::Target;

use self::validate::Validated;

pub(crate) use self::decode::{GROUP, KIND, is_json, read_tree, scheme};
pub(crate) use self::files::is_configuration_name;
pub use self::provider::{
    CredentialProvider, EnvironmentVariable, ExecApiVersion, ServiceAccountTokenCacheType,
    TokenAttributes,
};
pub(crate) use self::validate::registered_twice;

/// A configuration that the kubelet would accept.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The providers of all files, in the order of the files.
    pub providers: Vec<CredentialProvider>,
    /// The files that were read, in this order.
    pub sources: Vec<Arc<Source>>,
    /// The kubelet that it was checked for.
    pub target: Target,
    /// The value of the metric `kubelet_credential_provider_config_info`, label `hash`
    /// (1.34 and later): `sha256:` and hexadecimal digits.
    pub hash: String,
}

impl Config {
    /// Reads a file, or from 1.34 a directory of files, and checks it.
    ///
    /// # Errors
    /// When this kubelet would refuse to start, with its message.
    pub fn load(path: impl AsRef<Path>, target: &Target) -> Result<Self, StartupError> {
        Self::read(path.as_ref(), target).map_err(|refused| refused.error)?.register()
    }

    /// Like [`Config::load`], up to the registration of the providers; a refused configuration
    /// comes with what could be read.
    pub(crate) fn read(path: &Path, target: &Target) -> Result<Self, Box<RefusedConfig>> {
        let files = files::files(path, target)?;
        Self::from_files(files, target)
    }

    /// Checks a text as if it were the only file and named `name`.
    ///
    /// # Errors
    /// When this kubelet would refuse to start, with its words.
    pub fn parse(name: &str, text: &[u8], target: &Target) -> Result<Self, StartupError> {
        let file = files::File { path: name.into(), bytes: text.to_vec() };
        let file = std::iter::once(Ok(file));
        Self::from_files(file, target).map_err(|refused| refused.error)?.register()
    }

    /// Up to 1.32 nothing looks for a repeated name before the second registration.
    pub(crate) fn register(self) -> Result<Self, StartupError> {
        let names = self.providers.iter().map(|provider| &provider.name);
        match validate::find_repeated_name(names) {
            Some(repeated) if self.target.version.minor() <= 32 => Err(StartupError {
                sources: self.sources,
                ..StartupError::of_one(registered_twice(&repeated))
            }),
            _ => Ok(self),
        }
    }

    fn from_files(
        files: impl Iterator<Item = Result<files::File, StartupError>>,
        target: &Target,
    ) -> Result<Self, Box<RefusedConfig>> {
        let mut hash = files::Hash::default();
        let mut raw = Vec::new();
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for file in files {
            let file = file.map_err(|error| StartupError { sources: sources.clone(), ..error })?;
            hash.add(&file);
            let decoded = decode::decode(&file, target);
            sources.push(decoded.source);
            match decoded.providers {
                Ok(providers) => raw.extend(providers),
                Err(refused) => {
                    // Without providers there is nothing more to check.
                    let has_providers = !refused.providers.is_empty();
                    raw.extend(refused.providers);
                    let validated = validate::validate(raw, target);
                    let further = if has_providers { validated.findings } else { Vec::new() };
                    let error = StartupError { further, sources, ..refused.error };
                    let error = error.without_secrets();
                    return Err(Box::new(RefusedConfig { error, providers: validated.providers }));
                }
            }
        }
        let is_verbatim = validate::is_verbatim(&raw, target);
        let repeated = validate::find_repeated_name(raw.iter().map(|provider| &provider.name));
        let Validated { findings, providers } = validate::validate(raw, target);
        let error = match (repeated, target.version.minor()) {
            // It is found while the files are merged.
            (Some(repeated), 34..) => {
                let error = StartupError::of_one(validate::repeated_while_merging(&repeated));
                StartupError { further: findings, sources, ..error }
            }
            _ if findings.is_empty() => {
                let hash = hash.finish();
                return Ok(Self { providers, sources, target: target.clone(), hash });
            }
            _ => refuse(findings, is_verbatim, sources),
        };
        Err(Box::new(RefusedConfig { error: error.without_secrets(), providers }))
    }
}

/// A configuration that the kubelet would not accept.
#[derive(Debug)]
pub(crate) struct RefusedConfig {
    /// Why it was refused.
    pub(crate) error: StartupError,
    /// What could be read nevertheless. What is missing or wrong is left out, or has a value
    /// about which there is no advice.
    pub(crate) providers: Vec<CredentialProvider>,
}

impl From<StartupError> for Box<RefusedConfig> {
    fn from(error: StartupError) -> Self {
        Self::new(RefusedConfig { error, providers: Vec::new() })
    }
}

fn refuse(findings: Vec<Finding>, verbatim: bool, sources: Vec<Arc<Source>>) -> StartupError {
    StartupError {
        message: format!(
            "failed to validate credential provider config: {}",
            validate::aggregate(&findings)
        ),
        findings,
        further: Vec::new(),
        verbatim,
        sources,
    }
}
