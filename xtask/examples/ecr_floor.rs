//! What a login costs with nothing but AWS's SDK, written as its documentation shows: what
//! `cargo xtask bench ecr` holds the plugin against.
//!
//! Reads a plugin's request from stdin and prints the token of `GetAuthorizationToken`. With a
//! service account token in the request it is the pod that asks, else the node. Region and
//! endpoints are the environment's to say. It checks nothing, and an error is what the SDK
//! says.

#![allow(clippy::print_stdout, reason = "its only work")]

use std::error::Error;
use std::io;
use std::time::SystemTime;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let request: Value = serde_json::from_reader(io::stdin())?;
    // The SDK's default is aws-lc-rs, whose start alone would take longer than all of this.
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut config =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(https).load().await;
    if let Some(token) = request["serviceAccountToken"].as_str() {
        let role = request["serviceAccountAnnotations"]["eks.amazonaws.com/ecr-role-arn"].as_str();
        let credentials = assume(&config, role.ok_or("no role")?, token).await?;
        let provider = SharedCredentialsProvider::new(credentials);
        config = config.into_builder().credentials_provider(provider).build();
    }
    let answer = aws_sdk_ecr::Client::new(&config).get_authorization_token().send().await?;
    let data = answer.authorization_data().first().ok_or("no authorization data")?;
    println!("{}", data.authorization_token().ok_or("no token")?);
    Ok(())
}

async fn assume(
    config: &SdkConfig,
    role: &str,
    token: &str,
) -> Result<Credentials, Box<dyn Error>> {
    let answer = aws_sdk_sts::Client::new(config)
        .assume_role_with_web_identity()
        .role_arn(role)
        .role_session_name("floor")
        .web_identity_token(token)
        .send()
        .await?;
    let credentials = answer.credentials().ok_or("no credentials")?;
    Ok(Credentials::new(
        credentials.access_key_id(),
        credentials.secret_access_key(),
        Some(credentials.session_token().to_owned()),
        Some(SystemTime::try_from(*credentials.expiration())?),
        "AssumeRoleWithWebIdentity",
    ))
}
