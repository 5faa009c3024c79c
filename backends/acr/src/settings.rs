//! The operator's settings: options, environment and `azure.json`.

mod binding;
mod node;

use std::time::Duration;

use pullpass::{Env, Error, Options, WithoutToken};

pub(crate) use self::binding::Binding;
use self::node::conflict;
pub(crate) use self::node::{ManagedId, Node, Principal, Proof, is_id};
use crate::azure_json::{self, AzureJson};
use crate::cloud::{CloudSettings, parse_authority, parse_suffix};

/// The settings. An option, or its environment variable, takes precedence over the file.
pub(crate) struct Settings {
    pub(crate) cloud: CloudSettings,
    pub(crate) tenant_id: Option<String>,
    /// The node's identity, if it has one.
    pub(crate) node: Option<Node>,
    /// The pods' application where no annotation names one.
    pub(crate) pod_client_id: Option<String>,
    pub(crate) binding: Option<Binding>,
    pub(crate) without_token: Option<WithoutToken>,
    pub(crate) repository_scope: bool,
    /// Whether the service principal's own secret is the login.
    pub(crate) static_principal: bool,
    pub(crate) anonymous_key: bool,
    pub(crate) longest_cache: Duration,
}

impl Settings {
    /// Reads the options, and the file if one is named.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when a value is invalid, or two options
    /// cannot be combined.
    pub(crate) fn read(options: &Options, env: &Env) -> Result<Self, Error> {
        let file = match options.path("cloud-config") {
            Some(path) => azure_json::read(&path)?,
            None => AzureJson::default(),
        };
        let longest_cache = options.duration("max-cache")?.unwrap_or(Duration::from_secs(3600));
        Ok(Self {
            cloud: cloud(options, env, &file)?,
            tenant_id: text(options, "tenant-id").or_else(|| file.tenant_id.clone()),
            node: node::read(options, env, &file)?,
            pod_client_id: text(options, "pod-client-id"),
            binding: binding::read(options)?,
            without_token: WithoutToken::read(options)?,
            repository_scope: options.is_set("repository-scope"),
            static_principal: options.is_set("static-service-principal"),
            anonymous_key: options.is_set("anonymous-key"),
            longest_cache,
        })
    }

    /// Refuses `--static-service-principal` where it has no effect.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when there is no secret, or
    /// `--repository-scope` is set too.
    pub(crate) fn check_static_principal(&self) -> Result<(), Error> {
        let has_secret = matches!(
            &self.node,
            Some(Node::Principal(Principal { proof: Proof::StaticSecret(_), .. }))
        );
        match (self.static_principal, has_secret, self.repository_scope) {
            (true, false, _) => Err(Error::config(
                "`--static-service-principal` needs a service principal with a secret",
            )
            .with_hint(
                "set `--client-secret-file`, or `aadClientSecret` in `azure.json`; or remove \
                     the option",
            )),
            (true, true, true) => Err(conflict("static-service-principal", "repository-scope")
                .with_hint(
                    "the principal's secret opens every repository: remove one of the two from \
                     `args`",
                )),
            _ => Ok(()),
        }
    }
}

fn text(options: &Options, name: &str) -> Option<String> {
    options.non_empty(name).map(str::to_owned)
}

fn cloud(options: &Options, env: &Env, file: &AzureJson) -> Result<CloudSettings, Error> {
    let name = text(options, "cloud").or_else(|| file.cloud.clone());
    let authority = match (text(options, "authority-host"), &name) {
        (Some(host), _) => Some(parse_authority(&host, "`--authority-host`")?),
        (None, Some(_)) => None,
        // As for workload identities; a named cloud takes precedence.
        (None, None) => env
            .text("AZURE_AUTHORITY_HOST")?
            .map(|host| parse_authority(host, "`AZURE_AUTHORITY_HOST`"))
            .transpose()?,
    };
    let suffixes = options
        .values("registry-suffix")
        .iter()
        .map(|suffix| parse_suffix(suffix, "`--registry-suffix`"));
    Ok(CloudSettings {
        name,
        authority,
        suffixes: suffixes.collect::<Result<_, _>>()?,
        resource_manager: file.resource_manager.clone(),
    })
}
