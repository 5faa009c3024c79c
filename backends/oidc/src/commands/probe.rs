//! `probe IMAGE`: the exchange, once, and the login at the registry. No secret is printed.
//!
//! Source: OCI distribution specification, "Determining support"; distribution registry, "Token
//! authentication specification".

use std::fmt::Write as _;

use pullpass::http::header::WWW_AUTHENTICATE;
use pullpass::http::{Http, HttpConfig, Plaintext, Reply, RequestBuilder, bearer_challenge};
use pullpass::{Context, Error, ErrorKind, Image, Login, Options, Request, Roots, one_line};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::build_request;
use crate::login::log_in;
use crate::profile::address;
use crate::settings::Settings;

pub(super) async fn run(options: &Options, cx: &Context) -> Result<String, Error> {
    let settings = Settings::from_options(options)?;
    let request = build_request(options)?;
    let (profile, registry) = settings.profile_for(&request.image)?;
    let mut text = format!("profile `{}`, for `{registry}`\n", profile.name);
    if let Some(account) = &request.service_account {
        account.token.check_alive(cx.clock.now())?;
        if !profile.allows_api_server_token() {
            account.token.check_not_for_api_server(options.values("allow-audience"))?;
        }
    }
    // A denied exchange is an error here, also with `onRefused: empty`.
    let (login, cache) = match log_in(profile, &request, cx).await {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            text.push_str(
                "no credentials: there is no token, and `onMissing` is `empty`; the kubelet would \
                 pull anonymously\n",
            );
            return Ok(text);
        }
        Err(failure) => {
            let error = Error::from(failure);
            return Err(error.context("the exchange failed; the registry was not called"));
        }
    };
    let user = match login.username() == login.password().expose_secret() {
        true => "(the password)".to_owned(),
        false => one_line(login.username()),
    };
    let _ = writeln!(
        text,
        "exchange: user `{user}` for `{}`, reused for {} s per {}",
        registry.auth_key(&request.image),
        cache.duration().as_secs(),
        cache.key().as_str()
    );
    // The profile's CA and certificate are for the token service.
    let roots = match options.path("ca-file") {
        Some(file) => Roots::Only { file, named_by: "--ca-file" },
        None => Roots::System,
    };
    let http = cx.http.with_config(HttpConfig { roots, ..HttpConfig::default() });
    let target = Target::new(&request, options)?;
    text.push_str(&target.try_login(&login, &http).await?);
    Ok(text)
}

/// The registry that the image is on.
struct Target<'a> {
    image: &'a Image,
    base: Url,
    realm_hosts: &'a [String],
}

impl<'a> Target<'a> {
    fn new(request: &'a Request, options: &'a Options) -> Result<Self, Error> {
        let image = &request.image;
        // The registry of Docker Hub has another host.
        let host = match image.registry() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let is_loopback = matches!(image.host(), "localhost" | "127.0.0.1" | "[::1]");
        let scheme = match options.is_set("loopback-http") && is_loopback {
            true => "http",
            false => "https",
        };
        let base = Url::parse(&format!("{scheme}://{host}/v2/"))
            .map_err(|_| Error::request(format!("`{host}` is not a host")))?;
        Ok(Self { image, base, realm_hosts: options.values("realm-host") })
    }

