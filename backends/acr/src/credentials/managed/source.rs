//! Which service gives out this machine's identities.
//!
//! Source: Azure Identity, "ManagedIdentityCredential": the same order.

use std::path::Path;

use pullpass::http::{is_loopback, is_metadata};
use pullpass::{Context, Error};
use secrecy::SecretString;
use url::Url;

/// The agent of an Arc-enabled server, where it says nothing else.
const HIMDS: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
/// Where the agent is installed.
const HIMDS_BINARY: &str = "/opt/azcmagent/bin/himds";

/// The service that returns tokens for this machine's identities.
pub(super) enum Source {
    AppService { endpoint: Url, header: SecretString },
    Arc { endpoint: Url },
    Imds,
}

impl Source {
    /// Looks in the same order as Azure's own libraries.
    ///
    /// # Errors
    /// Of kind Config, when the environment names a service that is not supported, or not on
    /// this machine.
    pub(super) fn find(cx: &Context) -> Result<Self, Error> {
        let endpoint = cx.env.text("IDENTITY_ENDPOINT")?;
        let header = cx.env.text("IDENTITY_HEADER")?;
        if endpoint.is_some() && cx.env.os("IDENTITY_SERVER_THUMBPRINT").is_some() {
            return Err(not_supported("Service Fabric", "IDENTITY_SERVER_THUMBPRINT"));
        }
        match (endpoint, header) {
            (Some(endpoint), Some(header)) => {
                let endpoint = parse_local(endpoint)?;
                Ok(Self::AppService { endpoint, header: header.into() })
            }
            _ if cx.env.os("MSI_ENDPOINT").is_some() => {
                Err(not_supported("Cloud Shell or Azure Machine Learning", "MSI_ENDPOINT"))
            }
            (Some(endpoint), None) if cx.env.os("IMDS_ENDPOINT").is_some() => {
                Ok(Self::Arc { endpoint: parse_local(endpoint)? })
            }
            _ if Path::new(HIMDS_BINARY).exists() => {
                Ok(Self::Arc { endpoint: parse_local(HIMDS)? })
            }
            _ => Ok(Self::Imds),
        }
    }
}

fn not_supported(what: &str, variable: &str) -> Error {
    Error::config(format!("managed identities of {what} are not supported"))
        .with_hint(format!("`{variable}` is set in this provider's environment: unset it"))
}

/// A URL on this machine: a secret must not leave it.
fn parse_local(endpoint: &str) -> Result<Url, Error> {
    let url = Url::parse(endpoint).ok().filter(|url| url.host().is_some()).ok_or_else(|| {
        Error::config("`IDENTITY_ENDPOINT` is not a URL")
            .with_hint("App Service and Arc set it; on a virtual machine unset it")
    })?;
    match is_loopback(&url) || is_metadata(&url) {
        true => Ok(url),
        false => Err(Error::config("`IDENTITY_ENDPOINT` is not on this machine").with_hint(
            "an Arc agent listens on `http://localhost:40342`, App Service on a link-local address",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_stays_on_this_machine() {
        for (endpoint, fits) in [
            ("http://localhost:40342/metadata", true),
            ("http://127.0.0.1:40342/metadata", true),
            ("http://[::1]:40342/metadata", true),
            ("http://evil.example/metadata", false),
            ("http://169.254.129.3:8081/msi/token", true),
            ("http://10.0.0.4/metadata", false),
        ] {
            assert_eq!(parse_local(endpoint).is_ok(), fits, "{endpoint}");
        }
    }
}
