//! A small AWS: users, roles and identity providers; STS, ECR and ECR Public under their real
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
//! // Under real names, `aws.router()` finds the endpoint by the `Host` header. Here it is named.
//! let endpoint = Endpoint::new(Service::Ecr, "us-west-2");
//! let ecr = Socket::bind(None).serve(aws.router_at(endpoint));
//! // ... a client calls `ecr.url()` with `ci.env()` in its environment ...
//! assert_eq!(aws.count(Service::Ecr, "GetAuthorizationToken"), 0);
//! # drop((ecr, ci));
//! ```

mod call;
mod container;
mod ecr;
mod ecr_public;
mod endpoint;
mod error;
mod front;
mod iam;
mod imds;
mod sigv4;
mod state;
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

use std::sync::{Arc, Mutex};

use axum::Router;

use crate::fakes::clock;
use crate::fakes::log::Log;
use crate::plugin::PluginRun;
use iam::{Arn, OidcProvider, Principal};
use state::State;

/// Regions that have FIPS endpoints unless told.
const FIPS_REGIONS: [&str; 6] =
    ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "us-gov-east-1", "us-gov-west-1"];

/// One simulated AWS. A clone is the same one.
#[derive(Clone)]
pub struct Aws(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    log: Log<Service, Call>,
}

/// Setting it up.
impl Aws {
    /// An AWS without accounts.
    pub fn new() -> Self {
        let fips = FIPS_REGIONS.iter().map(ToString::to_string).collect();
        let state = Mutex::new(State { fips, ..State::default() });
        Self(Arc::new(Shared { state, log: Log::new() }))
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
        self.log().next(service, canned);
    }

    /// Answers every call of the service like this once nothing waits; `None` ends it.
    pub fn always(&self, service: Service, canned: Option<Canned>) {
        self.log().always(service, canned);
    }

    /// Refuses every call of STS, ECR or ECR Public from now on with an error that repeats this
    /// header of the request; `None` ends it.
    pub fn echo(&self, service: Service, header: Option<&'static str>) {
        let echoes = &mut self.state().echoes;
        match header {
            Some(header) => echoes.insert(service, header),
            None => echoes.remove(&service),
        };
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
        self.log().calls()
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
        self.log().strays()
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
        self.log().secrets()
    }

    /// The secrets that a run's output holds, by name. What is minted during a run cannot be given
    /// to the command before it.
    pub fn leaks(&self, run: &PluginRun) -> Vec<String> {
        self.log().leaks(run)
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
