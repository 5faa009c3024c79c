//! What the plugin makes of an exchange that succeeds: key, login, and how long it
//! may be kept.

use std::fs;

use pullpass_tests::fakes::form::ClientAuth;
use pullpass_tests::fakes::oidc::{ExchangeOptions, ExchangeServer, ExpiresIn};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::tls::TestCa;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::profile::{AUDIENCE, ProfileFile, request};

const TARGET: &str = "registry.example";

/// One exchange over TLS; returns the whole response.
fn exchange(change: impl FnOnce(&mut ExchangeOptions), auth: Value, response: Value) -> Value {
    run_exchange(change, auth, response).response()
}

fn run_exchange(
    change: impl FnOnce(&mut ExchangeOptions),
    auth: Value,
    response: Value,
) -> PluginRun {
    let ca = TestCa::new();
    let issuer = Issuer::start(Some(&ca));
    let mut options = ExchangeOptions::new(issuer.verifier(AUDIENCE), TARGET);
    change(&mut options);
    let server = ExchangeServer::start(options, Some(&ca));
    let mut section =
        json!({"type": "tokenExchange", "endpoint": server.endpoint(), "audience": TARGET});
    if !auth.is_null() {
        section["clientAuth"] = auth;
    }
    let more = json!({"response": response, "http": {"caFile": ca.pem_file()}});
    let file = ProfileFile::new("reg.example:8443", section, more);
    let token = issuer.token(AUDIENCE).build();
    let run = file.plugin(&token).run_both(&request("reg.example:8443/team/app", &token));
    assert_eq!(server.violations(), Vec::<String>::new());
    for exchange in server.exchanges() {
        assert_eq!(exchange.user_agent.as_deref(), Some("pullpass/0.1.0"));
    }
    run
}

fn cached(change: impl FnOnce(&mut ExchangeOptions), response: Value) -> String {
    let response = exchange(change, Value::Null, response);
    response["cacheDuration"].as_str().unwrap().to_owned()
}

#[test]
fn the_key_keeps_the_port_and_the_password_is_the_issued_token() {
    let response = exchange(|_| {}, Value::Null, json!({"username": {"value": "pod"}}));
    assert_eq!(response["cacheKeyType"], "Registry");
    let login = &response["auth"]["reg.example:8443"];
    assert_eq!(login["username"], "pod");
    assert_eq!(login["password"].as_str().unwrap().split('.').count(), 3);
}

#[test]
fn lifetimes_are_right_to_the_second() {
    // An opaque token lives as long as the answer says: an hour less five minutes.
    assert_eq!(cached(|o| o.opaque = true, json!({})), "55m0s");
    let text = |o: &mut ExchangeOptions| (o.opaque, o.expires_in) = (true, ExpiresIn::Text);
    assert_eq!(cached(text, json!({})), "55m0s");
    // Ten minutes less a tenth.
    assert_eq!(cached(|o| (o.opaque, o.lifetime) = (true, 600), json!({})), "9m0s");
    assert_eq!(cached(|o| o.opaque = true, json!({"margin": "10m"})), "50m0s");
    assert_eq!(cached(|o| o.opaque = true, json!({"maxCacheDuration": "1m"})), "1m0s");
    // Neither the answer nor the profile says when it ends.
    let absent = |o: &mut ExchangeOptions| (o.opaque, o.expires_in) = (true, ExpiresIn::Absent);
    assert_eq!(cached(absent, json!({})), "0s");
    assert_eq!(cached(absent, json!({"expiry": {"default": "20m"}})), "18m0s");
    // A JWT says it itself, to the second that the exchange took.
    let absent = |o: &mut ExchangeOptions| o.expires_in = ExpiresIn::Absent;
    let own = cached(absent, json!({}));
    assert!(["55m0s", "54m59s", "54m58s", "54m57s"].contains(&own.as_str()), "{own}");
}

#[test]
fn an_expiry_that_is_not_there_is_warned_of() {
    let stderr = |expires_in, response| {
        let change = |o: &mut ExchangeOptions| (o.opaque, o.expires_in) = (true, expires_in);
        run_exchange(change, Value::Null, response).stderr
    };
    let said = stderr(ExpiresIn::Absent, json!({}));
    assert!(said.contains("no expiry at `/expires_in` of the answer: the login is not"), "{said}");
    assert!(said.contains("set `response.expiry.default`"), "{said}");
    for (expires_in, response) in
        [(ExpiresIn::Absent, json!({"expiry": {"default": "20m"}})), (ExpiresIn::Text, json!({}))]
    {
        assert_eq!(stderr(expires_in, response), "");
    }
}

#[test]
fn the_client_authenticates_as_the_profile_says() {
    let folder = TempDir::new().unwrap();
    let (id, secret) = ("node agent:1", "s3cret+with/odd &chars=%");
    let file = folder.path().join("secret");
    fs::write(&file, format!("{secret}\n")).unwrap();
    for (method, wanted) in [
        ("basic", ClientAuth::Basic { id: id.to_owned(), secret: secret.to_owned() }),
        ("post", ClientAuth::Post { id: id.to_owned(), secret: secret.to_owned() }),
    ] {
        let auth = json!({"method": method, "clientId": id, "secretFile": file});
        let response = exchange(|o| o.client_auth = wanted, auth, json!({}));
        assert!(response["auth"]["reg.example:8443"].is_object(), "{method}");
    }
}
