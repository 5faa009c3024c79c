//! `probe IMAGE`: the exchange for once, and the login at the registry. No secret is printed.
//!
//! Source: OCI distribution specification, "Determining support"; distribution registry, "Token
//! authentication specification".

use std::fmt::Write as _;

use pullpass::http::header::WWW_AUTHENTICATE;
use pullpass::http::{Http, Plaintext, Reply, RequestBuilder, bearer_challenge};
use pullpass::{Context, Error, ErrorKind, Image, Login, Options, Request, one_line};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

use super::request;
use crate::login::log_in;
use crate::profile::address;
use crate::settings::Settings;

pub(super) async fn run(options: &Options, cx: &Context) -> Result<String, Error> {
    let settings = Settings::from_options(options)?;
    let request = request(options)?;
    let (profile, registry) = settings.profile_for(&request.image)?;
    let mut text = format!("profile `{}`, for `{registry}`\n", profile.name);
    if let Some(account) = &request.service_account {
        account.token.check_alive(cx.clock.now())?;
        if !profile.allows_api_server_token() {
            account.token.check_not_for_api_server(&[])?;
        }
    }
    // What `onRefused: empty` would hide is shown here.
    let (login, cache) = match log_in(profile, &request, cx).await {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            text.push_str(
                "without a token the profile answers without credentials: the kubelet would pull \
                 anonymously\n",
            );
            return Ok(text);
        }
        Err(failure) => {
            let error = Error::from(failure);
            return Err(error.context("the exchange failed; the registry was not asked"));
        }
    };
    let user = match login.username() == login.password().expose_secret() {
        true => "(the password)".to_owned(),
        false => one_line(login.username()),
    };
    let _ = writeln!(
        text,
        "exchange: user `{user}` for `{}`, to be kept {} s per {}",
        registry.auth_key(&request.image),
        cache.duration().as_secs(),
        cache.key().as_str()
    );
    // The profile's CA and certificate are for the token service.
    let target = Target::new(&request, options)?;
    text.push_str(&target.open(&login, &cx.http).await?);
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
        // Docker Hub's name is not its registry's.
        let host = match image.registry() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        let is_near = matches!(image.host(), "localhost" | "127.0.0.1" | "[::1]");
        let scheme = match options.is_set("loopback-http") && is_near {
            true => "http",
            false => "https",
        };
        let base = Url::parse(&format!("{scheme}://{host}/v2/"))
            .map_err(|_| Error::request(format!("`{host}` is no host")))?;
        Ok(Self { image, base, realm_hosts: options.values("realm-host") })
    }

    /// Tries the login where the registry wants one.
    async fn open(&self, login: &Login, http: &Http) -> Result<String, Error> {
        let reply = self.get(&self.base, None, http).await?;
        let challenge = match (reply.status(), reply.header(&WWW_AUTHENTICATE)) {
            (200, _) => {
                return Ok("registry: lets everybody in, the login was not needed\n".to_owned());
            }
            (401, Some(challenge)) => challenge.to_owned(),
            (401, None) => return Err(self.odd("answers 401 without a challenge")),
            (status, _) => return Err(self.odd(&format!("answers {status}, not 401"))),
        };
        match bearer_challenge(&challenge) {
            None if !challenge.get(..5).is_some_and(|it| it.eq_ignore_ascii_case("basic")) => {
                Err(self.odd("asks for a login of a kind that no runtime knows"))
            }
            None => {
                let reply = self.get(&self.base, Some(login), http).await?;
                match reply.status() {
                    200 => Ok("registry: takes the login (HTTP Basic)\n".to_owned()),
                    status => Err(self.refused(status)),
                }
            }
            Some(parameters) => self.by_token(&parameters, login, http).await,
        }
    }

    /// A token of the realm's, as a runtime asks for it, and the repository with it.
    async fn by_token(
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
            return Err(self.odd("names no realm in its challenge"));
        };
        let host = address::host(&realm);
        let is_own = realm.origin() == self.base.origin();
        // The challenge is the registry's word alone: the operator says who else may have it.
        let is_named = realm.scheme() == "https" && self.realm_hosts.contains(&host);
        if !is_own && !is_named {
            return Ok(format!(
                "registry: sends its clients for a token to `{host}`; the login was not sent there\n\
                 next: if that host is the registry's, add `--realm-host {host}`\n"
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
            return Err(self.refused(reply.status()));
        }
        #[derive(Deserialize)]
        struct Answer {
            token: Option<SecretString>,
            access_token: Option<SecretString>,
        }
        let answer: Answer = reply.json()?;
        let Some(token) = answer.token.or(answer.access_token) else {
            return Err(self.odd("has a realm that answers without a token"));
        };
        let mut url = self.base.clone();
        // Never joined: a repository could read as a URL.
        url.set_path(&format!("/v2/{}/tags/list", self.image.repository()));
        let reply = self.call(&url, http).bearer(&token).send().await?;
        match reply.status() {
            200 => Ok("registry: takes the login, and lets it pull this repository\n".to_owned()),
            404 => {
                Ok("registry: takes the login; it has no such repository, or hides it\n".to_owned())
            }
            status => Err(Error::denied(format!(
                "the registry takes the login and does not let it pull `{}`: HTTP {status}",
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
                "the exchange went well; the registry `{host}` could not be asked"
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

    fn odd(&self, what: &str) -> Error {
        Error::new(ErrorKind::Protocol, format!("`{}` {what}", self.base))
            .with_hint("this host does not answer as a registry: check the image's name")
    }

    fn refused(&self, status: u16) -> Error {
        Error::denied(format!("the registry refuses the login: HTTP {status}")).with_hint(
            "the exchange went well, so the registry's side is to be looked at: does it trust this \
             issuer and audience, does the user exist, and may it pull?",
        )
    }
}
