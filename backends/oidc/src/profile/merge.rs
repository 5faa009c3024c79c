//! A profile and its preset: field by field, the profile's value takes precedence.

use std::collections::BTreeMap;

use super::field::OneOrMany;
use super::raw::{
    RawExchange, RawExpected, RawExpiry, RawHttp, RawProfile, RawResponse, RawUsername, RawVariable,
};
use super::template::Template;

impl RawProfile {
    /// This profile, with `preset`'s value for each field that is left out.
    pub(crate) fn over(self, preset: Self) -> Self {
        Self {
            name: self.name,
            preset: self.preset,
            registries: self.registries.or(preset.registries),
            service_account_token: match (self.service_account_token, preset.service_account_token)
            {
                (Some(own), Some(preset)) => Some(own.over(preset)),
                (own, preset) => own.or(preset),
            },
            variables: merge_variables(self.variables, preset.variables),
            exchange: self.exchange.over(preset.exchange),
            response: self.response.over(preset.response),
            on_refused: self.on_refused.or(preset.on_refused),
            http: match (self.http, preset.http) {
                (Some(own), Some(preset)) => Some(own.over(preset)),
                (own, preset) => own.or(preset),
            },
        }
    }
}

impl RawExpected {
    fn over(self, preset: Self) -> Self {
        Self {
            audience: self.audience.or(preset.audience),
            issuer: self.issuer.or(preset.issuer),
            on_missing: self.on_missing.or(preset.on_missing),
            allow_api_server_audience: self
                .allow_api_server_audience
                .or(preset.allow_api_server_audience),
        }
    }
}

impl RawExchange {
    fn over(self, preset: Self) -> Self {
        // Nothing of the preset is used with another type.
        if self.r#type.is_some() && self.r#type != preset.r#type {
            return self;
        }
        let (endpoint, discovery) = match (&self.endpoint, &self.discovery) {
            (None, None) => (preset.endpoint, preset.discovery),
            _ => (self.endpoint, self.discovery),
        };
        Self {
            r#type: preset.r#type,
            endpoint,
            discovery,
            client_auth: self.client_auth.or(preset.client_auth),
            scope: merge_list(self.scope, preset.scope),
            extra: merge_texts(self.extra, preset.extra),
            encoding: self.encoding.or(preset.encoding),
            subject_token_type: self.subject_token_type.or(preset.subject_token_type),
            requested_token_type: self.requested_token_type.or(preset.requested_token_type),
            audience: merge_list(self.audience, preset.audience),
            resource: merge_list(self.resource, preset.resource),
            address: self.address.or(preset.address),
            mount: self.mount.or(preset.mount),
            namespace: self.namespace.or(preset.namespace),
            role: self.role.or(preset.role),
            read: self.read.or(preset.read),
            file: self.file.or(preset.file),
            steps: self.steps.or(preset.steps),
            hosts: merge_list(self.hosts, preset.hosts),
        }
    }
}

impl RawResponse {
    fn over(self, preset: Self) -> Self {
        Self {
            username: match (self.username, preset.username) {
                // With a name of its own, nothing of the preset is used.
                (Some(own), _) if own.value.is_some() => Some(own),
                (Some(own), Some(preset)) => Some(own.over(preset)),
                (own, preset) => own.or(preset),
            },
            password: self.password.or(preset.password),
            expiry: match (self.expiry, preset.expiry) {
                (Some(own), Some(preset)) => Some(own.over(preset)),
                (own, preset) => own.or(preset),
            },
            margin: self.margin.or(preset.margin),
            max_cache_duration: self.max_cache_duration.or(preset.max_cache_duration),
            cache_key_type: self.cache_key_type.or(preset.cache_key_type),
            auth_keys: merge_list(self.auth_keys, preset.auth_keys),
        }
    }
}

impl RawUsername {
    fn over(self, preset: Self) -> Self {
        Self {
            value: None,
            pointer: self.pointer.or(preset.pointer),
            or_jwt_claim: self.or_jwt_claim.or(preset.or_jwt_claim),
            pattern: self.pattern.or(preset.pattern),
        }
    }
}

impl RawExpiry {
    fn over(self, preset: Self) -> Self {
        Self {
            pointer: self.pointer.or(preset.pointer),
            format: self.format.or(preset.format),
            default: self.default.or(preset.default),
        }
    }
}

impl RawHttp {
    fn over(self, preset: Self) -> Self {
        Self {
            ca_file: self.ca_file.or(preset.ca_file),
            client_cert_file: self.client_cert_file.or(preset.client_cert_file),
            client_key_file: self.client_key_file.or(preset.client_key_file),
            allow_loopback_http: self.allow_loopback_http.or(preset.allow_loopback_http),
            connect_timeout: self.connect_timeout.or(preset.connect_timeout),
            timeout: self.timeout.or(preset.timeout),
            retries: self.retries.or(preset.retries),
            proxy: self.proxy.or(preset.proxy),
        }
    }
}

fn merge_list(own: OneOrMany, preset: OneOrMany) -> OneOrMany {
    match own.0.is_empty() {
        true => preset,
        false => own,
    }
}

fn merge_texts(
    own: BTreeMap<String, Template>,
    preset: BTreeMap<String, Template>,
) -> BTreeMap<String, Template> {
    preset.into_iter().chain(own).collect()
}

fn merge_variables(own: Vec<RawVariable>, preset: Vec<RawVariable>) -> Vec<RawVariable> {
    let is_own = |name: &str| own.iter().any(|variable| variable.name == name);
    let left: Vec<_> = preset.into_iter().filter(|variable| !is_own(&variable.name)).collect();
    own.into_iter().chain(left).collect()
}
