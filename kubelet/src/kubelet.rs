//! The kubelet as a whole: one look-up of credentials after another.

mod log;
mod report;
mod runs;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::cache::{CacheKeyType, CacheableAnswer, ClockFn, CredentialCache, system_clock};
use crate::config::{Config, CredentialProvider};
use crate::exec::{self, ExecFailure, ExecFailureKind, ExecOptions};
use crate::exec::{AuthConfigs, CredentialProviderRequest, CredentialProviderResponse};
use crate::image_name::{ImageError, lookup_name};
use crate::keyring::{Credential, Keyring};
use crate::pattern::AuthKey;
use crate::service_account::{self, NotCalled, Pod, ServiceAccountData};
use crate::version::Target;

use self::runs::Runs;

pub use self::log::{LogLevel, LogLine};
pub use self::report::{CacheDecision, Outcome, ProviderReport};

/// What a [`Kubelet`] needs besides its configuration.
#[derive(Clone)]
pub struct KubeletOptions {
    /// How plugins are run.
    pub exec: ExecOptions,
    /// By which clock the cache expires.
    pub clock: ClockFn,
}

impl Default for KubeletOptions {
    fn default() -> Self {
        Self { exec: ExecOptions::default(), clock: system_clock() }
    }
}

/// The credential providers of a running kubelet, with their caches. Pulls in several threads
/// share one: as in the kubelet, one waits for another only if both ask the same provider the same.
pub struct Kubelet {
    providers: Vec<State>,
    bin_dir: PathBuf,
    target: Target,
    options: KubeletOptions,
}

/// A provider. Look-ups lock its cache only while they read or write it, never during a run.
struct State {
    provider: CredentialProvider,
    cache: Mutex<CredentialCache>,
    runs: Runs,
}

impl State {
    fn cache(&self) -> MutexGuard<'_, CredentialCache> {
        // A panic while the lock was held leaves no incomplete entry.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a look-up.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lookup {
    /// The text that was matched, sent and used as a cache key.
    pub lookup_name: String,
    /// Every provider in the order in which the kubelet asks them.
    pub providers: Vec<ProviderReport>,
    /// The credentials in the order in which they would be tried. With none the
    /// kubelet pulls anonymously, unless pull secrets give it some.
    pub credentials: Vec<Credential>,
}

impl Kubelet {
    /// Registers the providers of `config`. [`startup`](crate::startup()) checks whether their
    /// programs exist.
    pub fn new(config: &Config, bin_dir: impl AsRef<Path>, options: KubeletOptions) -> Self {
        let target = config.target.clone();
        let now = (options.clock)();
        let mut providers: Vec<State> = config
            .providers
            .iter()
            .map(|provider| State {
                provider: provider.clone(),
                cache: Mutex::new(CredentialCache::new(target.version, now)),
                runs: Runs::default(),
            })
            .collect();
        if target.version.minor() <= 32 {
            // Before 1.33 the kubelet sorted them by name.
            providers.sort_by(|a, b| a.provider.name.value.cmp(&b.provider.name.value));
        }
        Self { providers, bin_dir: bin_dir.as_ref().to_owned(), target, options }
    }

    /// Looks up the credentials for an image as a pod names it.
    ///
    /// # Errors
    /// When the name is not an image reference; the kubelet then asks no provider.
    pub fn lookup(&self, image: &str, pod: Option<&Pod>) -> Result<Lookup, ImageError> {
        Ok(self.lookup_raw(&lookup_name(image)?, pod))
    }

    /// Looks up the credentials for an image whose look-up name is known.
    pub fn lookup_raw(&self, lookup_name: &str, pod: Option<&Pod>) -> Lookup {
        let mut keyring = Keyring::new(self.target.version);
        let mut reports = Vec::new();
        for state in &self.providers {
            let asking = Asking {
                image: lookup_name,
                pod,
                bin_dir: &self.bin_dir,
                target: &self.target,
                options: &self.options,
            };
            let (mut report, auth) = asking.provide(state);
            for (key, error) in keyring.add(&report.name, &auth) {
                let line = AuthKey::log_line(&key, &error, self.target.version);
                report.log.push(LogLine { level: LogLevel::Error, text: line });
            }
            reports.push(report);
        }
        Lookup {
            credentials: keyring.lookup(lookup_name),
            lookup_name: lookup_name.to_owned(),
            providers: reports,
        }
    }
}

/// One question to one provider.
struct Asking<'a> {
    image: &'a str,
    pod: Option<&'a Pod>,
    bin_dir: &'a Path,
    target: &'a Target,
    options: &'a KubeletOptions,
}

