//! What a login costs with nothing but reqwest on ring, written as its documentation shows: what
//! `cargo xtask bench acr` holds the plugin against.
//!
//! Reads a plugin's request from stdin and prints the registry's refresh token. With a service
//! account token in the request it is the pod that asks, else the node. Tenant and endpoints are
//! the environment's to say. It checks nothing but the status, and an error is what reqwest
//! says.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a plain program, on purpose")]

use std::error::Error;
use std::{env, io};

use reqwest::{Client, RequestBuilder};
use serde_json::Value;

const AUDIENCE: &str = "https://containerregistry.azure.net";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let request: Value = serde_json::from_reader(io::stdin())?;
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "two providers")?;
    // It reads the roots here, where `SSL_CERT_FILE` says.
    let client = Client::builder().build()?;
    let tenant = env::var("AZURE_TENANT_ID")?;
    let token = match request["serviceAccountToken"].as_str() {
        Some(token) => federated(&client, &request, token, &tenant).await?,
        None => managed(&client).await?,
    };
    let image = request["image"].as_str().ok_or("no image")?;
    let (registry, _) = image.split_once('/').ok_or("no registry")?;
    let (service, _) = registry.split_once(':').ok_or("no port")?;
    let call = client.post(format!("https://{registry}/oauth2/exchange")).form(&[
        ("grant_type", "access_token"),
        ("service", service),
        ("access_token", &token),
        ("tenant", &tenant),
    ]);
    println!("{}", answer(call, "refresh_token").await?);
    Ok(())
}

async fn managed(client: &Client) -> Result<String, Box<dyn Error>> {
    let endpoint = env::var("IDENTITY_ENDPOINT")?;
    let url = format!("{endpoint}?api-version=2019-08-01&resource={AUDIENCE}");
    let header = env::var("IDENTITY_HEADER")?;
    answer(client.get(url).header("x-identity-header", header), "access_token").await
}

async fn federated(
    client: &Client,
    request: &Value,
    token: &str,
    tenant: &str,
) -> Result<String, Box<dyn Error>> {
    let client_id = &request["serviceAccountAnnotations"]["kubernetes.azure.com/acr-client-id"];
    let authority = env::var("AZURE_AUTHORITY_HOST")?;
    let call = client.post(format!("{authority}{tenant}/oauth2/v2.0/token")).form(&[
        ("grant_type", "client_credentials"),
        ("client_id", client_id.as_str().ok_or("no client ID")?),
        ("scope", &format!("{AUDIENCE}/.default")),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", token),
    ]);
    answer(call, "access_token").await
}

async fn answer(call: RequestBuilder, field: &str) -> Result<String, Box<dyn Error>> {
    let answer: Value = call.send().await?.error_for_status()?.json().await?;
    Ok(answer[field].as_str().ok_or("no token")?.to_owned())
}
