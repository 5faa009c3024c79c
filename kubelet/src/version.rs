//! Which kubelet is meant: its version and its feature gates.

mod feature_gates;
mod gate_needs;

use std::fmt;
use std::str::FromStr;

pub use self::feature_gates::FeatureGates;
pub(crate) use self::feature_gates::{UNRECOGNIZED, gate_versions, known_gates};

/// The gate for service account tokens (KEP-4412): alpha and off in
/// 1.33, beta and on from 1.34.
pub const SERVICE_ACCOUNT_TOKENS: &str = "KubeletServiceAccountTokenForCredentialProviders";

/// The gate for the records of pulls (KEP-2535).
pub const ENSURE_SECRET_PULLED_IMAGES: &str = "KubeletEnsureSecretPulledImages";

/// A Kubernetes minor version, 1.30 to 1.37: those whose own code the tests compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubeletVersion {
    minor: u8,
}

impl KubeletVersion {
    /// The oldest version known here.
    pub const OLDEST: Self = Self { minor: 30 };
    /// The newest version known here.
    pub const NEWEST: Self = Self { minor: 37 };

    /// Version 1.`minor`, or `None` when it is not known here.
    pub const fn new(minor: u8) -> Option<Self> {
        if minor < Self::OLDEST.minor || minor > Self::NEWEST.minor {
            return None;
        }
        Some(Self { minor })
    }

    /// The number after `1.`.
    pub const fn minor(self) -> u8 {
        self.minor
    }

    /// All known versions, oldest first.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::OLDEST.minor..=Self::NEWEST.minor).map(|minor| Self { minor })
    }

    /// Whether this is 1.`minor` or later.
    pub(crate) const fn from(self, minor: u8) -> bool {
        self.minor >= minor
    }
}

impl Default for KubeletVersion {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl fmt::Display for KubeletVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

impl FromStr for KubeletVersion {
    type Err = TargetError;

    /// Reads `1.34`, `v1.34` or `v1.34.2`; what follows the minor is ignored.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let error = || TargetError::Version(text.to_owned());
        let mut parts = text.strip_prefix('v').unwrap_or(text).split(['.', '-', '+']);
        if parts.next() != Some("1") {
            return Err(error());
        }
        let minor = parts.next().and_then(|minor| minor.parse().ok()).ok_or_else(error)?;
        Self::new(minor).ok_or_else(error)
    }
}

/// The kubelet that a configuration is checked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its version.
    pub version: KubeletVersion,
    /// Its feature gates.
    pub gates: FeatureGates,
}

impl Target {
    /// A kubelet of `version` with its default gates.
    pub fn new(version: KubeletVersion) -> Self {
        Self { version, gates: FeatureGates::default() }
    }

    /// The kubelet's errors about its gates: first about each gate, and if all of them are valid,
    /// about those that need another one.
    pub(crate) fn gate_faults(&self) -> Vec<String> {
        let faults = self.gates.faults(self.version);
        match faults.is_empty() {
            true => gate_needs::find_faults(&self.gates, self.version),
            false => faults,
        }
    }

    /// Whether providers may get service account tokens.
    pub fn has_service_account_tokens(&self) -> bool {
        if !self.version.from(33) {
            return false;
        }
        // The gate itself takes precedence over its stage: alpha in 1.33, beta from 1.34.
        let (stage, default) =
            if self.version.from(34) { ("AllBeta", true) } else { ("AllAlpha", false) };
        let named = |name| self.gates.named(name);
        named(SERVICE_ACCOUNT_TOKENS).or_else(|| named(stage)).unwrap_or(default)
    }

    /// Whether the kubelet keeps records of pulls and asks pods for credentials by them: KEP-2535,
    /// alpha and off from 1.33, beta and on from 1.35.
    pub fn verifies_pulled_images(&self) -> bool {
        if !self.version.from(33) {
            return false;
        }
        let (stage, default) =
            if self.version.from(35) { ("AllBeta", true) } else { ("AllAlpha", false) };
        let named = |name| self.gates.named(name);
        named(ENSURE_SECRET_PULLED_IMAGES).or_else(|| named(stage)).unwrap_or(default)
    }

    /// Whether the configuration may be a directory.
    pub fn reads_directories(&self) -> bool {
        self.version.from(34)
    }

    /// Whether unknown and duplicate fields are errors.
    pub fn is_strict(&self) -> bool {
        self.version.from(32)
    }
}

/// A version or gate that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// Not one of [`KubeletVersion::all`].
    #[error(
        "`{0}` is not a kubelet version from {oldest} to {newest}",
        oldest = KubeletVersion::OLDEST,
        newest = KubeletVersion::NEWEST
    )]
    Version(String),
    /// Not of the form `NAME=true`.
    #[error("feature gate `{0}` is not of the form `NAME=true` or `NAME=false`")]
    Gate(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        for (text, minor) in
            [("1.34", 34), ("v1.34.2", 34), ("1.30.0-rc.1", 30), ("v1.37+k3s1", 37)]
        {
            assert_eq!(text.parse::<KubeletVersion>().map(KubeletVersion::minor), Ok(minor));
        }
        for text in ["", "1", "1.29", "1.38", "2.34", "v1.x", "1.300"] {
            assert!(text.parse::<KubeletVersion>().is_err(), "{text}");
        }
        assert_eq!(KubeletVersion::default().to_string(), "1.37");
        assert_eq!(KubeletVersion::all().count(), 8);
    }

    #[test]
    fn gate_defaults_follow_the_version() {
        let tokens = |minor, gates: &str| {
            let version = KubeletVersion::new(minor).expect("known");
            let gates = gates.parse().expect("gates");
            Target { version, gates }.has_service_account_tokens()
        };
        assert!(!tokens(32, "KubeletServiceAccountTokenForCredentialProviders=true"));
        assert!(!tokens(33, ""));
        assert!(tokens(33, "A=false, KubeletServiceAccountTokenForCredentialProviders=true"));
        assert!(tokens(34, ""));
        assert!(!tokens(34, "KubeletServiceAccountTokenForCredentialProviders=0"));
        assert!(tokens(33, "AllAlpha=true"));
        assert!(!tokens(33, "AllBeta=true"));
        assert!(!tokens(37, "AllBeta=false"));
        assert!(tokens(37, "AllBeta=false,KubeletServiceAccountTokenForCredentialProviders=true"));
        assert!("A".parse::<FeatureGates>().is_err());
        assert!("A=yes".parse::<FeatureGates>().is_err());
    }
}
