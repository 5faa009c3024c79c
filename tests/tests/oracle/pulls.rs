//! Records of image pulls: whether a pod must pull an image that is on the node. Asked of 1.37
//! alone: its decision is that of 1.35 and 1.36, and the package is large.

use std::fs;
use std::path::Path;

use pullpass_kubelet::pull_records::{
    ImagePullSecret, ImagePullServiceAccount, PodCredentials, PullRecords, VerificationPolicy,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, Verdict};
use crate::explained::Context;
use crate::random::Random;
use crate::world;

const REFS: [&str; 3] = ["sha256:aa", "r.io/app@sha256:bb", ""];
const HASHES: [&str; 3] = ["h1", "h2", ""];

/// One pod and a directory of records.
pub(crate) fn pulls(bench: &mut Bench, random: &mut Random) -> Verdict {
    let folder = tempfile::tempdir_in(bench.folder()).unwrap();
    let manager = folder.path().join("image_manager");
    let image = match random.below(3) {
        0 => world::pod_image(random),
        _ => random.word(&["r.io/app:1", "r.io/app", "app", "r.io/app@sha256:x", "R.io/app:1"]),
    };
    let image_ref = random.pick(&REFS).to_owned();
    for _ in 0..random.below(3) {
        let of_ref = if random.percent(80) { image_ref.clone() } else { "other".to_owned() };
        let name = if random.percent(90) { of_ref.clone() } else { "elsewhere".to_owned() };
        let version = random.word(&["v1alpha1", "v1beta1", "v1beta1"]);
        // A kubelet gives an old record of a wrong name the right one at its start.
        let name = if version == "v1alpha1" { of_ref.clone() } else { name };
        let text = record(random, &of_ref, &image, &version);
        write(random, &manager.join("pulled"), &name, &text);
    }
    if random.percent(30) {
        let of_image = if random.percent(80) { image.clone() } else { "other".to_owned() };
        let intent = json!({
            "kind": random.word(&["ImagePullIntent", "ImagePullIntent", "ImagePulledRecord"]),
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "image": of_image,
        });
        write(random, &manager.join("pulling"), &image, &intent.to_string());
    }
    let policy = random.word(&VerificationPolicy::NAMES);
    let allowlist: Vec<String> = (0..random.below(3))
        .map(|_| {
            random.word(&["r.io/*", "r.io/app", "app", "/*", "r.io/app:1", " a", "*", "r.io/*/b"])
        })
        .collect();
    let pod = pod(random);
    let account = pod.service_account.as_ref();
    let question = json!({
        "op": "pull", "kubelet_dir": folder.path(), "image": image, "image_ref": image_ref,
        "policy": policy, "allowlist": allowlist,
        "secrets": pod.secrets.iter().map(|secret| json!({
            "uid": secret.uid, "namespace": secret.namespace, "name": secret.name,
            "credential_hash": secret.credential_hash,
        })).collect::<Vec<Value>>(),
        "service_account": account.map(|account| json!({
            "uid": account.uid, "namespace": account.namespace, "name": account.name,
        })),
    });
    // Before the kubelet, which writes.
    let ours = match VerificationPolicy::new(&policy, &allowlist) {
        Err(error) => json!({"policy_error": error.to_string(), "must_pull": false}),
        Ok(policy) => {
            let records = PullRecords::read(folder.path(), bench.version).unwrap();
            let decision = records.must_attempt_pull(&image, &image_ref, &policy, &pod);
            json!({"policy_error": "", "must_pull": decision.must_pull})
        }
    };
    let files = list(&manager);
    let kubelet = bench.judge.ask(&question);
    let label = match (kubelet["policy_error"] == "", kubelet["must_pull"] == true) {
        (false, _) => "pull: no policy",
        (_, true) => "pull: again",
        _ => "pull: not needed",
    };
    let mut verdict = Verdict::new(label, json!({"question": question, "files": files}));
    verdict.compare(&Context::new(bench.version), &kubelet, &ours, &["policy_error", "must_pull"]);
    verdict
}

fn record(random: &mut Random, image_ref: &str, image: &str, version: &str) -> String {
    let name = image.split([':', '@']).next().unwrap().to_owned();
    let mut mapping = serde_json::Map::new();
    for key in [name, "r.io/app".to_owned(), "x".to_owned()] {
        if random.percent(50) {
            continue;
        }
        let secrets: Vec<Value> = (0..random.below(3))
            .map(|_| {
                let (uid, hash) = (random.word(&["u1", "u2"]), random.pick(&HASHES).to_owned());
                json!({"uid": uid, "namespace": "ns", "name": "s", "credentialHash": hash})
            })
            .collect();
        let secrets = if random.percent(3) {
            vec![json!({"uid": "u1", "namespace": "ns", "name": "s", "credentialHash": "h9"}); 100]
        } else {
            secrets
        };
        let accounts: Vec<Value> = (0..random.below(2))
            .map(|_| json!({"uid": random.word(&["a1", "a2"]), "namespace": "ns", "name": "sa"}))
            .collect();
        mapping.insert(
            key,
            match random.below(8) {
                0 => json!({"nodePodsAccessible": true}),
                1 => json!({}),
                2 => Value::Null,
                _ => json!({"kubernetesSecrets": secrets, "kubernetesServiceAccounts": accounts}),
            },
        );
    }
    let mut record = json!({
        "kind": "ImagePulledRecord", "apiVersion": format!("kubelet.config.k8s.io/{version}"),
        "lastUpdatedTime": random.word(&["2024-10-21T12:26:40Z", "2024-10-21T12:26:40Z", "2024-1-1", ""]),
        "imageRef": image_ref, "credentialMapping": mapping,
    });
    match random.below(20) {
        0 => record["kind"] = "ImagePullIntent".into(),
        1 => record["apiVersion"] = "kubelet.config.k8s.io/v1".into(),
        2 => record["unknown"] = 1.into(),
        3 => record["credentialMapping"] = json!([]),
        4 => record["lastUpdatedTime"] = Value::Null,
        _ => {}
    }
    record.to_string()
}

fn pod(random: &mut Random) -> PodCredentials {
    let secrets = (0..random.below(3))
        .map(|_| ImagePullSecret {
            uid: random.word(&["u1", "u2"]),
            namespace: "ns".into(),
            name: random.word(&["s", "t"]),
            credential_hash: random.pick(&HASHES).to_owned(),
        })
        .collect();
    let service_account = random.percent(50).then(|| ImagePullServiceAccount {
        uid: random.word(&["a1", "a2"]),
        namespace: "ns".into(),
        name: "sa".into(),
    });
    PodCredentials { secrets, service_account }
}

/// The file of `key`, now and then damaged.
fn write(random: &mut Random, folder: &Path, key: &str, text: &str) {
    fs::create_dir_all(folder).unwrap();
    let digits: String =
        Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let path = folder.join(format!("sha256-{digits}"));
    let text =
        if random.percent(10) { random.damage(text, "{}[]\",:0 \n") } else { text.to_owned() };
    fs::write(path, text).unwrap();
}

fn list(manager: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for folder in ["pulled", "pulling"] {
        let Ok(entries) = fs::read_dir(manager.join(folder)) else { continue };
        texts.extend(
            entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap_or_default()),
        );
    }
    texts
}
