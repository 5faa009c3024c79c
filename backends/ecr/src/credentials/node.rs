//! The node's own credentials, from the sources that every SDK of AWS asks, in their order.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Credential provider chain".

mod imds;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials as _};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use pullpass::{Context, Deadline, Env, Error, causes, file};
use tracing::debug;

use super::{sts, usable};
use crate::aws::Aws;
use crate::error_codes;
use crate::error_response::{describe, service_error};
use crate::roles::Identity;
use crate::transport::TOO_LATE;

/// What each source is called in messages.
const ENVIRONMENT: &str = "environment variables";
const PROFILE: &str = "the profile";
const WEB_IDENTITY: &str = "`AWS_WEB_IDENTITY_TOKEN_FILE`";
const CONTAINER: &str = "the container credentials endpoint";
const IMDS: &str = "the instance metadata service";

/// The credentials of the first source that has any.
///
/// # Errors
/// Of kind Identity, when no source has any, or one is set up and does not work: the ones
/// after it might be somebody else's.
pub(super) async fn credentials(aws: &Aws, cx: &Context) -> Result<Credentials, Error> {
    let env = &cx.env;
    let from = aws.sources();
    let mut chain = SourceChain { aws, without_credentials: Vec::new() };
    // One after the other: none is made before it is needed.
    let environment = EnvironmentVariableCredentialsProvider::new();
    if let Some(found) = chain.try_source(ENVIRONMENT, environment.provide_credentials()).await? {
        return Ok(found);
    }
    let profiles = aws.profiles();
    let profile = ProfileFileCredentialsProvider::builder()
        .configure(from)
        .profile_files(profiles.files.clone())
        .profile_name(profiles.name.clone())
        .build();
    if let Some(found) = chain.try_source(PROFILE, profile.provide_credentials()).await? {
        return Ok(found);
    }
    profiles.refuse_without_credentials(chain.last_reason().unwrap_or_default())?;
    // Set to nothing, a variable counts as unset; the SDK would take it at its word.
    if has_web_identity(env)? {
        let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(from).build();
        if let Some(found) =
            chain.try_source(WEB_IDENTITY, web_identity.provide_credentials()).await?
        {
            return Ok(found);
        }
    } else {
        chain.without_credentials.push((WEB_IDENTITY, String::new()));
    }
    if has_container_endpoint(env)? {
        let container = EcsCredentialsProvider::builder().configure(from).build();
        if let Some(found) = chain.try_source(CONTAINER, container.provide_credentials()).await? {
            return Ok(found);
        }
    } else {
        chain.without_credentials.push((CONTAINER, String::new()));
    }
    let disabled = env.text("AWS_EC2_METADATA_DISABLED")?;
    let disabled = disabled.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if let Some(found) = chain.try_source(IMDS, imds::credentials(from, disabled)).await? {
        return Ok(found);
    }
    Err(chain.no_credentials(cx.deadline))
}

/// # Errors
/// Of kind Config, when only half of it is set, or the token's file cannot be read.
fn has_web_identity(env: &Env) -> Result<bool, Error> {
    let Some(path) = env.os("AWS_WEB_IDENTITY_TOKEN_FILE") else { return Ok(false) };
    if env.os("AWS_ROLE_ARN").is_none() {
        return Err(Error::config("`AWS_WEB_IDENTITY_TOKEN_FILE` is set without `AWS_ROLE_ARN`")
            .with_hint("set both in this provider's `env`, or neither"));
    }
    let hint = "`AWS_WEB_IDENTITY_TOKEN_FILE` names the token's file on the node";
    file::read(path.as_ref()).map(|_| true).map_err(|error| error.with_hint(hint))
}

/// # Errors
/// Of kind Config, when the token's file cannot be read.
fn has_container_endpoint(env: &Env) -> Result<bool, Error> {
    if let Some(path) = env.os("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        let hint = "`AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` names the token's file on the node";
        file::read(path.as_ref()).map_err(|error| error.with_hint(hint))?;
    }
    let names = ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    Ok(names.iter().any(|name| env.os(name).is_some()))
}

/// The sources so far.
struct SourceChain<'a> {
    aws: &'a Aws,
    /// Which had nothing, and why.
    without_credentials: Vec<(&'static str, String)>,
}

