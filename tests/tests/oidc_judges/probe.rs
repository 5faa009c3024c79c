//! `probe`: one exchange by a judge, and the login at Debian's registry. It says where it fails,
//! and nothing that is secret.

use pullpass_tests::fakes::docker_token::{TokenOptions, TokenServer};
use pullpass_tests::fakes::trust::Trust;
use pullpass_tests::image::Image;
use pullpass_tests::judges::docker_registry::DockerRegistry;
use pullpass_tests::judges::idpyoidc::{Idpyoidc, SECRET};
use pullpass_tests::judges::vault::{ROLE, SECRET as PATH};
use pullpass_tests::jwt::tampered;
use pullpass_tests::server::Server;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::fixture::{
    CLIENT_HINT, CONFIG, DENIED, Fixture, IDENTITY, Pull, REGISTRY, REPOSITORY, SSO,
};
use crate::front::Front;
use crate::vault::{PASSWORD, USER, preset, registry, start};
use crate::{idpyoidc, oidc_provider};

/// Where the registry sends its clients for a token.
const REALM: &str = "auth.example";
/// What the registry trusts.
const AUDIENCE: &str = "registry.example";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_password_at_a_registry),
        Trial::of(another_password_than_the_registrys),
        Trial::of(a_pods_token_at_a_registry_with_tokens),
        Trial::of(a_realm_that_nobody_named_gets_no_login),
        Trial::of(an_exchange_that_fails_is_said_before_the_registry_is_asked),
        Trial::of(what_a_judge_hands_out_is_not_shown),
    ]
}

fn a_password_at_a_registry(world: &World) {
    let fixture = Fixture::new(world);
    let Some((_vault, front)) = start(&fixture, PASSWORD) else { return };
    let Some(registry) = registry(world, &Image::with_text("probed")) else { return };
    let good = preset(&fixture, "vault-kv", ROLE, PATH).keeping("the password", PASSWORD);
    let says = [
        "profile `vault-kv`, for `registry.example:5443`",
        &format!("exchange: user `{USER}` for `{REGISTRY}`, reused for 0 s"),
        "registry: accepts the login",
    ];
    good.probes(&[], &says);
    good.clone().of(&format!("{REGISTRY}/{REPOSITORY}:1")).probes(&[], &says);
    front.assert_no_leak(&good.probe(&["--log", "trace"]));
    assert_eq!(registry.log().matches("authorized request").count(), 3, "{}", registry.log());
}

fn another_password_than_the_registrys(world: &World) {
    let fixture = Fixture::new(world);
    let spoilt = "not what the registry knows";
    let Some((_vault, front)) = start(&fixture, spoilt) else { return };
    let Some(_registry) = registry(world, &Image::with_text("probed")) else { return };
    let pull = preset(&fixture, "vault-kv", ROLE, PATH).keeping("the password", spoilt);
    let says = [
        "error: the registry refused the login: HTTP 401",
        "hint: the exchange succeeded, so check the registry's side",
    ];
    pull.probe_fails(&[], DENIED, &says);
    pull.probe_fails(&["--log", "trace"], DENIED, &says);
    front.assert_no_leak(&pull.probe(&["--log", "trace"]));
}

/// Debian's registry with a token server, each under its name, that believe pods' tokens.
struct WithTokens {
    registry: DockerRegistry,
    tokens: TokenServer,
    _servers: [Server; 2],
}

impl WithTokens {
    fn start(fixture: &Fixture<'_>) -> Option<Self> {
        let options = TokenOptions {
            service: AUDIENCE.to_owned(),
            trust: Trust::Jwt(fixture.issuer.verifier(AUDIENCE)),
            username: None,
            repositories: vec![REPOSITORY.to_owned(), "team/missing".to_owned()],
        };
        let tokens = TokenServer::start(options, None);
        let registry = DockerRegistry::start_with_tokens(
            &format!("https://{REALM}/token"),
            tokens.service(),
            tokens.issuer(),
            &tokens.certificate_file(),
        )?;
        for repository in [REPOSITORY, "team/secret"] {
            registry.seed(repository, "1", &Image::with_text(repository));
        }
        let address = tokens.issuer().strip_prefix("http://").unwrap().parse().unwrap();
        let servers = [
            fixture.world.https_to(REALM, address),
            fixture.world.https_to(REGISTRY, registry.authority().parse().unwrap()),
        ];
        Some(Self { registry, tokens, _servers: servers })
    }

    fn logins(&self) -> usize {
        self.tokens.logins().len()
    }
}

fn passthrough<'g>(fixture: &'g Fixture<'_>, repository: &str) -> Pull<'g> {
    let set = [("registry", REGISTRY), ("audience", AUDIENCE)];
    fixture.preset("passthrough", AUDIENCE, &set).of(&format!("{REGISTRY}/{repository}"))
}

