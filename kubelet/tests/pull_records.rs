//! Records of pulls as kubelets write them, and what a kubelet decides by them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]
#![allow(clippy::disallowed_methods, reason = "tests write their own files")]

use std::fs;
use std::path::Path;

use pullpass_kubelet::pull_records::{
    ImagePullSecret, ImagePullServiceAccount, PodCredentials, PullReason, PullRecords,
    VerificationPolicy,
};
use pullpass_kubelet::{KubeletVersion, Target};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// As kubelet 1.37 writes it, in one line.
const RECORD: &str = r#"{"kind":"ImagePulledRecord","apiVersion":"kubelet.config.k8s.io/v1beta1","lastUpdatedTime":"2026-11-27T10:00:00Z","imageRef":"REF","credentialMapping":{"r.io/app":{"kubernetesSecrets":[{"uid":"u1","namespace":"shop","name":"regcred","credentialHash":"h1"},{"uid":"u2","namespace":"shop","name":"old","credentialHash":""}],"kubernetesServiceAccounts":[{"uid":"a1","namespace":"shop","name":"web"}]},"r.io/public":{"nodePodsAccessible":true},"r.io/none":{}}}
"#;
const INTENT: &str =
    r#"{"kind":"ImagePullIntent","apiVersion":"kubelet.config.k8s.io/v1beta1","image":"IMAGE"}"#;

fn write(node: &Path, folder: &str, key: &str, text: &str) {
    let folder = node.join("image_manager").join(folder);
    fs::create_dir_all(&folder).expect("a folder");
    let digits: String =
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(folder.join(format!("sha256-{digits}")), text).expect("a record");
}

fn node() -> TempDir {
    let node = TempDir::new().expect("a folder");
    write(node.path(), "pulled", "ref", &RECORD.replace("REF", "ref"));
    write(node.path(), "pulling", "r.io/new:1", &INTENT.replace("IMAGE", "r.io/new:1"));
    node
}

fn read(node: &TempDir, minor: u8) -> PullRecords {
    let version = KubeletVersion::new(minor).expect("known");
    PullRecords::read(node.path(), version).expect("records")
}

fn secret(uid: &str, name: &str, hash: &str) -> ImagePullSecret {
    let credential_hash = hash.to_owned();
    ImagePullSecret {
        uid: uid.into(),
        namespace: "shop".into(),
        name: name.into(),
        credential_hash,
    }
}

fn account(uid: &str) -> Option<ImagePullServiceAccount> {
    let (namespace, name) = ("shop".into(), "web".into());
    Some(ImagePullServiceAccount { uid: uid.into(), namespace, name })
}

/// Whether it must pull, and the word for the reason.
fn decide(
    records: &PullRecords,
    image: &str,
    image_ref: &str,
    pod: &PodCredentials,
) -> (bool, &'static str) {
    let policy = VerificationPolicy::default();
    let decision = records.must_attempt_pull(image, image_ref, &policy, pod);
    (decision.must_pull, decision.reason.as_str())
}

#[test]
fn a_pod_is_known_by_its_credentials() {
    let records = read(&node(), 37);
    let secrets = |secrets: &[ImagePullSecret]| PodCredentials {
        secrets: secrets.to_vec(),
        service_account: None,
    };
    let with_account = |uid| PodCredentials { secrets: Vec::new(), service_account: account(uid) };
    for (pod, expected) in [
        (secrets(&[]), (true, "other-credentials")),
        // The same login in another secret, the same secret with another login, neither.
        (secrets(&[secret("u9", "other", "h1")]), (false, "same-login")),
        (secrets(&[secret("u1", "regcred", "h9")]), (false, "same-secret")),
        (secrets(&[secret("u9", "regcred", "h9")]), (true, "other-credentials")),
        // An empty hash matches no login.
        (secrets(&[secret("u9", "other", "")]), (true, "other-credentials")),
        (secrets(&[secret("u2", "old", "h2")]), (false, "same-secret")),
        (with_account("a1"), (false, "same-service-account")),
        // It was made anew under the same name.
        (with_account("a2"), (true, "other-credentials")),
    ] {
        assert_eq!(decide(&records, "r.io/app:2", "ref", &pod), expected, "{pod:?}");
    }
    let pod = PodCredentials::default();
    for (image, image_ref, expected) in [
        (
            "r.io/public@sha256:0123456789012345678901234567890123456789012345678901234567890123",
            "ref",
            (false, "node-pods-accessible"),
        ),
        ("r.io/none", "ref", (true, "no-credentials")),
        ("r.io/elsewhere:1", "ref", (true, "other-names")),
        ("R.io/App", "ref", (true, "not-a-reference")),
        ("r.io/app:1", "", (true, "not-present")),
        // Nothing is known of it: it was there before.
        ("r.io/app:1", "another", (false, "policy")),
        ("r.io/new:1", "another", (true, "no-record")),
        ("r.io/new:2", "another", (false, "policy")),
    ] {
        assert_eq!(decide(&records, image, image_ref, &pod), expected, "{image} {image_ref}");
    }
}

