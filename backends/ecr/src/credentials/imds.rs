//! The credentials of the instance's role, from the metadata service, which the SDK calls.
//!
//! Source: Amazon EC2 User Guide, "Retrieve security credentials from instance metadata".

use std::error::Error as StdError;

use aws_config::imds::Client;
use aws_config::imds::client::error::{ImdsError, TokenError};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials as _};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use pullpass::http::SentSecrets;
use pullpass::{ErrorKind, causes};

use crate::transport::ResponseUrl;

/// The path of the role's name; the role's credentials are below it.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// Why an instance has no credentials, where it has no role.
pub(super) const NO_ROLE: &str = "the instance has no role";

/// The credentials of the instance's role. The role's name is requested here: the SDK panics at one
/// that no URL can hold, which is what a web page looks like to it.
pub(super) async fn credentials(
    config: &ProviderConfig,
    disabled: bool,
    sent: &SentSecrets,
) -> provider::Result {
    if disabled {
        return Err(CredentialsError::not_loaded("`AWS_EC2_METADATA_DISABLED` is `true`"));
    }
    let client = Client::builder().configure(config).build();
    let role = match client.get(ROLES).await {
        Ok(roles) => match roles.as_ref().lines().next().map(str::trim) {
            // It becomes part of a URL, which is logged.
            Some(role) if is_role(role) && !sent.occur_in(&[role]) => role.to_owned(),
            _ => {
                return Err(CredentialsError::unhandled("its answer is not the name of a role"));
            }
        },
        Err(ImdsError::ErrorResponse(answer)) if answer.response().status().as_u16() == 404 => {
            return Err(CredentialsError::not_loaded(NO_ROLE));
        }
        Err(ImdsError::FailedToLoadToken(token)) if token.is_dispatch_failure() => {
            return Err(CredentialsError::not_loaded(ImdsError::FailedToLoadToken(token)));
        }
        Err(error) => return Err(CredentialsError::provider_error(error)),
    };
    let source = ImdsCredentialsProvider::builder().configure(config).imds_client(client);
    source.profile(role).build().provide_credentials().await
}

/// Whether it can be the name of a role in IAM.
fn is_role(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || b"+=,.@_-".contains(&c))
}

/// The metadata service's answer, if that is what failed. (The SDK's own message for it
/// prints the whole reply, or describes another fault.)
pub(super) fn find_error_response(error: &(dyn StdError + 'static)) -> Option<(ErrorKind, String)> {
    let error = causes(error).find_map(|cause| cause.downcast_ref::<ImdsError>())?;
    let answer = match error {
        ImdsError::ErrorResponse(answer) => answer.response(),
        other => {
            let token = other.source()?.downcast_ref::<SdkError<TokenError, HttpResponse>>()?;
            token.raw_response().filter(|answer| !answer.status().is_success())?
        }
    };
    let kind = match answer.status().is_server_error() {
        true => ErrorKind::Unavailable,
        false => ErrorKind::Identity,
    };
    let url = answer.extension::<ResponseUrl>().map_or("it", |by| by.0.as_str());
    Some((kind, format!("`{url}` answered {}", answer.status().as_u16())))
}
