//! From what the file says to a [`Profile`], or why it cannot be one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use pullpass::http::{HttpConfig, ProxyMode};
use pullpass::{CacheKey, ClientCertificate, Image, Roots};
use url::Url;

use crate::engine::values::{Source, Variable};
use crate::exchange::{self, CompileContext};
use crate::profile::field::Span;
use crate::profile::preset;
use crate::profile::raw::{
    RawCacheKey, RawExpected, RawExpiry, RawFormat, RawHttp, RawProfile, RawResponse, RawType,
    RawUsername, RawVariable,
};
use crate::profile::template::{Position, Scope, Sensitivity, Template, is_name};
use crate::profile::{Answer, Exchange, Expected, Expiry, Policy, Profile, Username};
use crate::registry::Registry;

/// How long an answer of a server's is kept at most, unless the profile says otherwise.
const LONGEST_CACHE: Duration = Duration::from_secs(24 * 3600);

/// A profile but for what depends on the others in the file.
pub(crate) struct Draft {
    profile: Profile,
    asked: Option<RawCacheKey>,
}

impl RawProfile {
    /// Relative paths start at `folder`.
    ///
    /// # Errors
    /// A text on what is wrong.
    pub(crate) fn into_draft(self, folder: &Path) -> Result<Draft, String> {
        let (scope, variables) = scope(self.variables, folder)?;
        let registries = self.registries.unwrap_or_default();
        if registries.is_empty() {
            return Err("`registries` is empty".to_owned());
        }
        let registries = registries.into_iter().map(|text| {
            let text = scope.constant(&text.0).map_err(|why| format!("`registries`: {why}"))?;
            Registry::parse(&text).map_err(|why| format!("`registries`: `{text}`: {why}"))
        });
        let registries = registries.collect::<Result<Vec<_>, _>>()?;
        let kind = self.exchange.r#type.ok_or("missing field `exchange.type`")?;
        let is_local = matches!(kind, RawType::Passthrough | RawType::Static);
        let on_refused = self.on_refused.unwrap_or_default();
        if is_local && (self.http.is_some() || on_refused != Policy::Fail) {
            let kind = kind.name();
            return Err(format!("`{kind}` makes no call: `http` and `onRefused` have no meaning"));
        }
        let raw_http = self.http.unwrap_or_default();
        let allow_loopback_http = raw_http.allow_loopback_http.unwrap_or_default();
        let http = raw_http.into_settings(folder)?;
        let context = CompileContext {
            scope: &scope,
            folder,
            allow_loopback_http,
            has_certificate: http.client_certificate.is_some(),
        };
        let exchange = exchange::compile(kind, self.exchange, &context)?;
        let service_account = match self.service_account_token {
            Some(raw) => Some(raw.into_expected(&scope)?),
            None if exchange.needs_token() || uses_pod(&exchange, &variables, &self.response) => {
                return Err("missing field `serviceAccountToken`: the audience of the pod's token"
                    .to_owned());
            }
            None => None,
        };
        let auth_keys = auth_keys(&self.response.auth_keys.0, &scope, &registries)?;
        let asked = self.response.cache_key_type;
        let answer = self.response.into_answer(kind, &scope)?;
        // A name that is misspelt leaves another at its default.
        if let Some(name) =
            scope.unused().filter(|name| !preset::knows(self.preset.as_deref(), name))
        {
            return Err(format!("the variable `{name}` stands nowhere"));
        }
        Ok(Draft {
            profile: Profile {
                name: self.name,
                registries,
                service_account,
                variables,
                answer,
                exchange,
                http,
                on_refused,
                cache_key: CacheKey::Registry,
                auth_keys,
            },
            asked,
        })
    }
}

impl Draft {
    pub(crate) fn registries(&self) -> impl Iterator<Item = &Registry> {
        self.profile.registries.iter()
    }

    /// What is remembered for a whole registry is used for every part of it: where there are
    /// `parts` with another login, the kubelet must remember image by image.
    ///
    /// # Errors
    /// A text, where the profile asks for what cannot be.
    pub(crate) fn into_profile(mut self, parts: &[Registry]) -> Result<Profile, String> {
        let divided = self
            .registries()
            .find(|registry| parts.iter().any(|part| part.shares_a_host_with(registry)));
        // Another image may have other values.
        let by_image = self.profile.is_by_image();
        self.profile.cache_key = match (self.asked, divided) {
            (Some(RawCacheKey::Registry), Some(registry)) => {
                return Err(format!(
                    "`cacheKeyType: Registry` cannot be used with `{registry}`: only a part of that registry has this login"
                ));
            }
            (Some(RawCacheKey::Registry), None) if by_image => {
                return Err("`cacheKeyType: Registry` cannot be used: the login depends on the image's repository".to_owned());
            }
            (Some(RawCacheKey::Registry), None) => CacheKey::Registry,
            (None, None) if !by_image => CacheKey::Registry,
            _ => CacheKey::Image,
        };
        Ok(self.profile)
    }
}

