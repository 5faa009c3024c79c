//! The exchange server must refuse: a judge that lets everything pass proves nothing.

use reqwest::StatusCode;
use serde_json::Value;

use super::*;
use crate::fakes::form::ClientAuth;
use crate::issuer::Issuer;
use crate::tls::plain_client;

const HERE: &str = "https://sts.example";
const TARGET: &str = "registry.example";

fn server(issuer: &Issuer, change: impl FnOnce(&mut ExchangeOptions)) -> ExchangeServer {
    let mut options = ExchangeOptions::new(issuer.verifier(HERE), TARGET);
    change(&mut options);
    ExchangeServer::start(options, None)
}

fn good(token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", GRANT.to_owned()),
        ("subject_token", token.to_owned()),
        ("subject_token_type", format!("{TYPES}jwt")),
        ("audience", TARGET.to_owned()),
    ]
}

async fn ask(server: &ExchangeServer, form: &[(&str, String)]) -> (StatusCode, Value) {
    let response = plain_client().post(server.endpoint()).form(form).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_good_token_is_exchanged_for_one_that_the_target_believes() {
    let issuer = Issuer::start(None);
    for opaque in [false, true] {
        let server = server(&issuer, |options| options.opaque = opaque);
        let token = issuer.token(HERE).service_account("shop", "web").build();
        let (status, answer) = ask(&server, &good(&token)).await;
        assert_eq!(status, 200);
        assert_eq!(answer["expires_in"], 3600);
        let access_token = answer["access_token"].as_str().unwrap();
        assert_eq!(access_token.contains('.'), !opaque);
        let subject = server.trust(TARGET).subject(access_token).await;
        assert_eq!(subject.as_deref(), Ok("system:serviceaccount:shop:web"));
        assert!(server.trust("other.example").subject(access_token).await.is_err());
        assert!(server.trust(TARGET).subject("made up").await.is_err());
        assert!(server.violations().is_empty());
        assert_eq!(server.exchanges()[0].outcome, Ok(subject.unwrap()));
    }
}

#[tokio::test]
async fn what_is_issued_expired_is_not_believed() {
    let issuer = Issuer::start(None);
    for opaque in [false, true] {
        let server = server(&issuer, |options| {
            options.opaque = opaque;
            options.lifetime = -10;
        });
        let (_, answer) = ask(&server, &good(&issuer.token(HERE).build())).await;
        let access_token = answer["access_token"].as_str().unwrap();
        assert!(server.trust(TARGET).subject(access_token).await.is_err());
    }
}

#[tokio::test]
async fn a_spoilt_subject_token_is_refused_without_a_violation() {
    let issuer = Issuer::start(None);
    let server = server(&issuer, |_| {});
    let tokens = [
        jwt::tampered(&issuer.token(HERE).build()),
        issuer.token(HERE).expired().build(),
        issuer.token("https://elsewhere.example").build(),
        issuer.token(HERE).signed_by_stranger().build(),
        Issuer::start(None).token(HERE).build(),
    ];
    for token in tokens {
        let (status, answer) = ask(&server, &good(&token)).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &"invalid_request".into()));
    }
    assert!(server.violations().is_empty());
}

#[tokio::test]
async fn a_request_out_of_order_is_refused_by_its_name() {
    let issuer = Issuer::start(None);
    let token = issuer.token(HERE).build();
    let without = |name: &str| -> Vec<_> {
        good(&token).into_iter().filter(|(key, _)| *key != name).collect()
    };
    let with = |name: &'static str, value: &str| {
        let mut form = without(name);
        form.push((name, value.to_owned()));
        form
    };
    let twice = |name: &'static str| {
        let mut form = good(&token);
        form.extend(good(&token).into_iter().filter(|(key, _)| *key == name));
        form
    };
    // The form, the error, and whether no client may ever do this.
    let cases = [
        (without("grant_type"), "invalid_request", true),
        (without("subject_token"), "invalid_request", true),
        (without("subject_token_type"), "invalid_request", true),
        (twice("subject_token"), "invalid_request", true),
        (twice("grant_type"), "invalid_request", true),
        (with("scope", ""), "invalid_request", true),
        (with("client_secret", "unasked"), "invalid_request", true),
        (with("actor_token", "half"), "invalid_request", true),
        (with("grant_type", "password"), "unsupported_grant_type", false),
        (with("subject_token_type", "jwt"), "invalid_request", false),
        (with("requested_token_type", "urn:x"), "invalid_request", false),
        (with("audience", "other.example"), "invalid_target", false),
        (with("resource", "https://other.example"), "invalid_target", false),
    ];
    for (form, error, violation) in cases {
        let server = server(&issuer, |_| {});
        let (status, answer) = ask(&server, &form).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &error.into()), "{form:?}");
        assert_eq!(!server.violations().is_empty(), violation, "{:?}", server.violations());
    }
}

#[tokio::test]
async fn other_methods_and_content_types_are_violations() {
    let issuer = Issuer::start(None);
    let server = server(&issuer, |_| {});
    let client = plain_client();
    let json = client.post(server.endpoint()).json(&serde_json::json!({"grant_type": GRANT}));
    for request in [client.get(server.endpoint()), json] {
        assert_eq!(request.send().await.unwrap().status(), 400);
    }
    assert_eq!(server.violations().len(), 3, "{:?}", server.violations());
}

#[tokio::test]
async fn a_client_must_prove_itself_in_the_way_agreed() {
    let issuer = Issuer::start(None);
    let (id, secret) = ("node pool/1".to_owned(), "s:e%c+r&e=t".to_owned());
    let encoded = ("node+pool%2F1", "s%3Ae%25c%2Br%26e%3Dt");
    let basic = server(&issuer, |options| {
        options.client_auth = ClientAuth::Basic { id: id.clone(), secret: secret.clone() };
    });
    let form = good(&issuer.token(HERE).build());
    let request = || plain_client().post(basic.endpoint()).form(&form);

    let nobody = request().send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert!(nobody.headers().contains_key("www-authenticate"));
    assert_eq!(nobody.json::<Value>().await.unwrap()["error"], "invalid_client");
    let raw = request().basic_auth(&id, Some(&secret)).send().await.unwrap();
    assert_eq!(raw.status(), 401, "id and secret that are not form-encoded");
    let right = request().basic_auth(encoded.0, Some(encoded.1)).send().await.unwrap();
    assert_eq!(right.status(), 200);

    let post = server(&issuer, |options| {
        options.client_auth = ClientAuth::Post { id: id.clone(), secret: secret.clone() };
    });
    assert_eq!(ask(&post, &form).await.0, 401);
    let mut form = form;
    form.extend([("client_id", id), ("client_secret", secret)]);
    assert_eq!(ask(&post, &form).await.0, 200);
    assert!(post.violations().is_empty() && basic.violations().is_empty());
}
