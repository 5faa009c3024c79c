//! What the kubelet says about a configuration that it could decode.
//!
//! Source: kubelet, `validateCredentialProviderConfig`, in each of its versions.

mod annotation_key;
mod tokens;

use std::collections::HashSet;
use std::time::Duration;

use pullpass_go_duration::GoDuration;

use crate::config::provider::{CredentialProvider, ExecApiVersion};
use crate::config::raw::RawProvider;
use crate::finding::{Finding, FindingCode};
use crate::go::json_string::write_string;
use crate::go::quote::quote;
use crate::pattern::Pattern;
use crate::source::{Location, Spanned};
use crate::version::Target;

/// Providers, and what is wrong with them.
pub(super) struct Validated {
    /// All errors, in the kubelet's order.
    pub(super) findings: Vec<Finding>,
    /// What the files say. If there are findings, what is wrong is left out
    /// or replaced.
    pub(super) providers: Vec<CredentialProvider>,
}

/// Makes providers from what the files say.
pub(super) fn validate(raw: Vec<RawProvider>, target: &Target) -> Validated {
    let mut validator = Validator { target, findings: Vec::new() };
    if raw.is_empty() {
        let message = "providers: Required value: at least 1 item in plugins is required";
        validator.findings.push(Finding::new(FindingCode::NoProviders, message));
    }
    let mut names = HashSet::new();
    let mut providers = Vec::with_capacity(raw.len());
    for provider in raw {
        validator.name(&provider.name);
        if target.version.minor() >= 33 && !names.insert(provider.name.value.clone()) {
            validator.add(
                FindingCode::DuplicateProvider,
                format!("providers.name: Duplicate value: {}", quote(&*provider.name)),
                &provider.name.location,
            );
        }
        providers.push(validator.provider(provider));
    }
    Validated { findings: validator.findings, providers }
}

/// Several errors as Kubernetes joins them: each text once.
pub(super) fn aggregate(findings: &[Finding]) -> String {
    let mut seen = HashSet::new();
    let messages: Vec<&str> = findings
        .iter()
        .map(|finding| finding.message.as_str())
        .filter(|message| seen.insert(*message))
        .collect();
    match messages.as_slice() {
        [one] => (*one).to_owned(),
        several => format!("[{}]", several.join(", ")),
    }
}

/// Whether the message is exact: up to 1.32 the supported versions come in
/// random order.
pub(super) fn is_verbatim(raw: &[RawProvider], target: &Target) -> bool {
    let is_unknown = |provider: &RawProvider| {
        !provider.api_version.is_empty() && ExecApiVersion::parse(&provider.api_version).is_none()
    };
    target.version.minor() >= 33 || !raw.iter().any(is_unknown)
}

/// The first name that an earlier provider has.
pub(super) fn find_repeated_name<'a>(
    mut names: impl Iterator<Item = &'a Spanned<String>>,
) -> Option<Spanned<String>> {
    let mut earlier = HashSet::new();
    names.find(|name| !earlier.insert(name.as_str())).cloned()
}

/// A repeated name as it is found from 1.34 on.
pub(super) fn repeated_while_merging(name: &Spanned<String>) -> Finding {
    let shown = quote(&**name);
    let message = format!("duplicate provider name {shown} found in configuration file(s)");
    Finding::new(FindingCode::DuplicateProvider, message).located(name.location.clone())
}

/// A repeated name as it is found up to 1.32.
pub(crate) fn registered_twice(name: &Spanned<String>) -> Finding {
    let message = format!("Credential provider {} was registered twice", quote(&**name));
    Finding::new(FindingCode::DuplicateProvider, message).located(name.location.clone())
}

struct Validator<'a> {
    target: &'a Target,
    findings: Vec<Finding>,
}

