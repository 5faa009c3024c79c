//! Which credentials the kubelet would try for an image, and in which order.
//!
//! Source: kubelet, `BasicDockerKeyring`.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::exec::AuthConfigs;
use crate::pattern::{AuthKey, PatternError};
use crate::version::KubeletVersion;

/// Where Docker kept the credential of Docker Hub.
const HUB_KEY: &str = "index.docker.io";

/// A user name and password from a provider.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credential {
    /// The provider's name.
    pub provider: String,
    /// The key in its answer.
    pub key: String,
    /// The user name; may be empty.
    pub username: String,
    /// The password; may be empty.
    pub password: SecretString,
}

/// The credentials of all providers for one look-up.
#[derive(Debug)]
pub struct Keyring {
    version: KubeletVersion,
    /// By filed key, the greatest first; under one key in the order of arrival.
    by_key: BTreeMap<Reverse<Vec<u8>>, (AuthKey, Vec<Credential>)>,
}

impl Keyring {
    /// An empty keyring of a kubelet of this version.
    pub fn new(version: KubeletVersion) -> Self {
        Self { version, by_key: BTreeMap::new() }
    }

    /// Adds a provider's answer. Keys of one answer that are filed under the same key keep the order
    /// of their texts here; the kubelet's order for those is random.
    ///
    /// Returns the keys that the kubelet drops because they are not URLs.
    pub fn add(&mut self, provider: &str, auth: &AuthConfigs) -> Vec<(String, PatternError)> {
        let mut dropped = Vec::new();
        for (key, login) in auth {
            let filed = match AuthKey::parse(key, self.version) {
                Ok(filed) => filed,
                Err(error) => {
                    dropped.push((key.clone(), error));
                    continue;
                }
            };
            let slot = Reverse(filed.as_str().as_bytes().to_vec());
            self.by_key.entry(slot).or_insert_with(|| (filed, Vec::new())).1.push(Credential {
                provider: provider.to_owned(),
                key: key.clone(),
                username: login.username.clone(),
                password: login.password.clone(),
            });
        }
        dropped
    }

    /// The credentials for `image`, a look-up name, in the order in which they are
    /// tried. The kubelet pulls anonymously only when there is none.
    pub fn lookup(&self, image: &str) -> Vec<Credential> {
        let found: Vec<Credential> = self
            .by_key
            .values()
            .filter(|(key, _)| key.matches(image))
            .flat_map(|(_, credentials)| credentials.iter().cloned())
            .collect();
        if !found.is_empty() || !is_on_hub(image) {
            return found;
        }
        let slot = Reverse(HUB_KEY.as_bytes().to_vec());
        self.by_key.get(&slot).map(|(_, credentials)| credentials.clone()).unwrap_or_default()
    }
}

fn is_on_hub(image: &str) -> bool {
    match image.split_once('/') {
        _ if image.is_empty() || image.starts_with('/') => false,
        None => true,
        Some(("docker.io" | "index.docker.io", _)) => true,
        Some((first, _)) => !first.contains(['.', ':']),
    }
}
