//! The two names that make a cloud: where Entra is, and how registries end.

use pullpass::Error;
use url::Url;

use crate::registry::Suffix;

/// A URL of a host alone, with TLS.
///
/// # Errors
/// Of kind Config, in words that name `named_by`.
pub(crate) fn parse_authority(text: &str, named_by: &str) -> Result<Url, Error> {
    let url = Url::parse(text).ok().filter(|url| {
        let is_bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        url.scheme() == "https" && url.host().is_some() && is_bare
    });
    url.ok_or_else(|| {
        Error::config(format!("{named_by} is not an `https://` URL with a host only")).with_hint(
            "write for example `https://login.microsoftonline.com`; AD FS, which has a path, is \
             not supported",
        )
    })
}

/// The ending of a custom cloud's registries.
///
/// # Errors
/// Of kind Config, in words that name `named_by`.
pub(crate) fn parse_suffix(text: &str, named_by: &str) -> Result<Suffix, Error> {
    Suffix::parse(text).ok_or_else(|| {
        Error::config(format!("{named_by} has no valid registry suffix"))
            .with_hint("write for example `--registry-suffix azurecr.my.cloud`")
    })
}
