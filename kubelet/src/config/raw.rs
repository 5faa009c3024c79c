//! Providers as a file describes them, before anything is checked.

use pullpass_go_duration::GoDuration;
use secrecy::SecretString;

use crate::config::EnvironmentVariable;
use crate::source::{Location, Spanned};

/// An entry of `providers`. A missing text is empty, at the place of what should hold
/// it.
pub(super) struct RawProvider {
    pub(super) name: Spanned<String>,
    pub(super) match_images: Vec<Spanned<String>>,
    pub(super) default_cache_duration: Option<Spanned<GoDuration>>,
    pub(super) api_version: Spanned<String>,
    pub(super) args: Vec<Spanned<SecretString>>,
    pub(super) env: Vec<EnvironmentVariable>,
    pub(super) token_attributes: Option<RawTokenAttributes>,
    pub(super) location: Location,
}

/// `tokenAttributes`.
pub(super) struct RawTokenAttributes {
    pub(super) audience: Spanned<String>,
    pub(super) cache_type: Option<Spanned<String>>,
    pub(super) require_service_account: Option<Spanned<bool>>,
    pub(super) required_annotation_keys: Vec<Spanned<String>>,
    pub(super) optional_annotation_keys: Vec<Spanned<String>>,
    pub(super) location: Location,
}
