//! The node's own credentials, from the sources that every SDK of AWS asks, in their order.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Credential provider chain".

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials as _};
use pullpass::{Context, Deadline, Error, file};
use tracing::debug;

use super::process::Program;
use super::source::Source;
use super::source_error::SourceError;
use super::{imds, validate};
use crate::aws::Aws;
use crate::environment::Environment;
use crate::error_response::describe;
use crate::transport::TOO_LATE;

/// The credentials of the first source that has any.
///
/// # Errors
/// [`ErrorKind::Identity`](pullpass::ErrorKind::Identity) when no source has any; and the error
/// of a source that is set up and fails: the credentials of the next one may be another
/// identity's.
pub(super) async fn credentials(
    environment: &Environment,
    aws: &Aws,
    cx: &Context,
) -> Result<Credentials, Error> {
    let config = aws.sources();
    let mut chain = SourceChain { aws, reasons: Vec::new() };
    // In sequence: none is built before it is needed.
    let variables = EnvironmentVariableCredentialsProvider::new();
    if let Some(found) = chain.ask(Source::Environment, variables.provide_credentials()).await? {
        return Ok(found);
    }
    let profiles = aws.profiles();
    let mut profile = ProfileFileCredentialsProvider::builder()
        .configure(config)
        .profile_files(profiles.files.clone())
        .profile_name(profiles.name.clone());
    for (name, command) in &profiles.programs {
        let program = Program::new(command.clone(), cx.deadline);
        profile = profile.with_custom_provider(name.clone(), program);
    }
    let profile = profile.build();
    if let Some(found) = chain.ask(Source::Profile, profile.provide_credentials()).await? {
        return Ok(found);
    }
    profiles.check_next_source(chain.last_reason().unwrap_or_default())?;
    // An empty variable is treated as unset; the SDK would use the empty value.
    if has_web_identity(environment)? {
        let source = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
        if let Some(found) = chain.ask(Source::WebIdentity, source.provide_credentials()).await? {
            return Ok(found);
        }
    } else {
        chain.skip(Source::WebIdentity);
    }
    if has_container_endpoint(environment)? {
        let source = EcsCredentialsProvider::builder().configure(config).build();
        if let Some(found) = chain.ask(Source::Container, source.provide_credentials()).await? {
            return Ok(found);
        }
    } else {
        chain.skip(Source::Container);
    }
    let instance = imds::credentials(config, environment.metadata_disabled, aws.sent_secrets());
    if let Some(found) = chain.ask(Source::Imds, instance).await? {
        return Ok(found);
    }
    Err(chain.no_credentials(environment, cx.deadline))
}

/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when only half of it is set, or the token's
/// file cannot be read.
fn has_web_identity(environment: &Environment) -> Result<bool, Error> {
    let Some(path) = &environment.web_identity_token_file else { return Ok(false) };
    if !environment.has_web_identity_role {
        return Err(Error::config("`AWS_WEB_IDENTITY_TOKEN_FILE` is set without `AWS_ROLE_ARN`")
            .with_hint("set both in this provider's `env`, or neither"));
    }
    let hint = "`AWS_WEB_IDENTITY_TOKEN_FILE` names the token's file on the node";
    file::read(path).map(|_| true).map_err(|error| error.with_hint(hint))
}

/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config) when the token's file cannot be read.
fn has_container_endpoint(environment: &Environment) -> Result<bool, Error> {
    if let Some(path) = &environment.container_token_file {
        let hint = "`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names the token's file on the node";
        file::read(path).map_err(|error| error.with_hint(hint))?;
    }
    Ok(environment.has_container_endpoint)
}

/// The sources that were tried so far.
struct SourceChain<'a> {
    aws: &'a Aws,
    /// Which had no credentials, and why; an empty reason where the source is not set up.
    reasons: Vec<(Source, String)>,
}

impl SourceChain<'_> {
    async fn ask(
        &mut self,
        source: Source,
        answer: impl Future<Output = provider::Result>,
    ) -> Result<Option<Credentials>, Error> {
        debug!("asking {source} for the node's credentials");
        match answer.await {
            Ok(credentials) => {
                debug!("the node's credentials come from {source}");
                validate::check(&source.to_string(), credentials).map(Some)
            }
            Err(error @ CredentialsError::CredentialsNotLoaded(_)) => {
                self.reasons.push((source, describe(&error, self.aws.sent_secrets())));
                Ok(None)
            }
            Err(error) => Err(SourceError { source, error: &error, aws: self.aws }.into_error()),
        }
    }

    fn skip(&mut self, source: Source) {
        self.reasons.push((source, String::new()));
    }

    /// Why the last one had no credentials; empty if it is not set up.
    fn last_reason(&self) -> Option<&str> {
        self.reasons.last().map(|(_, reason)| reason.as_str())
    }

    fn no_credentials(self, environment: &Environment, deadline: Deadline) -> Error {
        let hint = match self.last_reason() {
            _ if environment.metadata_disabled => {
                "`AWS_EC2_METADATA_DISABLED` turns the metadata service off; set `AWS_PROFILE` and \
                 `AWS_CONFIG_FILE` in this provider's `env`"
            }
            Some(imds::NO_ROLE) => "attach an instance profile with the role to this instance",
            _ => {
                "on EC2, give the instance a role and let this node reach 169.254.169.254 (with a \
                 hop limit of 2 where the kubelet runs in a container); elsewhere, set \
                 `AWS_PROFILE` and `AWS_CONFIG_FILE` in this provider's `env`"
            }
        };
        let reasons = self.reasons.into_iter().map(|(source, reason)| match reason.as_str() {
            // The SDK's words for the environment.
            "" | "environment variable not set" => format!("{source}: not set up"),
            reason => format!("{source}: {reason}"),
        });
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        // The last one might have answered.
        let error = match deadline.remaining() < TOO_LATE {
            true => Error::unavailable("no time was left to find the node's AWS credentials"),
            false => Error::identity("the node has no AWS credentials"),
        };
        error.with_source(reasons).with_hint(hint)
    }
}
