//! The operator's settings: options, environment and the credential file.

mod pods;
mod value;

use std::time::Duration;

use pullpass::{CacheKey, Error, Options, WithoutToken};
use url::Url;

pub(crate) use self::pods::{Pods, WithoutAnnotation, WithoutPool};
use self::value::url;
use crate::credentials_file::{self, CredentialsFile, Key};
use crate::registry::Hosts;
use crate::universe::Universe;

/// The settings. An option, or its environment variable, takes precedence over the file.
pub(crate) struct Settings {
    pub(crate) universe: Universe,
    pub(crate) hosts: Hosts,
    /// The node's key; without one the metadata server gives the node's identity.
    pub(crate) key: Option<Key>,
    pub(crate) pods: Pods,
    pub(crate) without_token: WithoutToken,
    pub(crate) sts: Url,
    pub(crate) iam_credentials: Url,
    /// The lifetime to request for an impersonated service account's token.
    pub(crate) lifetime: Duration,
    /// Whether the user name is the Go plugin's.
    pub(crate) token_username: bool,
    pub(crate) cache_key: CacheKey,
    pub(crate) longest_cache: Option<Duration>,
}

/// How long such a token may live without further configuration at Google.
const LIFETIME: Duration = Duration::from_secs(3600);

impl Settings {
    /// Reads the options, and the file if one is named.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when a value is invalid, or two options
    /// cannot be combined.
    pub(crate) fn read(options: &Options) -> Result<Self, Error> {
        check_command(options)?;
        let file = match options.non_empty("credentials") {
            Some(path) => credentials_file::read(path.as_ref())?,
            None => CredentialsFile::default(),
        };
        let universe = match options.non_empty("universe-domain").or(file.universe.as_deref()) {
            Some(domain) => Universe::parse(domain)?,
            None => Universe::default(),
        };
        let (pool, token_url, impersonation) = match file.external {
            Some(it) => (Some(it.pool), Some(it.token_url), it.impersonation),
            None => (None, None, None),
        };
        let (api, email, lifetime) = match impersonation {
            Some(it) => (Some(it.api), Some(it.email), it.lifetime),
            None => (None, None, None),
        };
        let pods = pods::read(options, pool, email)?;
        // GKE's own nodes are Google's; nodes with a pool that an operator created seldom are.
        let is_elsewhere = (pods.pool.is_some() && !pods.opt_in) || !pods.allowed.is_empty();
        Ok(Self {
            sts: url(options, "sts-url")?.or(token_url).map_or_else(|| universe.sts(), Ok)?,
            iam_credentials: url(options, "iam-credentials-url")?
                .or(api)
                .map_or_else(|| universe.iam_credentials(), Ok)?,
            universe,
            hosts: Hosts::parse(options.values("host"))?,
            key: file.key,
            without_token: WithoutToken::read(options)?.unwrap_or(match is_elsewhere {
                true => WithoutToken::Refuse,
                false => WithoutToken::Node,
            }),
            pods,
            lifetime: lifetime.unwrap_or(LIFETIME),
            token_username: options.is_set("token-username"),
            cache_key: match options.non_empty("cache-key") {
                None | Some("registry") => CacheKey::Registry,
                Some("image") => CacheKey::Image,
                Some("global") => CacheKey::Global,
                Some(_) => {
                    let values = "`image`, `registry`, `global`";
                    return Err(Error::config(format!(
                        "`--cache-key` (or `KUBE_SIDECAR_CACHE_TYPE`) must be one of {values}"
                    ))
                    .with_hint("write one of them, in lower case; `--help` shows the default"));
                }
            },
            longest_cache: options.duration("max-cache").map_err(|error| {
                error.context("`--max-cache` (or KUBE_SIDECAR_CACHE_DURATION) cannot be used")
            })?,
        })
    }
}

/// The argument with which the Go plugin is called.
fn check_command(options: &Options) -> Result<(), Error> {
    if options.value("command").is_some_and(|command| command != "get-credentials") {
        return Err(Error::config("the only command is `get-credentials`, and it is optional")
            .with_hint("remove other arguments from `args`; `--help` lists the options"));
    }
    let flows = [options.value("authFlow"), options.value("a")];
    match flows.into_iter().flatten().find(|flow| *flow != "gcr") {
        None => Ok(()),
        Some(flow @ ("dockercfg" | "dockercfg-url")) => {
            Err(Error::config(format!("`--authFlow={flow}` is not supported")).with_hint(
                "it reads passwords from the instance's metadata: grant \
                 roles/artifactregistry.reader to the node's service account and use `gcr`; for \
                 other registries use an imagePullSecret or that registry's own plugin",
            ))
        }
        Some(_) => Err(Error::config("`--authFlow` is not `gcr`")
            .with_hint("`gcr`, in lower case, is the default: remove the option")),
    }
}
