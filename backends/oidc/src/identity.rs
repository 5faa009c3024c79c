//! Checks that the pod's token is for this profile, before it is sent anywhere.

use pullpass::{Error, Token};

use crate::profile::{ExpectedToken, Profile};

/// Checks audience and issuer. The signature is the server's to check.
///
/// # Errors
/// Identity, naming what the token says and what the profile expects.
pub(crate) fn check_token(
    token: &Token,
    expected: &ExpectedToken,
    profile: &Profile,
) -> Result<(), Error> {
    let claims = token.claims();
    if !claims.is_for(&expected.audience) {
        return Err(Error::identity(format!(
            "the service account token is for the audience `{}`, but profile `{}` expects `{}`",
            claims.audience.join("`, `"),
            profile.name,
            expected.audience
        ))
        .with_hint("make `tokenAttributes.serviceAccountTokenAudience` and the profile's `serviceAccountToken.audience` the same"));
    }
    if let Some(issuer) = expected.issuer.as_deref().filter(|issuer| *issuer != claims.issuer) {
        return Err(Error::identity(format!(
            "the service account token is from the issuer `{}`, but profile `{}` expects `{issuer}`",
            claims.issuer, profile.name
        ))
        .with_hint("correct the profile's `serviceAccountToken.issuer`, or use the profile of this cluster"));
    }
    Ok(())
}

/// The kubelet sent no token.
pub(crate) fn missing_token(profile: &Profile) -> Error {
    Error::identity(format!(
        "the request has no service account token, and profile `{}` needs one",
        profile.name
    ))
    .with_hint("set `tokenAttributes` on this provider in the CredentialProviderConfig; static pods have no token; on the command line, `probe` needs `--token-file`")
}
