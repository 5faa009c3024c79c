//! For which images the kubelet asks for credentials at all.

use crate::image_name::repository_as_written;

/// `imagePullCredentialsVerificationPolicy` of the KubeletConfiguration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VerificationPolicy {
    /// Every pod may use every image that is on the node.
    NeverVerify,
    /// Every pod may use images that the kubelet did not pull. The default.
    #[default]
    NeverVerifyPreloadedImages,
    /// Every pod may use images of `preloadedImagesVerificationAllowlist`.
    NeverVerifyAllowlistedImages(Allowlist),
    /// The policy lets no image be used by every pod.
    AlwaysVerify,
}

/// Patterns of images, checked: a name without tag and digest, or a prefix that ends in `/*`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowlist {
    names: Vec<String>,
    prefixes: Vec<String>,
}

/// Why a policy is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The kubelet has no policy of this name.
    #[error("there is no policy `{0}`")]
    Name(String),
    /// The kubelet does not start with this pattern. The reason is the kubelet's message.
    #[error("{0}")]
    Pattern(String),
}

impl VerificationPolicy {
    /// The names that the kubelet's configuration knows.
    pub const NAMES: [&str; 4] = [
        "NeverVerify",
        "NeverVerifyPreloadedImages",
        "NeverVerifyAllowlistedImages",
        "AlwaysVerify",
    ];

    /// The policy of this name. Only one policy uses the patterns.
    ///
    /// # Errors
    /// When there is no such policy, or a pattern is not one.
    pub fn new(name: &str, allowlist: &[String]) -> Result<Self, PolicyError> {
        match name {
            "NeverVerify" => Ok(Self::NeverVerify),
            "NeverVerifyPreloadedImages" => Ok(Self::NeverVerifyPreloadedImages),
            "NeverVerifyAllowlistedImages" => {
                Ok(Self::NeverVerifyAllowlistedImages(Allowlist::new(allowlist)?))
            }
            "AlwaysVerify" => Ok(Self::AlwaysVerify),
            _ => Err(PolicyError::Name(name.to_owned())),
        }
    }

    /// Whether a pod must show credentials for an image that is on the node.
    pub(super) fn requires_credentials(&self, image: &str, was_pulled_by_kubelet: bool) -> bool {
        match self {
            Self::NeverVerify => false,
            Self::NeverVerifyPreloadedImages => was_pulled_by_kubelet,
            Self::NeverVerifyAllowlistedImages(allowlist) => !allowlist.covers(image),
            Self::AlwaysVerify => true,
        }
    }
}

impl Allowlist {
    fn new(patterns: &[String]) -> Result<Self, PolicyError> {
        let mut list = Self::default();
        for pattern in patterns {
            let refuse = |why: &str| PolicyError::Pattern(why.to_owned());
            if pattern != pattern.trim() {
                let why = format!("leading/trailing spaces are not allowed: {pattern}");
                return Err(refuse(&why));
            }
            let prefix = pattern.ends_with("/*").then(|| &pattern[..pattern.len() - 1]);
            let text = prefix.unwrap_or(pattern);
            if text.is_empty() {
                return Err(refuse(&format!("the supplied pattern is too short: {pattern}")));
            }
            if text.contains('*') {
                return Err(refuse(&format!(
                    "not a valid wildcard pattern, only patterns ending with '/*' are allowed: {pattern}"
                )));
            }
            match prefix {
                Some("/") => return Err(refuse("at least registry hostname is required")),
                Some(prefix) => list.prefixes.push(prefix.to_owned()),
                None => {
                    let name = repository_as_written(text).map_err(|error| {
                        refuse(&format!("failed to parse as an image name: {error}"))
                    })?;
                    if name != text {
                        return Err(refuse(&format!(
                            "neither tag nor digest is accepted in an image reference: {pattern}"
                        )));
                    }
                    list.names.push(name);
                }
            }
        }
        Ok(list)
    }

    fn covers(&self, image: &str) -> bool {
        let name = repository_as_written(image).unwrap_or_else(|_| image.to_owned());
        self.names.contains(&name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}
