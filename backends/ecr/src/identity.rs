//! Who asks, as AWS knows him: credentials for the pod, for the node in a role, or for the
//! node.

mod node;
mod sts;

use aws_credential_types::Credentials;
use pullpass::{Env, Error};

use crate::aws::Aws;
use crate::roles::Who;

/// The credentials of `who`.
///
/// # Errors
/// When there are none, and when STS refuses the role.
pub(crate) async fn credentials(who: &Who<'_>, aws: &Aws, env: &Env) -> Result<Credentials, Error> {
    match who {
        Who::Pod(role, token) => sts::by_web_identity(role, token, who, aws).await,
        Who::NodeInRole(role) => {
            let own = node::credentials(aws, env).await?;
            sts::by_credentials(role, own, who, aws).await
        }
        Who::Node => node::credentials(aws, env).await,
    }
}
