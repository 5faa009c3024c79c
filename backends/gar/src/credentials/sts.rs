//! A federated token, in exchange for the pod's: RFC 8693 at Google's Security Token Service.
//!
//! Source: Security Token Service, "Method: token".

use pullpass::{Context, Error};
use secrecy::ExposeSecret as _;

use super::access_token::{AccessToken, SCOPE};
use crate::error_codes::diagnose_sts;
use crate::error_response::read_error;
use crate::identity::{Identity, Pod};
use crate::settings::Settings;

pub(super) async fn token(
    pod: &Pod<'_>,
    identity: &Identity<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<AccessToken, Error> {
    // Without an `Authorization` header: STS may refuse requests that have one.
    let call = cx.http.post(settings.sts.clone()).secret(pod.token.secret()).form([
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", pod.token.secret().expose_secret()),
        ("scope", SCOPE),
        ("audience", &pod.pool.audience()),
    ]);
    let reply = call.send().await.map_err(|error| {
        error.context(format!("cannot get a token from Google's STS for {identity}"))
    })?;
    match reply.is_success() {
        true => AccessToken::from_oauth(&reply, &cx.clock),
        false => Err(read_error(&reply, "Google's STS", identity, |body| diagnose_sts(body, pod))),
    }
}
