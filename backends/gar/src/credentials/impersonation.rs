//! A service account's token, in exchange for a federated token.
//!
//! Source: IAM Service Account Credentials API, "Method:
//! projects.serviceAccounts.generateAccessToken".

use pullpass::{Context, Error};
use serde_json::json;
use url::Url;

use super::access_token::{AccessToken, SCOPE};
use crate::error_codes::diagnose_iam;
use crate::error_response::read_error;
use crate::identity::{Identity, Pod};
use crate::settings::Settings;

pub(super) async fn token(
    email: &str,
    federated: &AccessToken,
    pod: &Pod<'_>,
    identity: &Identity<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<AccessToken, Error> {
    let api = settings.iam_credentials.as_str().trim_end_matches('/');
    let url =
        Url::parse(&format!("{api}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"))
            .map_err(|_| Error::config("the service account cannot be part of a URL"))?;
    let body = json!({"scope": [SCOPE], "lifetime": format!("{}s", settings.lifetime.as_secs())});
    let call = cx.http.post(url).bearer(&federated.secret).json(&body);
    let reply = call.send().await.map_err(|error| {
        error.context(format!("cannot get a token from Google's IAM for {identity}"))
    })?;
    match reply.is_success() {
        true => AccessToken::from_iam(&reply, &cx.clock),
        false => Err(read_error(&reply, "Google's IAM", identity, |body| {
            diagnose_iam(reply.status(), body, email, pod)
        })),
    }
}
