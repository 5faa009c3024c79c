//! What a backend brings: one trait with one method, and its facts as data.

use async_trait::async_trait;

use crate::command::Command;
use crate::context::Context;
use crate::error::Error;
use crate::options::{COMMON, OptionSpec, Options};
use crate::request::Request;
use crate::response::Response;

/// Turns a request into registry credentials.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The credentials for the image of `request`, or [`Response::none`] where the
    /// image needs none.
    ///
    /// # Errors
    /// Any failure that keeps the provider from answering. The runner prints it and exits
    /// with the kind's code; the kubelet then continues without these credentials.
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error>;

    /// Whether the operator's files say that a token which the Kubernetes API server may accept
    /// is sent for this request all the same. The runner refuses such tokens otherwise, unless
    /// `--allow-audience` names their audience.
    fn allows_api_server_token(&self, _request: &Request) -> bool {
        false
    }
}

/// A plugin: the static facts around a [`Provider`], from which the process, its
/// `--help`, the documentation and `pullpass config` are made.
///
/// ```
/// use pullpass::{Error, OptionSpec, Plugin};
///
/// static PLUGIN: Plugin = Plugin::new("echo-credential-provider", |_options, _cx| Err(Error::config("not ready")))
///     .version(env!("CARGO_PKG_VERSION"))
///     .summary("Logs in to registry.example")
///     .match_images(&["registry.example"])
///     .options(&[OptionSpec::switch("strict", "refuse more")]);
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Plugin {
    /// The name of the binary.
    pub name: &'static str,
    /// The version of the backend: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// The default `matchImages` for `pullpass config`; empty when only the
    /// operator can know.
    pub match_images: &'static [&'static str],
    /// What the command line and the environment can say.
    pub options: &'static [OptionSpec],
    /// The service account annotations that it reads.
    pub annotations: &'static [Annotation],
    /// The environment variables that it reads besides those of the options: a vendor's.
    pub environment: &'static [Variable],
    /// Its commands for people.
    pub commands: &'static [Command],
    /// Further tables of `--help`.
    pub topics: &'static [Topic],
    /// Who may share an answer to a request with a token: what `pullpass config` writes.
    pub cache_type: CacheType,
    /// The audience that its service requires in a pod's token, if that is one fixed text or
    /// form, such as `sts.amazonaws.com`: for `pullpass config` and for messages.
    pub audience: Option<&'static str>,
    /// Makes the provider. Runs after the request was read; must not touch the network.
    pub build: Build,
}

impl Plugin {
    /// A plugin whose binary is `name`, without options, annotations or default patterns; its
    /// answers are cached per token.
    pub const fn new(name: &'static str, build: Build) -> Self {
        Self {
            name,
            version: "",
            summary: "",
            match_images: &[],
            options: &[],
            annotations: &[],
            environment: &[],
            commands: &[],
            topics: &[],
            cache_type: CacheType::Token,
            audience: None,
            build,
        }
    }

    /// All options of its command line: its own, and those that every plugin has.
    pub fn all_options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        self.options.iter().chain(COMMON)
    }

    /// Every environment variable that it reads besides those of the options: its own, and those
    /// that every plugin reads.
    pub fn all_environment(&self) -> impl Iterator<Item = &'static Variable> {
        self.environment.iter().chain(ENVIRONMENT)
    }

    /// Sets [`version`](Self::version).
    #[must_use]
    pub const fn version(self, version: &'static str) -> Self {
        Self { version, ..self }
    }

    /// Sets [`summary`](Self::summary).
    #[must_use]
    pub const fn summary(self, summary: &'static str) -> Self {
        Self { summary, ..self }
    }

    /// Sets [`match_images`](Self::match_images).
    #[must_use]
    pub const fn match_images(self, match_images: &'static [&'static str]) -> Self {
        Self { match_images, ..self }
    }

    /// Sets [`options`](Self::options).
    #[must_use]
    pub const fn options(self, options: &'static [OptionSpec]) -> Self {
        Self { options, ..self }
    }

    /// Sets [`annotations`](Self::annotations).
    #[must_use]
    pub const fn annotations(self, annotations: &'static [Annotation]) -> Self {
        Self { annotations, ..self }
    }

    /// Sets [`environment`](Self::environment).
    #[must_use]
    pub const fn environment(self, environment: &'static [Variable]) -> Self {
        Self { environment, ..self }
    }

    /// Sets [`commands`](Self::commands).
    #[must_use]
    pub const fn commands(self, commands: &'static [Command]) -> Self {
        Self { commands, ..self }
    }

    /// Sets [`topics`](Self::topics).
    #[must_use]
    pub const fn topics(self, topics: &'static [Topic]) -> Self {
        Self { topics, ..self }
    }

    /// Sets [`cache_type`](Self::cache_type).
    #[must_use]
    pub const fn cache_type(self, cache_type: CacheType) -> Self {
        Self { cache_type, ..self }
    }

    /// Sets [`audience`](Self::audience).
    #[must_use]
    pub const fn audience(self, audience: &'static str) -> Self {
        Self { audience: Some(audience), ..self }
    }
}

/// The environment variables that every plugin reads, besides those of its options.
const ENVIRONMENT: &[Variable] = &[
    Variable::new(
        "HTTPS_PROXY, HTTP_PROXY",
        "proxy by URL scheme; never used for loopback and metadata addresses",
    ),
    Variable::new(
        "NO_PROXY",
        "hosts, domains and networks to reach without a proxy, comma-separated",
    ),
    Variable::new("SSL_CERT_FILE", "CA certificates in PEM, instead of the system's"),
];

/// Makes a provider from the operator's options.
pub type Build = fn(&Options, &Context) -> Result<Box<dyn Provider>, Error>;

/// `tokenAttributes.cacheType`: who shares an answer that a pod's token brought.
///
/// Source: KEP-4412; Kubernetes, "Kubelet Configuration (v1)", `ServiceAccountTokenAttributes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheType {
    /// Only pods with the same token: the credential expires with the token, or depends on it.
    Token,
    /// All pods of the service account: where the credential is the service account's and
    /// outlives the token.
    ServiceAccount,
}

/// An environment variable that a plugin, or a vendor's SDK within it, reads.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Variable {
    /// Its name, or several with commas.
    pub name: &'static str,
    /// One line on its meaning.
    pub help: &'static str,
}

impl Variable {
    /// A variable, and one line on its meaning.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help }
    }
}

/// An annotation on a ServiceAccount that a plugin understands.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Annotation {
    /// Its key, such as `eks.amazonaws.com/ecr-role-arn`.
    pub key: &'static str,
    /// The option that makes it useful: without that option `pullpass config` does not list
    /// it. `None`: it is always listed.
    pub option: Option<&'static str>,
    /// One line on its meaning.
    pub help: &'static str,
}

impl Annotation {
    /// An annotation that is always listed, and one line on its meaning.
    pub const fn new(key: &'static str, help: &'static str) -> Self {
        Self { key, option: None, help }
    }

    /// Listed only with this option.
    #[must_use]
    pub const fn with_option(self, option: &'static str) -> Self {
        Self { option: Some(option), ..self }
    }
}

/// A table of `--help` that only one plugin has.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Topic {
    /// What it is about, such as `Presets`.
    pub title: &'static str,
    /// Its rows: a name, and a line on it.
    pub rows: fn() -> Vec<(String, String)>,
}

impl Topic {
    /// A table under `title`; `rows` is called only for `--help`.
    pub const fn new(title: &'static str, rows: fn() -> Vec<(String, String)>) -> Self {
        Self { title, rows }
    }
}
