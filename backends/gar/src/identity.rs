//! Which identity requests the login: the node or the pod.

use std::fmt;

use pullpass::{Error, ServiceAccount, Token, WithoutToken, one_line};

use crate::credentials_file::{Key, is_email};
use crate::pool::{Pool, TOKEN_AUDIENCE};
use crate::settings::{Pods, Settings, WithoutAnnotation, WithoutPool};

/// The annotation with which a service account's pods opt in on GKE.
pub(crate) const OPT_IN: &str = "iam.gke.io/enable-wi-image-pull";
/// The annotation that names the Google service account to impersonate.
pub(crate) const SERVICE_ACCOUNT: &str = "iam.gke.io/gcp-service-account";
/// The annotation that names the provider of a pool; only if the operator allows it. It is
/// Flux's annotation, so users of Flux have it already.
pub(crate) const PROVIDER: &str = "gcp.auth.fluxcd.io/workload-identity-provider";

/// An identity that requests a login.
pub(crate) enum Identity<'a> {
    /// The node, as the service account that is attached to it.
    Node,
    /// The node, as the service account of a key.
    Key(&'a Key),
    /// The pod.
    Pod(Pod<'a>),
    /// No identity: an anonymous pull.
    Anonymous,
}

/// A pod, with its token.
pub(crate) struct Pod<'a> {
    pub(crate) token: &'a Token,
    pub(crate) pool: Pool,
    /// Whether its annotation names the pool.
    pub(crate) by_annotation: bool,
    /// The Google service account that it becomes.
    pub(crate) service_account: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Chooses the identity for a request.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](pullpass::ErrorKind::Identity) when the pod's token cannot be used:
    /// the pod never becomes the node unless an option says so.
    pub(crate) fn choose(
        settings: &'a Settings,
        account: Option<&'a ServiceAccount>,
    ) -> Result<Self, Error> {
        let Some(account) = account else {
            return match settings.without_token {
                WithoutToken::Node => Ok(Self::node(settings)),
                WithoutToken::Anonymous => Ok(Self::Anonymous),
                WithoutToken::Refuse => Err(no_token(&settings.pods)),
            };
        };
        let pods = &settings.pods;
        let named = named_pool(pods, account)?;
        let by_annotation = named.is_some();
        let pool = match (named, &pods.pool) {
            // A service account that names a pool has opted in.
            (Some(named), _) => named,
            (None, Some(pool)) => {
                match (pods.opt_in && !has_opted_in(account), pods.without_annotation) {
                    (false, _) | (true, WithoutAnnotation::Pod) => pool.clone(),
                    (true, WithoutAnnotation::Node) => return Ok(Self::node(settings)),
                    (true, WithoutAnnotation::Refuse) => return Err(not_opted_in(account)),
                }
            }
            (None, None) => match pods.without_pool {
                WithoutPool::Node => return Ok(Self::node(settings)),
                WithoutPool::Refuse => return Err(no_pool(pods)),
            },
        };
        let service_account = service_account(pods, account)?;
        Ok(Self::Pod(Pod { token: &account.token, pool, by_annotation, service_account }))
    }

    fn node(settings: &'a Settings) -> Self {
        match &settings.key {
            Some(key) => Self::Key(key),
            None => Self::Node,
        }
    }
}

/// The pool that the service account names. One that is not allowed is an error.
fn named_pool(pods: &Pods, account: &ServiceAccount) -> Result<Option<Pool>, Error> {
    let Some(name) = account.annotations.get(PROVIDER) else { return Ok(None) };
    let pool = Pool::self_managed(name).map_err(|why| {
        Error::identity(format!("annotation `{PROVIDER}` {why}")).with_hint(
            "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
        )
    })?;
    let is_default = pods.pool.as_ref() == Some(&pool);
    match is_default || pods.allowed.iter().any(|pattern| pattern.matches(&pool)) {
        true => Ok(Some(pool)),
        false => Err(Error::identity(format!(
            "annotation `{PROVIDER}` names a provider that this node does not allow: {}",
            pool.display_name()
        ))
        .with_hint("the operator must allow it with `--allow-provider PATTERN`")),
    }
}

fn service_account<'a>(
    pods: &'a Pods,
    account: &'a ServiceAccount,
) -> Result<Option<&'a str>, Error> {
    match account.annotations.get(SERVICE_ACCOUNT) {
        None => Ok(pods.service_account.as_deref()),
        Some(email) if is_email(email) => Ok(Some(email)),
        Some(_) => Err(Error::identity(format!(
            "annotation `{SERVICE_ACCOUNT}` is not the email address of a service account"
        ))
        .with_hint(
            "write NAME@PROJECT.iam.gserviceaccount.com, or remove the annotation from the \
             service account",
        )),
    }
}

fn has_opted_in(account: &ServiceAccount) -> bool {
    account.annotations.get(OPT_IN).is_some_and(|value| value == "true")
}

fn not_opted_in(account: &ServiceAccount) -> Error {
    let subject = one_line(&account.token.claims().subject);
    let what = match account.annotations.get(OPT_IN) {
        Some(_) => format!("annotation `{OPT_IN}` on `{subject}` is not `true`"),
        None => format!("annotation `{OPT_IN}` is missing on `{subject}`"),
    };
    Error::identity(what).with_hint(
        "set it to `true` and list the key in \
         `tokenAttributes.optionalServiceAccountAnnotationKeys`; or let such pods pull as \
         themselves with `--without-annotation=pod`, or as the node with \
         `--without-annotation=node`",
    )
}

fn no_pool(pods: &Pods) -> Error {
    match pods.allowed.is_empty() {
        true => Error::identity(
            "the request has a token, but no workload identity pool is configured for it",
        )
        .with_hint(
            "set `--workload-identity-provider`, or on GKE `--project-id` and \
                 `--identity-provider`; to pull as the node, remove `tokenAttributes` from this \
                 provider, or set `--without-pool=node`",
        ),
        false => Error::identity(format!("annotation `{PROVIDER}` is missing")).with_hint(
            "annotate the service account and list the key in \
             `tokenAttributes.optionalServiceAccountAnnotationKeys`, or set one provider for all \
             pods with `--workload-identity-provider`",
        ),
    }
}

fn no_token(pods: &Pods) -> Error {
    let audience =
        pods.pool.as_ref().map_or_else(|| TOKEN_AUDIENCE.to_owned(), Pool::token_audience);
    Error::identity("the request has no service account token, but pods must pull with theirs")
        .with_hint(format!(
            "add `tokenAttributes` to this provider, with `serviceAccountTokenAudience: \
             {audience}`; static pods have no token: `--without-token=node` lets them pull as the \
             node, `--without-token=anonymous` without a login"
        ))
}

/// For messages: the subject of "was refused".
impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("the node"),
            Self::Key(key) => write!(f, "the node as `{}`", key.email),
            Self::Pod(pod) => pod.fmt(f),
            Self::Anonymous => f.write_str("an anonymous pull"),
        }
    }
}

impl fmt::Display for Pod<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pod `{}`", one_line(&self.token.claims().subject))?;
        match self.service_account {
            Some(email) => write!(f, " as `{email}`"),
            None => Ok(()),
        }
    }
}
