//! What the kubelet says about `tokenAttributes`.

use std::collections::HashSet;

use crate::config::provider::{ExecApiVersion, ServiceAccountTokenCacheType, TokenAttributes};
use crate::config::raw::RawTokenAttributes;
use crate::config::validate::{Validator, annotation_key, json};
use crate::finding::FindingCode;
use crate::go::lower::lower;
use crate::go::quote::quote;
use crate::source::Spanned;

const PATH: &str = "providers.tokenAttributes";

impl Validator<'_> {
    pub(super) fn token_attributes(
        &mut self,
        raw: RawTokenAttributes,
        api_version: &Spanned<String>,
        known_version: Option<ExecApiVersion>,
    ) -> Option<TokenAttributes> {
        if !self.target.has_service_account_tokens() {
            let message = format!(
                "{PATH}: Forbidden: tokenAttributes is not supported when \
                 KubeletServiceAccountTokenForCredentialProviders feature gate is disabled"
            );
            self.add(FindingCode::TokensDisabled, message, &raw.location);
        }
        if raw.audience.is_empty() {
            let field = format!("{PATH}.serviceAccountTokenAudience");
            let before = "serviceAccountTokenAudience is required";
            self.required(FindingCode::NoAudience, &field, before, &raw.audience.location);
        }
        if raw.require_service_account.is_none() {
            let field = format!("{PATH}.requireServiceAccount");
            let before = "requireServiceAccount is required";
            self.required(FindingCode::NoRequireServiceAccount, &field, before, &raw.location);
        }
        if known_version != Some(ExecApiVersion::V1) {
            let message = format!(
                "{PATH}: Forbidden: tokenAttributes is only supported for {} API version",
                ExecApiVersion::V1
            );
            self.add(FindingCode::TokensNeedV1, message, &api_version.location);
        }
        let required = format!("{PATH}.requiredServiceAccountAnnotationKeys");
        if let Some(setting) = &raw.require_service_account
            && !setting.value
            && !raw.required_annotation_keys.is_empty()
        {
            let message = format!(
                "{required}: Forbidden: requireServiceAccount cannot be false when \
                 requiredServiceAccountAnnotationKeys is set"
            );
            self.add(FindingCode::AnnotationsWithoutAccount, message, &setting.location);
        }
        self.annotation_keys(&required, &raw.required_annotation_keys);
        let optional = format!("{PATH}.optionalServiceAccountAnnotationKeys");
        self.annotation_keys(&optional, &raw.optional_annotation_keys);
        self.both_lists(&raw);
        let cache_type = match self.target.version.minor() {
            34.. => Some(self.cache_type(&raw)?),
            _ => None,
        };
        Some(TokenAttributes {
            audience: raw.audience,
            cache_type,
            require_service_account: raw.require_service_account?,
            required_annotation_keys: raw.required_annotation_keys,
            optional_annotation_keys: raw.optional_annotation_keys,
            location: raw.location,
        })
    }

    fn annotation_keys(&mut self, path: &str, keys: &[Spanned<String>]) {
        let mut seen = HashSet::new();
        for key in keys {
            for why in annotation_key::faults(&lower(key), self.target) {
                let message = format!("{path}: Invalid value: {}: {why}", quote(&**key));
                self.add(FindingCode::AnnotationKey, message, &key.location);
            }
            if !seen.insert(key.as_str()) {
                let message = format!("{path}: Duplicate value: {}", quote(&**key));
                self.add(FindingCode::AnnotationKey, message, &key.location);
            }
        }
    }

    fn both_lists(&mut self, tokens: &RawTokenAttributes) {
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
            "{PATH}: Invalid value: {shown}: \
             annotation keys cannot be both required and optional"
        );
        self.add(FindingCode::AnnotationKey, message, &location);
    }

    fn cache_type(
        &mut self,
        raw: &RawTokenAttributes,
    ) -> Option<Spanned<ServiceAccountTokenCacheType>> {
        let text = raw.cache_type.as_ref().filter(|text| !text.is_empty());
        let Some(text) = text else {
            let location = raw.cache_type.as_ref().map_or(&raw.location, |kind| &kind.location);
            let message = format!(
                "{PATH}.cacheType: Required value: cacheType is required to be set when \
                 tokenAttributes is specified. Supported values are: ServiceAccount, Token"
            );
            self.add(FindingCode::NoCacheType, message, location);
            return None;
        };
        let Some(value) = ServiceAccountTokenCacheType::parse(text) else {
            let message = format!(
                "{PATH}.cacheType: Unsupported value: {}: supported values: \"ServiceAccount\", \
                 \"Token\"",
                json(text)
            );
            self.add(FindingCode::CacheType, message, &text.location);
            return None;
        };
        Some(Spanned { value, location: text.location.clone() })
    }
}