#[test]
fn the_policy_comes_first() {
    let records = read(&node(), 37);
    let pod = PodCredentials::default();
    let allowed = ["r.io/app".to_owned(), "mirror.io/*".to_owned()];
    for (name, image, image_ref, must_pull) in [
        ("NeverVerify", "r.io/app:1", "ref", false),
        ("NeverVerifyPreloadedImages", "r.io/app:1", "ref", true),
        ("NeverVerifyAllowlistedImages", "r.io/app:1", "ref", false),
        ("NeverVerifyAllowlistedImages", "mirror.io/x:1", "other", false),
        ("NeverVerifyAllowlistedImages", "r.io/other:1", "other", true),
        ("AlwaysVerify", "r.io/other:1", "other", true),
        ("AlwaysVerify", "r.io/public", "ref", false),
    ] {
        let policy = VerificationPolicy::new(name, &allowed).expect("a policy");
        let decision = records.must_attempt_pull(image, image_ref, &policy, &pod);
        assert_eq!(decision.must_pull, must_pull, "{name} {image}");
    }
    for pattern in [" r.io", "", "*", "r.io/*/x", "/*", "r.io/app:1", "R.io/A"] {
        let allowed = [pattern.to_owned()];
        assert!(
            VerificationPolicy::new("NeverVerifyAllowlistedImages", &allowed).is_err(),
            "{pattern}"
        );
    }
    assert!(VerificationPolicy::new("Never", &[]).is_err());
}

#[test]
fn what_cannot_be_read_makes_every_pod_pull() {
    let pod = PodCredentials { secrets: Vec::new(), service_account: account("a1") };
    for (text, words) in [
        ("", "Kind"),
        ("{", "unexpected end of JSON input"),
        (&RECORD.replace("Pulled", "Pull"), "`ImagePullRecord`"),
        (&RECORD.replace("v1beta1", "v2"), "`kubelet.config.k8s.io/v2`"),
        (&RECORD.replace("imageRef", "image_ref"), "unknown field \"image_ref\""),
        (&RECORD.replace("\"uid\":\"a1\"", "\"uid\":1"), "cannot unmarshal number"),
        (&RECORD.replace("10:00:00Z", "10:00"), "parsing time"),
    ] {
        let node = node();
        write(node.path(), "pulled", "ref", &text.replace("REF", "ref"));
        let records = read(&node, 37);
        let policy = VerificationPolicy::default();
        let decision = records.must_attempt_pull("r.io/app:1", "ref", &policy, &pod);
        assert!(decision.must_pull, "{text}");
        let PullReason::Unreadable(message) = decision.reason else { panic!("{text}") };
        assert!(message.contains(words), "{message}");
        assert!(!records.pulled[0].is_found);
    }
}

#[test]
fn each_version_reads_its_own_format() {
    let node = node();
    let is_readable = |minor| read(&node, minor).pulled[0].record.is_ok();
    assert_eq!([33, 34, 35, 37].map(is_readable), [false, false, true, true]);
    write(
        node.path(),
        "pulled",
        "ref",
        &RECORD.replace("REF", "ref").replace("v1beta1", "v1alpha1"),
    );
    let is_readable = |minor| read(&node, minor).pulled[0].record.is_ok();
    // Service accounts came with 1.34.
    assert_eq!([33, 34, 35, 37].map(is_readable), [false, true, true, true]);
    let is_on = |minor, gates: &str| {
        let version = KubeletVersion::new(minor).expect("known");
        Target { version, gates: gates.parse().expect("gates") }.verifies_pulled_images()
    };
    assert_eq!(
        [32, 33, 34, 35, 37].map(|minor| is_on(minor, "")),
        [false, false, false, true, true]
    );
    assert!(is_on(34, "KubeletEnsureSecretPulledImages=true") && !is_on(37, "AllBeta=false"));
}

#[test]
fn files_that_the_kubelet_passes_over() {
    let node = node();
    let pulled = node.path().join("image_manager/pulled");
    fs::write(pulled.join("sha256-ab.tmp"), "x").expect("a file");
    fs::write(pulled.join("notes"), "x").expect("a file");
    fs::create_dir(pulled.join("sha256-cd")).expect("a folder");
    write(node.path(), "pulled", "wrong", &RECORD.replace("REF", "elsewhere"));
    let records = read(&node, 37);
    assert_eq!(records.pulled.len(), 2);
    let found: Vec<bool> = records.pulled.iter().map(|file| file.is_found).collect();
    assert_eq!(found.iter().filter(|found| **found).count(), 1);
    let none = TempDir::new().expect("a folder");
    assert!(read(&none, 37).pulled.is_empty());
    // A kubelet looks for it under another name.
    let pod = PodCredentials { secrets: Vec::new(), service_account: account("a1") };
    assert_eq!(decide(&records, "r.io/app:1", "elsewhere", &pod), (false, "policy"));
    assert_eq!(decide(&records, "r.io/app:1", "wrong", &pod), (false, "policy"));
}