/// The names of a profile: those with a fixed text, and the others.
fn scope(raw: Vec<RawVariable>, folder: &Path) -> Result<(Scope, Vec<Variable>), String> {
    let (mut scope, mut variables) = (Scope::default(), Vec::new());
    for raw in raw {
        let name = raw.name;
        if !is_name(&name) || name.contains('.') {
            return Err(format!("`{name}` is no variable's name: letters, digits, `-` and `_`"));
        }
        if scope.constants.contains_key(&name) || scope.names.contains_key(&name) {
            return Err(format!("two variables are named `{name}`"));
        }
        let (kind, source) = match (raw.value, raw.from_annotation, raw.from_image, raw.from_file) {
            (Some(text), None, None, None) => {
                scope.constants.insert(name, text);
                continue;
            }
            (None, Some(raw), None, None) => {
                let pattern = raw.pattern.0;
                if raw
                    .default
                    .as_deref()
                    .is_some_and(|it| !it.is_empty() && pattern.take(it, &name).is_none())
                {
                    return Err(format!("the default of `{name}` does not match its pattern"));
                }
                (
                    Sensitivity::Public,
                    Source::Annotation { key: raw.key, pattern, default: raw.default },
                )
            }
            (None, None, Some(raw), None) => (
                Sensitivity::Public,
                Source::Image { part: raw.part.into(), pattern: raw.pattern.0 },
            ),
            (None, None, None, Some(file)) => {
                (Sensitivity::Secret, Source::File(folder.join(file)))
            }
            _ => {
                return Err(format!(
                    "variable `{name}` needs one of `value`, `fromAnnotation`, `fromImage` and `fromFile`"
                ));
            }
        };
        scope.names.insert(name.clone(), kind);
        variables.push(Variable { name, source });
    }
    Ok((scope, variables))
}

/// Whether a name that only a pod has is used.
fn uses_pod(exchange: &Exchange, variables: &[Variable], response: &RawResponse) -> bool {
    let from_pod = variables.iter().any(|it| matches!(it.source, Source::Annotation { .. }));
    let name = response.username.as_ref().and_then(|username| username.value.as_ref());
    from_pod
        || exchange.names().any(|name| name.starts_with("sa."))
        || name.is_some_and(|it| it.0.contains("${sa."))
}

impl RawExpected {
    fn into_expected(self, scope: &Scope) -> Result<Expected, String> {
        let audience = self.audience.ok_or("missing field `serviceAccountToken.audience`")?;
        let audience = scope
            .constant(&audience.0)
            .map_err(|why| format!("`serviceAccountToken.audience`: {why}"))?;
        if audience.is_empty() {
            return Err("`serviceAccountToken.audience` is empty".to_owned());
        }
        let issuer = self.issuer.map(|issuer| scope.constant(&issuer.0)).transpose();
        let issuer = issuer.map_err(|why| format!("`serviceAccountToken.issuer`: {why}"))?;
        if issuer.as_deref() == Some("") {
            return Err("`serviceAccountToken.issuer` is empty".to_owned());
        }
        Ok(Expected {
            audience,
            issuer,
            on_missing: self.on_missing.unwrap_or_default(),
            allow_api_server_audience: self.allow_api_server_audience.unwrap_or_default(),
        })
    }
}

impl RawResponse {
    fn into_answer(self, kind: RawType, scope: &Scope) -> Result<Answer, String> {
        if kind == RawType::Passthrough
            && (self.password.is_some()
                || self.expiry.is_some()
                || self.margin.is_some()
                || self.max_cache_duration.is_some())
        {
            return Err("`passthrough` has no answer: only `username`, `authKeys` and `cacheKeyType` may stand in `response`".to_owned());
        }
        let username = username(self.username, kind, scope)?;
        let longest = self.max_cache_duration.map(|span| span.0);
        Ok(Answer {
            username,
            password: self.password.map_or_else(
                || match kind {
                    RawType::Static => "/password".to_owned(),
                    _ => "/access_token".to_owned(),
                },
                |at| at.pointer.0,
            ),
            default_lifetime: match self.expiry.as_ref().and_then(|it| it.default.as_ref()) {
                Some(text) => {
                    let span = scope.constant(&text.0).and_then(|text| Span::parse(&text));
                    Some(span.map_err(|why| format!("`response.expiry.default`: {why}"))?.0)
                }
                None => None,
            },
            expiry: expiry(self.expiry.unwrap_or_default(), kind)?,
            margin: self.margin.map(|span| span.0),
            max_cache_duration: match kind {
                // It does not die by itself: what is not said is not kept.
                RawType::Static => longest,
                _ => Some(longest.unwrap_or(LONGEST_CACHE)),
            },
        })
    }
}

