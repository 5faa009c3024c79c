//! When a provider is asked with a pod's service account, and when not at all.
//!
//! Source: KEP-4412, "Projected service account tokens for kubelet image credential
//! providers"; kubelet, `serviceAccountProvider`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::cache::AccountKey;
use crate::config::{CredentialProvider, TokenAttributes};
use crate::version::Target;

/// The pod whose image is pulled.
#[derive(Clone, Debug, Default)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name; only in log lines.
    pub name: String,
    /// Its UID; only in log lines.
    pub uid: String,
    /// Its service account; static pods have none.
    pub service_account: Option<PodServiceAccount>,
    /// Where its tokens come from.
    pub tokens: TokenSource,
}

/// A pod's service account, in the pod's namespace.
#[derive(Clone, Debug, Default)]
pub struct PodServiceAccount {
    /// Its name.
    pub name: String,
    /// Its UID, which distinguishes it from an earlier one of the same name.
    pub uid: String,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What the API server answered instead, when it could not be read.
    pub error: Option<String>,
}

/// Gets a token for an audience, or the API server's message why there is none.
pub type RequestTokenFn = Arc<dyn Fn(&str) -> Result<SecretString, String> + Send + Sync>;

/// What the API server answers to a request for a token.
#[derive(Clone)]
pub enum TokenSource {
    /// Asks for a token when a provider needs one.
    Request(RequestTokenFn),
    /// This token, whatever the audience.
    Token(SecretString),
    /// One token per audience; other audiences are refused.
    ByAudience(BTreeMap<String, SecretString>),
    /// This error.
    Error(String),
}

/// Without tokens.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Request(_) => "Request",
            Self::Token(_) => "Token",
            Self::ByAudience(_) => "ByAudience",
            Self::Error(_) => "Error",
        })
    }
}

impl Default for TokenSource {
    fn default() -> Self {
        Self::Error("no token was given".to_owned())
    }
}

impl TokenSource {
    fn request(&self, audience: &str) -> Result<SecretString, String> {
        match self {
            Self::Request(request) => request(audience),
            Self::Token(token) => Ok(token.clone()),
            Self::ByAudience(tokens) => tokens
                .get(audience)
                .cloned()
                .ok_or_else(|| format!("no token was given for audience `{audience}`")),
            Self::Error(error) => Err(error.clone()),
        }
    }
}

/// What a provider gets about the pod.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountData {
    /// The pod's token.
    pub token: Option<SecretString>,
    /// The annotations that the configuration names and the service account has.
    pub annotations: BTreeMap<String, String>,
    /// The service account part of the cache key.
    pub account: AccountKey,
}

/// Why a provider is not asked although it covers the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotCalled {
    /// It requires a service account, and the pod has none. Logged at V(5) only.
    NoServiceAccount,
    /// The service account does not have this annotation. Logged at V(5) only: this is how
    /// workloads opt in.
    MissingAnnotation(String),
    /// The API server did not give the service account.
    ServiceAccount(String),
    /// The API server did not give a token. The kubelet does not fall back to a call without one.
    Token(String),
    /// The key of the cache cannot be built.
    CacheKey(String),
}

impl fmt::Display for NotCalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoServiceAccount => f.write_str("the pod has no service account"),
            Self::MissingAnnotation(key) => {
                write!(f, "the service account has no annotation `{key}`")
            }
            Self::ServiceAccount(error) => write!(f, "the service account cannot be read: {error}"),
            Self::Token(error) => write!(f, "there is no token: {error}"),
            Self::CacheKey(error) => write!(f, "no cache key can be made: {error}"),
        }
    }
}

/// The identity for asking `provider` about an image of `pod`.
///
/// # Errors
/// When the kubelet would not ask it.
pub fn identify(
    provider: &CredentialProvider,
    pod: Option<&Pod>,
    target: &Target,
) -> Result<ServiceAccountData, NotCalled> {
    let tokens = match &provider.token_attributes {
        Some(tokens) if target.has_service_account_tokens() => tokens,
        _ => return Ok(ServiceAccountData::default()),
    };
    let account = pod.and_then(|pod| Some((pod, pod.service_account.as_ref()?)));
    let Some((pod, account)) = account.filter(|(_, account)| !account.name.is_empty()) else {
        return if tokens.require_service_account.value {
            Err(NotCalled::NoServiceAccount)
        } else {
            Ok(ServiceAccountData::default())
        };
    };
    if let Some(error) = &account.error {
        return Err(NotCalled::ServiceAccount(error.clone()));
    }
    let annotations = annotations(tokens, account)?;
    let token = pod.tokens.request(&tokens.audience).map_err(NotCalled::Token)?;
    let key = AccountKey::new(
        &pod.namespace,
        &account.name,
        &account.uid,
        &annotations,
        tokens.caches_by_token().then(|| token.expose_secret()),
    )
    .map_err(|error| NotCalled::CacheKey(error.to_string()))?;
    Ok(ServiceAccountData { token: Some(token), annotations, account: key })
}

fn annotations(
    tokens: &TokenAttributes,
    account: &PodServiceAccount,
) -> Result<BTreeMap<String, String>, NotCalled> {
    let mut passed = BTreeMap::new();
    for key in &tokens.required_annotation_keys {
        let value = account
            .annotations
            .get(key.as_str())
            .ok_or_else(|| NotCalled::MissingAnnotation(key.value.clone()))?;
        passed.insert(key.value.clone(), value.clone());
    }
    for key in &tokens.optional_annotation_keys {
        if let Some(value) = account.annotations.get(key.as_str()) {
            passed.insert(key.value.clone(), value.clone());
        }
    }
    Ok(passed)
}

/// Whether an answer returns the token although it must not: 1.34 and later, unless
/// the cache type is `Token`.
pub(crate) fn echoes_token(
    provider: &CredentialProvider,
    identity: &ServiceAccountData,
    auth: &crate::exec::AuthConfigs,
    target: &Target,
) -> bool {
    let Some(token) = identity.token.as_ref().map(|token| token.expose_secret()) else {
        return false;
    };
    let tokens = provider.token_attributes.as_ref();
    let by_token = tokens.is_some_and(TokenAttributes::caches_by_token);
    target.version.minor() >= 34
        && !token.is_empty()
        && !by_token
        && auth.values().any(|login| login.password.expose_secret() == token)
}
