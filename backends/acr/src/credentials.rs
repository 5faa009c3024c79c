//! The Entra token, or other credential, of an identity.

mod binding;
mod entra;
mod managed;
mod token_response;
mod transport;

use pullpass::{Context, Error};
use secrecy::SecretString;

use self::entra::Entra;
use crate::cloud::Cloud;
use crate::identity::Identity;
use crate::settings::Proof;

/// The credential of an identity.
pub(crate) enum Credential {
    /// An Entra access token, to be exchanged.
    Token(SecretString),
    /// User and password of the registry itself.
    Login { username: String, password: SecretString },
    /// Nothing.
    Nothing,
}

/// Gets the credential of `identity`.
///
/// # Errors
/// When Entra, or the service that replaces it, refuses or cannot be reached.
pub(crate) async fn credential(
    identity: &Identity<'_>,
    cloud: &Cloud,
    cx: &Context,
) -> Result<Credential, Error> {
    let token = match identity {
        Identity::Pod { client_id, tenant_id, token } => {
            Entra::new(cloud, identity, cx)
                .token_for_assertion(token.secret(), client_id, tenant_id)
                .await?
        }
        Identity::BoundPod { client_id, token, binding, .. } => {
            binding::access_token(binding, client_id, token, identity, cx).await?
        }
        Identity::Managed { id, .. } => managed::access_token(id, identity, cx).await?,
        Identity::Principal { principal, tenant_id } => match &principal.proof {
            Proof::StaticSecret(secret) => {
                let (username, password) = (principal.client_id.clone(), secret.clone());
                return Ok(Credential::Login { username, password });
            }
            _ => Entra::new(cloud, identity, cx).token_for_principal(principal, tenant_id).await?,
        },
        Identity::Anonymous => return Ok(Credential::Nothing),
    };
    Ok(Credential::Token(token))
}
