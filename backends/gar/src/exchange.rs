//! The registry login. Artifact Registry takes Google's access token itself as the password, so
//! no further call is needed.

use pullpass::{Error, ErrorKind, Login};
use secrecy::ExposeSecret as _;

use crate::credentials::AccessToken;
use crate::settings::Settings;

/// The user name that goes with an access token.
/// Source: Artifact Registry, "Configure authentication to Artifact Registry for Docker".
const USER: &str = "oauth2accesstoken";

/// The same in the Go plugin.
const GO_USER: &str = "_token";

/// The login that consists of a token.
///
/// # Errors
/// [`ErrorKind::Protocol`] when the token cannot be a password.
pub(crate) fn login(token: &AccessToken, settings: &Settings) -> Result<Login, Error> {
    let user = match settings.token_username {
        true => GO_USER,
        false => USER,
    };
    Login::new(user, token.secret.expose_secret()).map_err(|error| {
        error
            .with_kind(ErrorKind::Protocol)
            .context(format!(
                "`{}` returned a token that cannot be used as a password",
                token.server
            ))
            .with_hint("unexpected answer: check for a proxy, a login page or a wrong URL")
    })
}
