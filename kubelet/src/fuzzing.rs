//! Only for fuzz targets, which are built with `--cfg fuzzing`.

use crate::config::ExecApiVersion;
use crate::exec::CredentialProviderResponse;
use crate::exec::response::{self, Stage};
use crate::version::Target;

/// Why a plugin's answer is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is not a JSON object: the kubelet's message.
    NotJson(String),
    /// It has another `apiVersion`: the kubelet's message.
    ApiVersion(String),
    /// It does not decode: the reason, which the kubelet does not print.
    Undecodable(String),
}

/// Decodes a plugin's stdout, without a process.
///
/// # Errors
/// Why it is refused.
pub fn response(
    stdout: &[u8],
    api_version: ExecApiVersion,
    target: &Target,
) -> Result<CredentialProviderResponse, Refused> {
    response::read(stdout, api_version, target).map_err(|fault| match fault.stage {
        Stage::Json => Refused::NotJson(fault.message),
        Stage::ApiVersion => Refused::ApiVersion(fault.message),
        Stage::Decode => Refused::Undecodable(fault.detail.unwrap_or_default()),
    })
}