fn expiry(raw: RawExpiry, kind: RawType) -> Result<Expiry, String> {
    let pointer = raw.pointer.map(|pointer| pointer.0);
    Ok(match (raw.format, pointer) {
        (None, None) if kind == RawType::Static => Expiry::Fixed,
        (None | Some(RawFormat::Seconds), pointer) => {
            Expiry::Seconds(pointer.unwrap_or_else(|| "/expires_in".to_owned()))
        }
        (Some(RawFormat::JwtExp), None) => Expiry::Jwt,
        (Some(RawFormat::Fixed), None) if raw.default.is_none() => {
            return Err("`response.expiry` of the format `fixed` needs `default`".to_owned());
        }
        (Some(RawFormat::Fixed), None) => Expiry::Fixed,
        (Some(RawFormat::JwtExp | RawFormat::Fixed), Some(_)) => {
            return Err("`response.expiry.pointer` has no meaning with this format".to_owned());
        }
        (Some(_), None) => return Err("`response.expiry` needs `pointer`".to_owned()),
        (Some(RawFormat::Epoch), Some(at)) => Expiry::Epoch(at),
        (Some(RawFormat::EpochMillis), Some(at)) => Expiry::EpochMillis(at),
        (Some(RawFormat::Rfc3339), Some(at)) => Expiry::Rfc3339(at),
    })
}

fn username(raw: Option<RawUsername>, kind: RawType, scope: &Scope) -> Result<Username, String> {
    let answered = |pointer: Option<String>, raw: RawUsername| Username::Answered {
        pointer,
        claim: raw.or_jwt_claim,
        pattern: raw.pattern.map(|pattern| pattern.0),
    };
    let Some(mut raw) = raw else {
        return Ok(match kind {
            RawType::Static => answered(Some("/username".to_owned()), RawUsername::default()),
            // Registries that take a token as password mostly ignore the name, but want one.
            _ => Username::Fixed(Template::of_text("token")),
        });
    };
    match (raw.value.take(), raw.pointer.take().map(|pointer| pointer.0)) {
        (Some(value), None) if raw.or_jwt_claim.is_none() && raw.pattern.is_none() => {
            let name = Template::compile(&value.0, Position::User, scope)
                .map_err(|why| format!("`response.username`: {why}"))?;
            let is_bad = |text: &str| text.is_empty() || text.contains([':', '\r', '\n', '\0']);
            match name.as_text().is_some_and(is_bad) {
                true => {
                    Err("`response.username.value` is empty or contains `:` or a line break"
                        .to_owned())
                }
                false => Ok(Username::Fixed(name)),
            }
        }
        (None, pointer) if pointer.is_some() || raw.or_jwt_claim.is_some() => match kind {
            RawType::Passthrough if pointer.is_some() => {
                Err("`passthrough` has no answer: `response.username` needs a `value`".to_owned())
            }
            _ => Ok(answered(pointer, raw)),
        },
        _ => Err("`response.username` needs either `value` or `pointer`".to_owned()),
    }
}

/// Keys beside the image's own registry: hosts that the profile is for.
fn auth_keys(
    texts: &[String],
    scope: &Scope,
    registries: &[Registry],
) -> Result<Vec<String>, String> {
    let mut keys = Vec::new();
    for text in texts {
        // It is always there.
        if text == "${image.registry}" {
            continue;
        }
        let key = scope.constant(text).map_err(|why| format!("`response.authKeys`: {why}"))?;
        let image = Image::parse(&key)
            .map_err(|_| format!("`response.authKeys`: `{key}` is no `host[:port][/path]`"))?;
        if !registries.iter().any(|registry| registry.matches(&image)) {
            return Err(format!(
                "`response.authKeys`: `{key}` is not covered by `registries`: a login stays within them"
            ));
        }
        keys.push(key);
    }
    Ok(keys)
}

impl RawHttp {
    fn into_settings(self, folder: &Path) -> Result<HttpConfig, String> {
        let defaults = HttpConfig::default();
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
        let path = |file: PathBuf| folder.join(file);
        let client_certificate = match (self.client_cert_file, self.client_key_file) {
            (None, None) => None,
            (Some(file), key) => {
                let key = key.unwrap_or_else(|| file.clone());
                Some(ClientCertificate { certificate: path(file), key: path(key) })
            }
            (None, Some(_)) => {
                return Err("`http.clientKeyFile` needs `http.clientCertFile`".to_owned());
            }
        };
        Ok(HttpConfig {
            roots: self
                .ca_file
                .map_or(Roots::System, |file| Roots::Only { file: path(file), named_by: "caFile" }),
            client_certificate,
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

/// A time limit out of the file, or the default.
fn limit(name: &str, span: Option<Span>, default: Duration) -> Result<Duration, String> {
    match span.map(|span| span.0) {
        Some(Duration::ZERO) => Err(format!("`http.{name}` must be more than 0s")),
        Some(limit) => Ok(limit),
        None => Ok(default),
    }
}
