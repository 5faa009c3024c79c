//! `idpyoidc`: the token exchange of RFC 8693 by its own rules, and the metadata of RFC 8414.

use pullpass_tests::judges::idpyoidc::{CLIENT, Idpyoidc, LIFETIME, SCOPE, SECRET};
use pullpass_tests::jwt::tampered;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::fixture::{
    CLIENT_HINT, CONFIG, DENIED, Fixture, PROTOCOL, Pull, REGISTRY, SSO, TRUST_HINT, kept,
};
use crate::front::Front;

const NAME: &str = "https://sso.example";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pods_token_is_exchanged),
        Trial::of(its_errors_are_read),
        Trial::of(the_endpoint_is_found_by_the_metadata_of_rfc_8414),
    ]
}

fn start(fixture: &Fixture<'_>) -> Option<(Idpyoidc, Front)> {
    let server = Idpyoidc::start(&fixture.cluster(SSO), REGISTRY, Some(NAME))?;
    let front = Front::start(fixture.world, SSO, server.address());
    Some((server, front))
}

/// A token exchange by the judge's client, with further fields of `exchange`.
pub(crate) fn exchange<'g>(fixture: &'g Fixture<'_>, secret: &str, more: &Value) -> Pull<'g> {
    let file = fixture.file("secret", secret);
    let auth = json!({"method": "basic", "clientId": CLIENT, "secretFile": file});
    let mut exchange = json!({"type": "tokenExchange", "clientAuth": auth});
    exchange.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    if more.get("discovery").is_none() {
        exchange["endpoint"] = json!(format!("{NAME}/token"));
    }
    fixture.profile(SSO, &exchange, &Value::Null).keeping("the client's secret", secret)
}

fn a_pods_token_is_exchanged(world: &World) {
    let fixture = Fixture::new(world);
    let Some((_server, front)) = start(&fixture) else { return };
    let forms = [
        json!({}),
        json!({"subjectTokenType": "id_token"}),
        json!({"requestedTokenType": "access_token"}),
        json!({"resource": REGISTRY, "audience": REGISTRY, "scope": [SCOPE]}),
    ];
    for form in forms {
        let ((), calls) = front.calls_of(|| {
            let pull = exchange(&fixture, SECRET, &form);
            for run in [pull.run(true), pull.run(false)] {
                front.assert_no_leak(&run);
                let login = pull.login_of(&run);
                let claims = login.claims();
                assert_eq!((&claims["iss"], &claims["client_id"]), (&json!(NAME), &json!(CLIENT)));
                // It says that the token lives as long as the pod's, an hour. The token says a minute.
                assert!(kept(LIFETIME.into()).contains(&login.cached), "{:?}", login.cached);
            }
        });
        for call in &calls {
            assert_eq!((call.status, call.authorization.as_deref()), (200, Some("Basic")));
            assert_eq!((call.field("client_id"), call.field("client_secret")), (None, None));
            assert_eq!(call.field("scope"), form["scope"][0].as_str());
        }
        assert_eq!(calls.len(), 2);
    }
}

fn its_errors_are_read(world: &World) {
    let fixture = Fixture::new(world);
    let Some((_server, front)) = start(&fixture) else { return };
    let ((), calls) = front.calls_of(|| {
        let good = exchange(&fixture, SECRET, &json!({}));
        let spoilt = tampered(&fixture.issuer.token(SSO).build());
        let says = ["HTTP 400 invalid_request", TRUST_HINT];
        good.with_token(&spoilt).fails(DENIED, &says);

        let kind = json!({"subjectTokenType": "access_token"});
        let says = ["HTTP 400 invalid_request", "says: Subject token invalid"];
        exchange(&fixture, SECRET, &kind).fails(DENIED, &says);
        let kind = json!({"subjectTokenType": "urn:example:token"});
        let says = ["HTTP 400 invalid_request", "says: Subject token invalid"];
        exchange(&fixture, SECRET, &kind).fails(DENIED, &says);
        let kind = json!({"requestedTokenType": "jwt"});
        let says = ["HTTP 400 invalid_request", "says: Unsupported requested token type"];
        exchange(&fixture, SECRET, &kind).fails(DENIED, &says);

        let hint = "hint: check `exchange`: audience, resource, scope";
        for target in ["audience", "resource"] {
            let more = json!({target: "elsewhere.example"});
            exchange(&fixture, SECRET, &more).fails(CONFIG, &[" invalid_target", hint]);
        }
        exchange(&fixture, SECRET, &json!({"scope": "push"}))
            .fails(CONFIG, &[" invalid_scope", hint]);
        let says = ["HTTP 401 invalid_client", CLIENT_HINT];
        exchange(&fixture, "another secret", &json!({})).fails(CONFIG, &says);
    });
    assert_eq!(calls.len(), 16, "each of eight, twice, and none again");
}

fn the_endpoint_is_found_by_the_metadata_of_rfc_8414(world: &World) {
    let fixture = Fixture::new(world);
    let Some((_server, front)) = start(&fixture) else { return };
    let found = |issuer: &str, form: &str| {
        let discovery = json!({"issuer": issuer, "form": form});
        exchange(&fixture, SECRET, &json!({"discovery": discovery}))
    };
    let (login, calls) = front.calls_of(|| found(NAME, "oauth").logs_in());
    assert_eq!(login.claims()["iss"], NAME);
    let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    let metadata = "/.well-known/oauth-authorization-server";
    assert_eq!(paths, [metadata, "/token", metadata, "/token"]);
    assert_eq!(calls[0].authorization, None, "the secret is for the token endpoint");

    let ((), calls) = front.calls_of(|| {
        // It has only the other form.
        found(NAME, "openid").fails(PROTOCOL, &["HTTP 404", "hint: check `exchange.discovery`"]);
        let says = ["names another issuer than `https://sso.example/`"];
        found(&format!("{NAME}/"), "oauth").fails(PROTOCOL, &says);
    });
    assert!(calls.iter().all(|call| call.path != "/token"), "the token was sent");
}
