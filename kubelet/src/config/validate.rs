//! What the kubelet says about a configuration that it could decode.
//!
//! Source: kubelet, `validateCredentialProviderConfig`, in each of its versions.

mod annotation_key;

use std::collections::HashSet;

use crate::config::{ConfigError, CredentialProvider, Finding, TokenAttributes};
use crate::go::lower::lower;
use crate::go::quote::quote;
use crate::pattern::Pattern;
use crate::source::{Location, Spanned};
use crate::version::Target;

/// The exec API versions, in the order of the kubelet's message.
pub(crate) const EXEC_VERSIONS: [&str; 3] = [
    "credentialprovider.kubelet.k8s.io/v1",
    "credentialprovider.kubelet.k8s.io/v1alpha1",
    "credentialprovider.kubelet.k8s.io/v1beta1",
];

/// All faults in the kubelet's order.
pub(crate) fn check(providers: &[CredentialProvider], target: &Target) -> Vec<Finding> {
    let mut checks = Checks { target, findings: Vec::new() };
    if providers.is_empty() {
        let message = "providers: Required value: at least 1 item in plugins is required";
        checks.findings.push(Finding { message: message.to_owned(), location: None });
    }
    let mut names = HashSet::new();
    for provider in providers {
        checks.name(&provider.name);
        if target.version.minor() >= 33 && !names.insert(provider.name.as_str()) {
            checks.add(
                format!("providers.name: Duplicate value: {}", quote(&*provider.name)),
                &provider.name.location,
            );
        }
        checks.provider(provider);
    }
    checks.findings
}

/// Several errors as Kubernetes joins them: each text once.
pub(crate) fn aggregate(findings: &[Finding]) -> String {
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

/// From 1.34 a name that two entries share is found while the files are merged.
pub(crate) fn repeated_name(
    providers: &[CredentialProvider],
    target: &Target,
) -> Option<ConfigError> {
    let name = first_repeated(providers).filter(|_| target.version.minor() >= 34)?;
    let message =
        format!("duplicate provider name {} found in configuration file(s)", quote(&**name));
    Some(with_place(message, name))
}

/// Up to 1.32 nothing looks for it before the second registration, which is fatal.
pub(crate) fn registered_twice(
    providers: &[CredentialProvider],
    target: &Target,
) -> Option<ConfigError> {
    let name = first_repeated(providers).filter(|_| target.version.minor() <= 32)?;
    let message = format!("Credential provider {} was registered twice", quote(&**name));
    Some(with_place(message, name))
}

/// Whether the message is to the letter: up to 1.32 the supported versions come in
/// random order.
pub(crate) fn is_verbatim(providers: &[CredentialProvider], target: &Target) -> bool {
    let unknown = |provider: &CredentialProvider| {
        !provider.api_version.is_empty() && !EXEC_VERSIONS.contains(&provider.api_version.as_str())
    };
    target.version.minor() >= 33 || !providers.iter().any(unknown)
}

fn first_repeated(providers: &[CredentialProvider]) -> Option<&Spanned<String>> {
    let mut names = HashSet::new();
    providers.iter().map(|provider| &provider.name).find(|name| !names.insert(name.as_str()))
}

fn with_place(message: String, name: &Spanned<String>) -> ConfigError {
    let location = Some(name.location.clone());
    ConfigError {
        findings: vec![Finding { message: message.clone(), location }],
        ..ConfigError::plain(message)
    }
}

struct Checks<'a> {
    target: &'a Target,
    findings: Vec<Finding>,
}

