//! Whether a pod must pull an image that is on the node.
//!
//! Source: `PullManager.MustAttemptImagePull`.

use std::ffi::OsStr;
use std::fmt;

use crate::image_name::repository_as_written;
use crate::pull_records::files::file_name;
use crate::pull_records::{
    ImagePullSecret, ImagePullServiceAccount, ImagePulledRecord, PullRecords, RecordFile,
    VerificationPolicy,
};

/// When a record has this many secrets, a secret that changed is not added any more.
const MOST_SECRETS: usize = 100;

/// What a pod could pull an image with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodCredentials {
    /// Its pull secrets with a login for the image.
    pub secrets: Vec<ImagePullSecret>,
    /// Its service account, if a provider answers its token with a login for the image.
    pub service_account: Option<ImagePullServiceAccount>,
}

/// Whether a pod must pull, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullDecision {
    /// Whether it must.
    pub must_pull: bool,
    /// Why.
    pub reason: PullReason,
}

/// Why a pod must pull an image, or need not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PullReason {
    /// The image is not on the node.
    NotPresent,
    /// A record cannot be read; the message says why.
    Unreadable(String),
    /// The policy lets every pod use the image.
    Policy,
    /// The policy asks for credentials, and there is no record of the image.
    NoRecord,
    /// The image is not a reference; the message says why.
    NotAReference(String),
    /// The image was pulled under other names only; these are those of the record.
    OtherNames(Vec<String>),
    /// Every pod of the node may use the image.
    NodePodsAccessible,
    /// The record names no credentials.
    NoCredentials,
    /// The pod has a secret with a login that pulled the image.
    SecretHash(ImagePullSecret),
    /// The pod has a secret that pulled the image, with another login now.
    SecretCoordinates(ImagePullSecret),
    /// The pod has a service account that pulled the image.
    ServiceAccount(ImagePullServiceAccount),
    /// The pod has none of the credentials of the record.
    OtherCredentials,
}

impl PullReason {
    /// An identifier for programs that never changes.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NotPresent => "not-present",
            Self::Unreadable(_) => "unreadable-record",
            Self::Policy => "policy",
            Self::NoRecord => "no-record",
            Self::NotAReference(_) => "not-a-reference",
            Self::OtherNames(_) => "other-names",
            Self::NodePodsAccessible => "node-pods-accessible",
            Self::NoCredentials => "no-credentials",
            Self::SecretHash(_) => "same-login",
            Self::SecretCoordinates(_) => "same-secret",
            Self::ServiceAccount(_) => "same-service-account",
            Self::OtherCredentials => "other-credentials",
        }
    }
}

impl fmt::Display for PullReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPresent => f.write_str("the image is not on the node"),
            Self::Unreadable(why) => write!(f, "its record cannot be read: {why}"),
            Self::Policy => f.write_str("the policy lets every pod use the image"),
            Self::NoRecord => f.write_str("the policy asks for credentials, and no record has any"),
            Self::NotAReference(why) => write!(f, "the name is not an image reference: {why}"),
            Self::OtherNames(names) => {
                write!(f, "it was pulled under another name: {}", names.join(", "))
            }
            Self::NodePodsAccessible => {
                f.write_str("it was pulled without credentials or with the node's own")
            }
            Self::NoCredentials => f.write_str("its record names no credentials"),
            Self::SecretHash(secret) => {
                write!(f, "the login in secret `{}/{}` pulled it", secret.namespace, secret.name)
            }
            Self::SecretCoordinates(secret) => {
                write!(f, "secret `{}/{}` pulled it", secret.namespace, secret.name)
            }
            Self::ServiceAccount(account) => write!(
                f,
                "a token of service account `{}/{}` pulled it",
                account.namespace, account.name
            ),
            Self::OtherCredentials => f.write_str("the pod's credentials never pulled it here"),
        }
    }
}

impl PullRecords {
    /// Whether a pod that names `image` must pull it, where the container runtime has it as
    /// `image_ref`, empty if it does not have it. A running kubelet also knows which pulls it
    /// began itself; here only the records are used.
    pub fn must_attempt_pull(
        &self,
        image: &str,
        image_ref: &str,
        policy: &VerificationPolicy,
        pod: &PodCredentials,
    ) -> PullDecision {
        match self.decide(image, image_ref, policy, pod) {
            Ok(reason) => PullDecision { must_pull: false, reason },
            Err(reason) => PullDecision { must_pull: true, reason },
        }
    }

    /// `Err` is the reason for a pull.
    fn decide(
        &self,
        image: &str,
        image_ref: &str,
        policy: &VerificationPolicy,
        pod: &PodCredentials,
    ) -> Result<PullReason, PullReason> {
        if image_ref.is_empty() {
            return Err(PullReason::NotPresent);
        }
        let record = self.find_record(image_ref)?;
        let was_pulled_by_kubelet = record.is_some() || self.has_intent(image)?;
        if !policy.requires_credentials(image, was_pulled_by_kubelet) {
            return Ok(PullReason::Policy);
        }
        let record = record.ok_or(PullReason::NoRecord)?;
        let name = repository_as_written(image)
            .map_err(|error| PullReason::NotAReference(error.to_string()))?;
        let Some(known) = record.credentials.get(&name) else {
            return Err(PullReason::OtherNames(record.credentials.keys().cloned().collect()));
        };
        if known.node_pods_accessible {
            return Ok(PullReason::NodePodsAccessible);
        }
        if known.secrets.is_empty() && known.service_accounts.is_empty() {
            return Err(PullReason::NoCredentials);
        }
        for secret in &pod.secrets {
            for recorded in &known.secrets {
                let hash = &recorded.credential_hash;
                if !hash.is_empty() && *hash == secret.credential_hash {
                    return Ok(PullReason::SecretHash(secret.clone()));
                }
                if is_at_same_place(recorded, secret) && known.secrets.len() < MOST_SECRETS {
                    return Ok(PullReason::SecretCoordinates(secret.clone()));
                }
            }
        }
        match &pod.service_account {
            Some(account) if known.service_accounts.contains(account) => {
                Ok(PullReason::ServiceAccount(account.clone()))
            }
            _ => Err(PullReason::OtherCredentials),
        }
    }

    /// The record of an image, by the name of its file alone.
    fn find_record(&self, image_ref: &str) -> Result<Option<&ImagePulledRecord>, PullReason> {
        match find(&self.pulled, image_ref) {
            Some(record) => {
                let record = record.map_err(PullReason::Unreadable)?;
                Ok((record.image_ref == image_ref).then_some(record))
            }
            None => Ok(None),
        }
    }

    fn has_intent(&self, image: &str) -> Result<bool, PullReason> {
        match find(&self.intents, image) {
            Some(intent) => Ok(intent.map_err(PullReason::Unreadable)?.image == image),
            None => Ok(false),
        }
    }
}

fn find<'a, T>(files: &'a [RecordFile<T>], key: &str) -> Option<Result<&'a T, String>> {
    let name = file_name(key);
    let file = files.iter().find(|file| file.path.file_name() == Some(OsStr::new(&name)))?;
    Some(file.record.as_ref().map_err(Clone::clone))
}

fn is_at_same_place(a: &ImagePullSecret, b: &ImagePullSecret) -> bool {
    (&a.uid, &a.namespace, &a.name) == (&b.uid, &b.namespace, &b.name)
}
