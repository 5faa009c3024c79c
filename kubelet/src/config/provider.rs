//! What an accepted configuration says about one provider.

use std::fmt;

use pullpass_go_duration::GoDuration;
use secrecy::SecretString;

use crate::pattern::Pattern;
use crate::source::{Location, Spanned};

/// One entry of `providers`.
#[derive(Clone)]
#[non_exhaustive]
pub struct CredentialProvider {
    /// The file's name in the bin dir.
    pub name: Spanned<String>,
    /// The images for which it is asked.
    pub match_images: Vec<Spanned<Pattern>>,
    /// How long an answer without a duration is kept; not negative.
    pub default_cache_duration: Spanned<GoDuration>,
    /// The exec API version that is sent and expected.
    pub api_version: Spanned<ExecApiVersion>,
    /// Arguments after `argv[0]`.
    pub args: Vec<Spanned<SecretString>>,
    /// Added to the kubelet's own environment.
    pub env: Vec<EnvironmentVariable>,
    /// Whether and how it gets service account tokens.
    pub token_attributes: Option<TokenAttributes>,
    /// The whole entry.
    pub location: Location,
}

/// Leaves out the values of `args` and `env`, which may be secret.
impl fmt::Debug for CredentialProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialProvider")
            .field("name", &self.name.value)
            .field("location", &self.location)
            .finish_non_exhaustive()
    }
}

/// An entry of `env`.
#[derive(Clone)]
#[non_exhaustive]
pub struct EnvironmentVariable {
    /// Its name, which the kubelet does not check.
    pub name: Spanned<String>,
    /// Its value, used as it is.
    pub value: Spanned<SecretString>,
}

/// Leaves the value out, and the name too, which may hold a value after a `=`.
impl fmt::Debug for EnvironmentVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentVariable")
            .field("location", &self.name.location)
            .finish_non_exhaustive()
    }
}

/// `tokenAttributes` (KEP-4412; 1.33 and later).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenAttributes {
    /// The one audience of the token; not empty.
    pub audience: Spanned<String>,
    /// What a cached answer belongs to. `None` in 1.33, which keeps answers per service
    /// account.
    pub cache_type: Option<Spanned<ServiceAccountTokenCacheType>>,
    /// Whether pods without a service account are left out.
    pub require_service_account: Spanned<bool>,
    /// Annotations without which the provider is not asked.
    pub required_annotation_keys: Vec<Spanned<String>>,
    /// Annotations that are passed if they exist.
    pub optional_annotation_keys: Vec<Spanned<String>>,
    /// The whole mapping.
    pub location: Location,
}

impl TokenAttributes {
    /// Whether a cached answer belongs to one token.
    pub(crate) fn caches_by_token(&self) -> bool {
        let kind = self.cache_type.as_ref().map(|kind| kind.value);
        kind == Some(ServiceAccountTokenCacheType::Token)
    }
}

/// `cacheType` of `tokenAttributes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServiceAccountTokenCacheType {
    /// An answer is used for all pods of the service account.
    ServiceAccount,
    /// An answer is used only for the token that it was given for.
    Token,
}

impl ServiceAccountTokenCacheType {
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::ServiceAccount, Self::Token].into_iter().find(|kind| kind.as_str() == text)
    }

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::Token => "Token",
        }
    }
}

impl fmt::Display for ServiceAccountTokenCacheType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version of the API between kubelet and plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExecApiVersion {
    /// `v1`, the only one with service account tokens.
    V1,
    /// `v1alpha1`.
    V1Alpha1,
    /// `v1beta1`.
    V1Beta1,
}

impl ExecApiVersion {
    /// In the order of the kubelet's message.
    pub(super) const ALL: [Self; 3] = [Self::V1, Self::V1Alpha1, Self::V1Beta1];

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// Group and version, as `apiVersion` has them.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "credentialprovider.kubelet.k8s.io/v1",
            Self::V1Alpha1 => "credentialprovider.kubelet.k8s.io/v1alpha1",
            Self::V1Beta1 => "credentialprovider.kubelet.k8s.io/v1beta1",
        }
    }
}

impl fmt::Display for ExecApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
