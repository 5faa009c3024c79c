//! The kubelet's half of image credential providers: how it reads a
//! configuration, which providers it asks about an image, how it runs them, how it
//! uses their answers, what it caches, and which credentials it tries in which order.
//!
//! Everything here gives the real kubelet's result, and its exact message if the kubelet
//! has one, for each version from 1.30 to 1.37. Our own advice is only in [`lints`].
//!
//! ```
//! use pullpass_kubelet::{Config, Target};
//!
//! let text = br#"{"kind": "CredentialProviderConfig", "apiVersion": "kubelet.config.k8s.io/v1",
//!     "providers": [{"name": "echo", "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
//!     "matchImages": ["%"], "defaultCacheDuration": "1h"}]}"#;
//! let error = Config::parse("providers.json", text, &Target::default()).expect_err("a bad pattern");
//! assert_eq!(
//!     error.to_string(),
//!     "failed to validate credential provider config: providers.matchImages: \
//!      Invalid value: \"%\": match image is invalid: parse \"https://%\": invalid URL escape \"%\""
//! );
//! assert_eq!(error.findings[0].location.as_ref().map(|at| at.line()), Some(3));
//! ```

pub mod cache;
mod config;
mod distance;
mod document;
pub mod edit;
mod encoding;
pub mod exec;
mod finding;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod go;
pub mod image_name;
mod json;
pub mod keyring;
mod kubelet;
mod layout;
pub mod lints;
mod open;
pub mod pattern;
pub mod pull_records;
mod schema;
pub mod service_account;
mod source;
mod startup;
mod version;
mod yaml;

pub use self::config::{
    Config, CredentialProvider, EnvironmentVariable, ExecApiVersion, ServiceAccountTokenCacheType,
    TokenAttributes,
};
pub use self::finding::{Finding, FindingCode, StartupError};
pub use self::kubelet::{
    CacheDecision, Kubelet, KubeletOptions, LogLevel, LogLine, Lookup, Outcome, ProviderReport,
};
pub use self::source::{Excerpt, Location, Source, Spanned};
pub use self::startup::{Startup, startup};
pub use self::version::{
    ENSURE_SECRET_PULLED_IMAGES, FeatureGates, KubeletVersion, SERVICE_ACCOUNT_TOKENS, Target,
    TargetError,
};
