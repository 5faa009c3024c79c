//! A registry with a token server, under their names: Debian's `docker-registry`, and ours.

use crate::fakes::docker_token::{Login, TokenOptions, TokenServer};
use crate::fakes::trust::Trust;
use crate::image::Image;
use crate::judges::docker_registry::DockerRegistry;
use crate::server::Server;
use crate::verify::Verifier;
use crate::world::World;

use super::api::ISSUER;

/// The registry's host, which is the audience of tokens for it too.
pub const REGISTRY: &str = "registry.example";
/// Whom a registry for pods lets in.
const MAY_PULL: [&str; 3] = [
    "system:serviceaccount:shop:web",
    "system:serviceaccount:shop:db",
    "system:serviceaccount:shop:plain",
];
/// The repositories that those who log in may pull.
const REPOSITORIES: usize = 40;

/// A running registry; gone when dropped.
pub struct TokenRegistry {
    host: &'static str,
    tokens: TokenServer,
    _registry: DockerRegistry,
    _name: Server,
}

impl TokenRegistry {
    /// Believes the tokens that the API server signs for [`REGISTRY`], of the service accounts of the
    /// namespace `shop` but `stranger`.
    pub fn for_pods(world: &World) -> Self {
        Self::for_pods_at(world, REGISTRY)
    }

    /// The same under another name, which is the audience too.
    pub fn for_pods_at(world: &World, host: &'static str) -> Self {
        let verifier = Verifier::new(ISSUER, host, world.client());
        Self::start_at(world, host, Trust::Jwt(verifier.subjects(&MAY_PULL)))
    }

    /// Believes those passwords.
    pub fn start(world: &World, trust: Trust) -> Self {
        Self::start_at(world, REGISTRY, trust)
    }

    /// Starts it with the repositories `team/app-1` and so on, each with an image of its own.
    fn start_at(world: &World, host: &'static str, trust: Trust) -> Self {
        let repositories: Vec<String> =
            (1..=REPOSITORIES).map(|number| format!("team/app-{number}")).collect();
        let options = TokenOptions {
            service: host.to_owned(),
            trust,
            username: None,
            repositories: repositories.clone(),
        };
        let tokens = TokenServer::start_at(world.https_socket(&Self::token_server(host)), options);
        let registry = DockerRegistry::start(&tokens).expect("the judge `docker-registry`");
        for repository in &repositories {
            registry.seed(repository, "1", &Image::that_runs(repository));
        }
        let name = world.https_to(host, registry.authority().parse().unwrap());
        Self { host, tokens, _registry: registry, _name: name }
    }

    /// The host of the token server of a registry.
    pub(super) fn token_server(registry: &str) -> String {
        format!("tokens.{registry}")
    }

    /// The name of an image in it, counted from 1.
    pub fn image(&self, number: usize) -> String {
        assert!((1..=REPOSITORIES).contains(&number), "there is no image {number}");
        format!("{}/team/app-{number}:1", self.host)
    }

    /// The logins so far.
    pub fn logins(&self) -> Vec<Login> {
        self.tokens.logins()
    }

    /// The subjects that were let in, each once, sorted.
    pub fn subjects(&self) -> Vec<String> {
        let subjects = self.logins().into_iter().filter_map(|login| login.outcome.ok());
        let mut subjects: Vec<String> = subjects.map(|(subject, _)| subject).collect();
        subjects.sort();
        subjects.dedup();
        subjects
    }

    /// Why logins were refused, each once, sorted.
    pub fn refusals(&self) -> Vec<String> {
        let reasons = self.logins().into_iter().filter_map(|login| login.outcome.err());
        let mut reasons: Vec<String> = reasons.collect();
        reasons.sort();
        reasons.dedup();
        reasons
    }
}