    /// Tries the login if the registry requires one.
    async fn try_login(&self, login: &Login, http: &Http) -> Result<String, Error> {
        let reply = self.get(&self.base, None, http).await?;
        let challenge = match (reply.status(), reply.header(&WWW_AUTHENTICATE)) {
            (200, _) => {
                return Ok("registry: needs no login\n".to_owned());
            }
            (401, Some(challenge)) => challenge.to_owned(),
            (401, None) => return Err(self.unexpected("answered 401 without a challenge")),
            (status, _) => return Err(self.unexpected(&format!("answered {status}, not 401"))),
        };
        match bearer_challenge(&challenge) {
            None if !challenge.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("basic")) => {
                Err(self.unexpected("asks for a login that no container runtime supports"))
            }
            None => {
                let reply = self.get(&self.base, Some(login), http).await?;
                match reply.status() {
                    200 => Ok("registry: accepts the login (HTTP Basic)\n".to_owned()),
                    status => Err(self.build_login_error(status)),
                }
            }
            Some(parameters) => self.try_realm(&parameters, login, http).await,
        }
    }

    /// Gets a token from the realm, as a container runtime does, and calls the repository with it.
    async fn try_realm(
        &self,
        parameters: &[(String, String)],
        login: &Login,
        http: &Http,
    ) -> Result<String, Error> {
        let parameter = |name: &str| {
            parameters
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        let realm = parameter("realm").and_then(|realm| Url::parse(realm).ok());
        let Some(mut realm) = realm else {
            return Err(self.unexpected("has no realm in its challenge"));
        };
        let host = address::host(&realm);
        let is_own = realm.origin() == self.base.origin();
        // The registry alone chose this realm: the operator says which other host may get the
        // login.
        let is_named = realm.scheme() == "https" && self.realm_hosts.contains(&host);
        if !is_own && !is_named {
            return Ok(format!(
                "registry: refers its clients to `{host}` for a token; the login was not sent \
                 there\nnext: if that host belongs to the registry, add `--realm-host {host}`\n"
            ));
        }
        {
            let mut query = realm.query_pairs_mut();
            if let Some(service) = parameter("service") {
                query.append_pair("service", service);
            }
            let scope = format!("repository:{}:pull", self.image.repository());
            query.append_pair("scope", &scope);
        }
        let reply = self.get(&realm, Some(login), http).await?;
        if !reply.is_success() {
            return Err(self.build_login_error(reply.status()));
        }
        #[derive(Deserialize)]
        struct Answer {
            token: Option<SecretString>,
            access_token: Option<SecretString>,
        }
        let answer: Answer = reply.json()?;
        let Some(token) = answer.token.or(answer.access_token) else {
            return Err(self.unexpected("has a realm that answered without a token"));
        };
        let mut url = self.base.clone();
        // Never joined: a repository may look like a URL.
        url.set_path(&format!("/v2/{}/tags/list", self.image.repository()));
        let reply = self.call(&url, http).bearer(&token).send().await?;
        match reply.status() {
            200 => Ok("registry: accepts the login, and allows it to pull from this repository\n".to_owned()),
            404 => {
                Ok("registry: accepts the login; the repository does not exist, or is hidden from it\n".to_owned())
            }
            status => Err(Error::denied(format!(
                "the registry accepts the login, but does not allow it to pull `{}`: HTTP {status}",
                self.image
            ))
            .with_hint("grant the identity the right to pull from this repository")),
        }
    }

    async fn get(&self, url: &Url, login: Option<&Login>, http: &Http) -> Result<Reply, Error> {
        let call = self.call(url, http);
        let call = match login {
            Some(login) => call.basic(login.username(), login.password()),
            None => call,
        };
        call.send().await.map_err(|error| {
            let host = self.image.registry();
            error.context(format!(
                "the exchange succeeded; the registry `{host}` could not be called"
            ))
        })
    }

    /// Over plain HTTP only where the command line said so, to this machine.
    fn call<'h>(&self, url: &Url, http: &'h Http) -> RequestBuilder<'h> {
        let call = http.get(url.clone());
        match self.base.scheme() == "http" {
            true => call.plaintext(Plaintext::Loopback),
            false => call,
        }
    }

    fn unexpected(&self, what: &str) -> Error {
        Error::new(ErrorKind::Protocol, format!("`{}` {what}", self.base))
            .with_hint("this host does not answer like a registry: check the image's name")
    }

    fn build_login_error(&self, status: u16) -> Error {
        Error::denied(format!("the registry refused the login: HTTP {status}")).with_hint(
            "the exchange succeeded, so check the registry's side: does it trust this issuer and \
             audience, does the user exist, and may it pull?",
        )
    }
}
