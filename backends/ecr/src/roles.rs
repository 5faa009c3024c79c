//! Who asks AWS: the pod by a role, the node by a role, or the node as it is.

use std::collections::BTreeMap;
use std::fmt;

use pullpass::{Error, ErrorKind, Options, ServiceAccount, Token, one_line};

use crate::partition::Partition;
use crate::registry::Registry;

/// What the operator said of roles.
pub(crate) struct Roles {
    /// The annotations that may name a pod's role; the first that is there counts.
    annotations: Vec<String>,
    /// The role of pods whose service account names none.
    default: Option<Role>,
    /// The role for the registries of an account.
    by_account: BTreeMap<String, Role>,
    /// Whether a pod without a role is the node instead.
    node_for_pods: bool,
}

/// A role in IAM, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    pub(crate) arn: String,
    /// Who named it.
    pub(crate) named_by: NamedBy,
}

/// Where a role's name comes from, and so whose it is to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// The service account's owner, by the annotation of this key.
    Annotation(String),
    /// The operator, by this option.
    Option(&'static str),
}

impl NamedBy {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Annotation(_) => ErrorKind::Identity,
            Self::Option(_) => ErrorKind::Config,
        }
    }
}

/// For messages.
impl fmt::Display for NamedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Annotation(key) => write!(f, "annotation `{key}`"),
            Self::Option(option) => f.write_str(option),
        }
    }
}

/// Who asks AWS for the registry's token.
#[derive(Clone, Debug)]
pub(crate) enum Identity<'a> {
    /// The pod's service account in this role, by its token.
    Pod(Role, &'a Token),
    /// The node in this role, by the credentials that it has.
    NodeInRole(Role),
    /// The node.
    Node,
}

impl Roles {
    /// Reads the options.
    ///
    /// # Errors
    /// Of kind Config, when a role or an account is not one.
    pub(crate) fn parse(options: &Options) -> Result<Self, Error> {
        let mut by_account = BTreeMap::new();
        for value in options.values("role") {
            let (account, arn) = value
                .split_once('=')
                .filter(|(account, _)| is_account(account))
                .ok_or_else(|| {
                Error::config(format!("`--role={value}` is not ACCOUNT=ARN"))
                    .with_hint("as in `--role 111122223333=arn:aws:iam::111122223333:role/pull`")
            })?;
            let role = Role::parse(arn, NamedBy::Option("`--role`"))?;
            if by_account.insert(account.to_owned(), role).is_some() {
                return Err(Error::config(format!("`--role` names account {account} twice")));
            }
        }
        let default = options
            .value("role-arn")
            .map(|arn| Role::parse(arn, NamedBy::Option("`--role-arn` or `AWS_ECR_ROLE_ARN`")))
            .transpose()?;
        let node_for_pods = match options.value("without-role") {
            None | Some("refuse") => false,
            Some("node") => true,
            Some(_) => {
                return Err(Error::config("`--without-role` is neither `refuse` nor `node`")
                    .with_hint(
                        "`node` lets pods whose service account names no role pull as the node",
                    ));
            }
        };
        let annotations = options.values("role-annotation").to_vec();
        Ok(Self { annotations, default, by_account, node_for_pods })
    }

    /// Who asks for this registry's token.
    ///
    /// # Errors
    /// Of kind Identity, when there is a token and no usable role: the pod never becomes the
    /// node by itself.
    pub(crate) fn choose<'a>(
        &self,
        account: Option<&'a ServiceAccount>,
        registry: &Registry,
    ) -> Result<Identity<'a>, Error> {
        let of_account = registry.account().and_then(|account| self.by_account.get(account));
        let Some(account) = account else {
            return match of_account {
                Some(role) => role.clone().within(registry).map(Identity::NodeInRole),
                None => Ok(Identity::Node),
            };
        };
        let annotated = self.annotations.iter().find_map(|key| {
            account
                .annotations
                .get(key)
                .map(|arn| Role::parse(arn, NamedBy::Annotation(key.clone())))
        });
        let role = match annotated {
            Some(role) => Some(role?),
            None => self.default.as_ref().or(of_account).cloned(),
        };
        match role {
            Some(role) => role.within(registry).map(|role| Identity::Pod(role, &account.token)),
            // No role is named for the account either, or the pod would have it.
            None if self.node_for_pods => Ok(Identity::Node),
            None => Err(self.no_role(account)),
        }
    }

    fn no_role(&self, account: &ServiceAccount) -> Error {
        let keys: Vec<String> = self.annotations.iter().map(|key| format!("`{key}`")).collect();
        let subject = one_line(&account.token.claims().subject);
        let sent: Vec<String> =
            account.annotations.keys().map(|key| format!("`{}`", one_line(key))).collect();
        let sent = match sent.is_empty() {
            true => "none".to_owned(),
            false => sent.join(", "),
        };
        Error::identity(format!("no role is named for `{subject}`"))
            .with_source(format!("the request's annotations: {sent}"))
            .with_hint(format!(
                "list {} in `tokenAttributes.optionalServiceAccountAnnotationKeys` and annotate the \
                 service account, or set `--role-arn`; `--without-role=node` lets such pods pull \
                 as the node",
                keys.join(" or ")
            ))
    }
}

impl Role {
    fn parse(arn: &str, named_by: NamedBy) -> Result<Self, Error> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let is_role = |resource: &str| {
            resource.strip_prefix("role/").is_some_and(|name| {
                !name.is_empty()
                    && name.bytes().all(|c| c.is_ascii_graphic() && !matches!(c, b':' | b'*'))
            })
        };
        match parts[..] {
            ["arn", partition, "iam", "", account, resource]
                if !partition.is_empty() && is_account(account) && is_role(resource) =>
            {
                Ok(Self { arn: arn.to_owned(), named_by })
            }
            _ => {
                let what = match arn {
                    "" => "is empty".to_owned(),
                    arn => format!("is no role's ARN: `{}`", one_line(arn)),
                };
                Err(Error::new(named_by.kind(), format!("{named_by} {what}"))
                    .with_hint("a role's ARN reads `arn:aws:iam::111122223333:role/NAME`"))
            }
        }
    }

    /// Refuses a role that cannot work, before the token is sent anywhere.
    fn within(self, registry: &Registry) -> Result<Self, Error> {
        let own = registry.partition();
        match self.partition() {
            Some(partition) if partition != own => Err(Error::new(
                self.named_by.kind(),
                format!(
                    "the role is in partition `{}`, and {registry} is in `{}`",
                    partition.id, own.id
                ),
            )
            .with_hint(format!(
                "name a role of partition `{}`; {} names it",
                own.id, self.named_by
            ))),
            _ => Ok(self),
        }
    }

    /// Its partition, unless that is one we do not know.
    fn partition(&self) -> Option<&'static Partition> {
        self.arn.split(':').nth(1).and_then(Partition::from_id)
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit())
}

/// For messages: the subject of "was refused".
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
