//! A token goes to one host: no redirect, no second step and no metadata takes it to another.

use pullpass_tests::fakes::vendors::{self, Dialect, Discovery, Grant, OAuth, Settings, Vendor};
use serde_json::json;

use super::*;

#[test]
fn a_redirect_resends_the_token() {
    let evil = trap();
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/token?from=the-redirect", evil.url());
        let server = Fault::redirect(status, &location).start();
        let run = Attempt::new(token_exchange(&server))
            .fails(PROTOCOL, &[&status.to_string(), "redirect"]);
        // Where it would have gone is the attacker's word.
        assert!(!run.stderr.contains("the-redirect"), "{}", run.stderr);
        assert!(!run.stderr.contains(&authority(&evil)), "{}", run.stderr);
        assert_eq!(server.requests().len(), 2, "once for each of two runs");
    }
    // Nor to another path of the same host.
    let server = Fault::Sequence(vec![Fault::redirect(307, "/elsewhere"), login()]).start();
    let run = Attempt::new(token_exchange(&server)).run();
    assert_eq!(run.code, Some(PROTOCOL), "{}", run.stderr);
    assert_eq!(server.requests().len(), 1);
    got_nothing(&evil);
}

#[test]
fn a_redirect_of_a_later_step_resends_what_was_captured() {
    let evil = trap();
    let captured = Fault::json(200, json!({"token": "a-token-for-the-second-step"}).to_string());
    let server =
        Fault::Sequence(vec![captured, Fault::redirect(308, &format!("{}/x", evil.url()))]).start();
    let exchange = json!({"type": "http", "steps": [
        {"url": format!("{}/first", server.url()), "auth": {"bearer": "${sa.token}"},
         "capture": {"second": "/token"}},
        {"url": format!("{}/second", server.url()), "auth": {"bearer": "${second}"}},
    ]});
    let attempt = Attempt::new(exchange).secret("the second token", "a-token-for-the-second-step");
    let run = attempt.run();
    assert_eq!(run.code, Some(PROTOCOL), "{}", run.stderr);
    assert_eq!(server.requests().len(), 2);
    got_nothing(&evil);
}

#[test]
fn a_redirect_of_the_metadata_names_another_endpoint() {
    let evil = trap();
    let server = Fault::redirect(302, &format!("{}/x", evil.url())).start();
    let exchange = json!({"type": "tokenExchange", "discovery": {"issuer": server.url()}});
    Attempt::new(exchange).fails(PROTOCOL, &["302"]);
    got_nothing(&evil);
}

/// Two steps: what the first host gave, the pod's token and the operator's own secret, to another.
#[test]
fn a_second_host_gets_the_first_ones_secret() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("key"), "a-key-of-the-operators").unwrap();
    let file = json!({"variables": [{"name": "key", "fromFile": folder.path().join("key")}]});
    let first =
        Fault::json(200, json!({"token": "the-first-hosts-secret", "x": 1}).to_string()).start();
    let second = trap();
    let (a, b) = (first.url(), second.url());
    let capture = json!({"captured": "/token"});
    let to = |step: Value| {
        let first = json!({
            "url": format!("{a}/login"), "auth": {"bearer": "${sa.token}"}, "capture": capture,
            "headers": {"X-Api-Key": "${key}"},
        });
        let mut step = step;
        step["url"] = format!("{b}/token").into();
        json!({"type": "http", "steps": [first, step]})
    };
    let steps = [
        json!({"auth": {"bearer": "${captured}"}}),
        json!({"auth": {"bearer": "${sa.token}"}}),
        json!({"auth": {"basic": {"user": "me", "password": "${captured}"}}}),
        json!({"headers": {"X-Token": "${captured}"}}),
        json!({"headers": {"X-Api-Key": "${key}"}}),
        json!({"form": {"token": "x${captured}"}}),
        json!({"json": {"deep": [{"token": "${sa.token}"}]}}),
    ];
    for step in &steps {
        let attempt = Attempt::new(to(step.clone())).with(file.clone());
        let attempt = attempt.secret("the captured token", "the-first-hosts-secret");
        let attempt = attempt.secret("the operator's key", "a-key-of-the-operators");
        let says = format!("a step sends a secret of another host to `{}`", authority(&second));
        attempt.fails(CONFIG, &[&says]);
        // Another port, or the host alone, is another host.
        for host in ["127.0.0.1", "127.0.0.1:1"] {
            let mut exchange = to(step.clone());
            exchange["hosts"] = json!([host]);
            Attempt::new(exchange).with(file.clone()).fails(CONFIG, &["another host"]);
        }
    }
    assert!(first.requests().is_empty(), "nothing was asked at all");
    got_nothing(&second);
    // Where the file names the host, it may have it.
    let mut exchange = to(steps[0].clone());
    exchange["hosts"] = json!([authority(&second)]);
    Attempt::new(exchange).with(file).works(PASSWORD);
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    let head = second.requests()[0].head.to_lowercase();
    assert!(head.contains("authorization: bearer the-first-hosts-secret"), "{head}");
}

