//! The node's own credentials, from the sources that every SDK of AWS asks, in their order.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Credential provider chain".

mod imds;
mod profile;

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
use pullpass::{Context, Deadline, Error, causes};
use tracing::debug;

use super::{sts, usable};
use crate::aws::Aws;
use crate::cure;
use crate::refusal::{explain, words};
use crate::roles::Who;
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
    profile::check(env)?;
    let from = aws.sources();
    let mut asked = Asked { aws, had_nothing: Vec::new() };
    // One after the other: none is made before it is needed.
    let environment = EnvironmentVariableCredentialsProvider::new();
    if let Some(found) = asked.ask(ENVIRONMENT, environment.provide_credentials()).await? {
        return Ok(found);
    }
    let profile = ProfileFileCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(PROFILE, profile.provide_credentials()).await? {
        return Ok(found);
    }
    if let (Some(name), Some(why)) = (env.text("AWS_PROFILE")?, asked.last()) {
        profile::refuse_missing(name, why)?;
    }
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(WEB_IDENTITY, web_identity.provide_credentials()).await? {
        return Ok(found);
    }
    let container = EcsCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(CONTAINER, container.provide_credentials()).await? {
        return Ok(found);
    }
    let disabled = env.text("AWS_EC2_METADATA_DISABLED")?;
    let disabled = disabled.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if let Some(found) = asked.ask(IMDS, imds::credentials(from, disabled)).await? {
        return Ok(found);
    }
    Err(asked.nothing(cx.deadline))
}

/// The sources so far.
struct Asked<'a> {
    aws: &'a Aws,
    /// Which had nothing, and why.
    had_nothing: Vec<(&'static str, String)>,
}

impl Asked<'_> {
    async fn ask(
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
                self.had_nothing.push((name, words(&error)));
                Ok(None)
            }
            Err(error) => Err(broken(name, &error, self.aws)),
        }
    }

    /// Why the last one had nothing; empty where the SDK says nothing.
    fn last(&self) -> Option<&str> {
        self.had_nothing.last().map(|(_, why)| why.as_str())
    }

    fn nothing(self, deadline: Deadline) -> Error {
        let why = self.had_nothing.into_iter().map(|(name, why)| match why.as_str() {
            "" => format!("{name}: nothing set up"),
            why => format!("{name}: {why}"),
        });
        let why = why.collect::<Vec<_>>().join("; ");
        // The last one might have answered.
        let error = match deadline.remaining() < TOO_LATE {
            true => Error::unavailable("no time was left to find the node's AWS credentials"),
            false => Error::identity("the node has no AWS credentials"),
        };
        error.because(why).hint(
            "on EC2, give the instance a role and let this node reach 169.254.169.254 (with a hop \
             limit of 2 where the kubelet runs in a container); elsewhere, set `AWS_PROFILE` and \
             `AWS_CONFIG_FILE` in this provider's `env`",
        )
    }
}

/// A source that is set up and does not work.
fn broken(name: &str, error: &CredentialsError, aws: &Aws) -> Error {
    let what = format!("{name} gave no AWS credentials");
    if let Some(refused) = refused_by_sts(error, aws) {
        return refused.during(what);
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
    match (Error::within(error), imds::refusal(error)) {
        (Some(failure), _) => failure.clone().during(what),
        (None, Some((kind, answer))) => Error::new(kind, what).because(answer),
        (None, None) => Error::identity(what).because(words(error)),
    }
    .hint(hint)
}

/// Where the SDK asked STS for a role, its answer.
fn refused_by_sts(error: &CredentialsError, aws: &Aws) -> Option<Error> {
    let asked = sts::asked(&Who::Node, aws);
    causes(error).find_map(|cause| {
        let by_key = cause.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>();
        let by_token = cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError, HttpResponse>>();
        by_key
            .map(|error| explain(error, &asked, cure::nodes_role))
            .or_else(|| by_token.map(|error| explain(error, &asked, cure::nodes_role)))
    })
}
