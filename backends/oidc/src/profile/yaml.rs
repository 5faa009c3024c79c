//! Strict YAML: an unknown field is an error.

use pullpass::one_line;
use serde::de::DeserializeOwned;

/// Reads strict YAML, of which JSON is a part.
///
/// # Errors
/// One line, with the place.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| one_line(&error.to_string()))
}
