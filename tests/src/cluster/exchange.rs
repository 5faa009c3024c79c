//! A registry that takes what a token exchange server gives for a pod's token.

use serde_json::{Value, json};

use super::api::ISSUER;
use super::{Cluster, REGISTRY, TokenRegistry, oidc};
use crate::fakes::oidc::{ExchangeOptions, ExchangeServer};
use crate::verify::Verifier;

/// The exchange server's host, which is the audience of tokens for it too.
const HOST: &str = "sts.example";

/// The registry and the server, and the profile file for them.
pub struct ExchangeRegistry {
    /// The registry.
    pub registry: TokenRegistry,
    exchange: ExchangeServer,
    profile: String,
}

impl ExchangeRegistry {
    /// Starts both; a password lives for so many seconds. Nodes may have tokens for the exchange.
    pub fn start(cluster: &Cluster<'_>, lifetime: i64) -> Self {
        let world = cluster.world;
        let subjects = Verifier::new(ISSUER, HOST, world.client());
        let options = ExchangeOptions { lifetime, ..ExchangeOptions::new(subjects, REGISTRY) };
        let exchange = ExchangeServer::start_at(world.https_socket(HOST), options, world.client());
        let registry = TokenRegistry::start(world, exchange.trust(REGISTRY));
        cluster.allow_audience(HOST);
        let endpoint = exchange.endpoint();
        let sections = json!({
            "exchange": {"type": "tokenExchange", "endpoint": endpoint, "audience": REGISTRY},
        });
        let profile = oidc::profile(cluster, HOST, &sections);
        Self { registry, exchange, profile }
    }

    /// The kubelet's entry, by which the pods of a service account share an answer.
    pub fn provider(&self) -> Value {
        let mut provider = oidc::provider(&self.profile, HOST);
        provider["tokenAttributes"]["cacheType"] = json!("ServiceAccount");
        provider
    }

    /// Starts a kubelet with that entry.
    pub fn start_kubelet(&self, cluster: &Cluster<'_>) {
        cluster.start_kubelet(&json!([self.provider()]));
    }

    /// How often a token was exchanged.
    pub fn exchanges(&self) -> usize {
        assert_eq!(self.exchange.violations(), Vec::<String>::new());
        self.exchange.exchanges().iter().filter(|exchange| exchange.outcome.is_ok()).count()
    }

    /// Ends the exchange server; the registry stays.
    pub fn without_exchange(self) -> TokenRegistry {
        self.registry
    }
}
