//! Which identity requests the login: the node or the pod.

use std::fmt;

use pullpass::{Error, ServiceAccount, Token, WithoutToken, one_line};

use crate::cloud::AUDIENCE;
use crate::settings::{Binding, ManagedId, Node, Principal, Proof, Settings, is_id};

/// The annotation that names the application of a service account's pods.
pub(crate) const CLIENT_ID: &str = "kubernetes.azure.com/acr-client-id";
/// The annotation that names the tenant of that application.
pub(crate) const TENANT_ID: &str = "kubernetes.azure.com/acr-tenant-id";

/// The audience of pods' tokens with identity bindings.
/// Source: AKS, "Identity bindings".
const BINDING_AUDIENCE: &str = "api://AKSIdentityBinding";

/// An identity that requests a login.
#[derive(Clone)]
pub(crate) enum Identity<'a> {
    /// The pod, as an application that trusts its token (federated credentials).
    Pod { client_id: &'a str, tenant_id: &'a str, token: &'a Token },
    /// The pod, by an identity binding of the cluster.
    BoundPod {
        client_id: &'a str,
        tenant_id: Option<&'a str>,
        token: &'a Token,
        binding: &'a Binding,
    },
    /// The node, as a managed identity.
    Managed { id: &'a ManagedId, tenant_id: Option<&'a str> },
    /// The node, as a service principal.
    Principal { principal: &'a Principal, tenant_id: &'a str },
    /// No identity: an anonymous pull.
    Anonymous,
}

impl<'a> Identity<'a> {
    /// Chooses the identity for a request. `mirrored`: the operator mapped the image's host to this
    /// registry with `--registry-mirror`, for the node. `audience`: what Entra expects in pods'
    /// tokens in this cloud.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](pullpass::ErrorKind::Identity) when the pod's token cannot be used,
    /// since the pod never becomes the node; [`ErrorKind::Config`](pullpass::ErrorKind::Config)
    /// when the node has no identity.
    pub(crate) fn choose(
        settings: &'a Settings,
        account: Option<&'a ServiceAccount>,
        mirrored: bool,
        audience: Option<&str>,
    ) -> Result<Self, Error> {
        match (account, &settings.binding) {
            (None, _) if mirrored => match settings.without_token {
                Some(WithoutToken::Refuse) => Err(no_token(None, audience)),
                Some(WithoutToken::Anonymous) => Ok(Self::Anonymous),
                Some(WithoutToken::Node) | None => Self::node(settings),
            },
            _ if mirrored => Self::node(settings),
            (Some(account), Some(binding)) => Self::bound(settings, account, binding),
            (Some(account), None) => Self::federated(settings, account),
            (None, binding) => {
                let default = match binding {
                    Some(_) => WithoutToken::Refuse,
                    None => WithoutToken::Node,
                };
                match settings.without_token.unwrap_or(default) {
                    WithoutToken::Node => Self::node(settings),
                    WithoutToken::Anonymous => Ok(Self::Anonymous),
                    WithoutToken::Refuse => Err(no_token(binding.as_ref(), audience)),
                }
            }
        }
    }

    fn federated(settings: &'a Settings, account: &'a ServiceAccount) -> Result<Self, Error> {
        let client_id = id(account, CLIENT_ID, settings.pod_client_id.as_deref())?;
        let tenant_id = id(account, TENANT_ID, settings.tenant_id.as_deref())?;
        Ok(Self::Pod {
            client_id: client_id.ok_or_else(|| missing(account, CLIENT_ID, "--pod-client-id"))?,
            tenant_id: tenant_id.ok_or_else(|| missing(account, TENANT_ID, "--tenant-id"))?,
            token: &account.token,
        })
    }

    fn bound(
        settings: &'a Settings,
        account: &'a ServiceAccount,
        binding: &'a Binding,
    ) -> Result<Self, Error> {
        let client_id = id(account, CLIENT_ID, binding.default_client_id.as_deref())?;
        let default = binding.default_tenant_id.as_deref().or(settings.tenant_id.as_deref());
        Ok(Self::BoundPod {
            client_id: client_id
                .ok_or_else(|| missing(account, CLIENT_ID, "--ib-default-client-id"))?,
            tenant_id: id(account, TENANT_ID, default)?,
            token: &account.token,
            binding,
        })
    }

