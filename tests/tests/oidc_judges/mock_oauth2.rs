//! mock-oauth2-server: the form of both grants, by the parsers of the Nimbus SDK.

use pullpass_tests::judges::mock_oauth2::{LIFETIME, MockOauth2};
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::fixture::{DENIED, Fixture, POD, PROTOCOL, Pull, REGISTRY, SSO, kept};
use crate::front::Front;

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::of(both_grants_have_the_form_that_it_parses)]
}

const CLIENT: &str = "puller";
/// It checks no secret, but requires one.
const SECRET: &str = "any secret will do";

fn pull<'g>(fixture: &'g Fixture<'_>, method: &str, exchange: &Value) -> Pull<'g> {
    let file = fixture.file("secret", SECRET);
    let mut exchange = exchange.clone();
    exchange["clientAuth"] = match method {
        "none" => json!({"method": "none"}),
        method => json!({"method": method, "clientId": CLIENT, "secretFile": file}),
    };
    if exchange.get("discovery").is_none() {
        exchange["endpoint"] = json!("https://sso.example/default/token");
    }
    fixture.profile(SSO, &exchange, &Value::Null).keeping("the client's secret", SECRET)
}

fn both_grants_have_the_form_that_it_parses(world: &World) {
    let fixture = Fixture::new(world);
    let Some(server) = MockOauth2::start() else { return };
    let front = Front::start(world, SSO, server.address());
    let exchange = json!({"type": "tokenExchange", "audience": REGISTRY});
    let bearer = json!({"type": "jwtBearer", "scope": "pull"});
    for method in ["basic", "post"] {
        for form in [&exchange, &bearer] {
            let pull = pull(&fixture, method, form);
            for run in [pull.run(true), pull.run(false)] {
                front.assert_no_leak(&run);
                let login = pull.login_of(&run);
                assert_eq!(login.claims()["sub"], POD, "{method} {form} {}", server.log());
                assert!(kept(LIFETIME.into()).contains(&login.cached), "{:?}", login.cached);
            }
        }
        assert_eq!(pull(&fixture, method, &exchange).logs_in().claims()["aud"], REGISTRY);
    }
    let invalid = ["HTTP 400 invalid_request"];
    pull(&fixture, "basic", &json!({"type": "jwtBearer"})).fails(DENIED, &invalid);
    pull(&fixture, "none", &exchange).fails(DENIED, &invalid);

    // Behind TLS it does not know its own name: what it says of itself leads to plain HTTP.
    let discovery = json!({"issuer": "https://sso.example/default"});
    let lost = json!({"type": "tokenExchange", "discovery": discovery});
    let ((), calls) = front.calls_of(|| {
        let says = ["`https://sso.example/default/.well-known/openid-configuration`"];
        pull(&fixture, "basic", &lost).fails(PROTOCOL, &says);
    });
    assert!(calls.iter().all(|call| call.method == "GET"), "the token was sent");
}
