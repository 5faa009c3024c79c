//! CredentialProviderConfig: reading, merging and judging it as the kubelet does at
//! its start.
//!
//! Source: Kubernetes API reference, "Kubelet Configuration (v1)",
//! `CredentialProviderConfig`; kubelet flag `--image-credential-provider-config`.

mod decode;
mod files;
mod go_types;
mod validate;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use pullpass_go_duration::GoDuration;

use crate::source::{Location, Source, Spanned};
use crate::version::Target;

pub(crate) use self::decode::scheme;

/// A configuration that the kubelet would accept.
#[derive(Clone, Debug)]
pub struct Config {
    /// The providers of all files, in the order of the files.
    pub providers: Vec<CredentialProvider>,
    /// The files that were read, in this order.
    pub sources: Vec<Arc<Source>>,
    /// The kubelet that it was judged for.
    pub target: Target,
    /// The value of the metric `kubelet_credential_provider_config_info`, label `hash`
    /// (1.34 and later): `sha256:` and hexadecimal digits.
    pub hash: String,
}

/// One entry of `providers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialProvider {
    /// The file's name in the bin dir.
    pub name: Spanned<String>,
    /// For which images it is asked; [`Pattern`](crate::pattern::Pattern) reads each.
    pub match_images: Vec<Spanned<String>>,
    /// How long an answer without a duration is kept. The kubelet wants it written.
    pub default_cache_duration: Option<Spanned<GoDuration>>,
    /// The exec API version that is sent and expected.
    pub api_version: Spanned<String>,
    /// Arguments after `argv[0]`.
    pub args: Vec<Spanned<String>>,
    /// Added to the kubelet's own environment.
    pub env: Vec<EnvironmentVariable>,
    /// Whether and how it gets service account tokens.
    pub token_attributes: Option<TokenAttributes>,
    /// The whole entry.
    pub location: Location,
}

/// An entry of `env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentVariable {
    /// Its name, which the kubelet does not check.
    pub name: Spanned<String>,
    /// Its value, taken as it is.
    pub value: Spanned<String>,
}

/// `tokenAttributes` (KEP-4412; 1.33 and later).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAttributes {
    /// The one audience of the token.
    pub audience: Spanned<String>,
    /// What a cached answer belongs to; from 1.34.
    pub cache_type: Option<Spanned<String>>,
    /// Whether pods without a service account are left out. The kubelet wants it written.
    pub require_service_account: Option<Spanned<bool>>,
    /// Annotations without which the provider is not asked.
    pub required_annotation_keys: Vec<Spanned<String>>,
    /// Annotations that are passed where they exist.
    pub optional_annotation_keys: Vec<Spanned<String>>,
    /// The whole mapping.
    pub location: Location,
}

impl Config {
    /// Reads a file, or from 1.34 a directory of files, and judges it.
    ///
    /// # Errors
    /// When this kubelet would refuse to start, with its words.
    pub fn load(path: impl AsRef<Path>, target: &Target) -> Result<Self, ConfigError> {
        let files = files::files(path.as_ref(), target)?;
        Self::from_files(files, target)
    }

    /// Judges a text as if it stood alone in a file named `name`.
    ///
    /// # Errors
    /// When this kubelet would refuse to start, with its words.
    pub fn parse(name: &str, text: &[u8], target: &Target) -> Result<Self, ConfigError> {
        let file = files::File { path: name.into(), bytes: text.to_vec() };
        Self::from_files(std::iter::once(Ok(file)), target)
    }

    fn from_files(
        files: impl Iterator<Item = Result<files::File, ConfigError>>,
        target: &Target,
    ) -> Result<Self, ConfigError> {
        let mut hash = files::Hash::default();
        let mut providers = Vec::new();
        let mut sources: Vec<Arc<Source>> = Vec::new();
        for file in files {
            let file = file.map_err(|error| ConfigError { sources: sources.clone(), ..error })?;
            hash.add(&file);
            let source = Source::new(&file.path, &file.bytes);
            sources.push(Arc::clone(&source));
            match decode::providers(&file.bytes, &source, target) {
                Ok(decoded) => providers.extend(decoded),
                Err(mut refusal) => {
                    // With nothing decoded nobody knows what would be said of it.
                    let known = !refusal.providers.is_empty();
                    providers.append(&mut refusal.providers);
                    let further =
                        if known { validate::check(&providers, target) } else { Vec::new() };
                    return Err(refusal.into_error(&file.path, target, further, sources));
                }
            }
        }
        let findings = validate::check(&providers, target);
        if let Some(mut error) = validate::repeated_name(&providers, target) {
            error.further = findings;
            error.sources = sources;
            return Err(error);
        }
        if findings.is_empty() {
            if let Some(mut error) = validate::registered_twice(&providers, target) {
                error.sources = sources;
                return Err(error);
            }
            return Ok(Self { providers, sources, target: target.clone(), hash: hash.finish() });
        }
        let verbatim = validate::is_verbatim(&providers, target);
        Err(ConfigError {
            message: format!(
                "failed to validate credential provider config: {}",
                validate::aggregate(&findings)
            ),
            findings,
            further: Vec::new(),
            verbatim,
            sources,
        })
    }
}

/// One fault with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kubelet's words for it.
    pub message: String,
    /// Where it stands, when it stands in a file.
    pub location: Option<Location>,
}

/// Why the kubelet would refuse to start.
#[derive(Clone, Debug)]
pub struct ConfigError {
    /// The kubelet's whole message, without the `Failed to register CRI auth plugins`
    /// before it.
    pub message: String,
    /// The faults in the message, one by one.
    pub findings: Vec<Finding>,
    /// Faults that the kubelet would name only once those are mended.
    pub further: Vec<Finding>,
    /// Whether `message` is the kubelet's to the letter. It is not for errors in the
    /// syntax of YAML, and where the kubelet prints a list in random order.
    pub verbatim: bool,
    /// The files that were read.
    pub sources: Vec<Arc<Source>>,
}

impl ConfigError {
    /// A refusal with nothing to point at.
    pub(crate) fn plain(message: String) -> Self {
        let finding = Finding { message: message.clone(), location: None };
        Self {
            message,
            findings: vec![finding],
            further: Vec::new(),
            verbatim: true,
            sources: Vec::new(),
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