    fn node(settings: &'a Settings) -> Result<Self, Error> {
        let tenant_id = settings.tenant_id.as_deref();
        settings.check_static_principal()?;
        match &settings.node {
            Some(Node::Managed(id)) => Ok(Self::Managed { id, tenant_id }),
            Some(Node::Principal(principal)) => {
                let tenant_id = tenant_id.ok_or_else(|| {
                    Error::config("the service principal has no tenant")
                        .with_hint("set `tenantId` in `azure.json`, or `--tenant-id`")
                })?;
                Ok(Self::Principal { principal, tenant_id })
            }
            None => Err(Error::config("the node has no identity").with_hint(
                "set `--managed-identity`; or name `azure.json` as the argument, with \
                 `useManagedIdentityExtension: true` or a service principal and its secret, \
                 certificate or token file in it; for the pod's own identity add `tokenAttributes`",
            )),
        }
    }

    /// Whether the service principal's own secret would be the login.
    pub(crate) fn is_static(&self) -> bool {
        matches!(self, Self::Principal { principal, .. }
            if matches!(principal.proof, Proof::StaticSecret(_)))
    }

    /// Whether its credential is a token, which the registry exchanges for its own.
    pub(crate) fn is_exchanged(&self) -> bool {
        !self.is_static() && !matches!(self, Self::Anonymous)
    }

    /// The tenant that is sent to the registry.
    pub(crate) fn tenant_id(&self) -> Option<&'a str> {
        match self {
            Self::Pod { tenant_id, .. } | Self::Principal { tenant_id, .. } => Some(tenant_id),
            Self::BoundPod { tenant_id, .. } | Self::Managed { tenant_id, .. } => *tenant_id,
            Self::Anonymous => None,
        }
    }
}

/// The annotation's ID, or the default without the annotation. An invalid ID is an error.
fn id<'a>(
    account: &'a ServiceAccount,
    annotation: &str,
    default: Option<&'a str>,
) -> Result<Option<&'a str>, Error> {
    let Some(id) = account.annotations.get(annotation) else { return Ok(default) };
    match is_id(id) {
        true => Ok(Some(id)),
        false if id.is_empty() => {
            Err(Error::identity(format!("annotation `{annotation}` is empty"))
                .with_hint("set the ID, or remove the annotation from the service account"))
        }
        false => Err(Error::identity(format!("annotation `{annotation}` is not an ID"))
            .with_hint("write a GUID; a tenant may also be a domain name")),
    }
}

fn missing(account: &ServiceAccount, annotation: &str, option: &str) -> Error {
    let subject = one_line(&account.token.claims().subject);
    Error::identity(format!("annotation `{annotation}` is missing on `{subject}`")).with_hint(
        format!(
            "annotate the service account and list the key in \
             `tokenAttributes.optionalServiceAccountAnnotationKeys`, or set `{option}`"
        ),
    )
}

fn no_token(binding: Option<&Binding>, audience: Option<&str>) -> Error {
    let (what, audience) = match binding {
        Some(_) => (
            "identity bindings need a service account token, but the request has none",
            BINDING_AUDIENCE,
        ),
        None => (
            "the request has no service account token, and `--without-token` is `refuse`",
            audience.unwrap_or(AUDIENCE),
        ),
    };
    Error::identity(what).with_hint(format!(
        "add `tokenAttributes` to this provider, with `serviceAccountTokenAudience: {audience}`; \
         static pods have no token: `--without-token=node` lets them pull as the node, \
         `--without-token=anonymous` without a login"
    ))
}

/// For messages: the subject of "was refused".
impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod { client_id, tenant_id, .. } => {
                write!(f, "the pod as application `{client_id}` of tenant `{tenant_id}`")
            }
            Self::BoundPod { client_id, binding, .. } => {
                write!(f, "the pod as identity `{client_id}` bound at `{}`", binding.sni_name)
            }
            Self::Managed { id, .. } => write!(f, "the node as {id}"),
            Self::Principal { principal, tenant_id } => write!(
                f,
                "the node as service principal `{}` of tenant `{tenant_id}`",
                principal.client_id
            ),
            Self::Anonymous => f.write_str("an anonymous pull"),
        }
    }
}

impl fmt::Display for ManagedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("its system-assigned identity"),
            Self::Client(id) => write!(f, "the identity of client ID `{id}`"),
            Self::Object(id) => write!(f, "the identity of object ID `{id}`"),
            Self::Resource(id) => write!(f, "the identity `{id}`"),
        }
    }
}
