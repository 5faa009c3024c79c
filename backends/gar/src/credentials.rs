//! The Google access token of an identity.

mod access_token;
mod impersonation;
mod key;
mod metadata;
mod sts;

use pullpass::{Context, Error};

pub(crate) use self::access_token::AccessToken;
use crate::identity::Identity;
use crate::settings::Settings;

/// Gets the access token of `identity`; `None` for an anonymous pull.
///
/// # Errors
/// When Google refuses or cannot be reached.
pub(crate) async fn access_token(
    identity: &Identity<'_>,
    settings: &Settings,
    cx: &Context,
) -> Result<Option<AccessToken>, Error> {
    let token = match identity {
        Identity::Node => metadata::token(identity, cx).await?,
        Identity::Key(key) => key::token(key, identity, cx).await?,
        Identity::Pod(pod) => {
            // For the second call, while the first call to STS is pending.
            if pod.service_account.is_some()
                && settings.iam_credentials.origin() != settings.sts.origin()
            {
                cx.http.preconnect(&settings.iam_credentials);
            }
            let federated = sts::token(pod, identity, settings, cx).await?;
            match pod.service_account {
                Some(email) => {
                    impersonation::token(email, &federated, pod, identity, settings, cx).await?
                }
                None => federated,
            }
        }
        Identity::Anonymous => return Ok(None),
    };
    Ok(Some(token))
}
