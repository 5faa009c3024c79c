//! What the services share: the state of [`Aws`], and how they read and write it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::MutexGuard;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;

use super::Aws;
use super::call::{Call, Canned};
use super::endpoint::{Endpoint, Service};
use super::front::text;
use super::iam::{Credentials, Key, OidcProvider, Principal, Role};
use super::token::{Login, TokenAnswer};
use crate::fakes::log::Log;

#[derive(Default)]
pub(super) struct State {
    pub(super) clock_offset: i64,
    pub(super) keys: HashMap<String, Key>,
    pub(super) roles: HashMap<String, Role>,
    pub(super) providers: Vec<OidcProvider>,
    pub(super) fips: BTreeSet<String>,
    pub(super) disabled: BTreeSet<String>,
    pub(super) token_answers: BTreeMap<Service, TokenAnswer>,
    pub(super) logins: Vec<Login>,
    /// The header that a service repeats in an error, in the place of its own answer.
    pub(super) echoes: BTreeMap<Service, &'static str>,
}

impl Aws {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    pub(super) fn log(&self) -> &Log<Service, Call> {
        &self.0.log
    }

    pub(super) fn precise_now(&self) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        now + self.state().clock_offset as f64
    }

    pub(super) fn exists(&self, endpoint: &Endpoint) -> bool {
        let fips = !endpoint.fips || self.state().fips.contains(&endpoint.region);
        match endpoint.service {
            Service::EcrPublic => {
                !endpoint.fips && ["us-east-1", "us-west-2"].contains(&endpoint.region.as_str())
            }
            _ => fips,
        }
    }

    pub(super) fn enabled(&self, region: &str) -> bool {
        !self.state().disabled.contains(region)
    }

    pub(super) fn role(&self, arn: &str) -> Option<Role> {
        self.state().roles.get(arn).cloned()
    }

    pub(super) fn provider(&self, account: &str, issuer: &str) -> Option<OidcProvider> {
        let state = self.state();
        let mut providers = state.providers.iter();
        providers.find(|known| known.account == account && known.issuer == issuer).cloned()
    }

    pub(super) fn key(&self, access_key_id: &str) -> Option<(Credentials, Principal)> {
        let state = self.state();
        let key = state.keys.get(access_key_id)?;
        Some((key.credentials.clone(), key.principal.clone()))
    }

    pub(super) fn open_session(
        &self,
        role: &Role,
        session: &str,
        seconds: i64,
        session_policy: Option<Vec<String>>,
    ) -> Credentials {
        let arn = role.session_arn(session);
        let credentials = Credentials::mint("ASIA", &arn, Some(self.now() + seconds));
        let principal = Principal {
            arn,
            id: format!("{}:{session}", role.id),
            partition: role.arn.partition.clone(),
            account: role.arn.account.clone(),
            role: Some(role.arn.text.clone()),
            permissions: role.permissions.clone(),
            session_policy,
        };
        self.remember(&credentials, principal);
        credentials
    }

    pub(super) fn remember(&self, credentials: &Credentials, principal: Principal) {
        let (arn, id) = (&principal.arn, credentials.access_key_id.clone());
        self.log().add_secret(format!("secret key of {arn}"), &credentials.secret_access_key);
        if let Some(token) = &credentials.session_token {
            self.log().add_secret(format!("session token of {arn}"), token);
        }
        self.state().keys.insert(id, Key { credentials: credentials.clone(), principal });
    }

    pub(super) fn hand_out(&self, login: Login, encoded: &str) {
        self.log().add_secret(format!("password of {}", login.principal), &login.password);
        self.log().add_secret(format!("authorization token of {}", login.principal), encoded);
        self.state().logins.push(login);
    }

    /// The error in which a service repeats a header of the request, if a test asks for that.
    pub(super) fn echo_of(&self, service: Service, headers: &HeaderMap) -> Option<Canned> {
        let header = *self.state().echoes.get(&service)?;
        let value = text(headers, header).unwrap_or_default();
        Some(Canned::error(service, 403, "AccessDenied", &format!("{header}: {value}")))
    }

    pub(super) fn token_answer(&self, service: Service) -> TokenAnswer {
        self.state().token_answers.get(&service).cloned().unwrap_or_default()
    }
}
