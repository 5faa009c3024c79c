//! The order of an answer's keys for an image, against the kubelet: the image, and the keys, divided
//! by NUL.

use std::collections::BTreeSet;

use pullpass_kubelet::exec::{AuthConfig, AuthConfigs};
use pullpass_kubelet::keyring::Keyring;
use pullpass_kubelet::pattern::AuthKey;
use serde_json::{Value, json};

use crate::oracle;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.split('\0');
    let image = parts.next().unwrap_or_default();
    let version = oracle::version(input);
    let mut auth = AuthConfigs::new();
    let mut filed = BTreeSet::new();
    for (number, key) in parts.take(12).enumerate() {
        let filed_as = AuthKey::parse(key, version).map(|key| key.as_str().to_owned());
        // An escape that is not UTF-8 matches no image that has a name.
        if filed_as.as_ref().is_ok_and(|key| key.contains(char::REPLACEMENT_CHARACTER)) {
            continue;
        }
        // Two keys that the kubelet files alike come in random order.
        if filed_as.is_ok_and(|key| !filed.insert(key)) || auth.contains_key(key) {
            continue;
        }
        let login = AuthConfig { username: number.to_string(), password: "p".into() };
        auth.insert(key.to_owned(), login);
    }
    let mut ring = Keyring::new(version);
    ring.add("", &auth);
    let found: Vec<Value> = ring
        .lookup(image)
        .into_iter()
        .map(|found| json!({"username": found.username, "password": "p"}))
        .collect();
    let keys = auth.iter().map(|(key, login)| {
        (key.clone(), json!({"username": login.username, "password": "p"}))
    });
    let keys = Value::Object(keys.collect());
    let question = json!({"op": "keyring", "auth": [keys], "image": image});
    let Some(kubelet) = oracle::ask(version, &question) else { return };
    let none = json!([]);
    let theirs = if kubelet["credentials"].is_null() { &none } else { &kubelet["credentials"] };
    assert_eq!(theirs, &json!(found), "{version}: {text:?}");
}
