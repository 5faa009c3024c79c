//! What the operator said: options, environment and the credential file in one.

use std::time::Duration;

use pullpass::{CacheKey, Error, Options};
use url::Url;

use crate::credentials_file::{self, CredentialsFile, Key, https, is_email};
use crate::pool::{Pattern, Pool};
use crate::registry::Hosts;
use crate::universe::Universe;

/// The settings, each where it was said first: option or its environment variable, then file.
pub(crate) struct Settings {
    pub(crate) universe: Universe,
    pub(crate) hosts: Hosts,
    /// The node's key; without one the metadata server knows the node.
    pub(crate) key: Option<Key>,
    pub(crate) pods: Pods,
    pub(crate) without_token: WithoutToken,
    pub(crate) sts: Url,
    pub(crate) iam_credentials: Url,
    /// How long an impersonated service account's token shall live.
    pub(crate) lifetime: Duration,
    /// Whether the user is called as the Go plugin does.
    pub(crate) token_username: bool,
    pub(crate) cache_key: CacheKey,
    pub(crate) longest_cache: Option<Duration>,
}

/// How pods are known to Google.
pub(crate) struct Pods {
    /// The pool of those that no annotation names one for.
    pub(crate) pool: Option<Pool>,
    /// Whether the service account must have opted in by its annotation: on GKE.
    pub(crate) opt_in: bool,
    pub(crate) without_annotation: WithoutAnnotation,
    /// What the annotation may name.
    pub(crate) allowed: Vec<Pattern>,
    pub(crate) without_pool: WithoutPool,
    /// The service account of those that no annotation names one for.
    pub(crate) service_account: Option<String>,
}

/// What becomes of a request without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutToken {
    Node,
    Anonymous,
    Refuse,
}

/// What becomes of a pod that has not opted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutAnnotation {
    Refuse,
    Node,
    Pod,
}

/// What becomes of a token for which there is no pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutPool {
    Refuse,
    Node,
}

/// How long Google lets such a token live without further ado.
const LIFETIME: Duration = Duration::from_secs(3600);