impl Checks<'_> {
    fn name(&mut self, name: &Spanned<String>) {
        for (wrong, why) in [
            (name.contains('/'), "provider name cannot contain '/'"),
            (name.contains(' '), "provider name cannot contain spaces"),
            (name.as_str() == ".", "provider name cannot be '.'"),
            (name.as_str() == "..", "provider name cannot be '..'"),
        ] {
            if wrong {
                let message = format!("providers.name: Invalid value: {}: {why}", quote(&**name));
                self.add(message, &name.location);
            }
        }
    }

    fn provider(&mut self, provider: &CredentialProvider) {
        let version = &provider.api_version;
        if version.is_empty() {
            self.required("providers.apiVersion", "apiVersion is required", &version.location);
        } else if !EXEC_VERSIONS.contains(&version.as_str()) {
            let supported: Vec<String> = EXEC_VERSIONS.iter().map(quote).collect();
            let message = format!(
                "providers.apiVersion: Unsupported value: {}: supported values: {}",
                quote(&**version),
                supported.join(", ")
            );
            self.add(message, &version.location);
        }
        if provider.match_images.is_empty() {
            let message =
                "providers.matchImages: Required value: at least 1 item in matchImages is required";
            self.add(message.to_owned(), &provider.location);
        }
        for pattern in &provider.match_images {
            if let Err(error) = Pattern::parse_for(pattern, self.target.version) {
                let message = format!(
                    "providers.matchImages: Invalid value: {}: match image is invalid: {error}",
                    quote(&**pattern)
                );
                self.add(message, &pattern.location);
            }
        }
        self.duration(provider);
        if let Some(tokens) = &provider.token_attributes {
            self.tokens(tokens, version);
        }
    }

    fn duration(&mut self, provider: &CredentialProvider) {
        let path = "providers.defaultCacheDuration";
        match &provider.default_cache_duration {
            None => self.required(path, "defaultCacheDuration is required", &provider.location),
            Some(duration) if duration.is_negative() => {
                let shown = duration.value.to_string();
                let message = if self.target.version.minor() >= 34 {
                    format!(
                        "{path}: Invalid value: {}: must be greater than or equal to 0",
                        json(&shown)
                    )
                } else {
                    format!(
                        "{path}: Invalid value: {shown}: \
                         defaultCacheDuration must be greater than or equal to 0"
                    )
                };
                self.add(message, &duration.location);
            }
            Some(_) => {}
        }
    }

    fn tokens(&mut self, tokens: &TokenAttributes, exec_version: &Spanned<String>) {
        let path = "providers.tokenAttributes";
        if !self.target.has_service_account_tokens() {
            let message = format!(
                "{path}: Forbidden: tokenAttributes is not supported when \
                 KubeletServiceAccountTokenForCredentialProviders feature gate is disabled"
            );
            self.add(message, &tokens.location);
        }
        if tokens.audience.is_empty() {
            let field = format!("{path}.serviceAccountTokenAudience");
            let before = "serviceAccountTokenAudience is required";
            self.required(&field, before, &tokens.audience.location);
        }
        if tokens.require_service_account.is_none() {
            let field = format!("{path}.requireServiceAccount");
            self.required(&field, "requireServiceAccount is required", &tokens.location);
        }
        if exec_version.as_str() != EXEC_VERSIONS[0] {
            let message = format!(
                "{path}: Forbidden: tokenAttributes is only supported for {} API version",
                EXEC_VERSIONS[0]
            );
            self.add(message, &exec_version.location);
        }
        let required = format!("{path}.requiredServiceAccountAnnotationKeys");
        if let Some(setting) = &tokens.require_service_account
            && !setting.value
            && !tokens.required_annotation_keys.is_empty()
        {
            let message = format!(
                "{required}: Forbidden: requireServiceAccount cannot be false when \
                 requiredServiceAccountAnnotationKeys is set"
            );
            self.add(message, &setting.location);
        }
        self.annotation_keys(&required, &tokens.required_annotation_keys);
        let optional = format!("{path}.optionalServiceAccountAnnotationKeys");
        self.annotation_keys(&optional, &tokens.optional_annotation_keys);
        self.both_lists(tokens);
        if self.target.version.minor() >= 34 {
            self.cache_type(tokens);
        }
    }

    fn annotation_keys(&mut self, path: &str, keys: &[Spanned<String>]) {
        let mut seen = HashSet::new();
        for key in keys {
            for why in annotation_key::faults(&lower(key), self.target) {
                let message = format!("{path}: Invalid value: {}: {why}", quote(&**key));
                self.add(message, &key.location);
            }
            if !seen.insert(key.as_str()) {
                let message = format!("{path}: Duplicate value: {}", quote(&**key));
                self.add(message, &key.location);
            }
        }
    }

    fn both_lists(&mut self, tokens: &TokenAttributes) {
        let optional: HashSet<&str> =
            tokens.optional_annotation_keys.iter().map(|key| key.as_str()).collect();
        let mut both: Vec<&Spanned<String>> = tokens
            .required_annotation_keys
            .iter()
            .filter(|key| optional.contains(key.as_str()))
            .collect();
        let Some(first) = both.first() else { return };
        let location = first.location.clone();
        both.sort_by(|a, b| a.value.cmp(&b.value));
        both.dedup_by(|a, b| a.value == b.value);
        let shown = if self.target.version.minor() >= 34 {
            let keys: Vec<String> = both.iter().map(|key| json(key)).collect();
            format!("[{}]", keys.join(","))
        } else {
            let keys: Vec<String> = both.iter().map(|key| quote(&key.value)).collect();
            format!("[]string{{{}}}", keys.join(", "))
        };
        let message = format!(
            "providers.tokenAttributes: Invalid value: {shown}: \
             annotation keys cannot be both required and optional"
        );
        self.add(message, &location);
    }

    fn cache_type(&mut self, tokens: &TokenAttributes) {
        let path = "providers.tokenAttributes.cacheType";
        match &tokens.cache_type {
            Some(kind) if matches!(kind.as_str(), "ServiceAccount" | "Token") => {}
            Some(kind) if !kind.is_empty() => {
                let message = format!(
                    "{path}: Unsupported value: {}: supported values: \"ServiceAccount\", \"Token\"",
                    json(kind)
                );
                self.add(message, &kind.location);
            }
            missing => {
                let location = missing.as_ref().map_or(&tokens.location, |kind| &kind.location);
                let message = format!(
                    "{path}: Required value: cacheType is required to be set when tokenAttributes \
                     is specified. Supported values are: ServiceAccount, Token"
                );
                self.add(message, location);
            }
        }
    }

    /// Up to 1.33 the message ends in a sentence.
    fn required(&mut self, path: &str, before_1_34: &str, location: &Location) {
        let message = if self.target.version.minor() >= 34 {
            format!("{path}: Required value")
        } else {
            format!("{path}: Required value: {before_1_34}")
        };
        self.add(message, location);
    }

    fn add(&mut self, message: String, location: &Location) {
        self.findings.push(Finding { message, location: Some(location.clone()) });
    }
}

/// A text as Go writes it in JSON.
fn json(text: &str) -> String {
    let mut bytes = Vec::new();
    crate::go::json_string::write_string(&mut bytes, text);
    String::from_utf8_lossy(&bytes).into_owned()
}
