//! What a Google token costs with nothing but reqwest and ring, written as their
//! documentation shows: what `cargo xtask bench gar` holds the plugin against.
//!
//! Reads a plugin's request from stdin and prints the access token. With a service account token
//! in the request it is the pod that asks, as the service account that its annotation names if
//! there is one; else the node asks, by its key if it has one. Options and environment are the
//! plugin's. It checks nothing but the status, and an error is what reqwest says.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a plain program, on purpose")]

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, RequestBuilder};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let request: Value = serde_json::from_reader(io::stdin())?;
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "two providers")?;
    let token = match request["serviceAccountToken"].as_str() {
        Some(token) => pod(&request, token).await?,
        None => match env::var("GOOGLE_APPLICATION_CREDENTIALS") {
            Ok(file) => by_key(&file).await?,
            Err(_) => by_metadata().await?,
        },
    };
    println!("{token}");
    Ok(())
}

async fn by_metadata() -> Result<String> {
    let host = env::var("GCE_METADATA_HOST")?;
    let path = "computeMetadata/v1/instance/service-accounts/default/token";
    // Plain HTTP needs no roots, and reqwest would read them here.
    let client = Client::builder().tls_certs_only([]).build()?;
    let call = client.get(format!("http://{host}/{path}")).header("metadata-flavor", "Google");
    answer(call, "access_token").await
}

async fn by_key(file: &str) -> Result<String> {
    let file: Value = serde_json::from_slice(&fs::read(file)?)?;
    let field = |name: &str| file[name].as_str().ok_or("an incomplete key");
    let (email, url) = (field("client_email")?, field("token_uri")?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": field("private_key_id")?});
    let claims = json!({
        "iss": email, "sub": email, "aud": url, "scope": SCOPE, "iat": now, "exp": now + 600,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let key = PrivatePkcs8KeyDer::from_pem_slice(field("private_key")?.as_bytes())?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| "no RSA key")?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "ring cannot sign")?;
    let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = [("grant_type", grant), ("assertion", &assertion)];
    answer(with_roots()?.post(url).form(&form), "access_token").await
}

async fn pod(request: &Value, token: &str) -> Result<String> {
    let client = with_roots()?;
    let provider = option("workload-identity-provider")?;
    let call = client.post(option("sts-url")?).form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", token),
        ("scope", SCOPE),
        ("audience", &format!("//iam.googleapis.com/{provider}")),
    ]);
    let federated = answer(call, "access_token").await?;
    let account = &request["serviceAccountAnnotations"]["iam.gke.io/gcp-service-account"];
    let Some(email) = account.as_str() else { return Ok(federated) };
    let api = option("iam-credentials-url")?;
    let call = client
        .post(format!("{api}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"))
        .bearer_auth(&federated)
        .json(&json!({"scope": [SCOPE], "lifetime": "3600s"}));
    answer(call, "accessToken").await
}

/// It reads the roots here, where `SSL_CERT_FILE` says.
fn with_roots() -> Result<Client> {
    Ok(Client::builder().build()?)
}

/// The value of `--name=value`.
fn option(name: &str) -> Result<String> {
    let value = env::args().find_map(|argument| {
        let (key, value) = argument.strip_prefix("--")?.split_once('=')?;
        (key == name).then(|| value.to_owned())
    });
    value.ok_or_else(|| format!("no --{name}").into())
}

async fn answer(call: RequestBuilder, field: &str) -> Result<String> {
    let answer: Value = call.send().await?.error_for_status()?.json().await?;
    Ok(answer[field].as_str().ok_or("no token")?.to_owned())
}
