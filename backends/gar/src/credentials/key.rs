//! A service account's token, from its key: a JWT that the key signs (RFC 7523 §2.1).
//!
//! Source: Google Identity, "Using OAuth 2.0 for Server to Server Applications"; AIP-4112.

use std::time::Duration;

use pullpass::{Context, Error, SigningKey};
use secrecy::ExposeSecret as _;

use super::access_token::{AccessToken, SCOPE};
use crate::credentials_file::Key;
use crate::error_codes::diagnose_key;
use crate::error_response::read_error;
use crate::identity::Identity;

/// How long an assertion is valid. Google accepts up to an hour; a call takes seconds.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(600);

pub(super) async fn token(
    key: &Key,
    identity: &Identity<'_>,
    cx: &Context,
) -> Result<AccessToken, Error> {
    let text = |(name, value): (&str, &str)| (name.to_owned(), value.into());
    let claims = [
        ("iss", key.email.as_str()),
        ("sub", key.email.as_str()),
        ("aud", key.token_url.as_str()),
        ("scope", SCOPE),
    ];
    let header = key.key_id.as_deref().map(|id| text(("kid", id)));
    // Google does not support PS256.
    let assertion = SigningKey::from_pem(key.private_key.expose_secret().as_bytes())
        .map(SigningKey::with_rs256)
        .and_then(|signer| {
            // Service accounts only have RSA keys.
            if signer.algorithm() != "RS256" {
                return Err(Error::config("the key is not an RSA key"));
            }
            let claims = claims.map(text).into_iter().collect();
            signer.sign_jwt(
                header.into_iter().collect(),
                claims,
                cx.clock.now(),
                ASSERTION_LIFETIME,
            )
        })
        .map_err(|error| {
            error
                .context(format!("cannot sign with the key of `{}`", key.email))
                .with_hint("create a new one with `gcloud iam service-accounts keys create`")
        })?;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.expose_secret()),
    ];
    let call = cx.http.post(key.token_url.clone()).secret(&assertion).form(form);
    let reply = call
        .send()
        .await
        .map_err(|error| error.context(format!("cannot get a token from Google for {identity}")))?;
    match reply.is_success() {
        true => AccessToken::from_oauth(&reply, &cx.clock),
        false => Err(read_error(&reply, "Google", identity, |body| diagnose_key(body, key))),
    }
}
