//! The token endpoint misbehaves: each fault has its exit code, an empty stdout, one
//! error that names the endpoint, and no secret at trace level.

use std::io::Write as _;
use std::time::Duration;

use pullpass_tests::fakes::faults::Fault;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::tls::TestCa;
use serde_json::json;

use crate::profile::{AUDIENCE, ProfileFile, request};

const CONFIG: i32 = 2;
const DENIED: i32 = 3;
const PROTOCOL: i32 = 5;
const UNAVAILABLE: i32 = 7;

const IMAGE: &str = "reg.example/team/app";
const PASSWORD: &str = "the-password-of-the-registry";

fn good() -> Fault {
    Fault::json(200, json!({"access_token": PASSWORD, "expires_in": 3600}).to_string())
}

fn oauth(status: u16, code: &str, description: &str) -> Fault {
    Fault::json(status, json!({"error": code, "error_description": description}).to_string())
}

/// Name, fault, exit code, words on stderr, requests that the server must have seen.
type Row = (&'static str, Fault, i32, &'static [&'static str], usize);

#[test]
fn every_fault_has_its_exit_code_and_words() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let echoed = format!("token {token} is not good");
    let rows: Vec<Row> = vec![
        ("connection refused", Fault::Refused, UNAVAILABLE, &["cannot connect", "refused"], 0),
        ("hangs up", Fault::Hangup, UNAVAILABLE, &["connection to", "lost the connection"], 2),
        ("cut body", Fault::CutBody, UNAVAILABLE, &["connection to", "lost the connection"], 2),
        (
            "redirect",
            Fault::redirect(302, "http://evil.example/"),
            PROTOCOL,
            &["302", "redirect"],
            1,
        ),
        ("redirect with body", Fault::redirect(307, "http://evil.example/"), PROTOCOL, &["307"], 1),
        (
            "bad token",
            oauth(400, "invalid_request", "signature does not verify"),
            DENIED,
            &[
                "HTTP 400 invalid_request",
                "says: signature does not verify",
                "hint: check that the server trusts",
            ],
            1,
        ),
        (
            "bad grant",
            oauth(400, "invalid_grant", "subject unknown"),
            DENIED,
            &["HTTP 400 invalid_grant", "says: subject unknown"],
            1,
        ),
        (
            "bad client",
            oauth(401, "invalid_client", "who?"),
            CONFIG,
            &["HTTP 401 invalid_client", "says: who?", "clientAuth"],
            1,
        ),
        (
            "bad target",
            oauth(400, "invalid_target", ""),
            CONFIG,
            &["invalid_target", "audience"],
            1,
        ),
        (
            "echoes the token",
            oauth(400, "invalid_request", &echoed),
            DENIED,
            &["words repeat a secret"],
            1,
        ),
        (
            "control characters",
            oauth(400, "invalid_request", "a\n\u{1b}[31merror: b"),
            DENIED,
            &["HTTP 400 invalid_request", "says: a [31merror: b"],
            1,
        ),
        ("401", Fault::status(401), DENIED, &["HTTP 401"], 1),
        ("403", Fault::status(403), DENIED, &["HTTP 403"], 1),
        ("404", Fault::status(404), CONFIG, &["HTTP 404", "path of `exchange.endpoint`"], 1),
        (
            "Vault's errors",
            Fault::json(403, r#"{"errors":["permission denied"]}"#),
            DENIED,
            &["permission denied"],
            1,
        ),
        (
            "429 and a short wait",
            Fault::Sequence(vec![Fault::retry_after_seconds(1), good()]),
            0,
            &[],
            2,
        ),
        (
            "429 and a long wait",
            Fault::retry_after_seconds(3600),
            UNAVAILABLE,
            &["HTTP 429", "not retried: the server sent `Retry-After: 3600"],
            1,
        ),
        ("429 until a far date", Fault::retry_after_date(3600), UNAVAILABLE, &["HTTP 429"], 1),
        ("500 then 200", Fault::Sequence(vec![Fault::status(500), good()]), 0, &[], 2),
        ("503 for good", Fault::status(503), UNAVAILABLE, &["HTTP 503"], 2),
        ("501", Fault::status(501), UNAVAILABLE, &["HTTP 501", "after 1 retry"], 2),
        (
            "HTML",
            Fault::html(),
            PROTOCOL,
            &["answered 200 with HTML", "check for a proxy, a login page"],
            1,
        ),
        ("no JSON", Fault::json(200, "access_token=x"), PROTOCOL, &["invalid JSON"], 1),
        ("nothing", Fault::status(200), PROTOCOL, &["with an empty body, not JSON"], 1),
        (
            "200 without the token",
            Fault::json(200, "{}"),
            PROTOCOL,
            &["without a string at `/access_token`"],
            1,
        ),
        (
            "200 with an empty token",
            Fault::json(200, r#"{"access_token":""}"#),
            PROTOCOL,
            &["`/access_token`"],
            1,
        ),
        (
            "200 with a number for it",
            Fault::json(200, r#"{"access_token":1}"#),
            PROTOCOL,
            &["`/access_token`"],
            1,
        ),
        (
            "200 with an error",
            oauth(200, "access_denied", "not today"),
            PROTOCOL,
            &["`/access_token`", "access_denied: not today"],
            1,
        ),
        (
            "200 with bad expires_in",
            Fault::json(200, r#"{"access_token":"abcdefgh","expires_in":"soon"}"#),
            PROTOCOL,
            &["`/expires_in` that is not a number"],
            1,
        ),
        (
            "200 with a line break in it",
            Fault::json(200, r#"{"access_token":"abcd\r\nefgh"}"#),
            PROTOCOL,
            &["line break"],
            1,
        ),
        ("10 MB body", Fault::BigBody(10_000_000), PROTOCOL, &["larger than 1048576 bytes"], 1),
        (
            "a terabyte is announced",
            Fault::AnnouncedBody(1_000_000_000_000),
            PROTOCOL,
            &["larger than 1048576 bytes"],
            1,
        ),
        ("endless body", Fault::EndlessBody, PROTOCOL, &["larger than 1048576 bytes"], 1),
    ];
    for (name, fault, code, expected, requests) in rows {
        let server = fault.start();
        let endpoint = format!("{}/token?tenant=hidden-in-the-query", server.url());
        let exchange = json!({"type": "tokenExchange", "endpoint": endpoint});
        // One retry, so that the table is quick.
        let http = json!({"http": {"allowLoopbackHttp": true, "retries": 1}});
        let file = ProfileFile::new("reg.example", exchange, http);
        let plugin = file
            .plugin(&token)
            .secret("the registry's password", PASSWORD)
            .secret("the query", "hidden-in-the-query");
        let run = plugin.run(&request(IMAGE, &token));
        assert_eq!(run.code, Some(code), "{name}: {}", run.stderr);
        for words in expected {
            assert!(run.stderr.contains(words), "{name}: `{words}` not in {}", run.stderr);
        }
        assert_eq!(server.requests().len(), requests, "{name}");
        if code == 0 {
            assert_eq!(run.login().2, PASSWORD, "{name}");
        } else {
            assert!(run.stderr.contains("\nhint: "), "{name}: no hint in {}", run.stderr);
            assert!(run.error().contains(IMAGE), "{name}: {}", run.stderr);
        }
    }
}

#[test]
fn a_server_that_repeats_a_secret_is_not_quoted() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let secret = "hunter2 of the client";
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("secret"), secret).unwrap();
    let (signature, chunked) = (token.rsplit_once('.').unwrap().1, token.as_bytes().chunks(30));
    let chunked: Vec<_> = chunked.map(|part| String::from_utf8_lossy(part)).collect();
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    for words in [
        format!("wrong secret {secret} for x"),
        format!("client_id=me&client_secret={encoded}"),
        format!("signature {signature} is wrong"),
        chunked.join(" "),
    ] {
        for method in ["post", "basic"] {
            let server = oauth(401, "invalid_client", &words).start();
            let exchange = json!({
                "type": "tokenExchange",
                "endpoint": format!("{}/token", server.url()),
                "clientAuth": {
                    "method": method, "clientId": "me", "secretFile": folder.path().join("secret"),
                },
            });
            let http = json!({"http": {"allowLoopbackHttp": true}});
            let file = ProfileFile::new("reg.example", exchange, http);
            let run = file
                .plugin(&token)
                .secret("the client's secret", secret)
                .run_both(&request(IMAGE, &token));
            assert_eq!(run.code, Some(CONFIG), "{}", run.stderr);
            assert!(run.stderr.contains("words repeat a secret"), "{}", run.stderr);
        }
    }
}

#[test]
fn empty_on_refusal_is_for_refusals_alone() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    for (fault, code) in [
        (Fault::status(403), 0),
        (oauth(400, "invalid_grant", ""), 0),
        (oauth(400, "invalid_request", ""), DENIED),
        (oauth(401, "invalid_client", ""), CONFIG),
        (Fault::status(400), PROTOCOL),
        (Fault::status(503), UNAVAILABLE),
    ] {
        let server = fault.clone().start();
        let exchange =
            json!({"type": "tokenExchange", "endpoint": format!("{}/token", server.url())});
        let more = json!({
            "onRefused": "empty", "http": {"allowLoopbackHttp": true, "retries": 0},
        });
        let file = ProfileFile::new("reg.example", exchange, more);
        let run = file.plugin(&token).run(&request(IMAGE, &token));
        assert_eq!(run.code, Some(code), "{fault:?}: {}", run.stderr);
        if code == 0 {
            assert_eq!(run.response()["auth"], json!({}));
            assert_eq!(run.response()["cacheDuration"], "0s");
        }
    }
}

#[test]
fn a_server_without_tls_is_named_as_one() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("https://{}/token", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // As web servers answer a ClientHello on their plain port.
            let _ = stream.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let exchange = json!({"type": "tokenExchange", "endpoint": endpoint});
    let file = ProfileFile::new("reg.example", exchange, json!({}));
    let run = file.plugin(&token).run_both(&request(IMAGE, &token));
    assert_eq!(run.code, Some(CONFIG), "{}", run.stderr);
    assert!(run.stderr.contains("does not speak TLS"), "{}", run.stderr);
}

#[test]
fn a_server_that_says_nothing_ends_with_the_deadline() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    for (name, fault) in [("silent", Fault::Silent), ("slow body", Fault::SlowBody)] {
        let server = fault.start();
        let file = ProfileFile::exchange("reg.example", &format!("{}/token", server.url()));
        // The 50 s deadline, on a shortened clock.
        let run = file.plugin(&token).arg("--timeout=1s").run_both(&request(IMAGE, &token));
        assert_eq!(run.code, Some(UNAVAILABLE), "{name}: {}", run.stderr);
        assert!(run.error().contains("no answer from"), "{name}: {}", run.stderr);
        assert!(run.duration < Duration::from_secs(4), "{name}: {:?}", run.duration);
        assert!(run.duration > Duration::from_millis(500), "{name}: {:?}", run.duration);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it_before_the_token_leaves() {
    let token = Issuer::start(None).token(AUDIENCE).build();
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    for (name, tls, words) in [
        ("another authority", stranger.server_config(&["127.0.0.1"]), "invalid peer certificate"),
        ("another name", ca.server_config(&["other.example"]), "not valid for"),
    ] {
        let server = good().start_tls(tls);
        let exchange =
            json!({"type": "tokenExchange", "endpoint": format!("{}/token", server.url())});
        let file =
            ProfileFile::new("reg.example", exchange, json!({"http": {"caFile": ca.pem_file()}}));
        let run = file.plugin(&token).run_both(&request(IMAGE, &token));
        assert_eq!(run.code, Some(CONFIG), "{name}: {}", run.stderr);
        assert!(run.stderr.contains("no trusted TLS connection"), "{name}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{name}: {}", run.stderr);
        assert!(server.requests().is_empty(), "{name}: the token was sent");
    }

    let server = good().start_tls(ca.server_config(&["127.0.0.1"]));
    let exchange = json!({"type": "tokenExchange", "endpoint": format!("{}/token", server.url())});
    let file = ProfileFile::new("reg.example", exchange, json!({}));
    let trusted = file.plugin(&token).env("SSL_CERT_FILE", ca.pem_file());
    assert_eq!(trusted.run_both(&request(IMAGE, &token)).login().2, PASSWORD);
}