impl Asking<'_> {
    /// The provider's logins for the image: from its cache or from a run.
    fn provide(&self, state: &State) -> (ProviderReport, AuthConfigs) {
        let provider = &state.provider;
        let report = ProviderReport::new(&provider.name);
        if !provider.match_images.iter().any(|pattern| pattern.matches(self.image)) {
            return (report, AuthConfigs::new());
        }
        let identity = match service_account::identify(provider, self.pod, self.target) {
            Ok(identity) => identity,
            Err(reason) => return (self.not_called(report, provider, reason), AuthConfigs::new()),
        };
        let now = (self.options.clock)();
        let found = state.cache().find(self.image, &identity.account, now);
        match found {
            Ok(None) => {}
            Ok(Some(found)) => {
                let report = ProviderReport {
                    outcome: self.answered(&found.auth),
                    auth: found.auth.clone(),
                    cache: CacheDecision::Hit { key: found.key, expires: found.expires },
                    ..report
                };
                return (report, found.auth);
            }
            Err(error) => {
                let message = format!("error generating cache key: {error}");
                let reason = NotCalled::CacheKey(error.to_string());
                let log = log::lookup_failed(&self.context(provider), &message);
                let outcome = Outcome::NotCalled(reason);
                return (ProviderReport { outcome, log: vec![log], ..report }, AuthConfigs::new());
            }
        }
        self.run(state, &identity, report)
    }

    fn run(
        &self,
        state: &State,
        identity: &ServiceAccountData,
        mut report: ProviderReport,
    ) -> (ProviderReport, AuthConfigs) {
        let provider = &state.provider;
        report.log.push(log::asking(&self.context(provider)));
        let request = CredentialProviderRequest {
            image: self.image.to_owned(),
            token: identity.token.clone(),
            annotations: identity.annotations.clone(),
        };
        // Pulls that ask the same at the same time share one run.
        let run = state.runs.share(&request, || {
            exec::run(provider, self.bin_dir, &request, self.target, &self.options.exec)
        });
        report.stderr = run.stderr;
        report.stdout = run.stdout;
        report.duration = Some(run.duration);
        let response = match run.result {
            Ok(response) => response,
            Err(failure) => return (self.failed(report, provider, failure), AuthConfigs::new()),
        };
        report.auth.clone_from(&response.auth);
        let now = (self.options.clock)();
        self.accept(state, identity, response, report, now)
    }

    /// What the kubelet checks in a decoded answer before it uses and keeps it.
    fn accept(
        &self,
        state: &State,
        identity: &ServiceAccountData,
        response: CredentialProviderResponse,
        mut report: ProviderReport,
        now: SystemTime,
    ) -> (ProviderReport, AuthConfigs) {
        let provider = &state.provider;
        let context = self.context(provider);
        if service_account::echoes_token(provider, identity, &response.auth, self.target) {
            report.log.push(log::echoed_token(&context));
            return (
                ProviderReport { outcome: Outcome::EchoedToken, ..report },
                AuthConfigs::new(),
            );
        }
        let Some(key) = CacheKeyType::parse(&response.cache_key_type) else {
            report.log.push(log::invalid_key_type(&context, &response.cache_key_type));
            let outcome = Outcome::InvalidCacheKeyType(response.cache_key_type);
            return (ProviderReport { outcome, ..report }, AuthConfigs::new());
        };
        let answer = CacheableAnswer {
            auth: &response.auth,
            key,
            duration: response.cache_duration,
            default: provider.default_cache_duration.value,
        };
        let stored = state.cache().store(self.image, &identity.account, &answer, now);
        match stored {
            Ok(stored) => report.cache = CacheDecision::Missed(stored),
            Err(error) => {
                report.log.push(log::cache_key(&context, &error.to_string()));
                let outcome = Outcome::NotCalled(NotCalled::CacheKey(error.to_string()));
                return (ProviderReport { outcome, ..report }, AuthConfigs::new());
            }
        }
        report.outcome = self.answered(&response.auth);
        (report, response.auth)
    }

    fn answered(&self, auth: &AuthConfigs) -> Outcome {
        let mut ring = Keyring::new(self.target.version);
        ring.add("", auth);
        Outcome::Answered { keys: auth.len(), usable: ring.lookup(self.image).len() }
    }

    fn not_called(
        &self,
        mut report: ProviderReport,
        provider: &CredentialProvider,
        reason: NotCalled,
    ) -> ProviderReport {
        report.log.push(log::not_called(&self.context(provider), &reason));
        report.outcome = Outcome::NotCalled(reason);
        report
    }

    fn failed(
        &self,
        mut report: ProviderReport,
        provider: &CredentialProvider,
        failure: ExecFailure,
    ) -> ProviderReport {
        // What the kubelet would say about an answer that was cut off here is unknown.
        if failure.kind != ExecFailureKind::TooLong {
            report.log.push(log::failed(&self.context(provider), &failure.message));
        }
        report.outcome = Outcome::Failed(failure.kind);
        report.detail = failure.detail;
        report
    }

    fn context<'c>(&'c self, provider: &'c CredentialProvider) -> log::Context<'c> {
        let with_account =
            provider.token_attributes.is_some() && self.target.has_service_account_tokens();
        log::Context {
            version: self.target.version,
            provider: &provider.name,
            image: self.image,
            pod: self.pod,
            with_account,
        }
    }
}
