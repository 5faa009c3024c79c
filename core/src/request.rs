//! The request that the kubelet writes to stdin.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::Error;
use crate::image::Image;
use crate::json::Json;
use crate::service_account::{ServiceAccount, Token};

/// The API group of requests and responses.
pub const API_GROUP: &str = "credentialprovider.kubelet.k8s.io";

/// The largest request that is read, in bytes. The kubelet's are a few KiB.
pub const REQUEST_LIMIT: usize = 1024 * 1024;

/// One call of the kubelet: credentials for this image, for this pod.
///
/// Source: Kubernetes API reference, "Kubelet CredentialProvider (v1)",
/// `CredentialProviderRequest`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The version in which the kubelet asked, and in which the answer must be.
    pub version: ApiVersion,
    /// The image that is to be pulled.
    pub image: Image,
    /// The pod's service account, when the provider's `tokenAttributes` ask for it.
    pub service_account: Option<ServiceAccount>,
}

/// A version of the exec API. Requests differ by version, responses do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ApiVersion {
    /// Since Kubernetes 1.20.
    V1Alpha1,
    /// Since Kubernetes 1.24.
    V1Beta1,
    /// Since Kubernetes 1.26; the only one with service account tokens.
    #[default]
    V1,
}

impl Request {
    /// A request as the newest kubelet makes it: for commands and tests.
    pub fn new(image: Image, service_account: Option<ServiceAccount>) -> Self {
        Self { version: ApiVersion::default(), image, service_account }
    }

    /// Reads a request: exactly one JSON object. Unknown fields are ignored,
    /// since later versions of the kubelet may send more.
    ///
    /// # Errors
    /// [`ErrorKind::Request`](crate::ErrorKind::Request); the message never repeats the token.
    pub fn parse(stdin: &[u8]) -> Result<Self, Error> {
        Self::read(stdin).map_err(|error| {
            error.or_with_hint(
                "the kubelet does not send this: correct the program that sent the request",
            )
        })
    }

    /// The pod's token, for a provider that needs one.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](crate::ErrorKind::Identity) when the request has none.
    pub fn require_token(&self) -> Result<&Token, Error> {
        match &self.service_account {
            Some(account) => Ok(&account.token),
            None => Err(Error::identity("the request has no service account token").with_hint(
                "set `tokenAttributes` for this provider (Kubernetes 1.34 or later); static pods \
                 have no token",
            )),
        }
    }

    fn read(stdin: &[u8]) -> Result<Self, Error> {
        let mut fields = Fields::parse(stdin)?;
        fields.check_case()?;
        match fields.string("kind")? {
            Some(kind) if kind == "CredentialProviderRequest" => {}
            Some(kind) => {
                return Err(Error::request(format!(
                    "`kind` is `{kind}`, not `CredentialProviderRequest`"
                )));
            }
            None => return Err(missing("kind")),
        }
        let version = fields.string("apiVersion")?.ok_or_else(|| missing("apiVersion"))?;
        let version = ApiVersion::parse(&version)?;
        let image = fields.string("image")?.ok_or_else(|| missing("image"))?;
        let image = Image::parse(&image)?;
        let for_image = |error: Error| error.for_image(image.as_str());
        let service_account = fields.service_account(version).map_err(for_image)?;
        Ok(Self { version, image, service_account })
    }
}

