#![doc = include_str!("../docs.md")]

mod answer;
mod client_auth;
mod exchange;
mod field;
mod file;
mod identity;
mod profile;
mod refusal;
mod registry;
mod resolve;

use pullpass::{
    Cache, CacheType, Context, Error, Login, Opt, Options, Plugin, Provider, Request, Response,
    async_trait,
};
use secrecy::ExposeSecret as _;

use crate::profile::{Exchange, Policy, Profile};

/// The plugin's static facts.
pub static PLUGIN: Plugin = Plugin {
    name: "oidc-credential-provider",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Pulls from any registry with the pod's own service account token",
    match_images: &[],
    options: &[
        Opt::value("config", "FILE", "the profiles: which registry takes which exchange")
            .env("PULLPASS_OIDC_CONFIG")
            .required(),
        Opt::value("profile", "NAME", "use only this profile of the file"),
    ],
    annotations: &[],
    environment: &[],
    cache_type: CacheType::Token,
    build: |options, _| Ok(Box::new(Oidc::new(options)?)),
};

/// One profile per registry, the most specific of which answers.
struct Oidc {
    profiles: Vec<Profile>,
}

impl Oidc {
    fn new(options: &Options) -> Result<Self, Error> {
        let path = options.required("config")?;
        let mut profiles = file::load(path.as_ref())?;
        if let Some(name) = options.value("profile") {
            let names = profiles.iter().map(|profile| format!("`{}`", profile.name));
            let names = names.collect::<Vec<_>>().join(", ");
            profiles.retain(|profile| profile.name == name);
            if profiles.is_empty() {
                return Err(Error::config(format!("`{path}` has no profile `{name}`"))
                    .hint(format!("it has {names}")));
            }
        }
        Ok(Self { profiles })
    }
}

#[async_trait]
impl Provider for Oidc {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        // The host decides before the token is used: the kubelet's matchImages may be wider
        // than the profile.
        let (profile, registry) = registry::choose(&self.profiles, &request.image)?;
        let Some(account) = &request.service_account else {
            return match profile.service_account.on_missing {
                Policy::Empty => Ok(Response::none()),
                Policy::Fail => Err(identity::missing(profile)),
            };
        };
        identity::check(&account.token, profile)?;
        let auth_key = registry.auth_key(&request.image);
        let (login, cache) = match &profile.exchange {
            Exchange::Passthrough(username) => {
                let password = account.token.secret().expose_secret();
                // Not cached here: the kubelet renews the token, and knows when.
                (Login::new(username.as_str(), password)?, Cache::never(profile.cache_key))
            }
            Exchange::Token(exchange) => {
                match exchange::token(exchange, &account.token, cx).await {
                    Ok((reply, spent)) => answer::read(&reply, &spent, exchange, profile, cx)?,
                    Err(exchange::Failure::Refused(_)) if profile.on_refused == Policy::Empty => {
                        return Ok(Response::none());
                    }
                    Err(failure) => return Err(failure.into()),
                }
            }
        };
        Ok(Response::new([(auth_key, login)], cache))
    }
}