impl Settings {
    /// Reads the options, and the file if one is named.
    ///
    /// # Errors
    /// Of kind Config, when a value is none, or two exclude each other.
    pub(crate) fn read(options: &Options) -> Result<Self, Error> {
        check_call(options)?;
        let file = match text(options, "credentials") {
            Some(path) => credentials_file::read(path.as_ref())?,
            None => CredentialsFile::default(),
        };
        let universe = match text(options, "universe-domain").or(file.universe.as_deref()) {
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
        let pods = pods(options, pool, email)?;
        // GKE's own nodes are Google's; where an operator made the pool they seldom are.
        let is_elsewhere = (pods.pool.is_some() && !pods.opt_in) || !pods.allowed.is_empty();
        Ok(Self {
            sts: url(options, "sts-url")?.or(token_url).map_or_else(|| universe.sts(), Ok)?,
            iam_credentials: url(options, "iam-credentials-url")?
                .or(api)
                .map_or_else(|| universe.iam_credentials(), Ok)?,
            universe,
            hosts: Hosts::parse(options.values("host"))?,
            key: file.key,
            without_token: match options.value("without-token") {
                None if is_elsewhere => WithoutToken::Refuse,
                None | Some("node") => WithoutToken::Node,
                Some("anonymous") => WithoutToken::Anonymous,
                Some("refuse") => WithoutToken::Refuse,
                Some(_) => return Err(none_of("without-token", "`node`, `anonymous`, `refuse`")),
            },
            pods,
            lifetime: lifetime.unwrap_or(LIFETIME),
            token_username: options.is_set("token-username"),
            cache_key: match text(options, "cache-key") {
                None | Some("registry") => CacheKey::Registry,
                Some("image") => CacheKey::Image,
                Some("global") => CacheKey::Global,
                Some(_) => {
                    let values = "`image`, `registry`, `global`";
                    return Err(Error::config(format!(
                        "`--cache-key` (or KUBE_SIDECAR_CACHE_TYPE) is none of {values}"
                    ))
                    .with_hint("in lower case; `--help` says what holds by default"));
                }
            },
            longest_cache: options.duration("max-cache").map_err(|error| {
                error.context("`--max-cache` (or KUBE_SIDECAR_CACHE_DURATION) cannot be used")
            })?,
        })
    }
}

fn pods(options: &Options, of_file: Option<Pool>, email: Option<String>) -> Result<Pods, Error> {
    let cluster = match (text(options, "project-id"), text(options, "identity-provider")) {
        (Some(project), Some(issuer)) => Some(Pool::cluster(project, issuer)?),
        (None, Some(_)) => {
            return Err(Error::config("`--identity-provider` needs `--project-id`").with_hint(
                "name the project (of a fleet: its host project) whose pool is `ID.svc.id.goog`",
            ));
        }
        // As the Go plugin, which reads it only beside the other.
        (_, None) => None,
    };
    let named = match text(options, "workload-identity-provider") {
        Some(name) => Some(Pool::self_managed(name).map_err(|why| {
            Error::config(format!("`--workload-identity-provider` {why}")).with_hint(
                "write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/\
                 PROVIDER, with the project's number",
            )
        })?),
        None => None,
    };
    let opt_in = cluster.is_some();
    let pool = match (cluster, named, of_file) {
        (Some(_), Some(_), _) => {
            return Err(two("--identity-provider", "--workload-identity-provider"));
        }
        (Some(_), _, Some(_)) => return Err(two("--identity-provider", EXTERNAL)),
        (_, Some(_), Some(_)) => return Err(two("--workload-identity-provider", EXTERNAL)),
        (cluster, named, of_file) => cluster.or(named).or(of_file),
    };
    let patterns = options.values("allow-provider").iter();
    let allowed = patterns.map(|it| Pattern::parse(it)).collect::<Result<Vec<_>, _>>()?;
    let service_account = match text(options, "service-account") {
        Some(email) if is_email(email) => Some(email.to_owned()),
        Some(_) => {
            return Err(Error::config("`--service-account` is no service account's address")
                .with_hint("write NAME@PROJECT.iam.gserviceaccount.com"));
        }
        None => email,
    };
    if service_account.is_some() && pool.is_none() && allowed.is_empty() {
        return Err(Error::config("`--service-account` is for pods, and they have no pool")
            .with_hint("name their pool's provider by `--workload-identity-provider`"));
    }
    Ok(Pods {
        pool,
        opt_in,
        without_annotation: match options.value("without-annotation") {
            None | Some("refuse") => WithoutAnnotation::Refuse,
            Some("node") => WithoutAnnotation::Node,
            Some("pod") => WithoutAnnotation::Pod,
            Some(_) => return Err(none_of("without-annotation", "`refuse`, `node`, `pod`")),
        },
        allowed,
        without_pool: match options.value("without-pool") {
            None | Some("refuse") => WithoutPool::Refuse,
            Some("node") => WithoutPool::Node,
            Some(_) => return Err(none_of("without-pool", "`refuse`, `node`")),
        },
        service_account,
    })
}

/// The Go plugin's way of being called.
fn check_call(options: &Options) -> Result<(), Error> {
    if options.value("command").is_some_and(|command| command != "get-credentials") {
        return Err(Error::config("the one command is `get-credentials`, and it may be left out")
            .with_hint("take the others out of `args`; `--help` lists the options"));
    }
    let flows = [options.value("authFlow"), options.value("a")];
    match flows.into_iter().flatten().find(|flow| *flow != "gcr") {
        None => Ok(()),
        Some(flow @ ("dockercfg" | "dockercfg-url")) => {
            Err(Error::config(format!("`--authFlow={flow}` is not supported")).with_hint(
                "it hands out passwords that are kept in the instance's metadata: give the node's \
                 service account roles/artifactregistry.reader and use `gcr`; for a registry of \
                 somebody else's use an imagePullSecret or that registry's own plugin",
            ))
        }
        Some(_) => Err(Error::config("`--authFlow` is not `gcr`")
            .with_hint("`gcr`, in lower case, is the default: leave the option out")),
    }
}

const EXTERNAL: &str = "the `external_account` file of `--credentials`";

/// What an installer leaves empty is not set.
fn text<'a>(options: &'a Options, name: &str) -> Option<&'a str> {
    options.value(name).filter(|value| !value.is_empty())
}

fn url(options: &Options, name: &str) -> Result<Option<Url>, Error> {
    let Some(text) = text(options, name) else { return Ok(None) };
    match https(text) {
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(Some(url)),
        _ => Err(Error::config(format!("`--{name}` is no `https://` URL"))
            .with_hint("leave it out unless Google's APIs are reached by names of your own")),
    }
}

fn two(one: &str, other: &str) -> Error {
    Error::config(format!("{} and {} exclude each other", quoted(one), quoted(other)))
        .with_hint("pods have one pool by default; take one of them out of `args`")
}

fn quoted(text: &str) -> String {
    match text.starts_with("--") {
        true => format!("`{text}`"),
        false => text.to_owned(),
    }
}

fn none_of(option: &str, values: &str) -> Error {
    Error::config(format!("`--{option}` is none of {values}"))
        .with_hint("`--help` says what holds by default")
}