impl ApiVersion {
    /// The kubelet's `apiVersion`, such as `credentialprovider.kubelet.k8s.io/v1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Alpha1 => "credentialprovider.kubelet.k8s.io/v1alpha1",
            Self::V1Beta1 => "credentialprovider.kubelet.k8s.io/v1beta1",
            Self::V1 => "credentialprovider.kubelet.k8s.io/v1",
        }
    }

    fn parse(text: &str) -> Result<Self, Error> {
        [Self::V1, Self::V1Beta1, Self::V1Alpha1]
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or_else(|| {
                Error::request(format!("`apiVersion` `{text}` is not known")).with_hint(format!(
                    "set the provider's `apiVersion` in the CredentialProviderConfig to `{}`",
                    Self::V1
                ))
            })
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fields that a request may have.
const FIELDS: [&str; 5] =
    ["kind", "apiVersion", "image", "serviceAccountToken", "serviceAccountAnnotations"];

/// The top-level fields of the request, taken out one by one.
struct Fields(Vec<(String, Json)>);

impl Fields {
    fn parse(stdin: &[u8]) -> Result<Self, Error> {
        let hint = "try `--help`, or pipe a request: {\"kind\":\"CredentialProviderRequest\",\"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"image\":\"registry/repository\"}";
        if stdin.len() > REQUEST_LIMIT {
            return Err(Error::request(format!(
                "the request on stdin is larger than {REQUEST_LIMIT} bytes"
            )));
        }
        if stdin.iter().all(u8::is_ascii_whitespace) {
            return Err(Error::request("stdin is empty, no request was written").with_hint(hint));
        }
        let text = std::str::from_utf8(stdin).map_err(|error| {
            Error::request(format!(
                "the request on stdin is not UTF-8 at byte {}",
                error.valid_up_to()
            ))
        })?;
        // The message of a syntax error is a fixed text without values.
        match serde_json::from_str(text) {
            Ok(Json::Object(fields)) => Ok(Self(fields)),
            Ok(other) => Err(Error::request(format!(
                "the request on stdin is {}, not a JSON object",
                other.type_name()
            ))
            .with_hint(hint)),
            Err(error) => {
                Err(Error::request(format!("the request on stdin is not valid JSON: {error}"))
                    .with_hint(hint))
            }
        }
    }

    /// Takes a field out; `None` when it is absent. The kubelet leaves an empty field out: it
    /// never writes null, which Go would read as absent.
    fn take(&mut self, name: &str) -> Option<Json> {
        let found = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.swap_remove(found).1)
    }

    /// Refuses a known field whose name is written in another case. If it were ignored, a pod
    /// could be answered with the node's identity.
    fn check_case(&self) -> Result<(), Error> {
        for name in FIELDS {
            let is_variant = |key: &str| key.eq_ignore_ascii_case(name) && key != name;
            if self.0.iter().any(|(key, _)| is_variant(key)) {
                return Err(Error::request(format!(
                    "the request has a field like `{name}` in the wrong case"
                )));
            }
        }
        Ok(())
    }

    fn string(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => {
                Err(Error::request(format!("`{name}` must be a string, not {}", other.type_name())))
            }
        }
    }

    fn service_account(&mut self, version: ApiVersion) -> Result<Option<ServiceAccount>, Error> {
        let token = self.string("serviceAccountToken")?;
        let annotations = self.annotations()?;
        let Some(token) = token else {
            return match annotations.is_empty() {
                true => Ok(None),
                false => Err(Error::request(
                    "`serviceAccountAnnotations` came without a `serviceAccountToken`",
                )),
            };
        };
        if version != ApiVersion::V1 {
            // If the token were ignored, the answer would use the node's identity.
            return Err(Error::request(format!(
                "`serviceAccountToken` is not part of `{version}`"
            ))
            .with_hint("only `v1` of the exec API carries service account tokens"));
        }
        Ok(Some(ServiceAccount { token: Token::parse(token)?, annotations }))
    }

    fn annotations(&mut self) -> Result<BTreeMap<String, String>, Error> {
        let name = "serviceAccountAnnotations";
        let entries = match self.take(name) {
            None => return Ok(BTreeMap::new()),
            Some(Json::Object(entries)) => entries,
            Some(other) => {
                return Err(Error::request(format!(
                    "`{name}` must be an object, not {}",
                    other.type_name()
                )));
            }
        };
        entries
            .into_iter()
            .map(|(key, value)| match value {
                Json::String(value) => Ok((key, value)),
                other => Err(Error::request(format!(
                    "`{name}`: the value of `{key}` must be a string, not {}",
                    other.type_name()
                ))),
            })
            .collect()
    }
}

fn missing(name: &str) -> Error {
    Error::request(format!("the request has no `{name}`"))
        .with_hint("`kind`, `apiVersion` and `image` are required; the kubelet always sends them")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJleHAiOjE4MDAwMDAwMDB9.c2ln";

    fn request(version: &str, rest: &str) -> String {
        format!(
            r#"{{"kind":"CredentialProviderRequest","apiVersion":"{API_GROUP}/{version}","image":"r.io/a"{rest}}}"#
        )
    }

    #[test]
    fn reads_each_version_and_passes_unknown_fields_over() {
        for (text, version) in [
            ("v1", ApiVersion::V1),
            ("v1beta1", ApiVersion::V1Beta1),
            ("v1alpha1", ApiVersion::V1Alpha1),
        ] {
            let request =
                Request::parse(request(text, r#","later":{"a":[1,null,true]}"#).as_bytes())
                    .unwrap();
            assert_eq!(request.version, version);
            assert_eq!(request.image.as_str(), "r.io/a");
            assert!(request.service_account.is_none());
        }
    }

    #[test]
    fn reads_token_and_annotations() {
        let text = request(
            "v1",
            &format!(
                r#","serviceAccountToken":"{TOKEN}","serviceAccountAnnotations":{{"a/b":"c"}}"#
            ),
        );
        let account = Request::parse(text.as_bytes()).unwrap().service_account.unwrap();
        assert_eq!(account.annotations["a/b"], "c");
    }

    #[test]
    fn a_token_in_a_version_without_tokens_is_never_dropped() {
        for version in ["v1beta1", "v1alpha1"] {
            let text = request(version, &format!(r#","serviceAccountToken":"{TOKEN}""#));
            let error = Request::parse(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("is not part of"), "{error}");
        }
    }

    #[test]
    fn an_empty_token_is_not_taken_for_none() {
        let text = request("v1", r#","serviceAccountToken":"""#);
        assert!(Request::parse(text.as_bytes()).is_err());
    }

    #[test]
    fn errors_never_repeat_a_token_in_the_wrong_place() {
        for rest in [
            format!(r#","serviceAccountAnnotations":"{TOKEN}""#),
            format!(r#","serviceAccountToken":["{TOKEN}"]"#),
            format!(r#","serviceAccountToken":{{"{TOKEN}":1,"{TOKEN}":1}}"#),
            format!(r#","{TOKEN}":1,"{TOKEN}":1"#),
            format!(r#","serviceAccountToken":"{TOKEN}" "#) + "\"",
        ] {
            let error = Request::parse(request("v1", &rest).as_bytes()).unwrap_err().render();
            assert!(TOKEN.split('.').all(|part| !error.contains(part)), "{error}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Request::parse(&bytes);
        }

        #[test]
        fn arbitrary_images_never_panic(image: String) {
            let text = serde_json::json!({
                "kind": "CredentialProviderRequest",
                "apiVersion": ApiVersion::V1.as_str(),
                "image": image,
            });
            if let Ok(request) = Request::parse(text.to_string().as_bytes()) {
                prop_assert_eq!(request.image.as_str(), image);
            }
        }
    }
}
