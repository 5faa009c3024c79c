//! What is sent again, and what must not be: a server may have taken an assertion that it then did
//! not answer for.

use pullpass_tests::fakes::vendors::ClientKey;
use serde_json::json;

use super::*;

/// Everything after which a call may be tried again, where it may.
fn troubles() -> Vec<(&'static str, Fault)> {
    vec![
        ("429", Fault::retry_after_seconds(1)),
        ("500", Fault::status(500)),
        ("502", Fault::status(502)),
        ("503", Fault::status(503)),
        ("504", Fault::status(504)),
        ("hangs up", Fault::Hangup),
        ("cut body", Fault::CutBody),
    ]
}

#[test]
fn a_one_time_assertion_is_sent_twice() {
    let folder = tempfile::TempDir::new().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, ClientKey::ec().pem()).unwrap();
    let by_key = json!({"method": "privateKeyJwt", "clientId": "node", "keyFile": key});
    for (name, trouble) in troubles() {
        for section in [
            json!({"type": "jwtBearer"}),
            json!({"type": "tokenExchange", "clientAuth": by_key}),
            json!({"type": "http", "once": true}),
        ] {
            let server = Fault::Sequence(vec![trouble.clone(), login()]).start();
            let url = format!("{}/token", server.url());
            let mut exchange = section;
            match exchange["type"] == "http" {
                true => {
                    let form = json!({"assertion": "${sa.token}"});
                    let step = json!({"url": url, "form": form, "once": true});
                    exchange = json!({"type": "http", "steps": [step]});
                }
                false => exchange["endpoint"] = url.into(),
            }
            let attempt = Attempt::new(exchange).with(json!({"http": {"retries": 5}}));
            let run = attempt.run();
            assert_eq!(run.code, Some(UNAVAILABLE), "{name}: {}", run.stderr);
            assert_eq!(server.requests().len(), 1, "{name}: sent again");
        }
        // What may be sent again is: the trouble is one that passes.
        let server = Fault::Sequence(vec![trouble, login()]).start();
        Attempt::new(token_exchange(&server)).works(PASSWORD);
        assert_eq!(server.requests().len(), 2, "{name}");
    }
}

#[test]
fn an_assertion_has_a_name_of_its_own_each_time() {
    let folder = tempfile::TempDir::new().unwrap();
    let key = folder.path().join("key.pem");
    std::fs::write(&key, ClientKey::ec().pem()).unwrap();
    let server = endpoint();
    let mut exchange = token_exchange(&server);
    exchange["clientAuth"] = json!({"method": "privateKeyJwt", "clientId": "node", "keyFile": key});
    let attempt = Attempt::new(exchange);
    attempt.works(PASSWORD);
    attempt.works(PASSWORD);
    let claims: Vec<Value> = server
        .requests()
        .iter()
        .map(|seen| {
            let form: Vec<_> = url::form_urlencoded::parse(seen.body.as_bytes()).collect();
            let (_, assertion) =
                form.iter().find(|(name, _)| name == "client_assertion").expect("an assertion");
            pullpass_tests::jwt::parts(assertion).expect("a JWT").1
        })
        .collect();
    assert_eq!(claims.len(), 2);
    assert_ne!(claims[0]["jti"], claims[1]["jti"]);
    for claims in claims {
        assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() > 10), "{claims}");
        let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
        assert!((1..=300).contains(&life), "{claims}");
        assert_eq!(claims["aud"], format!("{}/token", server.url()));
    }
}

#[test]
fn a_refusal_is_asked_for_again() {
    for status in [400, 401, 403, 404, 405, 409, 415, 422] {
        let server = Fault::Sequence(vec![Fault::status(status), login()]).start();
        let attempt = Attempt::new(token_exchange(&server)).with(json!({"http": {"retries": 5}}));
        let run = attempt.run();
        assert_ne!(run.code, Some(0), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}: asked again");
    }
    // A rest that is longer than our time is not waited for.
    for trouble in [Fault::retry_after_seconds(30), Fault::retry_after_date(3600)] {
        let server = Fault::Sequence(vec![trouble, login()]).start();
        let run = Attempt::new(token_exchange(&server)).run();
        assert_eq!(run.code, Some(UNAVAILABLE), "{}", run.stderr);
        assert_eq!(server.requests().len(), 1);
        assert!(run.duration.as_secs() < 10, "{:?}", run.duration);
    }
    let server = endpoint();
    let attempt = Attempt::new(token_exchange(&server)).with(json!({"http": {"retries": 11}}));
    attempt.fails(CONFIG, &["`http.retries` is at most 10"]);
}
