//! Who asks AWS: the pod in a role, the node in a role, or the node with its own credentials.
//! Pure: no network.

use std::fmt;

use pullpass::{Error, ServiceAccount, Token, one_line};

use crate::registry::Registry;
use crate::roles::{Role, Roles};

/// The audience of pods' tokens, by convention: AWS accepts any that the role's account names.
/// Source: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM".
pub(crate) const AUDIENCE: &str = "sts.amazonaws.com";

/// Who asks AWS for the registry's token.
#[derive(Clone, Debug)]
pub(crate) enum Identity<'a> {
    /// The pod's service account in this role, with its token.
    Pod(Role, &'a Token),
    /// The node in this role, with its own credentials.
    NodeInRole(Role),
    /// The node.
    Node,
}

impl<'a> Identity<'a> {
    /// Who asks for the registry's token; `account` is the request's service account.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`](pullpass::ErrorKind::Identity) when there is a token and no usable
    /// role: a pod never becomes the node unless the operator said so.
    pub(crate) fn choose(
        roles: &Roles,
        account: Option<&'a ServiceAccount>,
        registry: &Registry,
    ) -> Result<Self, Error> {
        let Some(account) = account else {
            return match roles.for_registry(registry) {
                Some(role) => role.clone().check_partition(registry).map(Self::NodeInRole),
                None => Ok(Self::Node),
            };
        };
        let role = match roles.annotated(account)? {
            Some(role) => Some(role),
            None => roles.default.as_ref().or(roles.for_registry(registry)).cloned(),
        };
        match role {
            Some(role) => {
                role.check_partition(registry).map(|role| Self::Pod(role, &account.token))
            }
            // The account has no role either; otherwise the pod would have it.
            None if roles.node_for_pods => Ok(Self::Node),
            None => Err(no_role(roles, account)),
        }
    }
}

fn no_role(roles: &Roles, account: &ServiceAccount) -> Error {
    let keys: Vec<String> = roles.annotations.iter().map(|key| format!("`{key}`")).collect();
    let subject = one_line(&account.token.claims().subject);
    let sent: Vec<String> =
        account.annotations.keys().map(|key| format!("`{}`", one_line(key))).collect();
    let sent = match sent.is_empty() {
        true => "none".to_owned(),
        false => sent.join(", "),
    };
    Error::identity(format!("no role is named for `{subject}`"))
        .with_source(format!("annotations in the request: {sent}"))
        .with_hint(format!(
            "list {} in `tokenAttributes.optionalServiceAccountAnnotationKeys` and annotate the \
             service account, or set `--role-arn`; `--without-role=node` lets such pods pull as \
             the node",
            keys.join(" or ")
        ))
}

/// For messages: whom a service refused.
impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pod(role, _) => write!(f, "the pod as `{}`", role.arn),
            Self::NodeInRole(role) => write!(f, "the node as `{}`", role.arn),
            Self::Node => f.write_str("the node"),
        }
    }
}

#[cfg(test)]
mod tests;
