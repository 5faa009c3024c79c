//! A profile as the rest of the backend uses it, and how the file's fields become one.

use std::path::Path;

use pullpass::http::HttpConfig;
use pullpass::{CacheKey, Image, audience};

use super::compile_context::CompileContext;
use super::exchange_type::Exchange;
use super::field::{ImagePart, OneOrMany, Policy};
use super::raw::{RawCacheKey, RawExpected, RawProfile, RawType};
use super::response_fields::{ResponseFields, Username};
use super::template::Template;
use super::variable::{self, Source, Variable};
use crate::registry::Registry;

/// How to log in to some registries. Whatever is in one is valid.
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) registries: Vec<Registry>,
    /// `None` where no token is needed.
    pub(crate) service_account: Option<ExpectedToken>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) exchange: Exchange,
    pub(crate) response: ResponseFields,
    pub(crate) http: HttpConfig,
    /// Whether calls may go over `http://` to loopback addresses.
    pub(crate) allow_loopback_http: bool,
    pub(crate) on_refused: Policy,
    pub(crate) cache_key: CacheKey,
    /// Keys of the response in addition to the image's own registry: mirrors.
    pub(crate) auth_keys: Vec<String>,
}

/// What the pod's token must say before it is sent anywhere.
pub(crate) struct ExpectedToken {
    pub(crate) audience: String,
    pub(crate) issuer: Option<String>,
    pub(crate) on_missing: Policy,
    pub(crate) allow_api_server_audience: bool,
}

impl ExpectedToken {
    /// Whether the token is not sent unless `--allow-audience` allows it, since the Kubernetes API
    /// server may accept it.
    pub(crate) fn may_be_for_api_server(&self) -> bool {
        let issuer = self.issuer.as_deref().unwrap_or_default();
        !self.allow_api_server_audience && audience::is_for_api_server(&self.audience, issuer)
    }
}

/// A profile, but for what depends on the others in the file.
pub(super) struct PartialProfile {
    profile: Profile,
    cache_key: Option<RawCacheKey>,
}

impl RawProfile {
    /// Compiles the fields. Relative paths start at `folder`; `parameters` are a preset's:
    /// they need not be used.
    ///
    /// # Errors
    /// The first field that is missing or not valid.
    pub(super) fn compile(
        self,
        folder: &Path,
        parameters: &[String],
    ) -> Result<PartialProfile, String> {
        let (scope, variables) = variable::compile(self.variables, folder)?;
        let registries = self.registries.unwrap_or_default().into_iter();
        let registries = registries.map(|registry| registry.resolve(&scope));
        let registries: Vec<Registry> =
            registries.collect::<Result<_, _>>().map_err(|why| format!("`registries`: {why}"))?;
        if registries.is_empty() {
            return Err("`registries` is empty".to_owned());
        }
        let kind = self.exchange.r#type.ok_or("missing field `exchange.type`")?;
        let is_local = matches!(kind, RawType::Passthrough | RawType::Static);
        let on_refused = self.on_refused.unwrap_or_default();
        if is_local && (self.http.is_some() || on_refused != Policy::Fail) {
            let kind = kind.name();
            return Err(format!(
                "`{kind}` makes no call: `http` and `onRefused` cannot be used with it"
            ));
        }
        let raw_http = self.http.unwrap_or_default();
        let allow_loopback_http = raw_http.allow_loopback_http.unwrap_or_default();
        let http = raw_http.compile(folder)?;
        let context = CompileContext {
            scope: &scope,
            folder,
            allow_loopback_http,
            has_certificate: http.client_certificate.is_some(),
        };
        let exchange = Exchange::compile(kind, self.exchange, &context)?;
        let mut raw_response = self.response;
        let auth_keys = std::mem::take(&mut raw_response.auth_keys);
        let auth_keys = compile_auth_keys(auth_keys, &context, &registries)?;
        let cache_key = raw_response.cache_key_type;
        let response = raw_response.compile(kind, &context)?;
        let service_account =
            self.service_account_token.map(|raw| raw.compile(&context)).transpose()?;
        // A misspelt name leaves another variable at its default.
        if let Some(name) = scope.unused().filter(|name| !parameters.contains(name)) {
            return Err(format!("variable `{name}` is not used by this profile"));
        }
        let profile = Profile {
            name: self.name,
            registries,
            service_account,
            variables,
            exchange,
            response,
            http,
            allow_loopback_http,
            on_refused,
            cache_key: CacheKey::Registry,
            auth_keys,
        };
        if profile.service_account.is_none() && profile.needs_pod() {
            return Err(
                "missing field `serviceAccountToken`: the audience of the pod's token".to_owned()
            );
        }
        Ok(PartialProfile { profile, cache_key })
    }
}