#[test]
fn a_secret_stands_in_a_url() {
    let server = endpoint();
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("key"), "a-key-of-the-operators").unwrap();
    let file = json!({"variables": [{"name": "key", "fromFile": folder.path().join("key")}]});
    for name in ["sa.token", "key"] {
        for url in [format!("/x/${{{name}}}"), format!("/x?token=${{{name}}}")] {
            let url = format!("{}{url}", server.url());
            let exchange =
                json!({"type": "http", "steps": [{"url": url, "auth": {"bearer": "${sa.token}"}}]});
            let attempt = Attempt::new(exchange).with(file.clone());
            attempt.fails(CONFIG, &["is a secret and must not be in a URL: URLs are logged"]);
        }
    }
    assert!(server.requests().is_empty());
}

/// A Vault path that looks like a host.
#[test]
fn a_path_names_another_host() {
    let evil = trap();
    let login = json!({"auth": {"client_token": "hvs.a-token-of-vaults"}});
    let secret = json!({"data": {"password": PASSWORD}});
    for path in [format!("//{}/v1/x", authority(&evil)), format!("@{}/x", authority(&evil))] {
        let vault = Fault::Sequence(vec![
            Fault::json(200, login.to_string()),
            Fault::json(200, secret.to_string()),
        ]);
        let vault = vault.start();
        let exchange =
            json!({"type": "vault", "address": vault.url(), "role": "puller", "read": path});
        let attempt = Attempt::new(exchange).secret("Vault's token", "hvs.a-token-of-vaults");
        let attempt =
            attempt.with(json!({"response": {"password": {"pointer": "/data/password"}}}));
        attempt.works(PASSWORD);
        assert_eq!(vault.requests().len(), 2);
    }
    got_nothing(&evil);
}

/// Starts a token endpoint with that metadata, and asks for it by discovery.
/// The issuer is to be held: the endpoint asks it for the cluster's keys.
fn discover(discovery: Discovery, hosts: Value) -> (Vendor, Attempt, Issuer) {
    let issuer = Issuer::start(None);
    let client = vendors::Client::None { id: None };
    let oauth = OAuth { discovery, ..OAuth::new(client, Grant::token_exchange()) };
    let vendor = Vendor::start(Settings::new(Dialect::OAuth(oauth), &issuer, AUDIENCE), None);
    let mut exchange = json!({"type": "tokenExchange", "discovery": {"issuer": vendor.url()}});
    if !hosts.is_null() {
        exchange["hosts"] = hosts;
    }
    let token = issuer.token(AUDIENCE).build();
    (vendor, Attempt::new(exchange).token(token), issuer)
}

#[test]
fn discovery_points_elsewhere() {
    let evil = trap();
    let at = authority(&evil);
    for (endpoint, says) in [
        (format!("http://{at}/token"), "has a `token_endpoint` on another host"),
        (format!("https://{at}/token"), "has a `token_endpoint` on another host"),
        (format!("http://me@{at}/token"), "that the token cannot be sent to"),
        ("http://sts.example/token".to_owned(), "that the token cannot be sent to"),
        ("/token".to_owned(), "that the token cannot be sent to"),
        (String::new(), "that the token cannot be sent to"),
    ] {
        let (vendor, attempt, _issuer) =
            discover(Discovery::TokenEndpoint(endpoint.clone()), Value::Null);
        attempt.fails(PROTOCOL, &[says]);
        assert_eq!(vendor.count(), 2, "{endpoint}: the metadata of two runs, and no token");
    }
    for other in [evil.url(), format!("{}/", evil.url()), String::new()] {
        let (vendor, attempt, _issuer) = discover(Discovery::Issuer(other), Value::Null);
        attempt.fails(PROTOCOL, &["names another issuer than"]);
        assert_eq!(vendor.count(), 2);
    }
    let (_vendor, attempt, _issuer) = discover(Discovery::None, Value::Null);
    attempt.fails(PROTOCOL, &["refused the request for the issuer's metadata: HTTP 404"]);
    got_nothing(&evil);

    // What the file names is let through, and the truth is.
    let endpoint = Discovery::TokenEndpoint(format!("http://{at}/token"));
    let (_vendor, attempt, _issuer) = discover(endpoint, json!([at]));
    attempt.works(PASSWORD);
    assert_eq!(evil.requests().len(), 1);
    let (vendor, attempt, _issuer) = discover(Discovery::Right, Value::Null);
    let run = attempt.run();
    assert_eq!(run.login().2, vendor.last_password().value);
    assert_eq!(vendor.violations(), Vec::<String>::new());
}

/// An issuer that differs by a slash is another one: texts are compared, not URLs.
#[test]
fn an_issuer_that_is_nearly_the_right_one() {
    let issuer = Issuer::start(None);
    let client = vendors::Client::None { id: None };
    let oauth = OAuth::new(client, Grant::token_exchange());
    let vendor = Vendor::start(Settings::new(Dialect::OAuth(oauth), &issuer, AUDIENCE), None);
    let written = format!("{}/", vendor.url());
    let exchange = json!({"type": "tokenExchange", "discovery": {"issuer": written}});
    let attempt = Attempt::new(exchange).token(issuer.token(AUDIENCE).build());
    attempt.fails(PROTOCOL, &["names another issuer than", "to exactly the `issuer`"]);
    assert!(vendor.paths().iter().all(|path| path.contains("well-known")), "{:?}", vendor.paths());
}
