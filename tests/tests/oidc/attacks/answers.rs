//! What is answered to the kubelet: names and passwords that cannot be used, ends that are not
//! true, and pulls that would become anonymous ones.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pullpass_tests::jwt::{self, SigningKey};
use serde_json::json;

use super::*;

fn answering(answer: &Value) -> (FaultServer, Attempt) {
    let server = Fault::json(200, answer.to_string()).start();
    let attempt = Attempt::new(token_exchange(&server));
    (server, attempt)
}

#[test]
fn a_user_name_with_a_colon() {
    for name in ["a:b", ":", "a\nb", "a\rb", "a\u{0}b"] {
        let (_server, attempt) =
            answering(&json!({"access_token": PASSWORD, "username": name, "expires_in": 3600}));
        let attempt = attempt.with(json!({"response": {"username": {"pointer": "/username"}}}));
        attempt.fails(PROTOCOL, &["user name"]);
    }
    let (_server, attempt) = answering(&json!({"access_token": PASSWORD, "username": ""}));
    attempt
        .with(json!({"response": {"username": {"pointer": "/username"}}}))
        .fails(PROTOCOL, &["without a string at `/username`"]);
    // The pod's word, before the call and after it.
    let server = endpoint();
    let url = format!("{}/x", server.url());
    for name in ["a:b", "a\r\nX-Evil: 1", "", "a\u{0}"] {
        let basic = json!({"user": "${robot}", "password": "${sa.token}"});
        let step = json!({"url": url, "auth": {"basic": basic}});
        let attempt = Attempt::new(json!({"type": "http", "steps": [step]}));
        attempt.annotated("robot", name).fails(IDENTITY, &["the user name"]);
    }
    assert!(server.requests().is_empty(), "the token was sent");
    for name in ["a:b", ""] {
        let attempt = Attempt::new(token_exchange(&server)).annotated("robot", name);
        let attempt = attempt.with(json!({"response": {"username": {"value": "${robot}"}}}));
        attempt.fails(IDENTITY, &["the user name"]);
        let fixed = Attempt::new(token_exchange(&server));
        let fixed = fixed.with(json!({"response": {"username": {"value": name}}}));
        fixed.fails(CONFIG, &["is empty or contains `:` or a line break"]);
    }
    // A subject has colons.
    let attempt = Attempt::new(token_exchange(&server));
    let attempt = attempt.with(json!({"response": {"username": {"value": "${sa.subject}"}}}));
    attempt.fails(CONFIG, &["contains `:`"]);
}

#[test]
fn a_password_with_a_line_break() {
    for password in ["abcd\r\nefgh", "abcd\nefgh", "abcd\u{0}efgh", "abcd\refgh"] {
        let (_server, attempt) = answering(&json!({"access_token": password, "expires_in": 3600}));
        attempt.fails(PROTOCOL, &["with a login that cannot be used"]);
    }
    for answer in [
        json!({}),
        json!({"access_token": ""}),
        json!({"access_token": null}),
        json!({"access_token": ["a"]}),
        json!({"access_token": 1}),
        json!([]),
        json!("text"),
    ] {
        let (_server, attempt) = answering(&answer);
        attempt.fails(PROTOCOL, &["without a string at `/access_token`"]);
    }
}

fn token_until(expires: i64) -> String {
    SigningKey::generate().sign(&json!({"sub": "x", "iat": jwt::now(), "exp": expires}))
}

