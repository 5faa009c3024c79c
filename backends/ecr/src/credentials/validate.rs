//! Whether AWS credentials can be sent.

use aws_credential_types::Credentials;
use pullpass::Error;

/// The credentials of `source`, if a header can hold them: the SDK panics at others, such as
/// those that end in a line break.
///
/// # Errors
/// [`ErrorKind::Identity`](pullpass::ErrorKind::Identity) when the key or the session token has
/// a space or a control character in it.
pub(super) fn check(source: &str, credentials: Credentials) -> Result<Credentials, Error> {
    let fits = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
    match fits(credentials.access_key_id()) && credentials.session_token().is_none_or(fits) {
        true => Ok(credentials),
        false => Err(Error::identity(format!(
            "{source} gave AWS credentials with a space or a line break in them"
        ))
        .with_hint(
            "check the access key and the session token for a space or line break at the \
             end",
        )),
    }
}
