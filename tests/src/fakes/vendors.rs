//! The token services of vendors: one server that speaks one vendor's dialect, chosen at start.
//! Method, path, content type, headers and parameters are checked, the pod's token by signature,
//! issuer, audience, times and subject; what the real service would refuse is refused in that
//! vendor's own words where they are known. All are modelled from code and documents, none was
//! contacted.
//!
//! ```
//! use pullpass_tests::fakes::vendors::{Dialect, Quay, Settings, Vendor};
//! use pullpass_tests::issuer::Issuer;
//!
//! let issuer = Issuer::start(None);
//! let dialect = Dialect::Quay(Quay::new("corp+puller"));
//! let quay = Vendor::start(Settings::new(dialect, &issuer, "quay.example"), None);
//! let token = issuer.token(quay.audience()).build();
//! // ... a client asks `quay.endpoint()` with that token, and nothing else ...
//! assert_eq!(quay.count(), 0);
//! # drop(token);
//! ```

mod answer;
mod artifact_keeper;
mod artifactory;
mod brokers;
mod call;
mod chainguard;
mod client;
mod cloudsmith;
mod dex;
mod dialect;
mod docker_hub;
mod entra;
mod google;
mod ibm;
mod keycloak;
mod look;
mod mtls;
mod oauth;
mod password;
mod quay;
mod settings;
#[cfg(test)]
mod tests;
mod vault;
mod visit;
mod yandex;

pub use artifact_keeper::ArtifactKeeper;
pub use artifactory::Artifactory;
pub use brokers::{Broker, HarborBridge};
pub use call::{Call, Canned, Path};
pub use chainguard::Chainguard;
pub use client::{Client, ClientKey};
pub use cloudsmith::Cloudsmith;
pub use dex::Dex;
pub use dialect::Dialect;
pub use docker_hub::DockerHub;
pub use entra::Entra;
pub use google::GoogleSts;
pub use ibm::{Ibm, Profile};
pub use keycloak::{KeycloakClientAssertion, KeycloakJwtGrant};
pub use oauth::{Discovery, Grant, OAuth};
pub use password::Password;
pub use quay::Quay;
pub use settings::{Expiry, Settings};
pub use vault::{Engine, Vault};
pub use yandex::Yandex;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::response::Response;

use crate::fakes::log::Log;
use crate::fakes::received::Received;
use crate::jwt::{self, SigningKey};
use crate::server::{Server, Socket};
use crate::tls::TestCa;
use crate::verify::Verifier;
use visit::Visit;

/// A running service of one vendor.
pub struct Vendor {
    shared: Arc<Shared>,
    // Held for their threads.
    _server: Server,
    _front: Option<mtls::Front>,
}

struct Shared {
    url: String,
    dialect: Dialect,
    /// What a pod's token must be for, and who may have sent it.
    audience: String,
    subjects: Verifier,
    subject: String,
    lifetime: i64,
    expiry: Expiry,
    key: SigningKey,
    paths: Mutex<Vec<String>>,
    passwords: Mutex<Vec<Password>>,
    /// Every `jti` that is spent; Vault's tokens that are not.
    spent: Mutex<HashSet<String>>,
    log: Log<Path, Call>,
}

/// Starting it.
impl Vendor {
    /// On a free port of 127.0.0.1; with a CA it speaks https.
    pub fn start(settings: Settings, ca: Option<&TestCa>) -> Self {
        Self::start_at(Socket::bind(ca), settings)
    }

    /// On that socket: in a world, under a real name.
    pub fn start_at(socket: Socket, settings: Settings) -> Self {
        assert!(!settings.dialect.needs_client_certificate(), "start it by `start_mtls`");
        let shared = Shared::new(socket.url(), settings);
        let server = socket.serve(router(&shared));
        Self { shared, _server: server, _front: None }
    }

    /// On a free port of 127.0.0.1, by https with a certificate of `ca`; who has no certificate of
    /// `clients` (see [`TestCa::certificate`]) does not get past the handshake.
    pub fn start_mtls(settings: Settings, ca: &TestCa, clients: &TestCa) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start_mtls_at("127.0.0.1", address, settings, ca, clients)
    }

    /// As [`Vendor::start_mtls`], as the host of that name at that address: in a world, of
    /// `address_of`.
    pub fn start_mtls_at(
        host: &str,
        address: SocketAddr,
        settings: Settings,
        ca: &TestCa,
        clients: &TestCa,
    ) -> Self {
        let behind = Socket::bind(None);
        let front = mtls::Bound::new(host, address);
        let shared = Shared::new(front.url(), settings);
        let server = behind.serve(router(&shared));
        let front = front.forward(server.address(), mtls::config(host, ca, clients));
        Self { shared, _server: server, _front: Some(front) }
    }

    /// The same service at another socket too: of the two hosts of Google, for one.
    pub fn also_at(&self, socket: Socket) -> Server {
        socket.serve(router(&self.shared))
    }
}

/// What it told the world of itself.
impl Vendor {
    /// Scheme, host and port, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Host and port, as in an image's name.
    pub fn authority(&self) -> &str {
        self.url().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The URL of the (first) call.
    pub fn endpoint(&self) -> String {
        format!("{}{}", self.url(), self.path())
    }

    /// The path of the (first) call.
    pub fn path(&self) -> String {
        self.shared.dialect.path()
    }

    /// The path of the second call, where there is one: Google's, Vault's.
    pub fn second_path(&self) -> Option<String> {
        match &self.shared.dialect {
            Dialect::GoogleSts(google) => google.second_path(),
            Dialect::Vault(vault) => Some(vault.second_path()),
            _ => None,
        }
    }

    /// The `aud` that a pod's token must have: the settings', or what the vendor dictates.
    pub fn audience(&self) -> &str {
        &self.shared.audience
    }
}

impl Shared {
    fn new(url: String, settings: Settings) -> Arc<Self> {
        let Settings { dialect, issuer, audience, subject, lifetime, expiry } = settings;
        let audience = dialect.audience(&url).unwrap_or(audience);
        let lifetime = lifetime.unwrap_or_else(|| dialect.lifetime());
        Arc::new(Self {
            subjects: issuer.verifier(&audience),
            audience,
            url,
            dialect,
            subject,
            lifetime,
            expiry,
            key: SigningKey::generate(),
            paths: Mutex::default(),
            passwords: Mutex::default(),
            spent: Mutex::default(),
            log: Log::new(),
        })
    }

    /// The number by which a path is known.
    fn number(&self, path: &str) -> Path {
        let mut paths = self.paths.lock().unwrap();
        let known = paths.iter().position(|known| known == path);
        Path(known.unwrap_or_else(|| {
            paths.push(path.to_owned());
            paths.len() - 1
        }))
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(Arc::clone(shared))
}

async fn answer(State(shared): State<Arc<Shared>>, received: Received) -> Response {
    let id = shared.log.record(Call::of(&received));
    let visit = Visit::new(&shared, &received, id);
    let served = match shared.log.canned(shared.number(received.path())).await {
        Some(answer) => Ok(answer),
        None => shared.dialect.answer(&visit).await,
    };
    let answer = served.unwrap_or_else(|refusal| {
        shared.log.update(id, |call| call.error = Some(refusal.reason.clone()));
        refusal.answer
    });
    shared.log.update(id, |call| call.status = Some(answer.status));
    answer.dressed(jwt::now(), vec![("cache-control", "no-store".to_owned())])
}