fn a_pods_token_at_a_registry_with_tokens(world: &World) {
    let fixture = Fixture::new(world);
    let Some(judge) = WithTokens::start(&fixture) else { return };
    let there = ["--realm-host", REALM];
    let of = |repository: &str| passthrough(&fixture, repository);
    of(REPOSITORY).probes(
        &there,
        &["registry: accepts the login, and allows it to pull from this repository"],
    );
    let granted = judge.tokens.logins().pop().unwrap().outcome.expect("a login");
    assert_eq!(granted.1, [REPOSITORY]);

    let missing =
        ["registry: accepts the login; the repository does not exist, or is hidden from it"];
    of("team/missing").probes(&there, &missing);
    let says = [
        &format!(
            "accepts the login, but does not allow it to pull `{REGISTRY}/team/secret`: HTTP 401"
        ),
        "hint: grant the identity the right to pull from this repository",
    ];
    of("team/secret").probe_fails(&there, DENIED, &says);
    let spoilt = tampered(&fixture.issuer.token(AUDIENCE).build());
    let says = ["error: the registry refused the login: HTTP 401", "hint: the exchange succeeded"];
    of(REPOSITORY).with_token(&spoilt).probe_fails(&there, DENIED, &says);
    let trace = ["--realm-host", REALM, "--log", "trace"];
    of(REPOSITORY).with_token(&spoilt).probe_fails(&trace, DENIED, &says);
    of(REPOSITORY).probes(&trace, &["registry: accepts the login"]);
    let before = judge.logins();
    let expired = fixture.issuer.token(AUDIENCE).expired().build();
    of(REPOSITORY).with_token(&expired).probe_fails(&there, IDENTITY, &["expired"]);
    let other = fixture.issuer.token("other.example").build();
    of(REPOSITORY).with_token(&other).probe_fails(&there, IDENTITY, &["audience `other.example`"]);
    assert_eq!(judge.logins(), before, "{}", judge.registry.log());
}

fn a_realm_that_nobody_named_gets_no_login(world: &World) {
    let fixture = Fixture::new(world);
    let Some(judge) = WithTokens::start(&fixture) else { return };
    let pull = passthrough(&fixture, REPOSITORY);
    let says = [
        "registry: refers its clients to `auth.example` for a token; the login was not sent there",
        "next: if that host belongs to the registry, add `--realm-host auth.example`",
    ];
    for named in [&[][..], &["--realm-host", "registry.example"], &["--realm-host", "example"]] {
        let before = world.attempts().connections;
        pull.probes(named, &says);
        // The registry alone, with its TLS.
        assert_eq!(world.attempts().connections - before, 2);
    }
    assert_eq!(judge.logins(), 0);
    assert!(!judge.registry.log().contains("team/app"), "{}", judge.registry.log());
}

fn an_exchange_that_fails_is_said_before_the_registry_is_asked(world: &World) {
    let fixture = Fixture::new(world);
    let Some((provider, _there)) = oidc_provider::start(&fixture, |options| options) else {
        return;
    };
    // No registry is under this name: a call would be noticed.
    let nobody = json!({"method": "none", "clientId": "nobody"});
    let exchange = json!({
        "type": "tokenExchange",
        "endpoint": format!("{}/token", oidc_provider::NAME),
        "clientAuth": nobody,
    });
    let _registry = world.address_of("registry.example");
    let says = [
        "error: the exchange failed; the registry was not called",
        "caused by: `https://sso.example/token` refused the token exchange: HTTP 401 invalid_client",
        CLIENT_HINT,
    ];
    fixture.profile(SSO, &exchange, &json!({})).probe_fails(&[], CONFIG, &says);
    assert_eq!(oidc_provider::asked(&provider), 1);
}

fn what_a_judge_hands_out_is_not_shown(world: &World) {
    let fixture = Fixture::new(world);
    let name = format!("https://{SSO}");
    let Some(server) = Idpyoidc::start(&fixture.cluster(SSO), REGISTRY, Some(&name)) else {
        return;
    };
    let front = Front::start(world, SSO, server.address());
    let Some(judge) = WithTokens::start(&fixture) else { return };
    let pull = idpyoidc::exchange(&fixture, SECRET, &json!({}));
    let named = ["--realm-host", REALM, "--log", "trace"];
    let says = ["error: the registry refused the login: HTTP 401"];
    pull.probe_fails(&named, DENIED, &says);
    for args in [&named[..], &named[2..], &[]] {
        let (run, calls) = front.calls_of(|| pull.probe(args));
        assert_eq!(calls.len(), 1);
        front.assert_no_leak(&run);
    }
    assert_eq!(judge.logins(), 2, "{}", judge.registry.log());

    let before = judge.registry.log();
    let wrong = idpyoidc::exchange(&fixture, "another secret", &json!({}));
    let says = ["the registry was not called", " invalid_client", CLIENT_HINT];
    wrong.probe_fails(&named, CONFIG, &says);
    assert_eq!(judge.registry.log(), before);
}
