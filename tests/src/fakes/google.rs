//! A small Google Cloud: metadata servers, workload identity pools, service accounts and their
//! keys. STS, the IAM credentials API and the token endpoint answer under their real names in
//! every universe, a metadata server where it is put. Every service checks what it is sent as the
//! real one does, signatures included, and everything is remembered.
//!
//! ```
//! use pullpass_tests::fakes::google::{Google, Machine, Service, TOKEN_PATH};
//! use pullpass_tests::server::Socket;
//! use pullpass_tests::tls::plain_client;
//!
//! let google = Google::new(plain_client());
//! let machine = Machine::of("node@contoso.iam.gserviceaccount.com");
//! // In a world, at 169.254.169.254; `google.services()` goes by the `Host` header there.
//! let metadata = Socket::bind(None).serve(google.metadata(machine));
//! // ... a client asks `metadata.url()` for a token, and nothing else ...
//! assert!(google.paths(Service::Metadata).iter().all(|path| path == TOKEN_PATH));
//! # drop(metadata);
//! ```

mod call;
mod error;
mod front;
mod iam;
mod metadata;
mod oauth;
mod pool;
mod sts;
#[cfg(test)]
mod tests;
mod token;

pub use call::{Call, Canned, Service};
pub use iam::ServiceAccount;
pub use metadata::{Machine, TOKEN_PATH};
pub use oauth::{ServiceAccountKey, TOKEN_URI};
pub use pool::Provider;
pub use token::{CLOUD_PLATFORM, Expires, Token, TokenAnswer};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;

use crate::fakes::log::Log;
use crate::fakes::rsa;
use crate::fakes::trust::Trust;
use crate::jwt;
use crate::plugin::PluginRun;
use front::Place;
use token::Grant;

/// Google's own universe.
pub const GOOGLE: &str = "googleapis.com";
/// The user whose password is an access token.
pub const USER: &str = "oauth2accesstoken";
/// Scopes with which a registry allows pulls, besides the one for everything.
const PULL_SCOPES: [&str; 2] = [
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/devstorage.read_write",
];

/// One simulated Google. A clone is the same one.
#[derive(Clone)]
pub struct Google(Arc<Shared>);

struct Shared {
    /// Fetches the keys of issuers.
    client: reqwest::Client,
    state: Mutex<State>,
    log: Log<Service, Call>,
}

#[derive(Default)]
struct State {
    clock_offset: i64,
    universes: Vec<String>,
    providers: Vec<Provider>,
    accounts: Vec<ServiceAccount>,
    keys: Vec<ServiceAccountKey>,
    readers: Vec<String>,
    token_answers: BTreeMap<Service, TokenAnswer>,
    tokens: Vec<Token>,
}

/// Setting it up.
impl Google {
    /// A Google with one universe and nothing in it. `client` fetches the keys of the issuers that
    /// pools trust.
    pub fn new(client: reqwest::Client) -> Self {
        let state = Mutex::new(State { universes: vec![GOOGLE.to_owned()], ..State::default() });
        Self(Arc::new(Shared { client, state, log: Log::new() }))
    }

    /// A provider in a pool, and its universe if that is a new one; one of the same audience is
    /// replaced. Hands it back.
    pub fn add_provider(&self, provider: Provider) -> Provider {
        let mut state = self.state();
        if !state.universes.contains(&provider.universe) {
            state.universes.push(provider.universe.clone());
        }
        let name = (provider.universe.clone(), provider.audience());
        state.providers.retain(|known| (known.universe.clone(), known.audience()) != name);
        state.providers.push(provider.clone());
        provider
    }

    /// A service account; one of the same address is replaced. Hands it back.
    pub fn add_service_account(&self, account: ServiceAccount) -> ServiceAccount {
        let mut state = self.state();
        state.accounts.retain(|known| known.email != account.email);
        state.accounts.push(account.clone());
        account
    }

    /// Adds a key to those of a service account, and returns it.
    pub fn add_key(&self, key: ServiceAccountKey) -> ServiceAccountKey {
        for line in rsa::lines(key.pem()) {
            self.log().add_secret(format!("private key of {}", key.email), line);
        }
        self.state().keys.push(key.clone());
        key
    }

    /// A principal (see [`Provider::principal`], [`ServiceAccount::principal`]) that may pull: the
    /// role `artifactregistry.reader`.
    pub fn add_reader(&self, principal: &str) {
        self.state().readers.push(principal.to_owned());
    }

    /// Moves every service's clock so many seconds ahead of the machine's.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state().clock_offset = seconds;
    }

    /// How the tokens of a service are from now on.
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

    /// A token for a principal, with these scopes, as STS would issue it, but without
    /// any proof; with less than zero seconds it has expired.
    pub fn mint(&self, principal: &str, scopes: &[&str], seconds: i64) -> String {
        let scopes = scopes.iter().map(ToString::to_string).collect();
        let service = Service::Sts;
        let lifetime = seconds;
        let grant = Grant { service, principal, subject: None, universe: GOOGLE, scopes, lifetime };
        grant.mint(self, None).value
    }
}

