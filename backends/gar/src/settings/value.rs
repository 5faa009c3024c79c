//! Values of options.

use pullpass::{Error, Options};
use url::Url;

use crate::credentials_file::https;

/// An `https://` URL without query.
pub(super) fn url(options: &Options, name: &str) -> Result<Option<Url>, Error> {
    let Some(text) = options.non_empty(name) else { return Ok(None) };
    match https(text) {
        Some(url) if url.query().is_none() && url.fragment().is_none() => Ok(Some(url)),
        _ => Err(Error::config(format!("`--{name}` is not an `https://` URL"))
            .with_hint("remove it, unless your network has its own names for Google's APIs")),
    }
}

/// The error for a value that is not one of `values`.
pub(super) fn unknown_value(option: &str, values: &str) -> Error {
    Error::config(format!("`--{option}` must be one of {values}"))
        .with_hint("`--help` shows the default")
}
