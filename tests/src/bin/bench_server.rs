//! The servers that `cargo xtask bench` measures a plugin against, in a process of their own.
//!
//! `bench_server SILENT_PORT` prints the path of a folder with a request, a CA certificate and a
//! profile file per case, and serves until its stdin ends. The `silent-*` profiles point to
//! `SILENT_PORT`, where the caller listens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a tool for measuring; nothing here ships"
)]

use std::fs;
use std::io::{Read as _, Write as _};

use pullpass_tests::fakes::oidc::{ExchangeOptions, ExchangeServer};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::tls::TestCa;
use serde_json::json;

const AUDIENCE: &str = "exchange.example";
const REGISTRY: &str = "registry.example";

fn main() {
    let silent_port = std::env::args().nth(1).expect("usage: bench_server SILENT_PORT");
    let ca = TestCa::new();
    let issuer = Issuer::start(None);
    let start =
        |ca| ExchangeServer::start(ExchangeOptions::new(issuer.verifier(AUDIENCE), REGISTRY), ca);
    let (plain, secure) = (start(None), start(Some(&ca)));

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let exchange = |endpoint: &str| {
        let exchange =
            format!("{{type: tokenExchange, endpoint: \"{endpoint}\", audience: {REGISTRY}}}");
        // Proxies are none of the measurement's business.
        let loopback = if endpoint.starts_with("http:") { ", allowLoopbackHttp: true" } else { "" };
        format!("{}  http: {{proxy: none{loopback}}}\n", profile(&exchange))
    };
    write("passthrough.yaml", &profile("{type: passthrough}"));
    write("http.yaml", &exchange(&plain.endpoint()));
    write("https.yaml", &exchange(&secure.endpoint()));
    for scheme in ["http", "https"] {
        let endpoint = format!("{scheme}://127.0.0.1:{silent_port}/token");
        write(&format!("silent-{scheme}.yaml"), &exchange(&endpoint));
    }
    let request = json!({
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderRequest",
        "image": format!("{REGISTRY}/team/app:1"),
        "serviceAccountToken": issuer.token(AUDIENCE).build(),
    });
    write("request.json", &request.to_string());
    fs::copy(ca.pem_file(), folder.path().join("ca.pem")).unwrap();

    println!("{}", folder.path().display());
    std::io::stdout().flush().unwrap();
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// A profile file with this exchange; it reads the CA where `SSL_CERT_FILE` says.
fn profile(exchange: &str) -> String {
    format!(
        "apiVersion: pullpass.dev/v1alpha1\n\
         kind: OIDCExchangeConfig\n\
         profiles:\n\
         - name: bench\n\
         \x20 registries: [\"{REGISTRY}\"]\n\
         \x20 serviceAccountToken:\n\
         \x20   audience: {AUDIENCE}\n\
         \x20 exchange: {exchange}\n\
         \x20 response:\n\
         \x20   username: {{value: oauth2}}\n"
    )
}
