//! The kubelet's records of image pulls (KEP-2535): which pods must pull an image again although
//! it is on the node, and which need not.
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
    /// Those in `pulled`, in the order of their names.
    pub pulled: Vec<RecordFile<ImagePulledRecord>>,
    /// Those in `pulling`: a pull began, and its end is not recorded.
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
    /// The version of the record's format, such as `v1beta1`.
    pub version: String,
    /// When it was last written, as the file says; empty if it does not.
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
    /// Its UID. One that was deleted and created again has another.
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
    /// The version of the record's format.
    pub version: String,
    /// The image as a pod names it.
    pub image: String,
}
