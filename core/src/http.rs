//! The HTTP client: nothing is built before the first call, redirects are off,
//! bodies are capped, retries stay inside the deadline, and no error or log line can
//! print a secret.

mod challenge;
mod decode;
mod error_body;
mod normal_form;
mod plaintext;
mod preconnect;
mod proxy;
mod reply;
mod request;
mod retry;
mod sent_secrets;
mod server_error;
mod status;
mod transport_error;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use url::Url;

use self::preconnect::Preconnects;
use crate::clock::Deadline;
use crate::env::Env;
use crate::error::Error;
use crate::tls::{self, ClientCertificate, Roots};

pub use challenge::bearer_challenge;
pub use error_body::ErrorBody;
pub use plaintext::{Plaintext, is_loopback, is_metadata};
pub use proxy::ProxyMode;
pub use reply::Reply;
pub use request::RequestBuilder;
pub use reqwest::Method;
pub use reqwest::header;
pub use sent_secrets::{SentSecrets, WITHHELD};
pub use server_error::ServerError;
pub use status::status_kind;

/// A client for the few calls that a plugin makes.
#[derive(Clone)]
pub struct Http {
    config: HttpConfig,
    env: Arc<Env>,
    deadline: Deadline,
    sent: SentSecrets,
    /// For `http://`: no roots are loaded.
    plain: Arc<OnceLock<reqwest::Client>>,
    secure: Arc<OnceLock<reqwest::Client>>,
    preconnects: Preconnects,
}

/// How requests are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Which certificate authorities are trusted. Default: [`Roots::System`].
    pub roots: Roots,
    /// The client's own certificate for mutual TLS. Default: none.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether and which proxy to use. Default: [`ProxyMode::Inherit`].
    pub proxy: ProxyMode,
    /// The longest time for setting up one connection. Default: 5 s.
    pub connect_timeout: Duration,
    /// The longest time for one attempt, body included. Default: 10 s.
    pub attempt_timeout: Duration,
    /// The longest time for a request with its retries; the run's deadline may cut it.
    /// Default: 20 s.
    pub timeout: Duration,
    /// How often a request is retried. Default: 3.
    pub retries: u32,
    /// The wait before the first retry; each further one is twice as long, up to 5 s, and up to
    /// half of each is random. Default: 200 ms.
    pub initial_backoff: Duration,
    /// A host, and the addresses to connect to instead of those in DNS. The port 0 means the
    /// port of the URL. Default: none.
    pub resolve: Option<(String, Vec<SocketAddr>)>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            roots: Roots::System,
            client_certificate: None,
            proxy: ProxyMode::Inherit,
            connect_timeout: Duration::from_secs(5),
            attempt_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(20),
            retries: 3,
            initial_backoff: Duration::from_millis(200),
            resolve: None,
        }
    }
}

impl Http {
    pub(crate) fn new(env: &Env, deadline: Deadline) -> Self {
        Self {
            config: HttpConfig::default(),
            env: Arc::new(env.clone()),
            deadline,
            sent: SentSecrets::default(),
            plain: Arc::default(),
            secure: Arc::default(),
            preconnects: Preconnects::default(),
        }
    }

    /// Another client of the same run, with its own settings.
    #[must_use]
    pub fn with_config(&self, config: HttpConfig) -> Self {
        Self {
            config,
            plain: Arc::default(),
            secure: Arc::default(),
            preconnects: Preconnects::default(),
            ..self.clone()
        }
    }

    /// Starts a GET of `url`, asking for JSON.
    pub fn get(&self, url: Url) -> RequestBuilder<'_> {
        RequestBuilder::new(self, Method::GET, url).accept_json()
    }

    /// Starts a POST to `url`, asking for JSON.
    pub fn post(&self, url: Url) -> RequestBuilder<'_> {
        RequestBuilder::new(self, Method::POST, url).accept_json()
    }

    /// Starts a call with nothing set: for a vendor's SDK that brings its own headers.
    pub fn request(&self, method: Method, url: Url) -> RequestBuilder<'_> {
        RequestBuilder::new(self, method, url)
    }

    /// Opens a connection to the host of `url` while another call is pending, so that the call
    /// to it finds TCP and TLS set up: two round trips less. Nothing is sent but the handshake
    /// (and, where there is a proxy, its `CONNECT`).
    ///
    /// The host must be one that the call may go to whatever the pending call answers, and not
    /// the host of the pending call. If the connection fails, it is dropped and the call opens its
    /// own. If it is still being opened, the call waits for it. `http://` URLs are ignored.
    pub fn preconnect(&self, url: &Url) {
        if url.scheme() == "https" && !cfg!(fuzzing) {
            self.preconnects.start(self, url);
        }
    }

    /// The secrets that were sent in this run, by this client and by all others.
    pub fn sent_secrets(&self) -> &SentSecrets {
        &self.sent
    }

    /// Whether a proxy is set for URLs of this scheme. (`NO_PROXY` may exempt a host.)
    pub fn has_proxy(&self, scheme: &str) -> bool {
        self.config.proxy.url(&self.env, scheme).is_ok_and(|proxy| proxy.is_some())
    }

    /// How its requests are made.
    pub fn config(&self) -> &HttpConfig {
        &self.config
    }

    /// The client that speaks `scheme`, built on first use.
    fn client(&self, scheme: &str) -> Result<&reqwest::Client, Error> {
        let cell = if scheme == "http" { &self.plain } else { &self.secure };
        if let Some(client) = cell.get() {
            return Ok(client);
        }
        let proxy = self.config.proxy.url(&self.env, scheme)?;
        let speaks_tls = scheme == "https" || proxy.as_ref().is_some_and(|p| p.scheme() == "https");
        let tls = match speaks_tls {
            true => tls::client_config(
                &self.config.roots,
                self.config.client_certificate.as_ref(),
                &self.env,
            )?,
            false => tls::plaintext_config(),
        };
        let client = self.build(tls, proxy)?;
        Ok(cell.get_or_init(|| client))
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where clients are built")]
    fn build(
        &self,
        tls: rustls::ClientConfig,
        proxy: Option<Url>,
    ) -> Result<reqwest::Client, Error> {
        let unusable = |error: reqwest::Error| {
            Error::config("cannot set up the HTTP client").with_source(error.without_url())
        };
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("pullpass/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.config.connect_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .no_proxy();
        if let Some((host, addresses)) = &self.config.resolve {
            builder = builder.resolve_to_addrs(host, addresses);
        }
        if let Some(proxy) = proxy {
            let exempt = self.config.proxy.exempt(&self.env)?;
            let proxy = reqwest::Proxy::all(proxy).map_err(unusable)?;
            builder = builder.proxy(proxy.no_proxy(exempt));
        }
        builder.build().map_err(unusable)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("config", &self.config).finish_non_exhaustive()
    }
}
