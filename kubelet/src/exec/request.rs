//! CredentialProviderRequest and response as the kubelet writes and reads them.
//!
//! Source: Kubernetes API reference, "Kubelet CredentialProvider (v1)".

use std::collections::BTreeMap;

use secrecy::{ExposeSecret as _, SecretString};

use crate::config::ExecApiVersion;
use crate::go::json_string::write_string;

/// The `auth` of an answer: logins by pattern.
pub type AuthConfigs = BTreeMap<String, AuthConfig>;

/// A value of `auth`.
#[derive(Clone, Debug)]
pub struct AuthConfig {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: SecretString,
}

/// An answer that could be decoded.
#[derive(Clone, Debug)]
pub struct CredentialProviderResponse {
    /// As written; only `Image`, `Registry` and `Global` are valid.
    pub cache_key_type: String,
    /// How long it may be kept; `None` for the configured default.
    pub cache_duration: Option<pullpass_go_duration::GoDuration>,
    /// The logins; empty for "no credentials".
    pub auth: AuthConfigs,
}

/// The question to a provider.
#[derive(Clone, Debug)]
pub struct CredentialProviderRequest {
    /// The look-up name of the image.
    pub image: String,
    /// The pod's token, in service account mode.
    pub token: Option<SecretString>,
    /// The service account's annotations that the configuration names.
    pub annotations: BTreeMap<String, String>,
}

impl CredentialProviderRequest {
    /// A request for `image`, without a service account.
    pub fn new(image: impl Into<String>) -> Self {
        Self { image: image.into(), token: None, annotations: BTreeMap::new() }
    }

    /// The bytes on the provider's stdin, with the newline at the end. Versions before
    /// v1 have no token and leave it out.
    pub fn encode(&self, api_version: ExecApiVersion) -> SecretString {
        let mut bytes = b"{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":".to_vec();
        write_string(&mut bytes, api_version.as_str());
        bytes.extend(b",\"image\":");
        write_string(&mut bytes, &self.image);
        if api_version == ExecApiVersion::V1 {
            let token = self.token.as_ref().map(|token| token.expose_secret());
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                bytes.extend(b",\"serviceAccountToken\":");
                write_string(&mut bytes, token);
            }
            for (index, (key, value)) in self.annotations.iter().enumerate() {
                let before: &[u8] =
                    if index == 0 { b",\"serviceAccountAnnotations\":{" } else { b"," };
                bytes.extend(before);
                write_string(&mut bytes, key);
                bytes.push(b':');
                write_string(&mut bytes, value);
            }
            if !self.annotations.is_empty() {
                bytes.push(b'}');
            }
        }
        bytes.extend(b"}\n");
        String::from_utf8(bytes).unwrap_or_default().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_bytes() {
        let mut request = CredentialProviderRequest::new("r.io/a<b>&\u{2028}");
        let v1 = ExecApiVersion::V1;
        let plain = "{\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\
             \"credentialprovider.kubelet.k8s.io/v1\",\
             \"image\":\"r.io/a\\u003cb\\u003e\\u0026\\u2028\"}\n";
        assert_eq!(request.encode(v1).expose_secret(), plain);
        request.token = Some("t".into());
        request.annotations.insert("b".into(), "2\u{1}\u{8}".into());
        request.annotations.insert("a".into(), "\"\\".into());
        let whole = plain.replace(
            "}\n",
            ",\"serviceAccountToken\":\"t\",\"serviceAccountAnnotations\":\
             {\"a\":\"\\\"\\\\\",\"b\":\"2\\u0001\\b\"}}\n",
        );
        assert_eq!(request.encode(v1).expose_secret(), whole);
        let older = ExecApiVersion::V1Beta1;
        assert_eq!(request.encode(older).expose_secret(), plain.replace("/v1\"", "/v1beta1\""));
    }
}
