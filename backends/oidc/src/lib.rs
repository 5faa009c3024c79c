#![doc = include_str!("../docs.md")]

mod commands;
mod engine;
mod exchange;
mod identity;
mod kubelet_config;
mod profile;
mod registry;
mod response;
mod settings;

use pullpass::{
    Cache, Context, Error, ErrorKind, Login, Options, Plugin, Provider, Request, Response, Token,
    Topic, async_trait, file as files,
};
use serde_json::Value;
use tracing::{debug, warn};

use crate::engine::run::Failure;
use crate::engine::values::Values;
use crate::profile::{Exchange, Policy, Profile};
use crate::response::Document;

pub use crate::kubelet_config::{Stanza, stanzas};
pub use crate::profile::preset::{PRESETS, Parameter, ParameterDefault, Preset, Status};

/// The plugin's static facts.
pub static PLUGIN: Plugin =
    Plugin::new("oidc-credential-provider", |options, _| Ok(Box::new(Oidc::new(options)?)))
        .version(env!("CARGO_PKG_VERSION"))
        .summary("Pulls from any registry with the pod's own service account token")
        .options(&[settings::CONFIG, settings::PROFILE, settings::PRESET, settings::SET])
        .commands(commands::COMMANDS)
        .topics(&[Topic::new(
            "Presets, what each needs, and how far it was checked",
            profile::preset::rows,
        )]);

/// One profile per registry, the most specific of which answers.
struct Oidc {
    profiles: Vec<Profile>,
}

impl Oidc {
    fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self { profiles: settings::profiles(options)? })
    }
}

#[async_trait]
impl Provider for Oidc {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        // The host decides before the token is used: the kubelet's matchImages may be wider
        // than the profile.
        let (profile, registry) = registry::choose(&self.profiles, &request.image)?;
        debug!("profile `{}` is for `{registry}`", profile.name);
        let (login, cache) = match answer_with(profile, request, cx).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(Response::none()),
            Err(Failure::Refused(error)) if profile.on_refused == Policy::Empty => {
                warn!("{error}; `onRefused` is `empty`");
                return Ok(Response::none());
            }
            Err(failure) => return Err(failure.into()),
        };
        let mut auth = vec![(registry.auth_key(&request.image), login.clone())];
        auth.extend(profile.auth_keys.iter().map(|key| (key.clone(), login.clone())));
        Ok(Response::new(auth, cache))
    }

    /// Where the profile says so, where it sends no token, and where there is no profile.
    fn allows_api_server_token(&self, request: &Request) -> bool {
        !registry::choose(&self.profiles, &request.image).is_ok_and(|(profile, _)| {
            profile.service_account.as_ref().is_some_and(|it| !it.allow_api_server_audience)
        })
    }
}

/// The login that a profile gives for a request; `None` where it needs a token, there is none, and
/// it says that this is no error.
async fn answer_with(
    profile: &Profile,
    request: &Request,
    cx: &Context,
) -> Result<Option<(Login, Cache)>, Failure> {
    let token = match (&profile.service_account, &request.service_account) {
        (None, _) => None,
        (Some(expected), None) => {
            return match expected.on_missing {
                Policy::Empty => Ok(None),
                Policy::Fail => Err(identity::missing(profile).into()),
            };
        }
        (Some(expected), Some(account)) => {
            identity::check(&account.token, expected, profile)?;
            Some(&account.token)
        }
    };
    let mut values = Values::gather(&profile.variables, request)?;
    login(profile, token, &mut values, cx).await.map(Some)
}

async fn login(
    profile: &Profile,
    token: Option<&Token>,
    values: &mut Values,
    cx: &Context,
) -> Result<(Login, Cache), Failure> {
    match &profile.exchange {
        Exchange::Passthrough => Ok(response::passthrough(profile, token, values)?),
        Exchange::File(path) => {
            let text = files::read_text(path).map_err(|error| {
                error.with_hint("the profile's `exchange.file` names this file: who may read it?")
            })?;
            let body: Value = profile::file::from_yaml(&text).map_err(|_| {
                Error::config(format!("`{}` is neither JSON nor YAML", path.display()))
                    .with_hint("write {\"username\": \"...\", \"password\": \"...\"} into it")
            })?;
            let name = path.display().to_string();
            let document =
                Document { body, name: &name, verb: "is".to_owned(), blame: ErrorKind::Config };
            Ok(response::read(&document, profile, values, true, &cx.clock)?)
        }
        Exchange::Calls(calls) => {
            let reply = engine::run::run(calls, profile, values, cx).await?;
            let document = engine::error_response::document(&reply)?;
            Ok(response::read(&document, profile, values, false, &cx.clock)?)
        }
    }
}
