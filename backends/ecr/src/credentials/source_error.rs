//! A source of the node's credentials that is set up and fails.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use pullpass::{Error, causes};

use super::source::Source;
use super::{imds, sts};
use crate::aws::Aws;
use crate::error_codes;
use crate::error_response::{describe, service_error};
use crate::identity::Identity;

/// The SDK's error, and where it comes from.
pub(super) struct SourceError<'a> {
    pub(super) source: Source,
    pub(super) error: &'a CredentialsError,
    pub(super) aws: &'a Aws,
}

impl SourceError<'_> {
    pub(super) fn into_error(self) -> Error {
        let Self { source, error, .. } = self;
        let what = format!("{source} gave no AWS credentials");
        if let Some(refused) = self.find_sts_error() {
            return refused.context(what);
        }
        match (Error::find_in(error), imds::find_error_response(error)) {
            // Its own hint is about the profile's program, or a server that the profile names.
            (Some(failure), _) if source == Source::Profile => {
                return failure.clone().or_with_hint(source.hint()).context(what);
            }
            (Some(failure), _) => failure.clone().context(what),
            (None, Some((kind, answer))) => Error::new(kind, what).with_source(answer),
            (None, None) => {
                Error::identity(what).with_source(describe(error, self.aws.sent_secrets()))
            }
        }
        .with_hint(source.hint())
    }

    /// The answer of STS, if the SDK asked STS for a role.
    fn find_sts_error(&self) -> Option<Error> {
        let operation = sts::operation(&Identity::Node, self.aws);
        let diagnose = error_codes::diagnose_node_role;
        causes(self.error).find_map(|cause| {
            let by_key = cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>();
            let by_token =
                cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>();
            by_key
                .map(|error| service_error(error, &operation, diagnose))
                .or_else(|| by_token.map(|error| service_error(error, &operation, diagnose)))
        })
    }
}
