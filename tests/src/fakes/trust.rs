//! Whom a registry's token server lets in: the one question "whose password is this".

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::verify::Verifier;

/// The kind of password that is believed.
#[derive(Clone)]
pub enum Trust {
    /// A JWT by this issuer: a pod's own token (passthrough), or an exchange server's.
    Jwt(Verifier),
    /// An opaque token, which its issuer is asked about (RFC 7662).
    Introspection {
        /// The introspection endpoint.
        url: String,
        /// The audience that the token must be for.
        audience: String,
        /// The client that asks.
        client: reqwest::Client,
    },
    /// Whatever its issuer remembers: it says whose password that is, or why it is not believed.
    Known(Arc<Whose>),
}

/// The subject that a password proves, or why it is not trusted.
type Whose = dyn Fn(&str) -> Result<String, String> + Send + Sync;

impl Trust {
    /// The subject that a password proves.
    ///
    /// # Errors
    /// Why it is not trusted, without the password.
    pub async fn subject(&self, password: &str) -> Result<String, String> {
        let claims = match self {
            Self::Jwt(verifier) => {
                verifier.verify(password).await.map_err(|refusal| refusal.to_string())?
            }
            Self::Introspection { url, audience, client } => {
                introspect(client, url, audience, password).await?
            }
            Self::Known(whose) => return whose(password),
        };
        claims["sub"].as_str().map(str::to_owned).ok_or_else(|| "names no subject".to_owned())
    }
}

async fn introspect(
    client: &reqwest::Client,
    url: &str,
    audience: &str,
    token: &str,
) -> Result<Value, String> {
    let request = client.post(url).form(&[("token", token)]).timeout(Duration::from_secs(5));
    let response = request.send().await.map_err(|error| error.without_url().to_string())?;
    let claims: Value = response.json().await.map_err(|error| error.without_url().to_string())?;
    if claims["active"] != true {
        return Err("not an active token".to_owned());
    }
    if claims["aud"] != audience {
        return Err("meant for another audience".to_owned());
    }
    Ok(claims)
}
