//! The registry's token, for AWS credentials: `GetAuthorizationToken` of Amazon ECR, and of
//! ECR Public, whose answer has another form.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use pullpass::Error;
use pullpass::secrecy::SecretString;

use crate::aws::Aws;
use crate::error_codes;
use crate::error_response::{Operation, service_error};
use crate::identity::Identity;
use crate::registry::Registry;

/// The registry's token.
pub(crate) struct AuthorizationToken {
    /// User name and password, as a basic authentication header has them.
    pub(crate) token: SecretString,
    /// When it expires; AWS documents 12 hours, and always sends it.
    pub(crate) expires: Option<SystemTime>,
}

/// Fetches the registry's token.
///
/// # Errors
/// When AWS refuses, cannot be reached, or sends no token.
pub(crate) async fn fetch_token(
    registry: &Registry,
    credentials: Credentials,
    identity: &Identity<'_>,
    aws: &Aws,
) -> Result<AuthorizationToken, Error> {
    let operation = Operation { service: registry.to_string(), identity, aws };
    let diagnose = |code: &str| error_codes::diagnose_authorization_token(code, registry, identity);
    let (token, expires) = match registry {
        Registry::Private(_) => {
            let call = aws.ecr(credentials).get_authorization_token();
            let answer =
                call.send().await.map_err(|error| service_error(&error, &operation, diagnose))?;
            let data = answer.authorization_data.unwrap_or_default().into_iter().next();
            let data = data.ok_or_else(|| missing(registry, "authorization data"))?;
            (data.authorization_token, data.expires_at)
        }
        Registry::Public { .. } => {
            let call = aws.ecr_public(credentials).get_authorization_token();
            let answer =
                call.send().await.map_err(|error| service_error(&error, &operation, diagnose))?;
            let data = answer.authorization_data;
            let data = data.ok_or_else(|| missing(registry, "authorization data"))?;
            (data.authorization_token, data.expires_at)
        }
    };
    let token = token.filter(|token| !token.is_empty());
    Ok(AuthorizationToken {
        token: token.ok_or_else(|| missing(registry, "an authorization token"))?.into(),
        expires: expires.and_then(|expires| SystemTime::try_from(expires).ok()),
    })
}

fn missing(registry: &Registry, what: &str) -> Error {
    Error::protocol(format!("{registry} answered without {what}")).with_hint(
        "check for a proxy between this node and AWS that changes answers: AWS itself always sends it",
    )
}
