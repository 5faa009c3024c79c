//! The pod's token must be for this profile before it is sent anywhere.

use pullpass::{Error, Token};

use crate::profile::{Expected, Profile};

const OWN_AUDIENCE: &str = "configure an audience of its own for the registry, or set `serviceAccountToken.allowApiServerAudience: true`";

/// Checks audience and issuer. The signature is the server's to check.
///
/// # Errors
/// Identity, naming what the token says and what the profile expects.
pub(crate) fn check(token: &Token, expected: &Expected, profile: &Profile) -> Result<(), Error> {
    let claims = token.claims();
    if !claims.is_for(&expected.audience) {
        return Err(Error::identity(format!(
            "the service account token is for the audience `{}`, profile `{}` expects `{}`",
            claims.audience.join("`, `"),
            profile.name,
            expected.audience
        ))
        .with_hint("make `tokenAttributes.serviceAccountTokenAudience` and the profile's `serviceAccountToken.audience` the same"));
    }
    if let Some(issuer) = expected.issuer.as_deref().filter(|issuer| *issuer != claims.issuer) {
        return Err(Error::identity(format!(
            "the service account token is from the issuer `{}`, profile `{}` expects `{issuer}`",
            claims.issuer, profile.name
        ))
        .with_hint("correct the profile's `serviceAccountToken.issuer`, or use the profile of this cluster"));
    }
    if expected.allow_api_server_audience {
        return Ok(());
    }
    // The kubelet asks for tokens with one audience. One more may be the API server's.
    if let Some(other) = claims.audience.iter().find(|other| **other != expected.audience) {
        return Err(Error::identity(format!(
            "the service account token is also for the audience `{other}` and is not sent elsewhere",
        ))
        .with_hint(OWN_AUDIENCE));
    }
    token.check_not_for_api_server().map_err(|error| error.with_hint(OWN_AUDIENCE))
}

/// The kubelet sent no token.
pub(crate) fn missing(profile: &Profile) -> Error {
    Error::identity(format!(
        "the request has no service account token, profile `{}` needs one",
        profile.name
    ))
    .with_hint("set `tokenAttributes` on this provider in the CredentialProviderConfig; static pods have no token; by hand, `probe` takes `--token-file`")
}
