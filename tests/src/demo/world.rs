//! The demonstration's servers and files.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::demo::Result;
use crate::fakes::docker_token::{TokenOptions, TokenServer};
use crate::fakes::oidc::{ExchangeOptions, ExchangeServer};
use crate::fakes::registry::Registry;
use crate::image::Image;
use crate::issuer::Issuer;
use crate::tls::TestCa;

pub(super) const NAMESPACE: &str = "shop";
pub(super) const SERVICE_ACCOUNT: &str = "web";
pub(super) const PLUGIN: &str = "oidc-credential-provider";
pub(super) const REPOSITORY: &str = "demo/hello";
pub(super) const TAG: &str = "v1";
/// The audience that the exchange server expects in a pod's token.
const EXCHANGE_AUDIENCE: &str = "exchange.demo";
/// The audience that the registry expects in a token of the exchange server.
const REGISTRY_AUDIENCE: &str = "registry.demo";
const USERNAME: &str = "pod";

/// All of it; gone when dropped.
pub(super) struct World {
    pub(super) ca: TestCa,
    pub(super) issuer: Issuer,
    pub(super) exchange: ExchangeServer,
    pub(super) registry: Registry,
    folder: TempDir,
    // Held for its thread: the registry sends its callers there.
    _tokens: TokenServer,
}

impl World {
    pub(super) fn start() -> Result<Self> {
        let ca = TestCa::new();
        let issuer = Issuer::start(Some(&ca));
        let options = ExchangeOptions::new(issuer.verifier(EXCHANGE_AUDIENCE), REGISTRY_AUDIENCE);
        let exchange = ExchangeServer::start(options, Some(&ca));
        let options = TokenOptions {
            service: REGISTRY_AUDIENCE.to_owned(),
            trust: exchange.trust(REGISTRY_AUDIENCE),
            username: Some(USERNAME.to_owned()),
            repositories: vec![REPOSITORY.to_owned()],
        };
        let tokens = TokenServer::start(options, Some(&ca));
        let image = Image::with_text("Hello from an image that no password opened\n");
        let registry = Registry::start(&tokens, &[(REPOSITORY, TAG, &image)], Some(&ca));
        let folder = TempDir::new().map_err(|error| format!("no temporary folder: {error}"))?;
        let world = Self { ca, issuer, exchange, registry, folder, _tokens: tokens };
        for (file, text) in [
            (world.config_file(), world.config_text()),
            (world.profile_file(), world.profile_text()),
        ] {
            fs::write(&file, text)
                .map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
        }
        Ok(world)
    }

    /// The image as the kubelet hands it to a plugin.
    pub(super) fn image_name(&self) -> String {
        format!("{}/{REPOSITORY}", self.registry.authority())
    }

    /// The image as the pod names it.
    pub(super) fn reference(&self) -> String {
        format!("{}:{TAG}", self.image_name())
    }

    /// What an API server gives a kubelet for this pod and the audience of the configuration.
    pub(super) fn pod_token(&self) -> String {
        let token = self.issuer.token(EXCHANGE_AUDIENCE);
        token.service_account(NAMESPACE, SERVICE_ACCOUNT).build()
    }

    /// The audience for which the kubelet asks the API server for a token.
    pub(super) fn audience(&self) -> String {
        EXCHANGE_AUDIENCE.to_owned()
    }

    pub(super) fn config_file(&self) -> PathBuf {
        self.folder.path().join("credential-provider-config.yaml")
    }

    pub(super) fn profile_file(&self) -> PathBuf {
        self.folder.path().join("oidc.yaml")
    }

    pub(super) fn config_text(&self) -> String {
        format!(
            "\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: {PLUGIN}
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: [\"{registry}\"]
  defaultCacheDuration: 0s
  args: [\"--config\", \"{profile}\"]
  tokenAttributes:
    serviceAccountTokenAudience: {EXCHANGE_AUDIENCE}
    cacheType: ServiceAccount
    requireServiceAccount: true
",
            registry = self.registry.authority(),
            profile = self.profile_file().display(),
        )
    }

    pub(super) fn profile_text(&self) -> String {
        format!(
            "\
apiVersion: pullpass.dev/v1alpha1
kind: OIDCExchangeConfig
profiles:
- name: demo
  registries: [\"{registry}\"]
  serviceAccountToken:
    audience: {EXCHANGE_AUDIENCE}
    issuer: {issuer}
  exchange:
    type: tokenExchange
    endpoint: {endpoint}
    subjectTokenType: jwt
    audience: [{REGISTRY_AUDIENCE}]
  response:
    username: {{value: {USERNAME}}}
    password: {{pointer: /access_token}}
  http: {{caFile: \"{ca}\"}}
",
            registry = self.registry.authority(),
            issuer = self.issuer.url(),
            endpoint = self.exchange.endpoint(),
            ca = self.ca.pem_file().display(),
        )
    }
}
