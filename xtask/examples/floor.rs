//! The least that a plugin's calls cost: blocking sockets and rustls with one trusted root, only
//! for the cases of `bench_server`. `cargo xtask bench` compares the plugins with it.
//!
//! `floor CASE ROOT ARGUMENT...` reads a plugin's request from stdin, makes the plugin's calls with
//! its arguments and environment, and prints the last answer's token. It has no proxy, no retry,
//! no deadline and no DNS, and it checks only the status.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a plain program, on purpose")]

#[path = "floor/aws.rs"]
mod aws;
#[path = "floor/http.rs"]
mod http;

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use self::http::{Client, form};

const GOOGLE_SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const AZURE_AUDIENCE: &str = "https://containerregistry.azure.net";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let plugin = env::args().nth(1).ok_or("usage: floor PLUGIN ROOT ARGUMENT...")?;
    let client = Client::new(env::args().nth(2).ok_or("no root")?.into());
    let request: Value = serde_json::from_reader(io::stdin())?;
    let token = match plugin.as_str() {
        "acr" => acr(&client, &request)?,
        "ecr" => aws::login(&client, &request)?,
        "gar" => gar(&client, &request)?,
        _ => oidc(&client, &request)?,
    };
    println!("{token}");
    Ok(())
}

fn acr(client: &Client, request: &Value) -> Result<String> {
    let tenant = env::var("AZURE_TENANT_ID")?;
    let token = match request["serviceAccountToken"].as_str() {
        None => {
            let endpoint = env::var("IDENTITY_ENDPOINT")?;
            let url = format!("{endpoint}?api-version=2019-08-01&resource={AZURE_AUDIENCE}");
            let header = env::var("IDENTITY_HEADER")?;
            field(&client.get(&url, &[("x-identity-header", &header)])?, "access_token")?
        }
        Some(token) => {
            let id = &request["serviceAccountAnnotations"]["kubernetes.azure.com/acr-client-id"];
            let body = form(&[
                ("grant_type", "client_credentials"),
                ("client_id", id.as_str().ok_or("no client ID")?),
                ("scope", &format!("{AZURE_AUDIENCE}/.default")),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", token),
            ]);
            let authority = env::var("AZURE_AUTHORITY_HOST")?;
            let url = format!("{authority}{tenant}/oauth2/v2.0/token");
            field(&client.post_form(&url, &body)?, "access_token")?
        }
    };
    let image = request["image"].as_str().ok_or("no image")?;
    let (registry, _) = image.split_once('/').ok_or("no registry")?;
    let (service, _) = registry.split_once(':').ok_or("no port")?;
    let body = form(&[
        ("grant_type", "access_token"),
        ("service", service),
        ("access_token", &token),
        ("tenant", &tenant),
    ]);
    let url = format!("https://{registry}/oauth2/exchange");
    field(&client.post_form(&url, &body)?, "refresh_token")
}

fn gar(client: &Client, request: &Value) -> Result<String> {
    let Some(token) = request["serviceAccountToken"].as_str() else {
        return match env::var("GOOGLE_APPLICATION_CREDENTIALS") {
            Ok(file) => gar_by_key(client, &file),
            Err(_) => {
                let host = env::var("GCE_METADATA_HOST")?;
                let path = "computeMetadata/v1/instance/service-accounts/default/token";
                let header = [("metadata-flavor", "Google")];
                field(&client.get(&format!("http://{host}/{path}"), &header)?, "access_token")
            }
        };
    };
    let body = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", token),
        ("scope", GOOGLE_SCOPE),
        ("audience", &format!("//iam.googleapis.com/{}", option("workload-identity-provider")?)),
    ]);
    let federated = field(&client.post_form(&option("sts-url")?, &body)?, "access_token")?;
    let account = &request["serviceAccountAnnotations"]["iam.gke.io/gcp-service-account"];
    let Some(email) = account.as_str() else { return Ok(federated) };
    let api = option("iam-credentials-url")?;
    let url = format!("{api}/v1/projects/-/serviceAccounts/{email}:generateAccessToken");
    let body = json!({"scope": [GOOGLE_SCOPE], "lifetime": "3600s"}).to_string();
    let bearer = format!("Bearer {federated}");
    let headers = [("content-type", "application/json"), ("authorization", &*bearer)];
    field(&client.post(&url, &headers, &body)?, "accessToken")
}

fn gar_by_key(client: &Client, file: &str) -> Result<String> {
    let file: Value = serde_json::from_slice(&fs::read(file)?)?;
    let text = |name: &str| file[name].as_str().ok_or("an incomplete key");
    let (email, url) = (text("client_email")?, text("token_uri")?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let header = json!({"alg": "RS256", "typ": "JWT", "kid": text("private_key_id")?});
    let claims = json!({
        "iss": email, "sub": email, "aud": url, "scope": GOOGLE_SCOPE, "iat": now, "exp": now + 600,
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let key = PrivatePkcs8KeyDer::from_pem_slice(text("private_key")?.as_bytes())?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| "no RSA key")?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| "ring cannot sign")?;
    let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let body = form(&[("grant_type", grant), ("assertion", &assertion)]);
    field(&client.post_form(url, &body)?, "access_token")
}

fn oidc(client: &Client, request: &Value) -> Result<String> {
    let token = request["serviceAccountToken"].as_str().ok_or("no token")?;
    let profile = fs::read_to_string(env::args().nth(4).ok_or("no profile")?)?;
    let Some((_, rest)) = profile.split_once("endpoint: \"") else { return Ok(token.to_owned()) };
    let (endpoint, rest) = rest.split_once('"').ok_or("no endpoint")?;
    let audience = rest.split([' ', '}', ',']).nth(3).ok_or("no audience")?;
    let body = form(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", token),
        ("audience", audience),
    ]);
    field(&client.post_form(endpoint, &body)?, "access_token")
}

/// The value of `--name=value`.
fn option(name: &str) -> Result<String> {
    let value = env::args().find_map(|argument| {
        let (key, value) = argument.strip_prefix("--")?.split_once('=')?;
        (key == name).then(|| value.to_owned())
    });
    value.ok_or_else(|| format!("no --{name}").into())
}

fn field(answer: &str, name: &str) -> Result<String> {
    let answer: Value = serde_json::from_str(answer)?;
    Ok(answer[name].as_str().ok_or("no token")?.to_owned())
}
