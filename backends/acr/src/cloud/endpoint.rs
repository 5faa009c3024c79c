//! The two names that make a cloud: where Entra is, and how registries end.

use pullpass::Error;
use url::Url;

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

/// The ending of a custom cloud's registries: at least two labels, or every host would do.
///
/// # Errors
/// Of kind Config, when it is none.
pub(crate) fn parse_suffix(text: &str, named_by: &str) -> Result<String, Error> {
    let suffix = text.trim_start_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
    };
    match suffix.split('.').count() >= 2 && suffix.split('.').all(is_label) {
        true => Ok(suffix),
        false => Err(Error::config(format!("{named_by} has no valid registry suffix"))
            .with_hint("write for example `--registry-suffix azurecr.my.cloud`")),
    }
}
