//! The credentials of a role, from AWS STS.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use pullpass::secrecy::ExposeSecret as _;
use pullpass::{Error, Token};

use super::validate;
use crate::aws::Aws;
use crate::error_codes;
use crate::error_response::{Operation, service_error};
use crate::identity::Identity;
use crate::roles::Role;
use crate::session_name;

/// The role, for a service account's token: `AssumeRoleWithWebIdentity`, without a signature.
pub(super) async fn assume_role_with_web_identity(
    role: &Role,
    token: &Token,
    identity: &Identity<'_>,
    aws: &Aws,
) -> Result<Credentials, Error> {
    let claims = token.claims();
    let answer = aws
        .sts(None)
        .assume_role_with_web_identity()
        .role_arn(&role.arn)
        .role_session_name(session_name::for_claims(claims))
        .web_identity_token(token.secret().expose_secret())
        .send()
        .await
        .map_err(|error| {
            service_error(&error, &operation(identity, aws), |code| {
                error_codes::diagnose_web_identity(code, role, claims)
            })
        })?;
    parse_credentials(answer.credentials, "AssumeRoleWithWebIdentity")
}

/// The role, for other credentials: `AssumeRole`.
pub(super) async fn assume_role(
    role: &Role,
    own: Credentials,
    identity: &Identity<'_>,
    aws: &Aws,
) -> Result<Credentials, Error> {
    let answer = aws
        .sts(Some(own))
        .assume_role()
        .role_arn(&role.arn)
        .role_session_name(session_name::DEFAULT)
        .send()
        .await
        .map_err(|error| {
            service_error(&error, &operation(identity, aws), |code| {
                error_codes::diagnose_assume_role(code, role)
            })
        })?;
    parse_credentials(answer.credentials, "AssumeRole")
}

pub(super) fn operation<'a>(identity: &'a Identity<'a>, aws: &'a Aws) -> Operation<'a> {
    Operation { service: format!("STS in `{}`", aws.sts_region()), identity, aws }
}

fn parse_credentials(
    credentials: Option<aws_sdk_sts::types::Credentials>,
    operation: &'static str,
) -> Result<Credentials, Error> {
    // A missing field comes as an empty text.
    let whole = |given: &aws_sdk_sts::types::Credentials| {
        let parts = [&given.access_key_id, &given.secret_access_key, &given.session_token];
        parts.into_iter().all(|part| !part.is_empty())
    };
    let given = credentials.filter(whole).ok_or_else(|| {
        Error::protocol(format!("STS answered {operation} without credentials"))
            .with_hint("check for a proxy between this node and STS")
    })?;
    let expires = SystemTime::try_from(given.expiration).ok();
    let (key, secret) = (given.access_key_id, given.secret_access_key);
    validate::check(
        "STS",
        Credentials::new(key, secret, Some(given.session_token), expires, operation),
    )
}
