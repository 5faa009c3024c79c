//! The generic plugin: passthrough, and a token exchange.

use std::any::Any;

use pullpass_tests::fakes::oidc::{ExchangeOptions, ExchangeServer};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::tls::TestCa;

use crate::cases::{Cases, request};

const AUDIENCE: &str = "exchange.example";
const REGISTRY: &str = "registry.example";

/// Starts the servers and writes the cases.
pub(crate) fn start(cases: &Cases, ca: &TestCa) -> Box<dyn Any> {
    let issuer = Issuer::start(None);
    let server =
        |ca| ExchangeServer::start(ExchangeOptions::new(issuer.verifier(AUDIENCE), REGISTRY), ca);
    let (plain, secure) = (server(None), server(Some(ca)));

    let mut request = request(&format!("{REGISTRY}/team/app:1"));
    request["serviceAccountToken"] = issuer.token(AUDIENCE).build().into();
    let add = |name: &str, profile: String| {
        let file = cases.file(&format!("{name}.yaml"), &profile);
        let arguments = ["--config".to_owned(), file.display().to_string()];
        cases.add(name, &arguments, &[], &request);
    };
    add("passthrough", profile("{type: passthrough}"));
    add("http", exchange(&plain.endpoint()));
    add("tls", exchange(&secure.endpoint()));
    for (name, scheme) in [("silent-http", "http"), ("silent-tls", "https")] {
        add(name, exchange(&format!("{}/token", cases.silent(scheme))));
    }
    Box::new((issuer, plain, secure))
}

/// A profile file that exchanges the token there.
fn exchange(endpoint: &str) -> String {
    let exchange =
        format!("{{type: tokenExchange, endpoint: \"{endpoint}\", audience: {REGISTRY}}}");
    // Proxies are not part of the measurement.
    let loopback = if endpoint.starts_with("http:") { ", allowLoopbackHttp: true" } else { "" };
    format!("{}  http: {{proxy: none{loopback}}}\n", profile(&exchange))
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
