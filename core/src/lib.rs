//! Write a [kubelet image credential provider][kubelet] in twenty lines.
//!
//! The kubelet starts a plugin for each pull, writes a request to its stdin, and
//! reads registry credentials from its stdout:
//!
//! ```text
//! kubelet ──exec──> plugin    stdin : {"image": "registry.example/app", "serviceAccountToken": "eyJ…", …}
//!                             stdout: {"auth": {"registry.example": {"username": …, "password": …}}, …}
//! ```
//!
//! You write the one step in between, as a [`Provider`]; [`main`] does the rest:
//! versions of the API, strict parsing, deadline, retries, errors, exit codes, logs,
//! `--help`. Secrets do not print anywhere on the way.
//!
//! # A whole plugin
//!
//! This is `examples/echo.rs`, and the tests run it:
//!
//! ```no_run
#![doc = include_str!("../examples/echo.rs")]
//! ```
//!
//! In `Cargo.toml` it needs `pullpass` alone: [`secrecy`], [`serde_json`], [`url`] and what the
//! HTTP client has in its signatures are re-exported.
//!
//! Try it by hand; the kubelet does the same:
//!
//! ```text
//! $ echo '{"kind":"CredentialProviderRequest","apiVersion":"credentialprovider.kubelet.k8s.io/v1",
//!         "image":"registry.example/app"}' | cargo run -q -p pullpass --example echo
//! error: no credentials for `registry.example/app`: the request has no service account token
//! hint: set `tokenAttributes` for this provider (Kubernetes 1.34 or later); static pods have no token
//! $ echo $?
//! 4
//! ```
//!
//! # Step by step
//!
//! 1. **Which registry is this?** [`Image::is_on`] compares with a registry you know, its
//!    port included. For registries told by the form of their host there are
//!    [`Image::host`], lower-cased, and [`Image::port`]. Refuse every host that you cannot
//!    prove to be yours, before you look at anything else: the operator's `matchImages` may
//!    be wider than you think.
//! 2. **Who asks?** [`Request::service_account`] is the pod, when the operator set
//!    `tokenAttributes`; without it the node asks. Never answer a pod with what the node
//!    may do. [`Token::claims`] says what the token claims, unverified.
//! 3. **Exchange that for a login.** [`Context::http`] is the client: lazy, bounded,
//!    with retries, without redirects. Never send the token to a host that an
//!    annotation or an image name chose.
//!
//!    ```
//!    # use pullpass::{Context, Error, Request};
//!    # async fn exchange(request: &Request, cx: &Context, token: &pullpass::secrecy::SecretString) -> Result<(), Error> {
//!    let endpoint = "https://registry.example/token".parse().map_err(|_| Error::config("no URL"))?;
//!    let reply = cx.http.post(endpoint).bearer(token).send().await?;
//!    if !reply.is_success() {
//!        return Err(reply.into_error("the token exchange"));
//!    }
//!    let token = pullpass::oauth::TokenResponse::read(&reply, &cx.clock)?.access_token;
//!    # Ok(()) }
//!    ```
//! 4. **Answer.** [`Login::new`] refuses what no registry client could send (and blames
//!    the server; [`Error::with_kind`] changes that). [`Cache::until`] turns the
//!    credential's end into the kubelet's `cacheDuration`, less a margin; [`Cache::without_expiry`]
//!    is for a password without an end. [`Response::none`] means "pull anonymously", and is
//!    not cached.
//! 5. **Or fail.** An [`Error`] has an [`ErrorKind`], which says who must act and is the
//!    exit code, one line on what failed, and a [hint](Error::with_hint). The runner names
//!    the image. The kubelet logs what is on stderr when the exit code is not 0.
//!
//! # Options and files
//!
//! Options are a table of [`OptionSpec`]: the command line, the environment and `--help` come from
//! it. [`Plugin::build`] reads them, and the files that they name, once; it runs after the
//! request was read. `allow-audience`, `timeout`, `log`, `log-format`, `help` and
//! `version` are taken.
//!
//! ```
//! use pullpass::{Error, OptionSpec, Options, file};
//!
//! const OPTIONS: &[OptionSpec] = &[
//!     OptionSpec::value("password-file", "FILE", "the file with the password").required(),
//! ];
//!
//! fn password(options: &Options) -> Result<pullpass::secrecy::SecretString, Error> {
//!     file::read_secret(options.required("password-file")?.as_ref())
//! }
//! ```
//!
//! # Tests
//!
//! [`run`] is a whole run without a process: arguments, environment, clock and stdin in,
//! stdout or the error out.
//!
//! ```
//! # use pullpass::{Clock, Env, ErrorKind};
//! # static PLUGIN: pullpass::Plugin =
//! #     pullpass::Plugin::new("x", |_, _| Err(pullpass::Error::config("none")));
//! let error = pullpass::run(&PLUGIN, [], Env::default(), Clock::system(), b"{}").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Request);
//! ```
//!
//! The feature `global-allocator` gives the binary an allocator that suits a process of
//! milliseconds; programs that embed a provider leave it off.
//!
//! A panic is reported by its place alone in a release, since its message may hold a value.
//!
//! [kubelet]: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/

#[cfg(feature = "global-allocator")]
mod allocator;
pub mod audience;
mod clock;
mod command;
mod context;
mod env;
mod error;
pub mod file;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod help;
pub mod http;
mod image;
mod json;
pub mod jwt;
mod log;
pub mod oauth;
mod options;
mod provider;
mod request;
mod response;
mod run;
mod service_account;
mod stdio;
pub mod text;
pub mod time;
mod tls;
mod without_token;

pub use {secrecy, serde_json, url};

pub use async_trait::async_trait;
pub use clock::{Clock, Deadline};
pub use command::{Command, RunCommand};
pub use context::Context;
pub use env::Env;
pub use error::{Diagnosis, Error, ErrorKind, causes};
pub use image::Image;
pub use jwt::{JwtExpiry, SigningKey, jwt_claim, jwt_expiry};
pub use options::{OptionSpec, Options};
pub use provider::{Annotation, Build, CacheType, Plugin, Provider, Topic, Variable};
pub use pullpass_go_duration::{DurationError, GoDuration};
pub use request::{API_GROUP, ApiVersion, REQUEST_LIMIT, Request};
pub use response::{Cache, CacheKey, Login, Response};
pub use run::{main, run};
pub use service_account::{Claims, ServiceAccount, Token};
pub use stdio::is_stdout_closed;
pub use text::one_line;
pub use time::{rfc3339, seconds};
pub use tls::{ClientCertificate, Roots};
pub use without_token::WithoutToken;
