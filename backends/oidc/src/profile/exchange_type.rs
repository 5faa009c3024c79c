//! The types of exchange, and which field of the file is for which.

use std::path::PathBuf;

use super::compile_context::CompileContext;
use super::custom;
use super::oauth::{self, Endpoint, OAuth};
use super::raw::{RawExchange, RawType};
use super::step::Step;
use super::template::Template;
use super::vault::{self, Vault};

/// How the password is obtained.
pub(crate) enum Exchange {
    /// The pod's token is the password.
    Passthrough,
    /// A file on the node, read for each pull.
    File(PathBuf),
    OAuth(Box<OAuth>),
    Vault(Box<Vault>),
    /// Calls that the file writes out.
    Custom(Vec<Step>),
}

impl Exchange {
    /// The exchange of the type `kind`.
    ///
    /// # Errors
    /// What is wrong, when a field of `exchange` is missing, not valid, or for another type.
    pub(super) fn compile(
        kind: RawType,
        raw: RawExchange,
        context: &CompileContext<'_>,
    ) -> Result<Self, String> {
        check_fields(kind, &raw)?;
        let mut raw = raw;
        let hosts = std::mem::take(&mut raw.hosts.0).into_iter();
        let hosts = hosts.map(|host| context.constant("exchange.hosts", host));
        let hosts = hosts.collect::<Result<Vec<_>, _>>()?;
        Ok(match kind {
            RawType::Passthrough => Self::Passthrough,
            RawType::Static => {
                let file = raw.file.ok_or("`static` needs `exchange.file`")?;
                Self::File(context.path("exchange.file", file)?)
            }
            RawType::TokenExchange | RawType::JwtBearer | RawType::ClientAssertion => {
                Self::OAuth(Box::new(oauth::compile(kind, raw, hosts, context)?))
            }
            RawType::Vault => Self::Vault(Box::new(vault::compile(raw, context)?)),
            RawType::Http => {
                Self::Custom(custom::compile(raw.steps.unwrap_or_default(), &hosts, context)?)
            }
        })
    }

    /// Whether it cannot be done without the pod's token.
    pub(crate) fn needs_token(&self) -> bool {
        match self {
            Self::Passthrough | Self::OAuth(_) | Self::Vault(_) => true,
            Self::File(_) => false,
            Self::Custom(steps) => steps.iter().any(Step::sends_token),
        }
    }

    /// The names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let templates: Vec<&Template> = match self {
            Self::Passthrough | Self::File(_) => Vec::new(),
            Self::OAuth(oauth) => {
                let address = match &oauth.endpoint {
                    Endpoint::Address(address) => Some(address),
                    Endpoint::Discovery(_) => None,
                };
                let parameters = oauth.parameters.iter().map(|(_, value)| value);
                parameters.chain(address.into_iter().flat_map(|it| it.templates())).collect()
            }
            Self::Vault(vault) => {
                let addresses = vault.login.templates().chain(vault.read.templates());
                addresses.chain([&vault.role]).collect()
            }
            Self::Custom(steps) => steps.iter().flat_map(Step::templates).collect(),
        };
        templates.into_iter().flat_map(Template::names)
    }
}

/// A field that a type does not read is a misunderstanding.
fn check_fields(kind: RawType, raw: &RawExchange) -> Result<(), String> {
    use RawType::{ClientAssertion, Http, JwtBearer, Static, TokenExchange, Vault};

    let oauth = &[TokenExchange, JwtBearer, ClientAssertion][..];
    let exchange = &[TokenExchange][..];
    let calls = &[TokenExchange, JwtBearer, ClientAssertion, Vault, Http][..];
    let vault = &[Vault][..];
    for (name, is_set, kinds) in [
        ("endpoint", raw.endpoint.is_some(), oauth),
        ("discovery", raw.discovery.is_some(), oauth),
        ("clientAuth", raw.client_auth.is_some(), oauth),
        ("scope", !raw.scope.0.is_empty(), oauth),
        ("extra", !raw.extra.is_empty(), oauth),
        ("encoding", raw.encoding.is_some(), exchange),
        ("subjectTokenType", raw.subject_token_type.is_some(), exchange),
        ("requestedTokenType", raw.requested_token_type.is_some(), exchange),
        ("audience", !raw.audience.0.is_empty(), exchange),
        ("resource", !raw.resource.0.is_empty(), exchange),
        ("address", raw.address.is_some(), vault),
        ("mount", raw.mount.is_some(), vault),
        ("namespace", raw.namespace.is_some(), vault),
        ("role", raw.role.is_some(), vault),
        ("read", raw.read.is_some(), vault),
        ("file", raw.file.is_some(), &[Static][..]),
        ("steps", raw.steps.is_some(), &[Http][..]),
        ("hosts", !raw.hosts.0.is_empty(), calls),
    ] {
        if is_set && !kinds.contains(&kind) {
            return Err(match kind {
                RawType::Passthrough => {
                    "`passthrough` makes no call: `exchange` can only have `type`".to_owned()
                }
                kind => {
                    format!("`exchange.{name}` cannot be used with the type `{}`", kind.name())
                }
            });
        }
    }
    Ok(())
}
