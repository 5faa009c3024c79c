//! A small AWS: users, roles and identity providers; STS, ECR and ECR Public behind their real
//! names; the metadata service and the container credentials endpoints. Every service checks what
//! it is sent as the real one does, signatures included, and everything is remembered.
//!
//! ```
//! use pullpass_tests::fakes::aws::{Aws, Endpoint, PULL, Role, Service};
//! use pullpass_tests::server::Socket;
//!
//! let aws = Aws::new();
//! let ci = aws.add_user("arn:aws:iam::123456789012:user/ci", &PULL);
//! aws.add_role(Role::new("arn:aws:iam::123456789012:role/node").allow(&PULL));
//! // Under real names, `aws.router()` finds the endpoint by the `Host` header. Here there are none.
//! let endpoint = Endpoint::new(Service::Ecr, "us-west-2");
//! let ecr = Socket::bind(None).serve(aws.router_at(endpoint));
//! // ... a client calls `ecr.url()` with `ci.env()` in its environment ...
//! assert_eq!(aws.count(Service::Ecr, "GetAuthorizationToken"), 0);
//! # drop((ecr, ci));
//! ```

mod call;
mod clock;
mod container;
mod ecr;
mod ecr_public;
mod endpoint;
mod error;
mod front;
mod iam;
mod imds;
mod sigv4;
mod sts;
#[cfg(test)]
mod tests;
mod token;

pub use call::{Call, Canned};
pub use container::{EcsTask, PodIdentity};
pub use endpoint::{Endpoint, Service};
pub use iam::{Credentials, PULL, PULL_PUBLIC, Role};
pub use imds::{Instance, RoleCredentials};
pub use token::{Expires, Login, Token, TokenAnswer};

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;

use crate::plugin::PluginRun;
use call::Answer;
use iam::{Arn, Key, OidcProvider, Principal};

/// Regions that have FIPS endpoints unless told.
const FIPS_REGIONS: [&str; 6] =
    ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"];

/// One simulated AWS. A clone is the same one.
#[derive(Clone)]
pub struct Aws(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    clock_offset: i64,
    keys: HashMap<String, Key>,
    roles: HashMap<String, Role>,
    providers: Vec<OidcProvider>,
    fips: BTreeSet<String>,
    disabled: BTreeSet<String>,
    calls: Vec<Call>,
    strays: Vec<String>,
    canned: BTreeMap<Service, CannedAnswers>,
    token_answers: BTreeMap<Service, TokenAnswer>,
    logins: Vec<Login>,
    secrets: Vec<(String, String)>,
}

#[derive(Default)]
struct CannedAnswers {
    next: VecDeque<Canned>,
    always: Option<Canned>,
}

/// Setting it up.
impl Aws {
    /// An AWS without accounts.
    pub fn new() -> Self {
        let fips = FIPS_REGIONS.iter().map(ToString::to_string).collect();
        Self(Arc::new(Mutex::new(State { fips, ..State::default() })))
    }

    /// A user with a pair of keys that do not end.
    pub fn add_user(&self, arn: &str, permissions: &[&str]) -> Credentials {
        let parsed = Arn::user(arn).unwrap_or_else(|| panic!("`{arn}` is no user's ARN"));
        let credentials = Credentials::mint("AKIA", arn, None);
        let principal = Principal {
            arn: arn.to_owned(),
            id: iam::id("AIDA"),
            partition: parsed.partition,
            account: parsed.account,
            role: None,
            permissions: permissions.iter().map(ToString::to_string).collect(),
            session_policy: None,
        };
        self.remember(&credentials, principal);
        credentials
    }

    /// A role; one of the same ARN is replaced, which changes nothing for its open sessions.
    pub fn add_role(&self, role: Role) {
        self.state().roles.insert(role.arn.text.clone(), role);
    }

    /// An OIDC provider in an account: tokens of `issuer` for one of `audiences`. The issuer's keys
    /// are fetched with `client`.
    pub fn add_issuer(
        &self,
        account: &str,
        issuer: &str,
        audiences: &[&str],
        client: reqwest::Client,
    ) {
        self.state().providers.push(OidcProvider {
            account: account.to_owned(),
            issuer: issuer.to_owned(),
            audiences: audiences.iter().map(ToString::to_string).collect(),
            client,
        });
    }

