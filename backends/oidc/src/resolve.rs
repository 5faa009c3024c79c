//! From what the file says to a [`Profile`], or why it cannot be one.

use std::path::Path;

use pullpass::http::{ProxyMode, Settings};
use pullpass::{CacheKey, Roots};
use url::{Host, Url};

use crate::file::{
    RawCacheKey, RawClient, RawExchange, RawExpiry, RawHttp, RawMethod, RawProfile, RawResponse,
    RawType, RawUsername,
};
use crate::profile::{
    Answer, Client, Exchange, Expected, Profile, Secret, TokenExchange, Username,
};

impl RawProfile {
    pub(crate) fn into_profile(self, folder: &Path) -> Result<Profile, String> {
        if self.registries.is_empty() {
            return Err("`registries` is empty".to_owned());
        }
        if self.service_account_token.audience.is_empty() {
            return Err("`serviceAccountToken.audience` is empty".to_owned());
        }
        let cache_key = self.cache_key()?;
        let exchange = match self.exchange.r#type {
            RawType::Passthrough if self.http.is_some() => {
                return Err("`passthrough` makes no call: `http` has no meaning".to_owned());
            }
            RawType::Passthrough => self.exchange.passthrough(self.response)?,
            RawType::TokenExchange => {
                self.exchange.token(self.response, self.http.unwrap_or_default(), folder)?
            }
        };
        Ok(Profile {
            name: self.name,
            registries: self.registries,
            service_account: Expected {
                audience: self.service_account_token.audience,
                issuer: self.service_account_token.issuer,
                on_missing: self.service_account_token.on_missing,
                allow_api_server_audience: self.service_account_token.allow_api_server_audience,
            },
            exchange,
            on_refused: self.on_refused,
            cache_key,
        })
    }

    /// A login for a part of a registry must not be remembered for all of it: the
    /// kubelet would take it for the other parts and find no key that fits.
    fn cache_key(&self) -> Result<CacheKey, String> {
        let partial = self.registries.iter().find(|registry| registry.has_path());
        match (self.response.cache_key_type, partial) {
            (Some(RawCacheKey::Registry), Some(registry)) => Err(format!(
                "`cacheKeyType: Registry` cannot be used with `{registry}`, which is a part of a registry"
            )),
            (Some(RawCacheKey::Registry), None) | (None, None) => Ok(CacheKey::Registry),
            (Some(RawCacheKey::Image), _) | (None, Some(_)) => Ok(CacheKey::Image),
        }
    }
}

impl RawExchange {
    fn passthrough(self, response: RawResponse) -> Result<Exchange, String> {
        let makes_a_call = self.endpoint.is_some()
            || self.subject_token_type.is_some()
            || self.requested_token_type.is_some()
            || self.client_auth.is_some()
            || !(self.audience.0.is_empty() && self.resource.0.is_empty())
            || !(self.scope.0.is_empty() && self.extra.is_empty());
        if makes_a_call {
            return Err(
                "`passthrough` makes no call: only `type` may stand in `exchange`".to_owned()
            );
        }
        if response.password.is_some() || response.expiry.is_some() {
            return Err("`passthrough` has no answer: only `username` and `cacheKeyType` may stand in `response`".to_owned());
        }
        match username(response.username)? {
            Username::Fixed(name) => Ok(Exchange::Passthrough(name)),
            Username::Pointer(_) => {
                Err("`passthrough` has no answer: `response.username` needs a `value`".to_owned())
            }
        }
    }

    fn token(
        self,
        response: RawResponse,
        http: RawHttp,
        folder: &Path,
    ) -> Result<Exchange, String> {
        let endpoint = self.endpoint.ok_or("`tokenExchange` needs `exchange.endpoint`")?;
        let endpoint = endpoint_url(&endpoint, http.allow_loopback_http)?;
        if let Some(name) = self.extra.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(format!("`exchange.extra` cannot set `{name}`"));
        }
        let expiry = response.expiry.unwrap_or(RawExpiry { pointer: None, default: None });
        Ok(Exchange::Token(Box::new(TokenExchange {
            endpoint,
            subject_token_type: token_type(self.subject_token_type.as_deref().unwrap_or("jwt")),
            requested_token_type: self.requested_token_type.as_deref().map(token_type),
            audience: self.audience.0,
            resource: self.resource.0,
            scope: self.scope.0,
            // An empty value means: leave it out.
            extra: self.extra.into_iter().filter(|(_, value)| !value.is_empty()).collect(),
            client: client(self.client_auth, folder)?,
            answer: Answer {
                username: username(response.username)?,
                password: response
                    .password
                    .map_or_else(|| "/access_token".to_owned(), |at| at.pointer.0),
                expires_in: expiry.pointer.map_or_else(|| "/expires_in".to_owned(), |at| at.0),
                default_lifetime: expiry.default.map(|span| span.0),
                margin: response.margin.map(|span| span.0),
                max_cache_duration: response.max_cache_duration.map(|span| span.0),
            },
            http: http.into_settings(folder)?,
        })))
    }
}

