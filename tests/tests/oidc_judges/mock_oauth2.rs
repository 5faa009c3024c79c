//! mock-oauth2-server: the form of both grants, by the parsers of the Nimbus SDK.

use pullpass_tests::judges::mock_oauth2::{LIFETIME, MockOauth2};
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::front::Front;
use crate::ground::{DENIED, Ground, POD, PROTOCOL, Pull, REGISTRY, SSO, kept};

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::of(both_grants_have_the_form_that_it_parses)]
}

const CLIENT: &str = "puller";
/// It looks at no secret, but wants one.
const SECRET: &str = "any secret will do";

fn pull<'g>(ground: &'g Ground<'_>, method: &str, exchange: &Value) -> Pull<'g> {
    let file = ground.file("secret", SECRET);
    let mut exchange = exchange.clone();
    exchange["clientAuth"] = match method {
        "none" => json!({"method": "none"}),
        method => json!({"method": method, "clientId": CLIENT, "secretFile": file}),
    };
    if exchange.get("discovery").is_none() {
        exchange["endpoint"] = json!("https://sso.example/default/token");
    }
    ground.profile(SSO, &exchange, &Value::Null).keeping("the client's secret", SECRET)
}

fn both_grants_have_the_form_that_it_parses(world: &World) {
    let ground = Ground::new(world);
    let Some(server) = MockOauth2::start() else { return };
    let front = Front::start(world, SSO, server.address());
    let exchange = json!({"type": "tokenExchange", "audience": REGISTRY});
    let bearer = json!({"type": "jwtBearer", "scope": "pull"});
    for method in ["basic", "post"] {
        for form in [&exchange, &bearer] {
            let pull = pull(&ground, method, form);
            for run in [pull.run(true), pull.run(false)] {
                front.assert_no_leak(&run);
                let login = pull.login_of(&run);
                assert_eq!(login.claims()["sub"], POD, "{method} {form} {}", server.log());
                assert!(kept(LIFETIME.into()).contains(&login.cached), "{:?}", login.cached);
            }
        }
        assert_eq!(pull(&ground, method, &exchange).logs_in().claims()["aud"], REGISTRY);
    }
    let invalid = ["with status 400", "caused by: invalid_request"];
    pull(&ground, "basic", &json!({"type": "jwtBearer"})).fails(DENIED, &invalid);
    pull(&ground, "none", &exchange).fails(DENIED, &invalid);

    // Behind TLS it does not know its own name: what it says of itself leads to plain HTTP.
    let discovery = json!({"issuer": "https://sso.example/default"});
    let lost = json!({"type": "tokenExchange", "discovery": discovery});
    let ((), calls) = front.calls_of(|| {
        let says = ["`https://sso.example/default/.well-known/openid-configuration`"];
        pull(&ground, "basic", &lost).fails(PROTOCOL, &says);
    });
    assert!(calls.iter().all(|call| call.method == "GET"), "the token was sent");
}
