//! From a record's bytes to its type, strictly, as every kubelet with records decodes them.

use std::collections::BTreeMap;

use crate::config::{GROUP, read_tree};
use crate::document::{Node, Value};
use crate::pull_records::{
    ImagePullCredentials, ImagePullIntent, ImagePullSecret, ImagePullServiceAccount,
    ImagePulledRecord,
};
use crate::schema::{self, Meta, Type};
use crate::version::KubeletVersion;

const SECRET: Type = Type::Struct(
    "ImagePullSecret",
    &[
        ("uid", Type::String),
        ("namespace", Type::String),
        ("name", Type::String),
        ("credentialHash", Type::String),
    ],
);

const SERVICE_ACCOUNT: Type = Type::Struct(
    "ImagePullServiceAccount",
    &[("uid", Type::String), ("namespace", Type::String), ("name", Type::String)],
);

const INTENT: Type = Type::Struct(
    "ImagePullIntent",
    &[("kind", Type::String), ("apiVersion", Type::String), ("image", Type::String)],
);

macro_rules! record_type {
    ($name:ident, [$($field:expr),*]) => {
        const $name: Type = Type::Struct(
            "ImagePulledRecord",
            &[
                ("kind", Type::String),
                ("apiVersion", Type::String),
                ("lastUpdatedTime", Type::Time),
                ("imageRef", Type::String),
                (
                    "credentialMapping",
                    Type::Map(&Type::Struct(
                        "ImagePullCredentials",
                        &[
                            ("kubernetesSecrets", Type::Array(&SECRET)),
                            $($field,)*
                            ("nodePodsAccessible", Type::Bool),
                        ],
                    )),
                ),
            ],
        );
    };
}

record_type!(RECORD, [("kubernetesServiceAccounts", Type::Array(&SERVICE_ACCOUNT))]);
record_type!(RECORD_OF_1_33, []);

/// A record of a pulled image.
///
/// # Errors
/// Why this kubelet cannot read it, with its message as far as it is known here.
pub(super) fn pulled(bytes: &[u8], version: KubeletVersion) -> Result<ImagePulledRecord, String> {
    let shape = if version.from(34) { RECORD } else { RECORD_OF_1_33 };
    let (node, meta) = decode(bytes, "ImagePulledRecord", shape, version)?;
    let mapping = node.field("credentialMapping").map_or(&[][..], entries);
    let credentials: BTreeMap<String, ImagePullCredentials> =
        mapping.iter().map(|entry| (entry.key.to_string(), credentials(&entry.node))).collect();
    Ok(ImagePulledRecord {
        version: meta.version,
        last_updated: text(&node, "lastUpdatedTime"),
        image_ref: text(&node, "imageRef"),
        credentials,
    })
}

/// A record of a pull that began.
///
/// # Errors
/// As [`pulled`].
pub(super) fn intent(bytes: &[u8], version: KubeletVersion) -> Result<ImagePullIntent, String> {
    let (node, meta) = decode(bytes, "ImagePullIntent", INTENT, version)?;
    Ok(ImagePullIntent { version: meta.version, image: text(&node, "image") })
}

fn decode(
    bytes: &[u8],
    kind: &str,
    shape: Type,
    version: KubeletVersion,
) -> Result<(Node, Meta), String> {
    let document = read_tree(bytes).map_err(|fault| fault.message)?;
    let meta = Meta::read(&document.node).map_err(|fault| fault.message)?;
    if meta.kind.is_empty() {
        return Err("Object 'Kind' is missing".to_owned());
    }
    let is_known = match meta.version.as_str() {
        "v1alpha1" => true,
        "v1beta1" => version.from(35),
        _ => false,
    };
    if meta.group != GROUP || meta.kind != kind || !is_known {
        return Err(format!(
            "kubelet {version} reads no `{}` of version `{}` here",
            meta.kind,
            meta.api_version()
        ));
    }
    let strict =
        schema::check(&document.node, shape, &meta.version).map_err(|fault| fault.message)?;
    let duplicates = document.duplicates.iter().map(|(message, _)| message);
    let faults: Vec<&str> =
        duplicates.chain(strict.iter().map(|fault| &fault.message)).map(String::as_str).collect();
    match faults.as_slice() {
        [] => Ok((document.node, meta)),
        faults => Err(format!("strict decoding error: {}", faults.join(", "))),
    }
}

fn credentials(node: &Node) -> ImagePullCredentials {
    let list = |field: &str| node.field(field).map_or(&[][..], Node::items);
    ImagePullCredentials {
        secrets: list("kubernetesSecrets")
            .iter()
            .map(|node| ImagePullSecret {
                uid: text(node, "uid"),
                namespace: text(node, "namespace"),
                name: text(node, "name"),
                credential_hash: text(node, "credentialHash"),
            })
            .collect(),
        service_accounts: list("kubernetesServiceAccounts")
            .iter()
            .map(|node| ImagePullServiceAccount {
                uid: text(node, "uid"),
                namespace: text(node, "namespace"),
                name: text(node, "name"),
            })
            .collect(),
        node_pods_accessible: node
            .field("nodePodsAccessible")
            .is_some_and(|node| node.value == Value::Bool(true)),
    }
}

fn entries(node: &Node) -> &[crate::document::Entry] {
    match &node.value {
        Value::Object(entries) => entries,
        _ => &[],
    }
}

fn text(node: &Node, field: &str) -> String {
    node.field(field).and_then(Node::as_str).unwrap_or_default().to_owned()
}