    /// Keys of a new session of a role, with no trust policy asked; below zero seconds it is over.
    pub fn session(&self, role: &str, session: &str, seconds: i64) -> Credentials {
        let role = self.role(role).unwrap_or_else(|| panic!("no role `{role}` was added"));
        self.open_session(&role, session, seconds, None)
    }

    /// Whether a region has FIPS endpoints.
    pub fn set_fips(&self, region: &str, fips: bool) {
        let mut state = self.state();
        if fips {
            state.fips.insert(region.to_owned());
        } else {
            state.fips.remove(region);
        }
    }

    /// A region that no account has enabled: STS says so, and the others know no key.
    pub fn disable_region(&self, region: &str) {
        self.state().disabled.insert(region.to_owned());
    }

    /// Moves every service's clock so many seconds ahead of the machine's.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state().clock_offset = seconds;
    }

    /// What `GetAuthorizationToken` answers from now on.
    pub fn set_token_answer(&self, service: Service, answer: TokenAnswer) {
        self.state().token_answers.insert(service, answer);
    }

    /// Answers one call of the service like this, after those that wait already.
    pub fn next(&self, service: Service, canned: Canned) {
        self.state().canned.entry(service).or_default().next.push_back(canned);
    }

    /// Answers every call of the service like this once nothing waits; `None` ends it.
    pub fn always(&self, service: Service, canned: Option<Canned>) {
        self.state().canned.entry(service).or_default().always = canned;
    }
}

/// Serving it.
impl Aws {
    /// STS, ECR and ECR Public of every region, told apart by the `Host` header.
    pub fn router(&self) -> Router {
        front::router(self.clone(), None)
    }

    /// One endpoint, whatever the `Host` header says; for a server on loopback.
    pub fn router_at(&self, endpoint: Endpoint) -> Router {
        front::router(self.clone(), Some(endpoint))
    }

    /// The instance metadata service of one instance.
    pub fn imds(&self, instance: Instance) -> Router {
        imds::router(self.clone(), instance)
    }

    /// The credentials endpoint of ECS for one task.
    pub fn ecs(&self, task: EcsTask) -> Router {
        container::ecs(self.clone(), task)
    }

    /// The agent of EKS Pod Identity on one node.
    pub fn pod_identity(&self, agent: PodIdentity) -> Router {
        container::pod_identity(self.clone(), agent)
    }

    /// Every endpoint that a region has, to give names to.
    pub fn endpoints(&self, region: &str) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for service in [Service::Ecr, Service::EcrPublic, Service::Sts] {
            for (fips, dual_stack) in [(false, false), (false, true), (true, false), (true, true)] {
                let region = region.to_owned();
                endpoints.push(Endpoint { service, region, fips, dual_stack });
            }
        }
        endpoints.retain(|endpoint| self.exists(endpoint));
        endpoints
    }
}

