//! Who asks, as AWS knows him: credentials for the pod, for the node in a role, or for the
//! node.

mod node;
mod sts;

use aws_credential_types::Credentials;
use pullpass::{Context, Error};

use crate::aws::Aws;
use crate::roles::Identity;

/// The credentials of `who`.
///
/// # Errors
/// When there are none, and when STS refuses the role.
pub(crate) async fn obtain(
    identity: &Identity<'_>,
    aws: &Aws,
    cx: &Context,
) -> Result<Credentials, Error> {
    match identity {
        Identity::Pod(role, token) => {
            sts::assume_role_with_web_identity(role, token, identity, aws).await
        }
        Identity::NodeInRole(role) => {
            let own = node::credentials(aws, cx).await?;
            sts::assume_role(role, own, identity, aws).await
        }
        Identity::Node => node::credentials(aws, cx).await,
    }
}

/// Refuses a key and a session token that no header can hold, such as those read with the line
/// break behind them: the SDK panics at some.
fn usable(source: &str, credentials: Credentials) -> Result<Credentials, Error> {
    let fits = |text: &str| text.bytes().all(|c| c.is_ascii_graphic());
    match fits(credentials.access_key_id()) && credentials.session_token().is_none_or(fits) {
        true => Ok(credentials),
        false => Err(Error::identity(format!(
            "{source} gave AWS credentials with a space or a line break in them"
        ))
        .with_hint("look at the end of the access key and of the session token")),
    }
}
