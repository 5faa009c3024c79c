//! An unmodified plugin exchanges a pod's token under a real name, with the system's own trust.

use std::fs;
use std::path::PathBuf;

use pullpass_tests::fakes::oidc::{ExchangeOptions, ExchangeServer};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PLUGIN;

const AUDIENCE: &str = "exchange.example";
const REGISTRY: &str = "registry.example";
const ENDPOINT: &str = "https://login.exchange.example/token";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_real_name_is_trusted_without_any_setting),
        Trial::of(the_trust_is_the_worlds_and_no_other),
        Trial::of(a_refused_image_makes_no_call),
        Trial::of(a_black_hole_costs_the_timeout_and_no_more),
    ]
}

fn a_real_name_is_trusted_without_any_setting(world: &World) {
    let pods = Pods::new(world, json!({}));
    let run = pods.plugin(world).run_both(&pods.request(REGISTRY));
    let (key, _, password) = run.login();
    assert_eq!(key, REGISTRY);
    assert_ne!(password, pods.token);
    assert_eq!(pods.exchange.violations(), Vec::<String>::new());
    assert_eq!(pods.exchange.exchanges().len(), 2);
    assert_eq!(pods.exchange.url(), "https://login.exchange.example");
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn the_trust_is_the_worlds_and_no_other(world: &World) {
    let other = TestCa::new();
    let pods = Pods::new(world, json!({"caFile": other.pem_file()}));
    let run = pods.plugin(world).run_both(&pods.request(REGISTRY));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("certificate"), "{}", run.stderr);
    assert!(pods.exchange.exchanges().is_empty());
}

fn a_refused_image_makes_no_call(world: &World) {
    let pods = Pods::new(world, json!({}));
    let before = world.attempts();
    let run = pods.plugin(world).run_both(&pods.request("other.example"));
    assert_ne!(run.code, Some(0));
    assert_eq!(world.attempts(), before);
    // And a call would have shown.
    pods.plugin(world).run(&pods.request(REGISTRY)).login();
    assert!(world.attempts().connections > before.connections);
}

fn a_black_hole_costs_the_timeout_and_no_more(world: &World) {
    world.black_hole("login.exchange.example");
    let issuer = Issuer::start(None);
    let token = issuer.token(AUDIENCE).build();
    let profile = Profile::new(json!({"timeout": "1s", "retries": 0}));
    let run = profile.plugin(world, &token).run(&request(REGISTRY, &token));
    assert_eq!(run.code, Some(7), "{}", run.stderr);
    assert!(run.stderr.contains("login.exchange.example"), "{}", run.stderr);
    assert_eq!(world.attempts().connections, 1);
}

/// A cluster, an exchange server that believes it, and a profile for both.
struct Pods {
    exchange: ExchangeServer,
    profile: Profile,
    token: String,
    // Held for its thread: the exchange server asks it for its keys.
    _issuer: Issuer,
}

impl Pods {
    fn new(world: &World, http: Value) -> Self {
        let socket = world.https_socket("kubernetes.cluster.example:6443");
        let issuer = Issuer::start_at(socket, world.client());
        assert_eq!(issuer.url(), "https://kubernetes.cluster.example:6443");
        let options = ExchangeOptions::new(issuer.verifier(AUDIENCE), REGISTRY);
        let socket = world.https_socket("login.exchange.example");
        let exchange = ExchangeServer::start_at(socket, options, world.client());
        assert_eq!(exchange.endpoint(), ENDPOINT);
        let token = issuer.token(AUDIENCE).build();
        Self { exchange, profile: Profile::new(http), token, _issuer: issuer }
    }

    fn plugin(&self, world: &World) -> PluginCommand {
        self.profile.plugin(world, &self.token)
    }

    fn request(&self, registry: &str) -> Vec<u8> {
        request(registry, &self.token)
    }
}

struct Profile(TempDir);

impl Profile {
    fn new(http: Value) -> Self {
        let profile = Self(TempDir::new().unwrap());
        let text = json!({
            "apiVersion": "pullpass.dev/v1alpha1",
            "kind": "OIDCExchangeConfig",
            "profiles": [{
                "name": "test",
                "registries": [REGISTRY],
                "serviceAccountToken": {"audience": AUDIENCE},
                "exchange": {"type": "tokenExchange", "endpoint": ENDPOINT},
                "http": http,
            }],
        });
        fs::write(profile.file(), text.to_string()).unwrap();
        profile
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("oidc.yaml")
    }

    fn plugin(&self, world: &World, token: &str) -> PluginCommand {
        world.plugin(PLUGIN).arg("--config").arg(self.file()).secret("the pod's token", token)
    }
}

fn request(registry: &str, token: &str) -> Vec<u8> {
    let request = json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": format!("{registry}/team/app"),
        "serviceAccountToken": token,
    });
    request.to_string().into_bytes()
}
