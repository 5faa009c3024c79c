//! A service account's token for a federated one.
//!
//! Source: IAM Service Account Credentials API, "Method:
//! projects.serviceAccounts.generateAccessToken".

use pullpass::http::SentSecrets;
use pullpass::{Context, Error};
use serde_json::json;
use url::Url;

use super::access_token::{AccessToken, SCOPE};
use crate::error_codes;
use crate::error_response::{self, ErrorBody};
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
        false => {
            let body = ErrorBody::read(&reply);
            let diagnosis = error_codes::diagnose_iam(&body, email, pod);
            let sent = SentSecrets::from_secret(&federated.secret);
            Err(error_response::explain(&body, &reply, "Google's IAM", identity, diagnosis, &sent))
        }
    }
}