#[test]
fn an_expiry_beyond_the_tokens_own() {
    // (what is said, what the token itself says, what may come of it)
    let own = |seconds: i64| token_until(jwt::now() + seconds);
    let rows: Vec<(Value, String, &[&str])> = vec![
        (json!(86400), own(600), &["9m0s", "8m59s", "8m58s", "8m57s"]),
        (json!("86400"), own(600), &["9m0s", "8m59s", "8m58s", "8m57s"]),
        (json!(600), own(86400), &["9m0s"]),
        (json!(null), own(600), &["9m0s", "8m59s", "8m58s", "8m57s"]),
        (json!(3600), PASSWORD.to_owned(), &["55m0s"]),
        (json!(599), PASSWORD.to_owned(), &["8m59s"]),
        (json!(3000), PASSWORD.to_owned(), &["45m0s"]),
        (json!(3001), PASSWORD.to_owned(), &["45m1s"]),
        (json!(5), PASSWORD.to_owned(), &["4s"]),
        (json!(1), PASSWORD.to_owned(), &["0s"]),
        (json!(0), PASSWORD.to_owned(), &["0s"]),
        (json!(-1), PASSWORD.to_owned(), &["0s"]),
        (json!(null), PASSWORD.to_owned(), &["0s"]),
        (json!(900_000), PASSWORD.to_owned(), &["24h0m0s"]),
    ];
    for (said, password, kept) in rows {
        let (_server, attempt) = answering(&json!({"access_token": password, "expires_in": said}));
        let run = attempt.run();
        let cached = run.response()["cacheDuration"].as_str().unwrap().to_owned();
        assert!(kept.contains(&cached.as_str()), "{said}: {cached}, not {kept:?}");
    }
    // In base64 that is not base64url, and with an end that cannot be found.
    let header = "eyJhbGciOiJSUzI1NiJ9";
    let claims = json!({"sub": "~~>??>~~?", "exp": jwt::now() + 600}).to_string();
    for padding in ["", " ", "  "] {
        let password = format!("{header}.{}.c2ln", STANDARD.encode(format!("{claims}{padding}")));
        let (_server, attempt) =
            answering(&json!({"access_token": password, "expires_in": 86_340}));
        let run = attempt.run();
        let cached = run.response()["cacheDuration"].as_str().unwrap().to_owned();
        assert!(["9m0s", "8m59s", "8m58s", "8m57s"].contains(&cached.as_str()), "{cached}");
    }
    let password = format!("{header}.{}.c2ln", &STANDARD.encode(claims)[..30]);
    let (_server, attempt) = answering(&json!({"access_token": password, "expires_in": 86_340}));
    assert_eq!(attempt.run().response()["cacheDuration"], "0s");
    for said in [json!("soon"), json!(1e300), json!(u64::MAX), json!([3600]), json!(true)] {
        let (_server, attempt) = answering(&json!({"access_token": PASSWORD, "expires_in": said}));
        attempt.fails(PROTOCOL, &["`/expires_in` that is"]);
    }
    // Dead on arrival, by its own word or by the server's.
    for (expiry, answer) in [
        (json!({}), json!({"access_token": own(-10), "expires_in": 3600})),
        (json!({"format": "epoch", "pointer": "/end"}), json!({"end": jwt::now() - 10})),
        (json!({"format": "rfc3339", "pointer": "/end"}), json!({"end": "2020-01-01T00:00:00Z"})),
    ] {
        let mut answer = answer;
        if answer["access_token"].is_null() {
            answer["access_token"] = PASSWORD.into();
        }
        let (_server, attempt) = answering(&answer);
        let attempt = attempt.with(json!({"response": {"expiry": expiry}}));
        attempt.fails(PROTOCOL, &["with a token that has expired already"]);
    }
    // A date where a life was meant, and milliseconds for seconds.
    for (format, end) in [
        ("seconds", json!(jwt::now() + 600)),
        ("epoch", json!((jwt::now() + 600) * 1000)),
        ("rfc3339", json!(jwt::now() + 600)),
        ("rfc3339", json!("in ten minutes")),
    ] {
        let (_server, attempt) = answering(&json!({"access_token": PASSWORD, "end": end}));
        let expiry = json!({"format": format, "pointer": "/end"});
        let attempt = attempt.with(json!({"response": {"expiry": expiry}}));
        attempt.fails(PROTOCOL, &["a `/end` that is"]);
    }
}

/// The pod's own token is renewed by the kubelet, which knows when.
#[test]
fn a_passed_on_token_is_kept() {
    let attempt = Attempt::new(json!({"type": "passthrough"}));
    let mut attempt = attempt.with(json!({"response": {"username": {"value": "jwt"}}}));
    attempt.more.as_object_mut().unwrap().remove("http");
    let run = attempt.works(&attempt.token.clone());
    assert_eq!(run.response()["cacheDuration"], "0s");
    for section in [
        json!({"username": {"value": "jwt"}, "maxCacheDuration": "1h"}),
        json!({"username": {"value": "jwt"}, "expiry": {"format": "fixed", "default": "1h"}}),
        json!({"username": {"value": "jwt"}, "margin": "0s"}),
    ] {
        let attempt = attempt.clone().with(json!({"response": section}));
        attempt.fails(CONFIG, &["`passthrough` has no answer"]);
    }
}

/// A refused pod would pull without a login, and maybe get another person's image.
#[test]
fn a_refusal_becomes_an_anonymous_pull() {
    let refusals = || {
        let oauth = |code: &str| Fault::json(400, json!({"error": code}).to_string());
        vec![Fault::status(401), Fault::status(403), oauth("invalid_grant"), oauth("access_denied")]
    };
    for fault in refusals() {
        let server = fault.start();
        Attempt::new(token_exchange(&server)).fails(DENIED, &["refused the token exchange"]);
    }
    // Only where the profile says so, and then for no longer than this pull.
    for fault in refusals() {
        let server = fault.start();
        let attempt = Attempt::new(token_exchange(&server)).with(json!({"onRefused": "empty"}));
        let response = attempt.run().response();
        assert_eq!(response["auth"], json!({}));
        assert_eq!(
            (&response["cacheKeyType"], &response["cacheDuration"]),
            (&json!("Image"), &json!("0s"))
        );
    }
    // And for nothing else that goes wrong.
    let oauth = |code: &str| Fault::json(401, json!({"error": code}).to_string());
    for (fault, code) in [
        (Fault::status(404), CONFIG),
        (Fault::status(503), UNAVAILABLE),
        (Fault::Refused, UNAVAILABLE),
        (Fault::redirect(307, "/x"), PROTOCOL),
        (Fault::json(200, "{}"), PROTOCOL),
        (oauth("invalid_client"), CONFIG),
        (
            Fault::Answer {
                status: 403,
                headers: vec![("Content-Type".to_owned(), "text/html".to_owned())],
                body: "<html><title>Blocked by the firewall</title>".to_owned(),
            },
            PROTOCOL,
        ),
    ] {
        let server = fault.start();
        let attempt = Attempt::new(token_exchange(&server)).with(json!({"onRefused": "empty"}));
        attempt.fails(code, &[]);
    }
    // A token that is not good is not a denied exchange: no server was asked.
    let server = endpoint();
    let expired = Issuer::start(None).token(AUDIENCE).expired().build();
    let attempt = Attempt::new(token_exchange(&server)).with(json!({"onRefused": "empty"}));
    attempt.token(expired).fails(IDENTITY, &["expired"]);
    assert!(server.requests().is_empty());
}
