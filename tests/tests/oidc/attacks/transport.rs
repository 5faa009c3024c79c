//! The connection: who is trusted, what is sent, and that checks cannot be turned off.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pullpass_tests::tls::TestCa;
use serde_json::json;

use super::*;

/// A server sets a cookie, and would know by it who comes again.
#[test]
fn cookies_and_referers() {
    let cookie = |fault: Fault| fault.with_header("Set-Cookie", "id=a-cookie; Path=/");
    let first = Fault::json(200, json!({"token": "a-token-for-the-second-step"}).to_string());
    let server = Fault::Sequence(vec![
        cookie(Fault::status(503)),
        cookie(first),
        cookie(Fault::status(503)),
        cookie(login()),
    ])
    .start();
    let exchange = json!({"type": "http", "steps": [
        {"url": format!("{}/first", server.url()), "auth": {"bearer": "${sa.token}"},
         "capture": {"second": "/token"}},
        {"url": format!("{}/second", server.url()), "auth": {"bearer": "${second}"}},
    ]});
    Attempt::new(exchange)
        .secret("the second token", "a-token-for-the-second-step")
        .works(PASSWORD);
    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for seen in requests {
        let head = seen.head.to_lowercase();
        for header in ["\r\ncookie:", "\r\nreferer:", "\r\norigin:", "\r\nfrom:"] {
            assert!(!head.contains(header), "{header} in {head}");
        }
        assert!(head.contains("\r\nuser-agent: pullpass/"), "{head}");
    }
    for header in ["Cookie", "Host", "User-Agent", "authorization", "Content-Length"] {
        let exchange = json!({"type": "http", "steps": [
            {"url": format!("{}/x", server.url()), "auth": {"bearer": "${sa.token}"},
             "headers": {header: "evil"}},
        ]});
        Attempt::new(exchange).fails(CONFIG, &[&format!("cannot set `{}`", header.to_lowercase())]);
    }
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_switch_that_turns_the_check_of_tls_off() {
    let (ca, stranger) = (TestCa::new(), TestCa::new());
    let server = login().start_tls(stranger.server_config(&["127.0.0.1"]));
    for name in ["insecure", "insecureSkipVerify", "skipTlsVerify", "tlsVerify", "verify"] {
        for value in [json!(true), json!(false)] {
            let attempt = Attempt::new(token_exchange(&server));
            attempt.with(json!({"http": {name: value}})).fails(CONFIG, &["unknown field"]);
        }
    }
    // Nor do the variables do it that other programs know.
    let attempt = Attempt::new(token_exchange(&server));
    let attempt = attempt.with(json!({"http": {"caFile": ca.pem_file()}}));
    let attempt = ["NODE_TLS_REJECT_UNAUTHORIZED", "GIT_SSL_NO_VERIFY", "CURL_INSECURE"]
        .iter()
        .fold(attempt, |attempt, name| attempt.env(name, "0".to_owned()));
    attempt.fails(CONFIG, &["no trusted TLS connection", "invalid peer certificate"]);
    got_nothing(&server);
}

/// A profile's `caFile` replaces the system's roots: what the system trusts is not trusted for its
/// endpoint.
#[test]
fn a_certificate_that_the_system_trusts_and_the_profile_does_not() {
    let (ca, system) = (TestCa::new(), TestCa::new());
    let server = login().start_tls(system.server_config(&["127.0.0.1"]));
    let bundle = system.pem_file().into_os_string().into_string().unwrap();
    let attempt = Attempt::new(token_exchange(&server)).env("SSL_CERT_FILE", bundle);
    let pinned = attempt.clone().with(json!({"http": {"caFile": ca.pem_file()}}));
    pinned.fails(CONFIG, &["no trusted TLS connection"]);
    let other = login().start_tls(system.server_config(&["sts.example"]));
    let misnamed = attempt.clone().with(json!({"http": {"caFile": system.pem_file()}}));
    let misnamed = Attempt { exchange: token_exchange(&other), ..misnamed };
    misnamed.fails(CONFIG, &["no trusted TLS connection", "not valid for"]);
    got_nothing(&server);
    got_nothing(&other);
    attempt.works(PASSWORD);
    // A file that holds no certificate trusts no server, and not every server.
    let empty = tempfile::NamedTempFile::new().unwrap();
    attempt.with(json!({"http": {"caFile": empty.path()}})).fails(CONFIG, &["caFile"]);
}

/// OpenSSL's own server, which speaks one version of TLS; what it gets, it prints.
struct OneVersion {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl OneVersion {
    fn start(ca: &TestCa, version: &str) -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let (certificate, key) = ca.certificate(&["127.0.0.1"]);
        std::fs::write(folder.path().join("cert.pem"), certificate).unwrap();
        std::fs::write(folder.path().join("key.pem"), key).unwrap();
        // The port was free a moment ago.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", version, "-cipher", "ALL:@SECLEVEL=0"])
            .args(["-accept", &format!("127.0.0.1:{port}"), "-cert", "cert.pem", "-key", "key.pem"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`openssl` is on this machine");
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "`openssl s_server` is not up");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, port, _folder: folder }
    }

    /// Ends it; hands back all that clients sent.
    fn received(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut received = Vec::new();
        self.child.stdout.take().unwrap().read_to_end(&mut received).unwrap();
        String::from_utf8_lossy(&received).into_owned()
    }
}

#[test]
fn tls_1_1() {
    let ca = TestCa::new();
    let run = |version: &str| {
        let server = OneVersion::start(&ca, version);
        let endpoint = format!("https://127.0.0.1:{}/token", server.port);
        // That server never answers: the run ends by its own time.
        let http = json!({"caFile": ca.pem_file(), "timeout": "2s", "retries": 0});
        let exchange = json!({"type": "tokenExchange", "endpoint": endpoint});
        let run = Attempt::new(exchange).with(json!({"http": http})).run();
        (run, server.received())
    };
    for version in ["-tls1", "-tls1_1"] {
        let (run, received) = run(version);
        assert!([Some(CONFIG), Some(UNAVAILABLE)].contains(&run.code), "{}", run.stderr);
        assert!(run.duration < Duration::from_millis(1500), "refused, not run out of time");
        assert_eq!(received, "", "{version}: something was sent");
    }
    for version in ["-tls1_2", "-tls1_3"] {
        let (_, received) = run(version);
        assert!(received.starts_with("POST /token HTTP/1.1"), "{version}: nothing was sent");
        assert!(received.contains("subject_token="), "{version}");
    }
}

#[test]
fn a_body_without_end() {
    for (fault, says) in [
        (Fault::EndlessBody, "larger than 1048576 bytes"),
        (Fault::BigBody(1_048_577), "larger than 1048576 bytes"),
        (
            Fault::Answer { status: 403, headers: Vec::new(), body: "x".repeat(2 << 20) },
            "larger than",
        ),
    ] {
        let server = fault.start();
        let run = Attempt::new(token_exchange(&server)).fails(PROTOCOL, &[says]);
        assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
    }
    // A login that no registry takes: 64 KiB and no more.
    for (length, code) in [(64 << 10, 0), ((64 << 10) + 1, PROTOCOL)] {
        let password = "x".repeat(length);
        let server = Fault::json(200, json!({"access_token": password}).to_string()).start();
        let run = Attempt::new(token_exchange(&server)).run();
        assert_eq!(run.code, Some(code), "{length}: {}", run.stderr);
    }
    let name = "u".repeat(2000);
    let answer = json!({"access_token": PASSWORD, "username": name});
    let server = Fault::json(200, answer.to_string()).start();
    Attempt::new(token_exchange(&server))
        .with(json!({"response": {"username": {"pointer": "/username"}}}))
        .fails(PROTOCOL, &["with a user name of more than 1024 bytes"]);
}

/// Half of an hour in drops, or silence: the profile's time ends it, retries and all.
#[test]
fn a_server_takes_its_time() {
    for fault in [Fault::Silent, Fault::SlowBody] {
        let server = fault.start();
        let http = json!({"http": {"timeout": "1s", "retries": 10}});
        let run = Attempt::new(token_exchange(&server)).with(http).fails(UNAVAILABLE, &[]);
        assert!(run.duration < Duration::from_secs(3), "{:?}", run.duration);
    }
    // A server that lets connections wait in its queue.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/token", listener.local_addr().unwrap());
    let exchange = json!({"type": "tokenExchange", "endpoint": url});
    let http = json!({"http": {"connectTimeout": "1s", "timeout": "1s", "retries": 0}});
    let run = Attempt::new(exchange).with(http).fails(UNAVAILABLE, &[]);
    assert!(run.duration < Duration::from_secs(3), "{:?}", run.duration);
}
