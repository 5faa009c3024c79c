#![doc = include_str!("../docs.md")]

mod commands;
mod engine;
mod exchange;
mod identity;
mod kubelet_config;
mod login;
mod profile;
mod registry;
mod response;
mod settings;

use pullpass::{Context, Error, Plugin, Provider, Request, Response, Topic, async_trait};
use tracing::{debug, warn};

use crate::engine::Failure;
use crate::profile::{Policy, preset};
use crate::settings::Settings;

pub use crate::kubelet_config::{ProviderEntry, provider_entries};
pub use crate::profile::preset::{Parameter, ParameterDefault, Preset, Status, presets};

/// The plugin's static facts.
pub static PLUGIN: Plugin = Plugin::new("oidc-credential-provider", |options, _| {
    Ok(Box::new(Oidc { settings: Settings::from_options(options)? }))
})
.version(env!("CARGO_PKG_VERSION"))
.summary("Pulls from any registry with the pod's own service account token")
.options(&[settings::CONFIG, settings::PROFILE, settings::PRESET, settings::SET])
.commands(commands::COMMANDS)
.topics(&[Topic::new("Presets, what each needs, and how far it was checked", preset::help_rows)]);

/// One profile per registry, the most specific of which answers.
struct Oidc {
    settings: Settings,
}

#[async_trait]
impl Provider for Oidc {
    async fn credentials(&self, request: &Request, cx: &Context) -> Result<Response, Error> {
        // The registry comes first: the kubelet's `matchImages` may be wider than the profiles,
        // and the token must not be used for another registry.
        let (profile, registry) = self.settings.profile_for(&request.image)?;
        debug!("profile `{}` covers `{registry}`", profile.name);
        match login::log_in(profile, request, cx).await {
            Ok(Some((login, cache))) => {
                Ok(response::respond(profile, registry, &request.image, &login, cache))
            }
            Ok(None) => Ok(Response::none()),
            Err(Failure::Denied(error)) if profile.on_refused == Policy::Empty => {
                warn!("{error}; `onRefused` is `empty`");
                Ok(Response::none())
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Where the profile for the image says so, or sends no token.
    fn allows_api_server_token(&self, request: &Request) -> bool {
        match self.settings.profile_for(&request.image) {
            Ok((profile, _)) => profile.allows_api_server_token(),
            // There is no profile that would send it; `credentials` says so.
            Err(_) => true,
        }
    }
}
