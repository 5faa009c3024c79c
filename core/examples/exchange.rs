//! A plugin for one registry that has its own token service: the pod's token is exchanged
//! (RFC 8693) at the URL, and with the CA, that the operator names.

use pullpass::http::{Http, HttpConfig, Plaintext};
use pullpass::oauth::TokenResponse;
use pullpass::url::Url;
use pullpass::{
    Cache, CacheKey, Context, Error, Login, OptionSpec, Options, Plugin, Provider, Request,
    Response, Roots, Token, async_trait,
};

static PLUGIN: Plugin =
    Plugin::new("exchange", |options, cx| Ok(Box::new(Exchange::new(options, cx)?)))
        .version(env!("CARGO_PKG_VERSION"))
        .summary(
            "Logs in to registry.example with what its token service gives for the pod's token",
        )
        .match_images(&[REGISTRY])
        .options(&[
            OptionSpec::value("token-url", "URL", "the token service").required(),
            OptionSpec::value("ca-file", "FILE", "CA certificates in PEM [default: the system's]"),
        ]);

const REGISTRY: &str = "registry.example";

/// The operator's settings, and a client that trusts the CA they name.
struct Exchange {
    url: Url,
    http: Http,
}

impl Exchange {
    fn new(options: &Options, cx: &Context) -> Result<Self, Error> {
        let url = Url::parse(options.required("token-url")?)
            .map_err(|error| Error::config("`--token-url` is not a URL").with_source(error))?;
        let mut config = HttpConfig::default();
        if let Some(file) = options.path("ca-file") {
            config.roots = Roots::Only { file, named_by: "--ca-file" };
        }
        Ok(Self { url, http: cx.http.with_config(config) })
    }

    /// The registry's token for the pod's.
    async fn exchange(&self, token: &Token, cx: &Context) -> Result<TokenResponse, Error> {
        let request = self.http.post(self.url.clone()).secret(token.secret()).form([
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", token.expose_secret()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("audience", REGISTRY),
        ]);
        let reply = request.plaintext(Plaintext::Loopback).send().await?;
        match reply.is_success() {
            true => TokenResponse::read(&reply, &cx.clock),
            false => Err(reply.into_error("the token exchange")),
        }
    }
}

#[async_trait]
impl Provider for Exchange {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        request.image.require_on(REGISTRY)?;
        let granted = self.exchange(request.require_token()?, cx).await?;
        let login = Login::new("oauth2", granted.access_token)?;
        let cache = match granted.expires {
            Some(end) => Cache::until(CacheKey::Registry, end, cx.clock.now()),
            None => Cache::never(CacheKey::Registry),
        };
        Ok(Response::for_registry_of(&request.image, login, cache))
    }
}

fn main() -> std::process::ExitCode {
    pullpass::main(&PLUGIN)
}