impl Validator<'_> {
    fn name(&mut self, name: &Spanned<String>) {
        for (is_wrong, why) in [
            (name.contains('/'), "provider name cannot contain '/'"),
            (name.contains(' '), "provider name cannot contain spaces"),
            (name.as_str() == ".", "provider name cannot be '.'"),
            (name.as_str() == "..", "provider name cannot be '..'"),
        ] {
            if is_wrong {
                let message = format!("providers.name: Invalid value: {}: {why}", quote(&**name));
                self.add(FindingCode::ProviderName, message, &name.location);
            }
        }
    }

    fn provider(&mut self, raw: RawProvider) -> CredentialProvider {
        let api_version = self.api_version(&raw.api_version);
        let match_images = self.match_images(&raw);
        let default_cache_duration = self.cache_duration(&raw);
        let token_attributes = match raw.token_attributes {
            None => None,
            Some(tokens) => self.token_attributes(tokens, &raw.api_version, api_version),
        };
        CredentialProvider {
            name: raw.name,
            match_images,
            default_cache_duration,
            api_version: Spanned {
                value: api_version.unwrap_or(ExecApiVersion::V1),
                location: raw.api_version.location,
            },
            args: raw.args,
            env: raw.env,
            token_attributes,
            location: raw.location,
        }
    }

    fn api_version(&mut self, version: &Spanned<String>) -> Option<ExecApiVersion> {
        let found = ExecApiVersion::parse(version);
        if version.is_empty() {
            self.required(
                FindingCode::NoExecApiVersion,
                "providers.apiVersion",
                "apiVersion is required",
                &version.location,
            );
        } else if found.is_none() {
            let supported = ExecApiVersion::ALL.map(|version| quote(version.as_str()));
            let message = format!(
                "providers.apiVersion: Unsupported value: {}: supported values: {}",
                quote(&**version),
                supported.join(", ")
            );
            self.add(FindingCode::ExecApiVersion, message, &version.location);
        }
        found
    }

    fn match_images(&mut self, raw: &RawProvider) -> Vec<Spanned<Pattern>> {
        if raw.match_images.is_empty() {
            let message =
                "providers.matchImages: Required value: at least 1 item in matchImages is required";
            self.add(FindingCode::NoMatchImages, message.to_owned(), &raw.location);
        }
        let mut patterns = Vec::with_capacity(raw.match_images.len());
        for text in &raw.match_images {
            match Pattern::parse(text, self.target.version) {
                Ok(value) => patterns.push(Spanned { value, location: text.location.clone() }),
                Err(error) => {
                    let message = format!(
                        "providers.matchImages: Invalid value: {}: match image is invalid: {error}",
                        quote(&**text)
                    );
                    self.add(FindingCode::MatchImage, message, &text.location);
                }
            }
        }
        patterns
    }

    fn cache_duration(&mut self, raw: &RawProvider) -> Spanned<GoDuration> {
        let path = "providers.defaultCacheDuration";
        let Some(duration) = &raw.default_cache_duration else {
            let before = "defaultCacheDuration is required";
            self.required(FindingCode::NoCacheDuration, path, before, &raw.location);
            return Spanned { value: unremarkable(), location: raw.location.clone() };
        };
        if !duration.is_negative() {
            return duration.clone();
        }
        let shown = duration.value.to_string();
        let message = if self.target.version.minor() >= 34 {
            format!("{path}: Invalid value: {}: must be greater than or equal to 0", json(&shown))
        } else {
            format!(
                "{path}: Invalid value: {shown}: \
                 defaultCacheDuration must be greater than or equal to 0"
            )
        };
        self.add(FindingCode::NegativeCacheDuration, message, &duration.location);
        Spanned { value: unremarkable(), location: duration.location.clone() }
    }

    /// Up to 1.33 the message ends in a sentence.
    fn required(&mut self, code: FindingCode, path: &str, before_1_34: &str, location: &Location) {
        let message = if self.target.version.minor() >= 34 {
            format!("{path}: Required value")
        } else {
            format!("{path}: Required value: {before_1_34}")
        };
        self.add(code, message, location);
    }

    fn add(&mut self, code: FindingCode, message: String, location: &Location) {
        self.findings.push(Finding::new(code, message).located(location.clone()));
    }
}

/// A duration about which there is no advice.
fn unremarkable() -> GoDuration {
    GoDuration::from(Duration::from_secs(600))
}

/// A text as Go writes it in JSON.
fn json(text: &str) -> String {
    let mut bytes = Vec::new();
    write_string(&mut bytes, text);
    String::from_utf8_lossy(&bytes).into_owned()
}
