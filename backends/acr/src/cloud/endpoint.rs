//! Entra's URL and the registry suffix of a custom cloud.

use pullpass::Error;
use url::Url;

use crate::registry::Suffix;

/// Reads an `https://` URL with a host only.
///
/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config), naming `named_by`.
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

/// Reads the suffix of a custom cloud's registries.
///
/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config), naming `named_by`.
pub(crate) fn parse_suffix(text: &str, named_by: &str) -> Result<Suffix, Error> {
    Suffix::parse(text).ok_or_else(|| {
        Error::config(format!("{named_by} has no valid registry suffix"))
            .with_hint("write for example `--registry-suffix azurecr.my.cloud`")
    })
}