impl SourceChain<'_> {
    async fn try_source(
        &mut self,
        name: &'static str,
        answer: impl Future<Output = provider::Result>,
    ) -> Result<Option<Credentials>, Error> {
        debug!("asking {name} for the node's credentials");
        match answer.await {
            Ok(credentials) => {
                debug!("the node's credentials come from {name}");
                usable(name, credentials).map(Some)
            }
            Err(error @ CredentialsError::CredentialsNotLoaded(_)) => {
                self.without_credentials.push((name, describe(&error)));
                Ok(None)
            }
            Err(error) => Err(source_error(name, &error, self.aws)),
        }
    }

    /// Why the last one had nothing; empty where the SDK says nothing.
    fn last_reason(&self) -> Option<&str> {
        self.without_credentials.last().map(|(_, why)| why.as_str())
    }

    fn no_credentials(self, deadline: Deadline) -> Error {
        let hint = match self.last_reason() {
            Some(last) if last.contains("AWS_EC2_METADATA_DISABLED") => {
                "the metadata service is switched off by `AWS_EC2_METADATA_DISABLED`; set \
                 `AWS_PROFILE` and `AWS_CONFIG_FILE` in this provider's `env`"
            }
            Some(last) if last.contains("has no role") => {
                "attach an instance profile with the role to this instance"
            }
            _ => {
                "on EC2, give the instance a role and let this node reach 169.254.169.254 (with a \
                 hop limit of 2 where the kubelet runs in a container); elsewhere, set \
                 `AWS_PROFILE` and `AWS_CONFIG_FILE` in this provider's `env`"
            }
        };
        let why = self.without_credentials.into_iter().map(|(name, why)| match why.as_str() {
            "" => format!("{name}: nothing set up"),
            why => format!("{name}: {why}"),
        });
        let why = why.collect::<Vec<_>>().join("; ");
        // The last one might have answered.
        let error = match deadline.remaining() < TOO_LATE {
            true => Error::unavailable("no time was left to find the node's AWS credentials"),
            false => Error::identity("the node has no AWS credentials"),
        };
        error.with_source(why).with_hint(hint)
    }
}

/// A source that is set up and does not work.
fn source_error(name: &str, error: &CredentialsError, aws: &Aws) -> Error {
    let what = format!("{name} gave no AWS credentials");
    if let Some(refused) = find_sts_error(error, aws) {
        return refused.context(what);
    }
    let hint = match name {
        ENVIRONMENT => "check `AWS_ACCESS_KEY_ID` and what belongs to it",
        PROFILE => {
            "check `AWS_PROFILE` and `AWS_CONFIG_FILE`; without them the kubelet's `HOME` decides \
             which files are read, and under systemd it may have none"
        }
        WEB_IDENTITY => "check `AWS_ROLE_ARN`, the token file, and the role's trust policy",
        CONTAINER => "check `AWS_CONTAINER_CREDENTIALS_FULL_URI` and its token, and the agent",
        _ => {
            "check the instance's role and metadata options: IMDSv2 on, and a hop limit of 2 \
             where the kubelet runs in a container"
        }
    };
    let words = describe(error);
    match (Error::find_in(error), imds::find_error_response(error)) {
        (Some(failure), _) => failure.clone().context(what),
        (None, Some((kind, answer))) => Error::new(kind, what).with_source(answer),
        // What the program wrote may be a secret, and the SDK repeats it.
        (None, None) if name == PROFILE && words.contains("external process") => {
            let why = match exit_status(&words) {
                Some(status) => format!("the program of `credential_process` exited with {status}"),
                None => "the program of `credential_process` printed no credentials".to_owned(),
            };
            return Error::identity(what).with_source(why).with_hint(
                "run it by hand as the kubelet's user, with this provider's `env`; what it \
                 writes is not shown, for it may be a secret",
            );
        }
        (None, None) => Error::identity(what).with_source(words),
    }
    .with_hint(hint)
}

/// The number in the SDK's words for a program that failed: all of them that is no secret.
fn exit_status(words: &str) -> Option<u8> {
    let (_, rest) = words.split_once("exit status: ")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// Where the SDK asked STS for a role, its answer.
fn find_sts_error(error: &CredentialsError, aws: &Aws) -> Option<Error> {
    let operation = sts::operation(&Identity::Node, aws);
    causes(error).find_map(|cause| {
        let by_key = cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>();
        let by_token =
            cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>();
        by_key
            .map(|error| service_error(error, &operation, error_codes::diagnose_node_role))
            .or_else(|| {
                by_token
                    .map(|error| service_error(error, &operation, error_codes::diagnose_node_role))
            })
    })
}
