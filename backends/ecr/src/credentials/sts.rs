//! A role, by AWS STS.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use pullpass::{Error, Token};
use secrecy::ExposeSecret as _;

use super::usable;
use crate::aws::Aws;
use crate::error_codes;
use crate::error_response::{Asked, explain};
use crate::roles::{Role, Who};
use crate::session_name;

/// The role, for a service account's token: `AssumeRoleWithWebIdentity`, without a signature.
pub(super) async fn by_web_identity(
    role: &Role,
    token: &Token,
    who: &Who<'_>,
    aws: &Aws,
) -> Result<Credentials, Error> {
    let claims = token.claims();
    let answer = aws
        .sts(None)
        .assume_role_with_web_identity()
        .role_arn(&role.arn)
        .role_session_name(session_name::name(claims))
        .web_identity_token(token.secret().expose_secret())
        .send()
        .await
        .map_err(|error| {
            explain(&error, &asked(who, aws), |code| error_codes::web_identity(code, role, claims))
        })?;
    granted(answer.credentials, "AssumeRoleWithWebIdentity")
}

/// The role, for other credentials: `AssumeRole`.
pub(super) async fn by_credentials(
    role: &Role,
    own: Credentials,
    who: &Who<'_>,
    aws: &Aws,
) -> Result<Credentials, Error> {
    let answer = aws
        .sts(Some(own))
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(session_name::UNNAMED)
        .send()
        .await
        .map_err(|error| {
            explain(&error, &asked(who, aws), |code| error_codes::assume_role(code, role))
        })?;
    granted(answer.credentials, "AssumeRole")
}

pub(super) fn asked<'a>(who: &'a Who<'a>, aws: &'a Aws) -> Asked<'a> {
    Asked { service: format!("STS in `{}`", aws.sts_region()), who, aws }
}

fn granted(
    credentials: Option<aws_sdk_sts::types::Credentials>,
    operation: &'static str,
) -> Result<Credentials, Error> {
    // What is missing within them comes as an empty text.
    let whole = |given: &aws_sdk_sts::types::Credentials| {
        let parts = [&given.access_key_id, &given.secret_access_key, &given.session_token];
        parts.into_iter().all(|part| !part.is_empty())
    };
    let given = credentials.filter(whole).ok_or_else(|| {
        Error::protocol(format!("STS answered {operation} without credentials"))
            .with_hint("check what stands between this node and STS")
    })?;
    let expires = SystemTime::try_from(given.expiration).ok();
    let (key, secret) = (given.access_key_id, given.secret_access_key);
    usable("STS", Credentials::new(key, secret, Some(given.session_token), expires, operation))
}
