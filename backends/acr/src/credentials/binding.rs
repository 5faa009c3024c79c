//! Identity bindings: the cluster's API server, addressed by a special name in the TLS
//! handshake, replaces Entra.
//!
//! Source: AKS, "Identity bindings"; cloud-provider-azure's `acr-credential-provider`.

use std::net::{IpAddr, SocketAddr};

use pullpass::http::{HttpConfig, ProxyMode};
use pullpass::{Context, Error, Roots, Token};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::token_response::read_token;
use crate::identity::Identity;
use crate::registry::AUDIENCE;
use crate::settings::Binding;
use crate::token_service::TokenService;

pub(super) async fn access_token(
    binding: &Binding,
    client_id: &str,
    token: &Token,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<SecretString, Error> {
    let url = Url::parse(&format!("https://{}/", binding.sni_name)).map_err(|_| {
        Error::config("`--ib-sni-name` is not a host name")
            .with_hint("write a host name without a scheme, as AKS sets it")
    })?;
    let address = resolve(&binding.api_server).await?;
    // Directly to the cluster's API server: no proxy is used, and no other CA is trusted.
    let http = cx.http.with_config(HttpConfig {
        roots: Roots::Only { file: binding.ca_file.clone(), named_by: "--ib-ca-file" },
        proxy: ProxyMode::Direct,
        resolve: Some((binding.sni_name.clone(), vec![address])),
        ..HttpConfig::default()
    });
    let reply = http
        .post(url)
        .secret(token.secret())
        .form([
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", token.secret().expose_secret()),
            ("client_id", client_id),
            ("scope", &format!("{AUDIENCE}/.default")),
        ])
        .send()
        .await
        .map_err(|error| {
            error.context(format!("cannot get a token from the API server for {identity}"))
        })?;
    read_token(&reply, &TokenService::ApiServer, identity, cx)
}

/// The API server's port, as that of the URL.
const PORT: u16 = 443;

async fn resolve(api_server: &str) -> Result<SocketAddr, Error> {
    if let Ok(address) = api_server.parse::<IpAddr>() {
        return Ok((address, PORT).into());
    }
    let cannot = || {
        Error::unavailable(format!("`{api_server}` does not resolve"))
            .with_hint("`--ib-apiserver-ip` names the API server; check this node's DNS")
    };
    let mut found = tokio::net::lookup_host((api_server, PORT))
        .await
        .map_err(|error| cannot().with_source(error))?;
    found.next().ok_or_else(cannot)
}
