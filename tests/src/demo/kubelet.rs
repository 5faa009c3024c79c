//! The kubelet's part, played by the crate that imitates it: registration at its start, then one
//! look-up for one pod's image.

use std::path::Path;
use std::time::SystemTime;

use pullpass_kubelet::cache::{CacheKeyType, Stored};
use pullpass_kubelet::exec::CredentialProviderRequest;
use pullpass_kubelet::service_account::{Pod, PodServiceAccount, TokenSource};
use pullpass_kubelet::{
    CacheDecision, Config, CredentialProvider, Kubelet, KubeletOptions, ProviderReport, Target,
    startup,
};
use secrecy::ExposeSecret as _;

use crate::demo::Result;
use crate::demo::world::{NAMESPACE, SERVICE_ACCOUNT, World};
use crate::jwt;

/// What is shown in a secret's place.
const REDACTED: &str = "[REDACTED]";

/// The kubelet after its start.
pub(super) struct Node {
    config: Config,
    kubelet: Kubelet,
}

/// A provider that is asked for an image.
pub(super) struct Match<'a> {
    provider: &'a CredentialProvider,
    /// The entry of `matchImages` that covers the image.
    pub(super) pattern: &'a str,
}

/// What passed between kubelet and plugin, and the result. Everything but `logins` may be shown.
pub(super) struct Call {
    /// What was written to stdin, without the token.
    pub(super) request: String,
    /// What came back, without the password.
    pub(super) response: String,
    /// User names and passwords in the order in which they are tried.
    pub(super) logins: Vec<(String, String)>,
}

impl Node {
    /// Reads the configuration and looks for the binaries; a kubelet that finds fault with either
    /// does not start.
    pub(super) fn start(config: &Path, bin_dir: &Path) -> Result<Self> {
        let startup = startup(config, Some(bin_dir), &Target::default());
        let config = startup.into_config().map_err(|error| error.message)?;
        let kubelet = Kubelet::new(&config, bin_dir, KubeletOptions::default());
        Ok(Self { config, kubelet })
    }

    /// The version that is imitated and what it read.
    pub(super) fn summary(&self) -> String {
        let providers = self.config.providers.len();
        format!("a kubelet {} accepts it: {providers} provider", self.config.target.version)
    }

    /// Whom the kubelet asks about an image.
    pub(super) fn matching(&self, image: &str) -> Result<Match<'_>> {
        let hits = self.config.providers.iter().flat_map(|provider| {
            let patterns = provider.match_images.iter().filter(|pattern| pattern.matches(image));
            patterns.map(move |pattern| Match { provider, pattern: pattern.as_str() })
        });
        hits.into_iter().next().ok_or_else(|| format!("no pattern covers `{image}`"))
    }

    /// Looks up the credentials for the pod's image, which runs the plugin.
    pub(super) fn look_up(&mut self, world: &World, token: &str) -> Result<Call> {
        let pod = Pod {
            name: format!("{SERVICE_ACCOUNT}-0"),
            namespace: NAMESPACE.to_owned(),
            uid: jwt::random_uuid(),
            service_account: Some(PodServiceAccount {
                name: SERVICE_ACCOUNT.to_owned(),
                uid: jwt::random_uuid(),
                ..PodServiceAccount::default()
            }),
            tokens: TokenSource::ByAudience([(world.audience(), token.into())].into()),
        };
        let found = self
            .kubelet
            .lookup(&world.reference(), Some(&pod))
            .map_err(|error| error.to_string())?;
        let report = found.providers.first().ok_or("the kubelet knows no provider")?;
        if found.credentials.is_empty() {
            return Err(explain(report));
        }
        let request = CredentialProviderRequest {
            token: Some(REDACTED.into()),
            ..CredentialProviderRequest::new(found.lookup_name)
        };
        let api_version = self.config.providers[0].api_version.value;
        let logins = found.credentials.iter();
        let login = &found.credentials[0];
        Ok(Call {
            request: request.encode(api_version).expose_secret().trim_end().to_owned(),
            response: format!(
                "user `{}`, password {REDACTED}, for `{}`, {}",
                login.username,
                login.key,
                keeping(&report.cache)
            ),
            logins: logins
                .map(|login| (login.username.clone(), login.password.expose_secret().to_owned()))
                .collect(),
        })
    }
}

impl Match<'_> {
    /// The provider's name and arguments, as they are started.
    pub(super) fn command(&self) -> String {
        let args = self.provider.args.iter().map(|arg| arg.expose_secret());
        std::iter::once(self.provider.name.as_str()).chain(args).collect::<Vec<_>>().join(" ")
    }
}

/// What the kubelet remembers of the answer.
fn keeping(cache: &CacheDecision) -> String {
    match cache {
        CacheDecision::Missed(Stored::Until { key, expires }) => {
            let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
            let scope = match key {
                CacheKeyType::Image => "this image",
                CacheKeyType::Registry => "this registry",
                CacheKeyType::Global => "every image",
            };
            format!("kept {} min for {scope}", left.as_secs().div_ceil(60))
        }
        _ => "not kept".to_owned(),
    }
}

/// Why there is no login: the kubelet's own log line, or else the provider's outcome.
fn explain(report: &ProviderReport) -> String {
    match report.error_line() {
        Some(line) => line.to_owned(),
        None => format!("the plugin gave no login: {}", report.outcome.code()),
    }
}
