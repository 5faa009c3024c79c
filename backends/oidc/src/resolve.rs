//! From what the file says to a [`Profile`], or why it cannot be one.

use std::path::Path;
use std::time::Duration;

use pullpass::http::{ProxyMode, Settings};
use pullpass::{CacheKey, Roots};
use url::{Host, Url};

use crate::field::{OneOrMany, Span};
use crate::file::{
    RawCacheKey, RawClient, RawExchange, RawExpiry, RawHttp, RawMethod, RawProfile, RawResponse,
    RawType, RawUsername,
};
use crate::profile::{
    Answer, Client, Exchange, Expected, Policy, Profile, Secret, TokenExchange, Username,
};
use crate::registry::Registry;

/// How long an answer is kept at most, unless the profile says otherwise.
const LONGEST_CACHE: Duration = Duration::from_secs(24 * 3600);

impl RawProfile {
    pub(crate) fn into_profile(self, folder: &Path, parts: &[Registry]) -> Result<Profile, String> {
        if self.registries.is_empty() {
            return Err("`registries` is empty".to_owned());
        }
        if self.service_account_token.audience.is_empty() {
            return Err("`serviceAccountToken.audience` is empty".to_owned());
        }
        let cache_key = self.cache_key(parts)?;
        if self.service_account_token.issuer.as_deref() == Some("") {
            return Err("`serviceAccountToken.issuer` is empty".to_owned());
        }
        let exchange = match self.exchange.r#type {
            RawType::Passthrough if self.http.is_some() || self.on_refused != Policy::Fail => {
                return Err("`passthrough` makes no call: `http` and `onRefused` have no meaning"
                    .to_owned());
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

    /// Those registries that are only a part of one.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Registry> {
        self.registries.iter().filter(|registry| registry.has_path())
    }

    /// What is remembered for a whole registry is used for every part of it: where there are
    /// `parts` with another login, the kubelet must remember image by image.
    fn cache_key(&self, parts: &[Registry]) -> Result<CacheKey, String> {
        let divided = self
            .registries
            .iter()
            .find(|registry| parts.iter().any(|part| part.shares_a_host_with(registry)));
        match (self.response.cache_key_type, divided) {
            (Some(RawCacheKey::Registry), Some(registry)) => Err(format!(
                "`cacheKeyType: Registry` cannot be used with `{registry}`: only a part of that registry has this login"
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
        if response.password.is_some()
            || response.expiry.is_some()
            || response.margin.is_some()
            || response.max_cache_duration.is_some()
        {
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
            subject_token_type: token_type(self.subject_token_type.as_deref().unwrap_or("jwt"))?,
            requested_token_type: self
                .requested_token_type
                .as_deref()
                .map(token_type)
                .transpose()?,
            audience: texts("audience", self.audience)?,
            resource: texts("resource", self.resource)?,
            scope: texts("scope", self.scope)?,
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
                max_cache_duration: response
                    .max_cache_duration
                    .map_or(LONGEST_CACHE, |span| span.0),
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
        let retries = self.retries.unwrap_or(defaults.retries);
        if retries > 10 {
            return Err("`http.retries` is at most 10".to_owned());
        }
        let timeout = limit("timeout", self.timeout, defaults.timeout)?;
        Ok(Settings {
            roots: self.ca_file.map_or(Roots::System, |file| Roots::Only {
                file: folder.join(file),
                named_by: "caFile",
            }),
            proxy,
            connect_timeout: limit(
                "connectTimeout",
                self.connect_timeout,
                defaults.connect_timeout,
            )?,
            // Without a second attempt the first may have all of the time.
            attempt_timeout: if retries == 0 { timeout } else { defaults.attempt_timeout },
            timeout,
            retries,
            ..defaults
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
fn token_type(name: &str) -> Result<String, String> {
    match name {
        "access_token" | "refresh_token" | "id_token" | "saml1" | "saml2" | "jwt" => {
            Ok(format!("urn:ietf:params:oauth:token-type:{name}"))
        }
        _ if name.starts_with("urn:") => Ok(name.to_owned()),
        _ => Err(format!(
            "`{name}` is no token type: use `jwt`, `id_token`, `access_token` or a URN"
        )),
    }
}

fn texts(name: &str, list: OneOrMany) -> Result<Vec<String>, String> {
    match list.0.iter().any(String::is_empty) {
        true => Err(format!("there is an empty text in `{name}`")),
        false => Ok(list.0),
    }
}

/// A time limit out of the file, or the default.
fn limit(name: &str, span: Option<Span>, default: Duration) -> Result<Duration, String> {
    match span.map(|span| span.0) {
        Some(Duration::ZERO) => Err(format!("`http.{name}` must be more than 0s")),
        Some(limit) => Ok(limit),
        None => Ok(default),
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
        _ if raw.client_id.as_deref() == Some("") => {
            Err("`clientAuth.clientId` is empty".to_owned())
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
