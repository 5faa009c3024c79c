//! The token endpoint for keys of service accounts (Google Identity, "Using OAuth 2.0 for Server to
//! Server Applications"; RFC 7523), and the files that such keys come in.

use std::fmt;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use super::error::{Refusal, json_answer};
use super::front::Served;
use super::token::{Grant, LIFETIME};
use super::{GOOGLE, Google, Service, member};
use crate::fakes::received::Received;
use crate::fakes::rsa;
use crate::jwt;

/// Where a key's assertions go.
pub const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest that an assertion may live, and what a clock may be ahead, in seconds.
const LONGEST: i64 = 3600;
const SKEW: i64 = 60;

/// A key of a service account, as one can download it.
#[derive(Clone)]
pub struct ServiceAccountKey {
    /// Whose key it is.
    pub email: String,
    /// Its name.
    pub id: String,
    pem: String,
    public_key: Vec<u8>,
    token_uri: String,
}

impl ServiceAccountKey {
    /// A new RSA key of 2048 bits.
    ///
    /// # Panics
    /// Without the program `openssl`: ring makes no RSA keys.
    pub fn generate(email: &str) -> Self {
        let pem = rsa::generate();
        let public_key = rsa::pair(&pem).public_key_raw().to_vec();
        let hash = digest(&SHA256, &public_key);
        let id = hash.as_ref()[..20].iter().map(|byte| format!("{byte:02x}")).collect();
        let (email, token_uri) = (email.to_owned(), TOKEN_URI.to_owned());
        Self { email, id, pem, public_key, token_uri }
    }

    /// With another token endpoint in its file, where names cannot be had.
    pub fn token_uri(mut self, url: &str) -> Self {
        url.clone_into(&mut self.token_uri);
        self
    }

    /// The private key, PKCS #8 in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The content of its file.
    pub fn json(&self) -> Value {
        json!({
            "type": "service_account",
            "project_id": "contoso",
            "private_key_id": self.id,
            "private_key": self.pem,
            "client_email": self.email,
            "client_id": "104512345678901234567",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": self.token_uri,
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_x509_cert_url":
                format!("https://www.googleapis.com/robot/v1/metadata/x509/{}", self.email),
            "universe_domain": GOOGLE,
        })
    }
}

impl fmt::Debug for ServiceAccountKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "key {} of {}", self.id, self.email)
    }
}

pub(super) fn answer(google: &Google, received: &Received, id: usize) -> Served {
    if received.path() != "/token" {
        return Err(Refusal::not_found());
    }
    let (form, faults) = received.form();
    if let Some(fault) = faults.first() {
        let message = format!("Bad Request: {fault}");
        return Err(Refusal::oauth("invalid_request", message).because(fault));
    }
    match form.value("grant_type") {
        Some(JWT_BEARER) => {}
        other => {
            let message = format!("Invalid grant_type: {}", other.unwrap_or_default());
            return Err(Refusal::oauth("unsupported_grant_type", message));
        }
    }
    let assertion = form.value("assertion").ok_or_else(|| {
        let message = "Missing required parameter: assertion";
        Refusal::oauth("invalid_request", message).because("no assertion")
    })?;
    let (email, scopes) = verify(google, assertion)?;
    let grant = Grant {
        service: Service::OAuth,
        principal: &member(&email),
        subject: None,
        universe: GOOGLE,
        scopes,
        lifetime: LIFETIME,
    };
    let minted = grant.mint(google, Some(id));
    let mut body = json!({"access_token": minted.value, "token_type": "Bearer"});
    if let Some(expires) = minted.expires {
        body["expires_in"] = expires;
    }
    Ok(json_answer(200, &body))
}

/// Whose assertion that is, and what it asks for.
fn verify(google: &Google, assertion: &str) -> Result<(String, Vec<String>), Refusal> {
    let refused = |message: &str, reason: &str| {
        Refusal::oauth("invalid_grant", message).because(format!("invalid_grant: {reason}"))
    };
    let signature = |reason: &str| refused("Invalid JWT Signature.", reason);
    let (header, claims) =
        jwt::parts(assertion).ok_or_else(|| refused("Bad Request", "not a JWT"))?;
    let text = |name: &str| claims[name].as_str().unwrap_or_default();
    let keys = google.keys_of(text("iss"));
    if keys.is_empty() {
        return Err(refused("Invalid grant: account not found", "account"));
    }
    // By name, so that a client that names none is noticed; Google would try them all.
    let key = keys.iter().find(|key| header["kid"] == key.id.as_str());
    let key = key.ok_or_else(|| signature("key"))?;
    if !rsa::signed_by(assertion, &key.public_key, &["RS256"]) {
        return Err(signature("signature"));
    }
    if text("aud") != key.token_uri {
        let message =
            format!("Invalid JWT: Failed audience check. The right audience is {TOKEN_URI}");
        return Err(refused(&message, "audience"));
    }
    let now = google.now();
    let (issued, ends) = (claims["iat"].as_i64(), claims["exp"].as_i64());
    let in_time = issued.zip(ends).is_some_and(|(issued, ends)| {
        issued <= now + SKEW && ends > now && ends > issued && ends - issued <= LONGEST
    });
    if !in_time {
        let message = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a \
                       reasonable timeframe. Check your iat and exp values in the JWT claim.";
        return Err(refused(message, "time"));
    }
    // Another subject needs domain-wide delegation, which no domain has here.
    if !claims["sub"].is_null() && text("sub") != key.email {
        let message = "Client is unauthorized to retrieve access tokens using this method, or \
                       client not authorized for any of the scopes requested.";
        return Err(Refusal::oauth("unauthorized_client", message));
    }
    if text("scope").is_empty() {
        let message = "Invalid OAuth scope or ID token audience provided.";
        return Err(Refusal::oauth("invalid_scope", message));
    }
    let scopes = text("scope").split(' ').map(str::to_owned).collect();
    Ok((key.email.clone(), scopes))
}
