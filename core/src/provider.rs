//! What a backend brings: one trait with one method, and its facts as data.

use async_trait::async_trait;

use crate::command::Command;
use crate::context::Context;
use crate::error::Error;
use crate::options::{OptionSpec, Options};
use crate::request::Request;
use crate::response::Response;

/// Turns a request into registry credentials.
#[async_trait]
pub trait Provider: Send + Sync {
    /// The credentials for the image of `request`, or [`Response::none`] where the
    /// image needs none.
    ///
    /// # Errors
    /// Whatever keeps the provider from answering. The runner prints it and exits
    /// with the kind's code; the kubelet then goes on without these credentials.
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error>;
}

/// A plugin: the static facts around a [`Provider`], from which the process, its
/// `--help`, the documentation and `pullpass config` are made.
pub struct Plugin {
    /// The name of the binary.
    pub name: &'static str,
    /// The version of the backend: `env!("CARGO_PKG_VERSION")`.
    pub version: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// The `matchImages` that an operator wants by default; empty when only the
    /// operator can know.
    pub match_images: &'static [&'static str],
    /// What the command line and the environment can say.
    pub options: &'static [OptionSpec],
    /// The service account annotations that it reads.
    pub annotations: &'static [Annotation],
    /// The environment variables that count beside those of the options: a vendor's own.
    pub environment: &'static [Variable],
    /// What it does for a person, beside answering the kubelet.
    pub commands: &'static [Command],
    /// Further tables of `--help`.
    pub topics: &'static [Topic],
    /// For whom an answer to a request with a token holds: what `pullpass config` writes.
    pub cache_type: CacheType,
    /// Makes the provider. Runs after the request was read; must not touch the network.
    pub build: Build,
}

/// Makes a provider out of what the operator said.
pub type Build = fn(&Options, &Context) -> Result<Box<dyn Provider>, Error>;

/// `tokenAttributes.cacheType`: who shares an answer that a pod's token brought.
///
/// Source: KEP-4412; Kubernetes, "Kubelet Configuration (v1)", `ServiceAccountTokenAttributes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheType {
    /// The pods that show the same token: where the credential dies with it, or depends on it.
    Token,
    /// All pods of the service account: where the credential is the service account's and
    /// outlives the token.
    ServiceAccount,
}

/// An environment variable that a plugin, or a vendor's SDK within it, reads.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name, or several with commas.
    pub name: &'static str,
    /// One line on its meaning.
    pub help: &'static str,
}

/// An annotation on a ServiceAccount that a plugin understands.
#[derive(Clone, Copy, Debug)]
pub struct Annotation {
    /// Its key, such as `eks.amazonaws.com/ecr-role-arn`.
    pub key: &'static str,
    /// The option with which it is wanted: without, `pullpass config` does not pass it on.
    /// `None`: always.
    pub option: Option<&'static str>,
    /// One line on its meaning.
    pub help: &'static str,
}

/// A table of `--help` that only one plugin has.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What it is about, such as `Presets`.
    pub title: &'static str,
    /// Its rows: a name, and a line on it.
    pub rows: fn() -> Vec<(String, String)>,
}
