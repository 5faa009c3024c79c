//! The node's own credentials, from the sources that every SDK of AWS asks, in their order.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Credential provider chain".

mod profile;

use std::error::Error as StdError;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use pullpass::{Env, Error, causes, one_line};
use tracing::debug;

use crate::aws::Aws;

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
pub(super) async fn credentials(aws: &Aws, env: &Env) -> Result<Credentials, Error> {
    profile::check(env)?;
    let from = aws.sources();
    let mut asked = Asked::default();
    // One after the other: none is made before it is needed.
    if let Some(found) =
        asked.ask(ENVIRONMENT, EnvironmentVariableCredentialsProvider::new()).await?
    {
        return Ok(found);
    }
    let profile = ProfileFileCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(PROFILE, profile).await? {
        return Ok(found);
    }
    if let (Some(name), Some(why)) = (env.text("AWS_PROFILE")?, asked.last()) {
        profile::refuse_missing(name, why)?;
    }
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(WEB_IDENTITY, web_identity).await? {
        return Ok(found);
    }
    let container = EcsCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(CONTAINER, container).await? {
        return Ok(found);
    }
    let imds = ImdsCredentialsProvider::builder().configure(from).build();
    if let Some(found) = asked.ask(IMDS, imds).await? {
        return Ok(found);
    }
    Err(asked.nothing())
}

/// The sources that had nothing, and why.
#[derive(Default)]
struct Asked(Vec<(String, String)>);

impl Asked {
    async fn ask(
        &mut self,
        name: &str,
        source: impl ProvideCredentials,
    ) -> Result<Option<Credentials>, Error> {
        match source.provide_credentials().await {
            Ok(credentials) => {
                debug!("the node's credentials come from {name}");
                Ok(Some(credentials))
            }
            Err(error @ CredentialsError::CredentialsNotLoaded(_)) => {
                self.0.push((name.to_owned(), words(&error)));
                Ok(None)
            }
            Err(error) => Err(broken(name, &error)),
        }
    }

    /// Why the last one had nothing; empty where the SDK says nothing.
    fn last(&self) -> Option<&str> {
        self.0.last().map(|(_, why)| why.as_str())
    }

    fn nothing(self) -> Error {
        let why = self.0.into_iter().map(|(name, why)| match why.as_str() {
            "" => format!("{name}: nothing set up"),
            why => format!("{name}: {why}"),
        });
        let why = why.collect::<Vec<_>>().join("; ");
        Error::identity("the node has no AWS credentials").because(why).hint(
            "on EC2, give the instance a role and let this node reach 169.254.169.254 (with a hop \
             limit of 2 where the kubelet runs in a container); elsewhere, set `AWS_PROFILE` and \
             `AWS_CONFIG_FILE` in this provider's `env`",
        )
    }
}

/// A source that is set up and does not work.
fn broken(name: &str, error: &CredentialsError) -> Error {
    let what = format!("{name} gave no AWS credentials");
    let hint = match name {
        ENVIRONMENT => "`AWS_ACCESS_KEY_ID` needs `AWS_SECRET_ACCESS_KEY` beside it",
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
    match Error::within(error) {
        Some(failure) => failure.clone().during(what),
        None => Error::identity(what).because(words(error)),
    }
    .hint(hint)
}

/// What the SDK says of a failure without the words that stand for the one below, in one
/// line. (Its own rendering would print whole replies.)
fn words(error: &(dyn StdError + 'static)) -> String {
    let mut words: Vec<String> = Vec::new();
    for cause in causes(error).map(|cause| one_line(&cause.to_string())) {
        let says_nothing = EMPTY_WORDS.contains(&cause.as_str());
        let repeats = words.last().is_some_and(|last| last.contains(&cause));
        if !says_nothing && !repeats {
            words.push(cause);
        }
    }
    words.join(": ")
}

/// What the SDK puts above the cause that counts.
const EMPTY_WORDS: [&str; 6] = [
    "dispatch failure",
    "io error",
    "user error",
    "service error",
    "the credential provider was not enabled",
    "an error occurred while loading credentials",
];
