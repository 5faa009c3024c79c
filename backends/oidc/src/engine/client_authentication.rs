//! How the client itself authenticates at the token endpoint (RFC 6749 §2.3).

use std::path::Path;
use std::time::Duration;

use pullpass::http::RequestBuilder;
use pullpass::{Context, Error, SigningKey, file};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::profile::{ClientAuth, PrivateKey};

/// How long a client's assertion is valid: for one call.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What the client adds to a call.
#[derive(Default)]
pub(crate) struct Authentication {
    fields: Vec<(&'static str, SecretString)>,
    basic: Option<(String, SecretString)>,
    /// The secret in them.
    secret: Option<SecretString>,
    /// Whether the server may accept it only once.
    once: bool,
}

/// What `client` adds to a call of `endpoint`.
///
/// # Errors
/// Config, when the file of a secret or a key cannot be used.
pub(crate) fn prepare(
    client: &ClientAuth,
    endpoint: &Url,
    pod_token: &str,
    cx: &Context,
) -> Result<Authentication, Error> {
    let mut ready = Authentication::default();
    match client {
        ClientAuth::None => {}
        ClientAuth::Public(id) => ready.fields.push(("client_id", id.as_str().into())),
        ClientAuth::Post(named) => {
            let secret = read_client_secret(&named.file)?;
            ready.fields.push(("client_id", named.client_id.as_str().into()));
            ready.fields.push(("client_secret", secret.clone()));
            ready.secret = Some(secret);
        }
        // Both are form-encoded before they are joined (RFC 6749 §2.3.1).
        ClientAuth::Basic(named) => {
            let secret = read_client_secret(&named.file)?;
            let password = form_encoded(secret.expose_secret());
            ready.basic = Some((form_encoded(&named.client_id), password.into()));
            ready.secret = Some(secret);
        }
        ClientAuth::PrivateKey(key) => {
            let assertion = sign_assertion(key, endpoint, cx)?;
            ready.assert(Some(&key.client_id), assertion.clone());
            ready.secret = Some(assertion);
            ready.once = true;
        }
        ClientAuth::PodToken(id) => ready.assert(id.as_deref(), pod_token.into()),
    }
    Ok(ready)
}

impl Authentication {
    fn assert(&mut self, client_id: Option<&str>, assertion: SecretString) {
        self.fields.extend(client_id.map(|id| ("client_id", id.into())));
        self.fields.push(("client_assertion_type", ASSERTION_TYPE.into()));
        self.fields.push(("client_assertion", assertion));
    }

    /// The fields that it adds to the body.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.expose_secret()))
    }

    /// Adds the header, where the method has one, and names the secret.
    pub(crate) fn apply<'a>(&self, call: RequestBuilder<'a>) -> RequestBuilder<'a> {
        let call = match &self.basic {
            Some((id, secret)) => call.basic(id, secret),
            None => call,
        };
        match &self.secret {
            Some(secret) => call.secret(secret),
            None => call,
        }
    }

    /// Whether the server accepts it once (`jti`).
    pub(crate) fn is_once(&self) -> bool {
        self.once
    }
}

/// `private_key_jwt` (OpenID Connect Core 1.0 §9).
fn sign_assertion(key: &PrivateKey, endpoint: &Url, cx: &Context) -> Result<SecretString, Error> {
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.into());
    let signer = SigningKey::from_pem_file(&key.file)
        .map_err(|error| error.with_hint("`exchange.clientAuth.keyFile` names the file"))?;
    let signer = match key.algorithm {
        Some("RS256") => signer.with_rs256(),
        _ => signer,
    };
    if key.algorithm.is_some_and(|asked| asked != signer.algorithm()) {
        return Err(Error::config(format!(
            "the key `{}` signs with {}, not with the `algorithm` of the profile",
            key.file.display(),
            signer.algorithm()
        ))
        .with_hint("RS256 and PS256 are for RSA keys, ES256 is for keys of the curve P-256"));
    }
    let header = key.key_id.as_deref().map(|id| text(("kid", id)));
    let audience = key.audience.as_deref().unwrap_or(endpoint.as_str());
    let claims =
        [("iss", key.client_id.as_str()), ("sub", key.client_id.as_str()), ("aud", audience)];
    signer.sign_jwt(
        header.into_iter().collect(),
        claims.map(text).into_iter().collect(),
        cx.clock.now(),
        ASSERTION_LIFETIME,
    )
}

fn read_client_secret(path: &Path) -> Result<SecretString, Error> {
    file::read_secret(path)
        .map_err(|error| error.with_hint("`exchange.clientAuth.secretFile` names this file"))
}

fn form_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