impl PartialProfile {
    pub(super) fn registries(&self) -> impl Iterator<Item = &Registry> {
        self.profile.registries.iter()
    }

    /// A login that the kubelet keeps for a whole registry is used for every part of it: where
    /// `parts` have another login, the kubelet must keep it for each image.
    ///
    /// # Errors
    /// Where the profile's `cacheKeyType` would give the login to images that it is not for.
    pub(super) fn into_profile(mut self, parts: &[Registry]) -> Result<Profile, String> {
        let shared_registry = self
            .registries()
            .find(|registry| parts.iter().any(|part| part.shares_a_host_with(registry)));
        // Another image may have other values.
        let by_image = self.profile.depends_on_repository();
        self.profile.cache_key = match (self.cache_key, shared_registry) {
            (Some(RawCacheKey::Registry), Some(registry)) => {
                return Err(format!(
                    "`cacheKeyType: Registry` cannot be used with `{registry}`: the login is only for a part of that registry"
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

impl Profile {
    /// Whether a token that the Kubernetes API server may accept can be used: the profile says so,
    /// or uses no token.
    pub(crate) fn allows_api_server_token(&self) -> bool {
        self.service_account.as_ref().is_none_or(|expected| expected.allow_api_server_audience)
    }

    /// Whether another image of the same registry may have another login.
    fn depends_on_repository(&self) -> bool {
        // Used or not: a pattern lets only some images in.
        let is_from_repository = |variable: &Variable| {
            matches!(variable.source, Source::Image { part: ImagePart::Repository, .. })
        };
        self.variables.iter().any(is_from_repository)
            || self.names().any(|name| name == "image.repository")
    }

    /// Whether it uses what only a request with a token has.
    fn needs_pod(&self) -> bool {
        let is_from_pod =
            |variable: &Variable| matches!(variable.source, Source::Annotation { .. });
        self.exchange.needs_token()
            || self.variables.iter().any(is_from_pod)
            || self.names().any(|name| name.starts_with("sa."))
    }

    /// The names that its exchange and its user name use.
    fn names(&self) -> impl Iterator<Item = &str> {
        let username = match &self.response.username {
            Username::Fixed(template) => Some(template),
            Username::Answered { .. } => None,
        };
        self.exchange.names().chain(username.into_iter().flat_map(Template::names))
    }
}

impl RawExpected {
    fn compile(self, context: &CompileContext<'_>) -> Result<ExpectedToken, String> {
        let text = |field: &str, template: Template| {
            let field = format!("serviceAccountToken.{field}");
            match context.constant(&field, template)? {
                text if text.is_empty() => Err(format!("`{field}` is empty")),
                text => Ok(text),
            }
        };
        let audience = self.audience.ok_or("missing field `serviceAccountToken.audience`")?;
        Ok(ExpectedToken {
            audience: text("audience", audience)?,
            issuer: self.issuer.map(|issuer| text("issuer", issuer)).transpose()?,
            on_missing: self.on_missing.unwrap_or_default(),
            allow_api_server_audience: self.allow_api_server_audience.unwrap_or_default(),
        })
    }
}

/// Keys in addition to the image's own registry: hosts that the profile is for.
fn compile_auth_keys(
    raw: OneOrMany,
    context: &CompileContext<'_>,
    registries: &[Registry],
) -> Result<Vec<String>, String> {
    let field = "response.authKeys";
    // It is always a key.
    let registry = Template::from_name("image.registry");
    let mut keys = Vec::new();
    for template in raw.0.into_iter().filter(|template| *template != registry) {
        let key = context.constant(field, template)?;
        let image = Image::parse(&key)
            .map_err(|_| format!("`{field}` has an item that is not a `host[:port][/path]`"))?;
        if !registries.iter().any(|registry| registry.matches(&image)) {
            return Err(format!(
                "`{field}`: `{key}` is not covered by `registries`: a login is only for those registries"
            ));
        }
        keys.push(key);
    }
    Ok(keys)
}
