//! From a profile and a request to the registry login.

use pullpass::{Cache, Context, Login, Request};

use crate::engine::{self, Document, Failure, Values};
use crate::exchange::Steps;
use crate::identity;
use crate::profile::{Exchange, Policy, Profile};
use crate::response;

/// The login that a profile gives for a request; `None` where it needs a token, the request has
/// none, and `onMissing` is `empty`.
///
/// # Errors
/// [`Failure::Denied`], when a server denies the exchange; [`Failure::Failed`] for everything else.
pub(crate) async fn log_in(
    profile: &Profile,
    request: &Request,
    cx: &Context,
) -> Result<Option<(Login, Cache)>, Failure> {
    let account = request.service_account.as_ref();
    let token = match (&profile.service_account, account) {
        (None, _) => None,
        (Some(expected), None) => {
            return match expected.on_missing {
                Policy::Empty => Ok(None),
                Policy::Fail => Err(identity::missing_token(profile).into()),
            };
        }
        (Some(expected), Some(account)) => {
            identity::check_token(&account.token, expected, profile)?;
            Some(&account.token)
        }
    };
    let mut values = Values::gather(&profile.variables, request, cx.http.sent_secrets())?;
    let document = match (&profile.exchange, Steps::from_exchange(&profile.exchange)) {
        (_, Some(steps)) => engine::run_steps(&steps, profile, &mut values, cx).await?,
        (Exchange::File(path), None) => Document::from_file(path)?,
        (_, None) => {
            let token = token.ok_or_else(|| identity::missing_token(profile))?;
            return Ok(Some(response::build_passthrough_login(profile, token, &values, cx)?));
        }
    };
    Ok(Some(response::read(&document, profile, &values, cx)?))
}
