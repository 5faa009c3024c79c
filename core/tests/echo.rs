//! The example in the crate's documentation, as a process.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Cargo builds examples together with the tests, into a folder next to theirs.
fn echo(image: &str, token: Option<&str>) -> Output {
    let test = std::env::current_exe().unwrap();
    let profile: PathBuf = test.ancestors().nth(2).unwrap().into();
    let mut request = serde_json::json!({
        "kind": "CredentialProviderRequest",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "image": image,
    });
    if let Some(token) = token {
        request["serviceAccountToken"] = token.into();
    }
    let mut child = Command::new(profile.join("examples/echo"))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(request.to_string().as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    // The year 2100.
    let claims = r#"{"aud":["registry.example"],"exp":4102444800}"#;
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("sig"))
}

#[test]
fn echo_hands_the_token_back() {
    let output = echo("registry.example/app", Some(&token()));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        format!(
            "{{\"kind\":\"CredentialProviderResponse\",\
             \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\
             \"cacheKeyType\":\"Registry\",\"cacheDuration\":\"0s\",\
             \"auth\":{{\"registry.example\":{{\"username\":\"token\",\"password\":\"{}\"}}}}}}\n",
            token()
        )
    );
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn echo_refuses_other_registries_and_pods_without_a_token() {
    let output = echo("registry.example.evil/app", Some(&token()));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));

    let output = echo("registry.example/app", None);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(4), 0));
    // The transcript in the crate's documentation.
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: no credentials for `registry.example/app`: the request has no service account token\n\
         hint: set `tokenAttributes` for this provider (Kubernetes 1.34 or later); static pods have \
         no token\n"
    );
}
