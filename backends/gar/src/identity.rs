//! An access token of Google's, for whoever asks.

mod impersonation;
mod key;
mod metadata;
mod sts;

use pullpass::{Context, Error};

use crate::grant::Grant;
use crate::settings::Settings;
use crate::who::Who;

/// What the token is good for: everything that IAM allows. Registries want this scope, or that of
/// Cloud Storage for reading, which STS does not know.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The access token of `who`; `None` for nobody.
///
/// # Errors
/// When Google refuses or cannot be reached.
pub(crate) async fn token(
    who: &Who<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<Option<Grant>, Error> {
    let grant = match who {
        Who::Node => metadata::token(who, cx).await?,
        Who::Key(key) => key::token(key, who, cx).await?,
        Who::Pod(pod) => {
            let federated = sts::token(pod, who, settings, cx).await?;
            match pod.service_account {
                Some(email) => {
                    impersonation::token(email, &federated, pod, who, settings, cx).await?
                }
                None => federated,
            }
        }
        Who::Anonymous => return Ok(None),
    };
    Ok(Some(grant))
}
