//! IAM roles: their ARNs, who names them, and the operator's options for them.

use std::collections::BTreeMap;
use std::fmt;

use pullpass::{Error, ErrorKind, Options, ServiceAccount, one_line};

use crate::partition::Partition;
use crate::registry::Registry;

/// The options about roles.
pub(crate) struct Roles {
    /// The annotations that may name a pod's role, by precedence.
    pub(crate) annotations: Vec<String>,
    /// The role of pods whose service account names none.
    pub(crate) default: Option<Role>,
    /// The role for the registries of an account.
    by_account: BTreeMap<String, Role>,
    /// Whether a pod without a role pulls as the node.
    pub(crate) node_for_pods: bool,
}

/// An IAM role, and who named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    pub(crate) arn: String,
    /// Who named it.
    pub(crate) named_by: NamedBy,
}

/// Where a role's name comes from, and so who must correct it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NamedBy {
    /// The service account's owner, by the annotation of this key.
    Annotation(String),
    /// The operator, by this option.
    Option(&'static str),
}

impl Roles {
    /// Reads the options.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when a role, an account or `--without-role` is not valid.
    pub(crate) fn parse(options: &Options) -> Result<Self, Error> {
        let mut by_account = BTreeMap::new();
        for value in options.values("role") {
            let (account, arn) = value
                .split_once('=')
                .filter(|(account, _)| is_account(account))
                .ok_or_else(|| {
                Error::config("`--role` is not ACCOUNT=ARN").with_hint(
                    "write ACCOUNT=ARN, for example `--role \
                     111122223333=arn:aws:iam::111122223333:role/pull`",
                )
            })?;
            let role = Role::parse(arn, NamedBy::Option("`--role`"))?;
            if by_account.insert(account.to_owned(), role).is_some() {
                return Err(Error::config(format!("`--role` names account {account} twice"))
                    .with_hint("keep one `--role` for each account"));
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
                        "write `refuse` or `node`; with `node`, pods whose service account names \
                         no role pull as the node",
                    ));
            }
        };
        let annotations = options.values("role-annotation").to_vec();
        if !annotations.iter().all(|key| is_annotation_key(key)) {
            return Err(Error::config("`--role-annotation` is not the key of an annotation")
                .with_hint("write a key such as `eks.amazonaws.com/role-arn`"));
        }
        Ok(Self { annotations, default, by_account, node_for_pods })
    }

    /// The role for the account of this registry.
    pub(crate) fn for_registry(&self, registry: &Registry) -> Option<&Role> {
        registry.account().and_then(|account| self.by_account.get(account))
    }

    /// The role that an annotation of the service account names.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`] when the annotation is there and is not a role's ARN.
    pub(crate) fn annotated(&self, account: &ServiceAccount) -> Result<Option<Role>, Error> {
        self.annotations
            .iter()
            .find_map(|key| {
                let arn = account.annotations.get(key)?;
                Some(Role::parse(arn, NamedBy::Annotation(key.clone())))
            })
            .transpose()
    }
}

/// By its characters alone (Kubernetes: "Annotations", syntax and character set).
fn is_annotation_key(key: &str) -> bool {
    let is_part = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'/');
    !key.is_empty() && key.bytes().all(is_part)
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
                // The value of an option may be a misplaced secret.
                let what = match (arn, &named_by) {
                    ("", _) => "is empty".to_owned(),
                    (_, NamedBy::Option(_)) => "is not the ARN of a role".to_owned(),
                    (arn, NamedBy::Annotation(_)) => {
                        format!("is not the ARN of a role: `{}`", one_line(arn))
                    }
                };
                Err(Error::new(named_by.kind(), format!("{named_by} {what}"))
                    .with_hint("write the ARN as `arn:aws:iam::111122223333:role/NAME`"))
            }
        }
    }

    /// The role itself, if its partition is the registry's: another cannot work, and the token
    /// need not be sent anywhere to find that out.
    ///
    /// # Errors
    /// [`ErrorKind::Identity`] or [`ErrorKind::Config`], by who named the role, when the partitions
    /// differ.
    pub(crate) fn check_partition(self, registry: &Registry) -> Result<Self, Error> {
        let own = registry.partition();
        match self.partition() {
            Some(partition) if partition != own => Err(Error::new(
                self.named_by.kind(),
                format!(
                    "the role is in partition `{}`, and {registry} is in `{}`",
                    partition.id, own.id
                ),
            )
            .with_hint(format!("name a role of partition `{}` in {}", own.id, self.named_by))),
            _ => Ok(self),
        }
    }

    /// Its partition, if it is one that we know.
    fn partition(&self) -> Option<&'static Partition> {
        self.arn.split(':').nth(1).and_then(Partition::from_id)
    }
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

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_repeat_no_value_of_an_option() {
        let named_by = NamedBy::Option("`--role-arn`");
        let error = Role::parse("arn:hunter2pass", named_by).unwrap_err().render();
        assert!(!error.contains("hunter2pass") && error.contains("role/NAME"), "{error}");
        let named_by = NamedBy::Annotation("example.com/role".to_owned());
        let error = Role::parse("arn:aws", named_by).unwrap_err().render();
        assert!(error.contains("`arn:aws`"), "the pod's owner sees it anyway: {error}");
    }
}
