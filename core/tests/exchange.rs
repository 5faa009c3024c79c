//! The example that exchanges tokens, as a process, against a token service on loopback that
//! checks what it is sent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use tempfile::TempDir;

const IMAGE: &str = "registry.example/team/app";

#[test]
fn the_registrys_token_is_kept_until_shortly_before_its_end() {
    let service =
        TokenService::over_tls(200, &json!({"access_token": "reg-tok", "expires_in": 3600}));
    let output = exchange(&service.options());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        response,
        json!({
            "kind": "CredentialProviderResponse",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "cacheKeyType": "Registry",
            "cacheDuration": response["cacheDuration"],
            "auth": {"registry.example": {"username": "oauth2", "password": "reg-tok"}},
        })
    );
    // An hour less five minutes of margin, less what the run took.
    let duration = response["cacheDuration"].as_str().unwrap();
    assert!(duration.starts_with("54m5") || duration == "55m0s", "{duration}");
    service.was_asked_once();
}

#[test]
fn a_token_without_a_known_end_is_not_kept() {
    let service = TokenService::over_tls(200, &json!({"access_token": "reg-tok"}));
    let output = exchange(&service.options());
    let response: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(response["cacheDuration"], "0s");
}

#[test]
fn a_refusal_has_the_services_code_and_words_and_an_exit_code_by_status() {
    let refusal = json!({"error": "invalid_target", "error_description": "no such audience"});
    for (status, code) in [(403, 3), (400, 5)] {
        let service = TokenService::over_tls(status, &refusal);
        let output = exchange(&service.options());
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0));
        let url = &service.url;
        let error = stderr(&output);
        let expected = format!(
            "error: no credentials for `{IMAGE}`: `{url}` refused the token exchange: HTTP \
             {status} invalid_target\ncaused by: `{url}` says: no such audience\nhint: "
        );
        assert!(error.starts_with(&expected), "{error}");
        service.was_asked_once();
    }
}

#[test]
fn words_that_repeat_the_pods_token_are_withheld() {
    let payload = token().split('.').nth(1).unwrap().to_owned();
    for words in
        [format!("bad token {}", token()), payload.to_uppercase(), payload[..12].to_owned()]
    {
        let body = json!({"error": "invalid_request", "error_description": words});
        let service = TokenService::over_tls(403, &body);
        let output = exchange(&service.options());
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.contains("(not shown: the server's words repeat a secret)"), "{error}");
        assert!(!error.contains(&words) && !error.contains(&payload[..12]), "{error}");
    }
}

#[test]
fn a_service_under_another_ca_is_sent_nothing() {
    let service = TokenService::over_tls(200, &json!({"access_token": "reg-tok"}));
    let other = TokenService::over_tls(200, &json!({"access_token": "reg-tok"}));
    let output = exchange(&["--token-url", &service.url, "--ca-file", other.ca_file().as_str()]);
    let error = stderr(&output);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
    assert!(error.contains("no trusted TLS connection to"), "{error}");
    assert!(error.contains("`--ca-file` sets the CA to trust"), "{error}");
    assert!(service.forms.try_recv().is_err(), "it was sent a form");
}

#[test]
fn http_is_for_loopback_alone() {
    let service = TokenService::in_the_clear(200, &json!({"access_token": "reg-tok"}));
    let output = exchange(&["--token-url", &service.url]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    service.was_asked_once();

    // 192.0.2.0/24 is for documentation: no address of it answers (RFC 5737).
    for url in
        ["http://192.0.2.1/token", "http://169.254.169.254/token", "http://sts.example/token"]
    {
        let output = exchange(&["--token-url", url, "--timeout", "5s"]);
        let error = stderr(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
        assert!(error.contains(&format!("`{url}` must be `https://`")), "{error}");
    }
}

#[test]
fn the_url_must_be_given_and_be_one() {
    for (options, says) in [
        (&[][..], "`--token-url` is missing"),
        (&["--token-url", "sts.example"], "`--token-url` is not a URL"),
        (&["--token-url", "https://sts.example", "--ca-file", "/nonexistent"], "/nonexistent"),
    ] {
        let output = exchange(options);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

/// A token service that gives every caller the same answer.
struct TokenService {
    url: String,
    forms: Receiver<String>,
    folder: TempDir,
}

impl TokenService {
    /// On `https://`, under a CA of its own.
    fn over_tls(status: u16, body: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = server_config(&folder.path().join("ca.pem"));
        Self::start("https", Some(tls), folder, status, body)
    }

    /// On `http://`.
    fn in_the_clear(status: u16, body: &Value) -> Self {
        Self::start("http", None, tempfile::tempdir().unwrap(), status, body)
    }

    fn start(
        scheme: &str,
        tls: Option<Arc<ServerConfig>>,
        folder: TempDir,
        status: u16,
        body: &Value,
    ) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("{scheme}://{}/token", listener.local_addr().unwrap());
        let (sender, forms) = channel();
        let body = body.to_string();
        // It ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                match &tls {
                    None => converse(stream, status, &body, &sender),
                    Some(tls) => {
                        let session = ServerConnection::new(Arc::clone(tls)).unwrap();
                        converse(StreamOwned::new(session, stream), status, &body, &sender);
                    }
                }
            }
        });
        Self { url, forms, folder }
    }

    fn ca_file(&self) -> String {
        self.folder.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    /// The options of an operator who trusts this service.
    fn options(&self) -> [String; 4] {
        ["--token-url".to_owned(), self.url.clone(), "--ca-file".to_owned(), self.ca_file()]
    }

    /// It got one form, which is that of RFC 8693 §2.1 for the pod's token.
    fn was_asked_once(&self) {
        let form = self.forms.try_recv().unwrap();
        let fields: BTreeMap<_, _> = url::form_urlencoded::parse(form.as_bytes()).collect();
        let expected = [
            ("audience", "registry.example"),
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", &token()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ];
        assert!(fields.iter().map(|(name, value)| (&**name, &**value)).eq(expected));
        assert!(self.forms.try_recv().is_err(), "it was asked twice");
    }
}

/// Takes one form and answers. A client that does not trust the certificate sends none.
fn converse(stream: impl Read + Write, status: u16, body: &str, forms: &Sender<String>) {
    let mut stream = BufReader::new(stream);
    let Some(form) = read_form(&mut stream) else { return };
    let _ = forms.send(form);
    let answer = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    let stream = stream.get_mut();
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

/// The body of a request that is a form.
fn read_form(stream: &mut BufReader<impl Read>) -> Option<String> {
    let (mut length, mut is_form, mut line) = (0, false, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let (name, value) = line.trim_end().split_once(": ").unwrap_or((line.trim_end(), ""));
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "content-type" => is_form = value == "application/x-www-form-urlencoded",
            "" => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok().filter(|_| is_form)
}

/// A server's certificate for 127.0.0.1 under a new CA, which is written to `ca`.
fn server_config(ca: &Path) -> Arc<ServerConfig> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(ca, issuer.pem()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}

/// Runs the example for a pod's token. Cargo builds examples together with the tests, into a
/// folder next to theirs.
fn exchange(options: &[impl AsRef<str>]) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile: PathBuf = test.ancestors().nth(2).unwrap().into();
    let request = json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": IMAGE,
        "serviceAccountToken": token(),
    });
    let mut child = Command::new(profile.join("examples/exchange"))
        .args(options.iter().map(AsRef::as_ref))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    // The year 2100.
    let claims = r#"{"aud":["registry.example"],"exp":4102444800}"#;
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("sig"))
}