/// Serving it.
impl Google {
    /// STS and IAM credentials of every universe, and the token endpoint for keys, told apart by
    /// the `Host` header. The names are [`Google::hosts`].
    pub fn services(&self) -> Router {
        front::router(self.clone(), None)
    }

    /// The names of [`Google::services`], with the universes that are known by now.
    pub fn hosts(&self) -> Vec<String> {
        let universes = self.state().universes.clone();
        let services = universes
            .iter()
            .flat_map(|domain| [format!("sts.{domain}"), format!("iamcredentials.{domain}")]);
        services.chain([OAUTH_HOST.to_owned()]).collect()
    }

    /// STS of one universe, whatever the `Host` header says: under another name, or on loopback.
    pub fn sts(&self, universe: &str) -> Router {
        front::router(self.clone(), Some(Place::Sts(universe.to_owned())))
    }

    /// IAM credentials of one universe, whatever the `Host` header says.
    pub fn iam_credentials(&self, universe: &str) -> Router {
        front::router(self.clone(), Some(Place::IamCredentials(universe.to_owned())))
    }

    /// The token endpoint for keys, whatever the `Host` header says.
    pub fn oauth(&self) -> Router {
        front::router(self.clone(), Some(Place::OAuth))
    }

    /// The metadata server of one machine, at 169.254.169.254 or anywhere.
    pub fn metadata(&self, machine: Machine) -> Router {
        metadata::router(self.clone(), machine)
    }

    /// Whom a registry's [`TokenServer`](crate::fakes::docker_token::TokenServer) lets in: whose
    /// password is a token that was handed out here, is not over, has a scope for pulling, and
    /// belongs to a reader. The user's name is for the token server to check.
    pub fn trust(&self) -> Trust {
        let google = self.clone();
        Trust::Known(Arc::new(move |password| google.reader(password)))
    }
}

const OAUTH_HOST: &str = "oauth2.googleapis.com";

/// Looking at what happened.
impl Google {
    /// Every call, in the order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.log().calls()
    }

    /// The calls of one service.
    pub fn calls_to(&self, service: Service) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.service == service).collect()
    }

    /// How often a service was called.
    pub fn count(&self, service: Service) -> usize {
        self.calls_to(service).len()
    }

    /// What a service was asked for, call by call.
    pub fn paths(&self, service: Service) -> Vec<String> {
        self.calls_to(service).into_iter().map(|call| call.path).collect()
    }

    /// `Host` headers of requests for an unknown name.
    pub fn strays(&self) -> Vec<String> {
        self.log().strays()
    }

    /// Every token that was handed out.
    pub fn tokens(&self) -> Vec<Token> {
        self.state().tokens.clone()
    }

    /// Whose login that is, as a registry would find out; `None` for one that was never handed out
    /// or is over. Whether it may pull is another matter: see [`Google::trust`].
    pub fn accepts(&self, username: &str, password: &str) -> Option<Token> {
        let known = [USER, "_token"].contains(&username);
        let now = self.now();
        self.token(password).filter(|token| known && token.expires > now)
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
        jwt::now() + self.state().clock_offset
    }
}

/// For the services.
impl Google {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    fn log(&self) -> &Log<Service, Call> {
        &self.0.log
    }

    /// What has that name.
    fn place_at(&self, host: &str) -> Option<Place> {
        let host = host.split(':').next().unwrap_or_default();
        if host == OAUTH_HOST {
            return Some(Place::OAuth);
        }
        let (service, domain) = host.split_once('.')?;
        let domain = self.state().universes.iter().find(|known| *known == domain)?.clone();
        match service {
            "sts" => Some(Place::Sts(domain)),
            "iamcredentials" => Some(Place::IamCredentials(domain)),
            _ => None,
        }
    }

    fn provider(&self, universe: &str, audience: &str) -> Option<Provider> {
        let state = self.state();
        let mut here = state.providers.iter().filter(|known| known.universe == universe);
        here.find(|known| known.audience() == audience).cloned()
    }

    fn service_account(&self, email: &str) -> Option<ServiceAccount> {
        self.state().accounts.iter().find(|known| known.email == email).cloned()
    }

    fn keys_of(&self, email: &str) -> Vec<ServiceAccountKey> {
        self.state().keys.iter().filter(|key| key.email == email).cloned().collect()
    }

    fn token(&self, value: &str) -> Option<Token> {
        self.state().tokens.iter().find(|token| token.value == value).cloned()
    }

    /// Whose token lets pull.
    fn reader(&self, password: &str) -> Result<String, String> {
        let token = self.accepts(USER, password).ok_or("not a token, or one that is over")?;
        if !token.allows(&PULL_SCOPES) {
            return Err("a token without a scope for pulling".to_owned());
        }
        let reads = self.state().readers.contains(&token.principal);
        if reads { Ok(token.principal) } else { Err("a principal that is no reader".to_owned()) }
    }

    fn token_answer(&self, service: Service) -> TokenAnswer {
        self.state().token_answers.get(&service).cloned().unwrap_or_default()
    }

    fn hand_out(&self, token: Token) {
        self.log().add_secret(format!("access token of {}", token.principal), &token.value);
        self.state().tokens.push(token);
    }
}

/// A service account as a principal.
fn member(email: &str) -> String {
    format!("serviceAccount:{email}")
}
