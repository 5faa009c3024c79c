//! A service account's token for a federated one.
//!
//! Source: IAM Service Account Credentials API, "Method:
//! projects.serviceAccounts.generateAccessToken".

use pullpass::http::SentSecrets;
use pullpass::{Context, Error};
use serde_json::json;
use url::Url;

use super::SCOPE;
use crate::cure;
use crate::grant::Grant;
use crate::refusal::{self, Refused};
use crate::settings::Settings;
use crate::who::{Pod, Who};

pub(super) async fn token(
    email: &str,
    federated: &Grant,
    pod: &Pod<'_>,
    who: &Who<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<Grant, Error> {
    let api = settings.iam_credentials.as_str().trim_end_matches('/');
    let url =
        Url::parse(&format!("{api}/v1/projects/-/serviceAccounts/{email}:generateAccessToken"))
            .map_err(|_| Error::config("the service account cannot be part of a URL"))?;
    let body = json!({"scope": [SCOPE], "lifetime": format!("{}s", settings.lifetime.as_secs())});
    let call = cx.http.post(url).bearer(&federated.token).json(&body);
    let reply = call.send().await.map_err(|error| {
        error.context(format!("Google's IAM could not be asked for a token of {who}"))
    })?;
    match reply.is_success() {
        true => Grant::of_iam(&reply, &cx.clock),
        false => {
            let refused = Refused::read(&reply);
            let cure = cure::of_iam(&refused, email, pod);
            let sent = SentSecrets::from_secret(&federated.token);
            Err(refusal::explain(&refused, &reply, "Google's IAM", who, cure, &sent))
        }
    }
}
