#![doc = include_str!("../docs.md")]

mod address;
mod answer;
mod client_auth;
mod commands;
mod discovery;
mod engine;
mod field;
mod file;
mod identity;
mod presets;
mod profile;
mod refusal;
mod registry;
mod resolve;
mod stanza;
mod sugar;
mod template;
mod values;

use std::path::Path;

use pullpass::{
    CacheType, Context, Error, ErrorKind, Opt, Options, Plugin, Provider, Request, Response, Token,
    Topic, async_trait, file as files,
};
use serde_json::Value;
use tracing::debug;

use crate::answer::Document;
use crate::profile::{Plan, Policy, Profile};
use crate::values::Values;

pub use crate::presets::{Otherwise, PRESETS, Parameter, Preset, Status};
pub use crate::stanza::{Stanza, stanzas};

/// The plugin's static facts.
pub static PLUGIN: Plugin = Plugin {
    name: "oidc-credential-provider",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Pulls from any registry with the pod's own service account token",
    match_images: &[],
    options: &[
        Opt::value("config", "FILE", "the profiles: which registry takes which exchange")
            .env("PULLPASS_OIDC_CONFIG"),
        Opt::value("profile", "NAME", "use only this profile of the file"),
        Opt::value("preset", "NAME", "in place of a file: one vendor's profile, with --set"),
        Opt::value("set", "NAME=VALUE", "what the preset needs").repeated(),
    ],
    annotations: &[],
    environment: &[],
    commands: commands::COMMANDS,
    topics: &[Topic {
        title: "Presets, what each needs, and how far it was checked",
        rows: presets::rows,
    }],
    cache_type: CacheType::Token,
    build: |options, _| Ok(Box::new(Oidc::new(options)?)),
};

/// One profile per registry, the most specific of which answers.
struct Oidc {
    profiles: Vec<Profile>,
}

impl Oidc {
    fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self { profiles: profiles(options)? })
    }
}

/// The profiles that the command line names.
fn profiles(options: &Options) -> Result<Vec<Profile>, Error> {
    let file = options.value("config").filter(|path| !path.is_empty());
    let (path, preset) = match (file, options.value("preset")) {
        (Some(path), None) => (path, None),
        (None, Some(preset)) => ("", Some(preset)),
        (Some(_), Some(_)) => {
            return Err(Error::config("`--config` and `--preset` exclude each other")
                .hint("a profile in the file may name the preset"));
        }
        (None, None) => {
            return Err(Error::config("`--config` is missing").hint(
                "name the profile file, or for one registry `--preset NAME --set NAME=VALUE`; \
                 `--help` lists the options",
            ));
        }
    };
    if let Some(preset) = preset {
        return of_preset(preset, options.values("set"));
    }
    if !options.values("set").is_empty() {
        return Err(Error::config("`--set` is for `--preset`")
            .hint("in a file `variables` set what a preset needs"));
    }
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
    Ok(profiles)
}

fn of_preset(name: &str, set: &[String]) -> Result<Vec<Profile>, Error> {
    let invalid = |why: String| {
        Error::config(format!("`--preset {name}`: {why}"))
            .hint("`--help` lists the presets, and what each needs")
    };
    let mut pairs = Vec::new();
    for text in set {
        let (key, value) =
            text.split_once('=').ok_or_else(|| invalid("`--set` is NAME=VALUE".to_owned()))?;
        pairs.push((key.to_owned(), value.to_owned()));
    }
    let raw = presets::profile(name, &pairs).map_err(invalid)?;
    let draft = raw.into_draft(Path::new("/")).map_err(invalid)?;
    Ok(vec![draft.into_profile(&[]).map_err(invalid)?])
}

#[async_trait]
impl Provider for Oidc {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        // The host decides before the token is used: the kubelet's matchImages may be wider
        // than the profile.
        let (profile, registry) = registry::choose(&self.profiles, &request.image)?;
        debug!("profile `{}` is for `{registry}`", profile.name);
        let token = match (&profile.service_account, &request.service_account) {
            (None, _) => None,
            (Some(expected), None) => {
                return match expected.on_missing {
                    Policy::Empty => Ok(Response::none()),
                    Policy::Fail => Err(identity::missing(profile)),
                };
            }
            (Some(expected), Some(account)) => {
                identity::check(&account.token, expected, profile)?;
                Some(&account.token)
            }
        };
        let mut values = Values::gather(&profile.variables, request)?;
        let (login, cache) = match login(profile, token, &mut values, cx).await {
            Ok(login) => login,
            Err(engine::Failure::Refused(_)) if profile.on_refused == Policy::Empty => {
                return Ok(Response::none());
            }
            Err(failure) => return Err(failure.into()),
        };
        let mut auth = vec![(registry.auth_key(&request.image), login.clone())];
        auth.extend(profile.auth_keys.iter().map(|key| (key.clone(), login.clone())));
        Ok(Response::new(auth, cache))
    }
}

async fn login(
    profile: &Profile,
    token: Option<&Token>,
    values: &mut Values,
    cx: &Context,
) -> Result<(pullpass::Login, pullpass::Cache), engine::Failure> {
    match &profile.plan {
        Plan::Passthrough => Ok(answer::passthrough(profile, token, values)?),
        Plan::File(path) => {
            let text = files::read_text(path).map_err(|error| {
                error.hint("the profile's `exchange.file` names this file: who may read it?")
            })?;
            let body: Value = file::from_yaml(&text).map_err(|_| {
                Error::config(format!("`{}` is neither JSON nor YAML", path.display()))
                    .hint("write {\"username\": \"...\", \"password\": \"...\"} into it")
            })?;
            let name = path.display().to_string();
            let document =
                Document { body, name: &name, verb: "is".to_owned(), blame: ErrorKind::Config };
            Ok(answer::read_lasting(&document, profile, values, &cx.clock)?)
        }
        Plan::Calls(calls) => {
            let reply = engine::run(calls, profile, values, cx).await?;
            let document = refusal::document(&reply)?;
            Ok(answer::read(&document, profile, values, &cx.clock)?)
        }
    }
}
