//! How an identity gets AWS credentials: the pod with its token, the node in a role with the node's
//! own credentials, and the node from its sources.

mod child;
mod imds;
mod node;
mod process;
mod source;
mod source_error;
mod sts;
mod validate;

use aws_credential_types::Credentials;
use pullpass::{Context, Error};

use crate::aws::Aws;
use crate::identity::Identity;
use crate::settings::Settings;

/// The credentials of `identity`.
///
/// # Errors
/// When there are none, and when STS refuses the role.
pub(crate) async fn obtain(
    identity: &Identity<'_>,
    settings: &Settings,
    aws: &Aws,
    cx: &Context,
) -> Result<Credentials, Error> {
    let environment = &settings.environment;
    match identity {
        Identity::Pod(role, token) => {
            sts::assume_role_with_web_identity(role, token, identity, aws).await
        }
        Identity::NodeInRole(role) => {
            let own = node::credentials(environment, aws, cx).await?;
            sts::assume_role(role, own, identity, aws).await
        }
        Identity::Node => node::credentials(environment, aws, cx).await,
    }
}
