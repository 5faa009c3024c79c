//! Strict decoding of a plugin's stdout, in the kubelet's steps.

use pullpass_go_duration::GoDuration;

use crate::config::{ExecApiVersion, scheme};
use crate::document::{Node, Value};
use crate::exec::request::{AuthConfig, AuthConfigs, CredentialProviderResponse};
use crate::go::quote::quote;
use crate::json;
use crate::schema::{self, Meta, Type};
use crate::version::Target;

const GROUP: &str = "credentialprovider.kubelet.k8s.io";
const KIND: &str = "CredentialProviderResponse";

const RESPONSE: Type = Type::Struct(
    KIND,
    &[
        ("kind", Type::String),
        ("apiVersion", Type::String),
        ("cacheKeyType", Type::Named("PluginCacheKeyType")),
        ("cacheDuration", Type::Duration),
        (
            "auth",
            Type::Map(&Type::Struct(
                "AuthConfig",
                &[("username", Type::String), ("password", Type::String)],
            )),
        ),
    ],
);

/// At which step an answer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It is not a JSON object.
    Json,
    /// It has another `apiVersion` than the provider's configuration.
    ApiVersion,
    /// It does not decode; the kubelet keeps the reason to itself.
    Decode,
}

/// Why an answer was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) stage: Stage,
    /// The kubelet's message.
    pub(crate) message: String,
    /// What the kubelet does not say. It holds no values of the answer except durations,
    /// names and versions.
    pub(crate) detail: Option<String>,
    /// The JSON ended too early, perhaps because we cut it.
    pub(crate) at_end: bool,
}

/// Decodes `stdout` for a provider whose configuration says `api_version`.
pub(crate) fn read(
    stdout: &[u8],
    api_version: ExecApiVersion,
    target: &Target,
) -> Result<CredentialProviderResponse, Fault> {
    let unreadable = |why: String| Fault {
        stage: Stage::Json,
        message: format!("error reading GVK from response: {why}"),
        detail: None,
        at_end: false,
    };
    let node = json::parse(stdout).map_err(|fault| Fault {
        at_end: fault.is_early_end,
        ..unreadable(format!("couldn't get version/kind; json parse error: {}", fault.message))
    })?;
    let meta = Meta::read(&node).map_err(|fault| unreadable(fault.message))?;
    let actual = meta.api_version();
    if actual != api_version.as_str() {
        return Err(Fault {
            stage: Stage::ApiVersion,
            message: format!(
                "apiVersion from credential plugin response did not match expected \
                 apiVersion:{api_version}, actual apiVersion:{actual}"
            ),
            detail: None,
            at_end: false,
        });
    }
    decode(&node, &meta, target).map_err(|detail| Fault {
        stage: Stage::Decode,
        message: "error decoding credential provider plugin response from stdout".to_owned(),
        detail: Some(detail),
        at_end: false,
    })
}

fn decode(node: &Node, meta: &Meta, target: &Target) -> Result<CredentialProviderResponse, String> {
    if meta.kind.is_empty() {
        return Err("Object 'Kind' is missing".to_owned());
    }
    if meta.kind != KIND {
        let kind = quote(&meta.kind);
        return Err(if meta.group == GROUP && meta.kind == "CredentialProviderRequest" {
            format!("failed to decode CredentialProviderResponse, unexpected Kind: {kind}")
        } else {
            format!(
                "no kind {kind} is registered for version {} in scheme {}",
                quote(meta.api_version()),
                scheme(target)
            )
        });
    }
    let strict = schema::check(node, RESPONSE, &meta.version).map_err(|fault| fault.message)?;
    if target.is_strict() && !strict.is_empty() {
        let words: Vec<&str> = strict.iter().map(|error| error.message.as_str()).collect();
        return Err(format!("strict decoding error: {}", words.join(", ")));
    }
    let text = |node: &Node, field: &str| {
        node.field(field).and_then(Node::as_str).unwrap_or_default().to_owned()
    };
    let cache_duration = node
        .field("cacheDuration")
        .and_then(Node::as_str)
        .and_then(|text| text.parse::<GoDuration>().ok());
    let mut auth = AuthConfigs::new();
    if let Some(Value::Object(entries)) = node.field("auth").map(|node| &node.value) {
        for entry in entries {
            let login = AuthConfig {
                username: text(&entry.node, "username"),
                password: text(&entry.node, "password").into(),
            };
            auth.insert(entry.key.to_string(), login);
        }
    }
    Ok(CredentialProviderResponse {
        cache_key_type: text(node, "cacheKeyType"),
        cache_duration,
        auth,
    })
}