/// Looking at what happened.
impl Aws {
    /// Every call, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls of one service.
    pub fn calls_to(&self, service: Service) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.service == service).collect()
    }

    /// How often an operation was called.
    pub fn count(&self, service: Service, operation: &str) -> usize {
        self.calls_to(service).iter().filter(|call| call.operation == operation).count()
    }

    /// `Host` headers of requests for endpoints that do not exist.
    pub fn strays(&self) -> Vec<String> {
        self.state().strays.clone()
    }

    /// Every login that was handed out.
    pub fn logins(&self) -> Vec<Login> {
        self.state().logins.clone()
    }

    /// The last password that a principal was given.
    pub fn password_of(&self, principal: &str) -> Option<String> {
        let logins = self.logins();
        let last = logins.into_iter().rfind(|login| login.principal == principal);
        last.map(|login| login.password)
    }

    /// Whose login that is, as a registry would find out; `None` for one that was never handed out
    /// or is over.
    pub fn accepts(&self, username: &str, password: &str) -> Option<Login> {
        let now = self.precise_now();
        self.logins().into_iter().find(|login| {
            login.username == username && login.password == password && login.expires > now
        })
    }

    /// Everything secret that was made so far, each under a name that may be printed.
    pub fn secrets(&self) -> Vec<(String, String)> {
        self.state().secrets.clone()
    }

    /// The secrets that a run's output holds, by name. What is minted during a run cannot be given
    /// to the command before it.
    pub fn leaks(&self, run: &PluginRun) -> Vec<String> {
        let mut secrets = crate::leaks::Secrets::default();
        for (name, secret) in self.secrets() {
            secrets.add(&name, &secret);
        }
        let stdout = String::from_utf8_lossy(&run.stdout);
        let mut found = secrets.found_in(&run.stderr);
        found.extend(secrets.found_in_response(&stdout));
        found.into_iter().map(str::to_owned).collect()
    }

    /// The services' time, in seconds of the Unix epoch.
    pub fn now(&self) -> i64 {
        // Rounded down, so that nothing is over too early.
        self.precise_now().floor() as i64
    }
}

impl Default for Aws {
    fn default() -> Self {
        Self::new()
    }
}

/// For the services.
impl Aws {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn precise_now(&self) -> f64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        now + self.state().clock_offset as f64
    }

    fn exists(&self, endpoint: &Endpoint) -> bool {
        let fips = !endpoint.fips || self.state().fips.contains(&endpoint.region);
        match endpoint.service {
            Service::EcrPublic => {
                !endpoint.fips && ["us-east-1", "us-west-2"].contains(&endpoint.region.as_str())
            }
            _ => fips,
        }
    }

    fn enabled(&self, region: &str) -> bool {
        !self.state().disabled.contains(region)
    }

    fn role(&self, arn: &str) -> Option<Role> {
        self.state().roles.get(arn).cloned()
    }

    fn provider(&self, account: &str, issuer: &str) -> Option<OidcProvider> {
        let state = self.state();
        let mut providers = state.providers.iter();
        providers.find(|known| known.account == account && known.issuer == issuer).cloned()
    }

    fn key(&self, access_key_id: &str) -> Option<(Credentials, Principal)> {
        let state = self.state();
        let key = state.keys.get(access_key_id)?;
        Some((key.credentials.clone(), key.principal.clone()))
    }

    fn open_session(
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

    fn remember(&self, credentials: &Credentials, principal: Principal) {
        let (arn, id) = (&principal.arn, credentials.access_key_id.clone());
        self.add_secret(format!("secret key of {arn}"), &credentials.secret_access_key);
        if let Some(token) = &credentials.session_token {
            self.add_secret(format!("session token of {arn}"), token);
        }
        self.state().keys.insert(id, Key { credentials: credentials.clone(), principal });
    }

    fn hand_out(&self, login: Login, encoded: &str) {
        self.add_secret(format!("password of {}", login.principal), &login.password);
        self.add_secret(format!("authorization token of {}", login.principal), encoded);
        self.state().logins.push(login);
    }

    fn add_secret(&self, name: String, secret: &str) {
        // Shorter ones would be found by chance.
        if secret.len() >= 8 {
            self.state().secrets.push((name, secret.to_owned()));
        }
    }

    fn token_answer(&self, service: Service) -> TokenAnswer {
        self.state().token_answers.get(&service).cloned().unwrap_or_default()
    }

    fn record(&self, call: Call) -> usize {
        let mut state = self.state();
        state.calls.push(call);
        state.calls.len() - 1
    }

    fn update(&self, id: usize, change: impl FnOnce(&mut Call)) {
        change(&mut self.state().calls[id]);
    }

    fn stray(&self, host: &str) {
        self.state().strays.push(host.to_owned());
    }

    /// What a test put in the place of the next answer, after its delay.
    async fn canned(&self, service: Service) -> Option<Answer> {
        let canned = {
            let mut state = self.state();
            let canned = state.canned.entry(service).or_default();
            canned.next.pop_front().or_else(|| canned.always.clone())
        };
        let Canned { delay, answer } = canned?;
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        answer
    }
}