impl RawHttp {
    fn into_settings(self, folder: &Path) -> Result<Settings, String> {
        let defaults = Settings::default();
        let proxy = match self.proxy.as_deref() {
            None | Some("inherit") => ProxyMode::Inherit,
            Some("none") => ProxyMode::Direct,
            Some(url) => ProxyMode::Through(
                Url::parse(url)
                    .ok()
                    .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                    .ok_or("`http.proxy` is `inherit`, `none` or an http(s) URL")?,
            ),
        };
        let timeout = self.timeout.map_or(defaults.timeout, |span| span.0);
        Ok(Settings {
            roots: self.ca_file.map_or(Roots::System, |file| Roots::Only(folder.join(file))),
            proxy,
            connect_timeout: self.connect_timeout.map_or(defaults.connect_timeout, |span| span.0),
            attempt_timeout: defaults.attempt_timeout,
            timeout,
            retries: self.retries.unwrap_or(defaults.retries).min(10),
        })
    }
}

/// Parameters that the exchange itself sets.
const RESERVED: [&str; 12] = [
    "grant_type",
    "subject_token",
    "subject_token_type",
    "requested_token_type",
    "actor_token",
    "actor_token_type",
    "audience",
    "resource",
    "scope",
    "client_id",
    "client_secret",
    "client_assertion",
];

fn endpoint_url(text: &str, allow_loopback_http: bool) -> Result<Url, String> {
    // The text is not repeated: it may hold a password.
    let url =
        Url::parse(text).map_err(|error| format!("`exchange.endpoint` is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("`exchange.endpoint` must not have userinfo or a fragment".to_owned());
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if !is_loopback(&url) => {
            Err("`exchange.endpoint` must be `https://`: the pod's token goes there".to_owned())
        }
        "http" if allow_loopback_http => Ok(url),
        "http" => {
            Err("`exchange.endpoint` over `http://` needs `http.allowLoopbackHttp: true`"
                .to_owned())
        }
        _ => Err("`exchange.endpoint` must be `https://`".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// A short name to its URN (RFC 8693 §3); a URN as it is.
fn token_type(name: &str) -> String {
    match name.contains(':') {
        true => name.to_owned(),
        false => format!("urn:ietf:params:oauth:token-type:{name}"),
    }
}

fn client(raw: Option<RawClient>, folder: &Path) -> Result<Client, String> {
    let Some(raw) = raw else { return Ok(Client::None) };
    let secret = |raw: RawClient| match (raw.client_id, raw.secret_file) {
        (Some(client_id), Some(file)) => Ok(Secret { client_id, file: folder.join(file) }),
        _ => Err("`clientAuth` needs `clientId` and `secretFile`".to_owned()),
    };
    match raw.method {
        RawMethod::None if raw.secret_file.is_some() => {
            Err("`clientAuth.secretFile` is not used by the method `none`".to_owned())
        }
        RawMethod::None => Ok(raw.client_id.map_or(Client::None, Client::Public)),
        RawMethod::Basic => Ok(Client::Basic(secret(raw)?)),
        RawMethod::Post => Ok(Client::Post(secret(raw)?)),
    }
}

fn username(raw: Option<RawUsername>) -> Result<Username, String> {
    // Registries that take a token as password mostly ignore the name, but want one.
    let Some(raw) = raw else { return Ok(Username::Fixed("token".to_owned())) };
    match (raw.value, raw.pointer) {
        (Some(value), None) if value.is_empty() || value.contains([':', '\r', '\n', '\0']) => {
            Err("`response.username.value` is empty or contains `:` or a line break".to_owned())
        }
        (Some(value), None) => Ok(Username::Fixed(value)),
        (None, Some(pointer)) => Ok(Username::Pointer(pointer.0)),
        _ => Err("`response.username` needs either `value` or `pointer`".to_owned()),
    }
}
