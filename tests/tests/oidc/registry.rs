//! Does the credential open a registry? Debian's `docker-registry` and `skopeo` judge.

use pullpass_tests::fakes::docker_token::{TokenOptions, TokenServer};
use pullpass_tests::fakes::oidc::{ExchangeOptions, ExchangeServer};
use pullpass_tests::fakes::trust::Trust;
use pullpass_tests::image::Image;
use pullpass_tests::issuer::{Issuer, TokenBuilder};
use pullpass_tests::judges::docker_registry::DockerRegistry;
use pullpass_tests::judges::skopeo::Skopeo;
use pullpass_tests::jwt::tampered;
use serde_json::json;

use crate::profile::{AUDIENCE, ProfileFile, request};

const TARGET: &str = "registry.example";
const REPOSITORY: &str = "team/app";
const SUBJECT: &str = "system:serviceaccount:shop:web";

/// A registry with one image, that trusts what `trust` trusts.
struct Judged {
    registry: DockerRegistry,
    skopeo: Skopeo,
    tokens: TokenServer,
    image: Image,
}

impl Judged {
    fn start(trust: Trust) -> Option<Self> {
        let options = TokenOptions {
            service: TARGET.to_owned(),
            trust,
            username: None,
            repositories: vec![REPOSITORY.to_owned()],
        };
        let tokens = TokenServer::start(options, None);
        let registry = DockerRegistry::start(&tokens)?;
        let skopeo = Skopeo::find()?;
        let image = Image::with_text("for a pod that may");
        let judged = Self { registry, skopeo, tokens, image };
        let (user, password) = judged.tokens.operator();
        let push = judged.skopeo.push(&judged.image, &judged.reference(), &user, &password);
        assert!(push.success, "{}\n{}", push.stderr, judged.registry.log());
        Some(judged)
    }

    fn name(&self) -> String {
        format!("{}/{REPOSITORY}", self.registry.authority())
    }

    fn reference(&self) -> String {
        format!("{}:1", self.name())
    }

    fn opens(&self, login: &(String, String, String)) -> bool {
        let (key, username, password) = login;
        assert_eq!(key, self.registry.authority(), "the key is the registry, with its port");
        let pull = self.skopeo.pull(&self.reference(), Some((username, password)));
        assert!(!pull.success || pull.digest == Some(self.image.digest()));
        pull.success
    }

    fn subjects(&self) -> Vec<String> {
        let granted = self.tokens.logins().into_iter().filter_map(|login| login.outcome.ok());
        granted.map(|(subject, _)| subject).collect()
    }
}

fn pod(issuer: &Issuer, audience: &str) -> TokenBuilder {
    issuer.token(audience).service_account("shop", "web")
}

#[test]
fn passthrough_opens_a_registry_for_a_good_token_and_no_other() {
    let issuer = Issuer::start(None);
    let Some(judged) = Judged::start(Trust::Jwt(issuer.verifier(AUDIENCE))) else { return };
    let file = ProfileFile::passthrough(judged.registry.authority());
    let login_with = |token: &str| file.plugin(token).run_both(&request(&judged.name(), token));

    let good = pod(&issuer, AUDIENCE).build();
    assert!(judged.opens(&login_with(&good).login()));
    assert!(judged.subjects().contains(&SUBJECT.to_owned()));
    assert!(!judged.skopeo.pull(&judged.reference(), None).success, "without a login");

    // Only the registry can see that a signature is wrong.
    assert!(!judged.opens(&login_with(&tampered(&good)).login()), "tampered");
    let refused = judged.tokens.logins().pop().unwrap().outcome.unwrap_err();
    assert!(refused.contains("signature"), "{refused}");

    // The rest the plugin sees itself, and says so.
    let expired = login_with(&pod(&issuer, AUDIENCE).expired().build());
    assert!(expired.error().contains("token expired"), "{}", expired.stderr);
    let other = login_with(&pod(&issuer, "other.example").build());
    assert!(other.error().contains("audience `other.example`"), "{}", other.stderr);
}

#[test]
fn token_exchange_opens_a_registry_for_a_good_token_and_no_other() {
    let issuer = Issuer::start(None);
    let options = ExchangeOptions::new(issuer.verifier(AUDIENCE), TARGET);
    let exchange = ExchangeServer::start(options, None);
    let Some(judged) = Judged::start(exchange.trust(TARGET)) else { return };
    let section = json!({
        "type": "tokenExchange",
        "endpoint": exchange.endpoint(),
        "audience": TARGET,
    });
    let http = json!({"http": {"allowLoopbackHttp": true}});
    let file = ProfileFile::new(judged.registry.authority(), section, http);
    let login_with = |token: &str| file.plugin(token).run_both(&request(&judged.name(), token));

    let good = pod(&issuer, AUDIENCE).build();
    let login = login_with(&good).login();
    assert_ne!(login.2, good, "the pod's own token stays away from the registry");
    assert!(judged.opens(&login));
    assert!(judged.subjects().contains(&SUBJECT.to_owned()));
    let spoilt = (login.0, login.1, tampered(&login.2));
    assert!(!judged.opens(&spoilt), "a tampered password");

    let run = login_with(&tampered(&good));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("invalid_request"), "{}", run.stderr);
    assert!(run.stderr.contains("signature"), "why it was refused: {}", run.stderr);
    let expired = login_with(&pod(&issuer, AUDIENCE).expired().build());
    assert!(expired.error().contains("token expired"), "{}", expired.stderr);
    let other = login_with(&pod(&issuer, "other.example").build());
    assert!(other.error().contains("audience `other.example`"), "{}", other.stderr);
    assert_eq!(exchange.violations(), Vec::<String>::new());
}
