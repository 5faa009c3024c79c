//! A federated token for the pod's: RFC 8693 at Google's Security Token Service.
//!
//! Source: Security Token Service, "Method: token".

use pullpass::http::SentSecrets;
use pullpass::{Context, Error};
use secrecy::ExposeSecret as _;

use super::SCOPE;
use crate::cure;
use crate::grant::Grant;
use crate::refusal::{self, Refused};
use crate::settings::Settings;
use crate::who::{Pod, Who};

pub(super) async fn token(
    pod: &Pod<'_>,
    who: &Who<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<Grant, Error> {
    // Without an `Authorization` header: with one STS may refuse.
    let call = cx.http.post(settings.sts.clone()).form([
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", pod.token.secret().expose_secret()),
        ("scope", SCOPE),
        ("audience", &pod.pool.audience()),
    ]);
    let reply = call
        .send()
        .await
        .map_err(|error| error.context(format!("Google's STS could not be asked for {who}")))?;
    match reply.is_success() {
        true => Grant::of_oauth(&reply, &cx.clock),
        false => {
            let refused = Refused::read(&reply);
            let cure = cure::of_sts(&refused, pod);
            let sent = SentSecrets::from_secret(pod.token.secret());
            Err(refusal::explain(&refused, &reply, "Google's STS", who, cure, &sent))
        }
    }
}
