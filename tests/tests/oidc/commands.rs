//! What the commands for people say: `explain` and `probe`.

use std::fs;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse as _;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::server::Socket;
use pullpass_tests::tls::TestCa;
use serde_json::json;

use crate::profile::{AUDIENCE, ProfileFile};

fn command(file: &ProfileFile, name: &str, image: &str) -> PluginCommand {
    PluginCommand::new("oidc-credential-provider")
        .arg(name)
        .arg(image)
        .arg("--config")
        .arg(file.path())
}

/// A registry that asks for HTTP Basic and takes every login.
fn registry() -> Router {
    Router::new().fallback(|headers: HeaderMap| async move {
        match headers.contains_key(header::AUTHORIZATION) {
            true => StatusCode::OK.into_response(),
            false => {
                let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"registry\"")];
                (StatusCode::UNAUTHORIZED, challenge).into_response()
            }
        }
    })
}

#[test]
fn probe_trusts_the_ca_of_the_file_for_the_registry() {
    let ca = TestCa::new();
    let server = Socket::bind(Some(&ca)).serve(registry());
    let issuer = Issuer::start(None);
    let token = issuer.token(AUDIENCE).build();
    let file = ProfileFile::passthrough(&server.authority());
    let token_file = file.path().with_file_name("token");
    fs::write(&token_file, &token).unwrap();
    let probe = |more: &[&str]| {
        let image = format!("{}/team/app", server.authority());
        let plugin = command(&file, "probe", &image).arg("--token-file").arg(&token_file);
        let plugin = plugin.secret("the pod's token", &token);
        more.iter().fold(plugin, |plugin, arg| plugin.arg(*arg)).run(b"")
    };
    let own = ca.pem_file();
    let run = probe(&["--ca-file", own.to_str().unwrap()]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(said.contains("registry: accepts the login (HTTP Basic)"), "{said}");
    let other_ca = TestCa::new();
    let other = other_ca.pem_file();
    for (args, named) in [
        (&["--ca-file", other.to_str().unwrap()][..], "`--ca-file` sets the CA"),
        (&[], "`SSL_CERT_FILE` sets the CA"),
    ] {
        let run = probe(args);
        assert_ne!(run.code, Some(0), "{args:?}");
        assert!(run.stderr.contains("no trusted TLS connection to"), "{}", run.stderr);
        assert!(run.stderr.contains(named), "{}", run.stderr);
    }
}

#[test]
fn explain_warns_of_the_api_server_s_audience() {
    let explain = |audience: &str| {
        // What is given later takes the place of the profile's own.
        let file = ProfileFile::new(
            "registry.example",
            json!({"type": "passthrough"}),
            json!({
                "serviceAccountToken": {"audience": audience},
                "response": {"username": {"value": "jwt"}},
            }),
        );
        let run = command(&file, "explain", "registry.example/team/app").run(b"");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        String::from_utf8(run.stdout).unwrap()
    };
    let warning = "the Kubernetes API server may accept tokens for this audience";
    let said = explain("https://kubernetes.default.svc");
    assert!(said.contains(warning) && said.contains("--allow-audience"), "{said}");
    let said = explain("registry.example");
    assert!(!said.contains(warning), "{said}");
}
