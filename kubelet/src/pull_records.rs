//! The kubelet's records of image pulls (KEP-2535): for which image a pod must pull again although
//! the image is on the node, and who need not.
//!
//! Source: package `k8s.io/kubernetes/pkg/kubelet/images/pullmanager`; types of the group
//! `kubelet.config.k8s.io`.

mod decision;
mod decode;
mod files;
mod policy;

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use self::decision::{PodCredentials, PullDecision, PullReason};
pub use self::policy::{PolicyError, VerificationPolicy};

/// All records of a node.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct PullRecords {
    /// Of `pulled`, in the order of their names.
    pub pulled: Vec<RecordFile<ImagePulledRecord>>,
    /// Of `pulling`: a pull began, and its end is not recorded.
    pub intents: Vec<RecordFile<ImagePullIntent>>,
}

/// One file of a record.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RecordFile<T> {
    /// Where it is.
    pub path: PathBuf,
    /// What it says, or why the kubelet cannot read it. While it is there, every pod must pull its
    /// image.
    pub record: Result<T, String>,
    /// Whether the file has the name under which the kubelet looks for this record. It never finds
    /// another.
    pub is_found: bool,
}

/// A record of an image that was pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImagePulledRecord {
    /// The version of the record's own format, such as `v1beta1`.
    pub version: String,
    /// When it was written last, as the file has it; empty where it does not say.
    pub last_updated: String,
    /// The image as the container runtime names it.
    pub image_ref: String,
    /// By the image as pods name it, without tag and digest.
    pub credentials: BTreeMap<String, ImagePullCredentials>,
}

/// With which credentials an image was pulled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImagePullCredentials {
    /// Pull secrets that worked.
    pub secrets: Vec<ImagePullSecret>,
    /// Service accounts whose token a credential provider got.
    pub service_accounts: Vec<ImagePullServiceAccount>,
    /// The pull needed no credentials, or the node's own: every pod of the node may use the image.
    pub node_pods_accessible: bool,
}

/// A pull secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagePullSecret {
    /// Its UID.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// A SHA-256 of the login in it, in hexadecimal digits.
    pub credential_hash: String,
}

/// A service account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImagePullServiceAccount {
    /// Its UID. One that was deleted and made again has another.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A record of a pull that began.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImagePullIntent {
    /// The version of the record's own format.
    pub version: String,
    /// The image as a pod names it.
    pub image: String,
}
