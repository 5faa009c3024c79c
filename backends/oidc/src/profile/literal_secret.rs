//! Secrets that a profile file holds in plain text, told by the names of their fields. They belong
//! into files of their own: a profile is shown by `explain`, copied and committed.

use super::address::Address;
use super::step::{Body, Json};
use super::template::Template;

/// The first field of a request whose name says that it is a secret, and whose value is written out.
pub(super) fn find<'a>(address: Option<&'a Address>, body: &'a Body) -> Option<&'a str> {
    let query = address.map(Address::query).unwrap_or_default();
    find_in_pairs(query).or_else(|| match body {
        Body::None => None,
        Body::Form(fields) => find_in_pairs(fields),
        Body::Json(json) => find_in_json(json),
    })
}

/// The error about such a field.
pub(super) fn describe(field: &str) -> String {
    format!("`{field}` is a secret in the profile file: put it into its own file (`fromFile`)")
}

/// The same as [`find`], in parameters.
pub(super) fn find_in_pairs(pairs: &[(String, Template)]) -> Option<&str> {
    let secret = pairs.iter().find(|(name, value)| is_secret(name) && is_literal(value));
    secret.map(|(name, _)| name.as_str())
}

fn find_in_json(json: &Json) -> Option<&str> {
    match json {
        Json::Text(_) | Json::Other(_) => None,
        Json::Array(items) => items.iter().find_map(find_in_json),
        Json::Object(fields) => fields.iter().find_map(|(name, value)| match value {
            Json::Text(text) if is_secret(name) && is_literal(text) => Some(name.as_str()),
            value => find_in_json(value),
        }),
    }
}

fn is_literal(template: &Template) -> bool {
    template.as_text().is_some_and(|text| !text.is_empty())
}

/// Whether a field of that name is one for a secret: `client_secret`, `apiKey`, `refresh-token`.
fn is_secret(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    let parts = ["password", "passwd", "secret", "apikey", "privatekey", "credential"];
    parts.iter().any(|part| name.contains(part))
        || name.ends_with("token")
        || matches!(name.as_str(), "key" | "sig" | "signature" | "pass" | "pwd")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets() {
        for name in ["client_secret", "apiKey", "api-key", "PASSWORD", "refresh_token", "key"] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["subject_token_type", "grant_type", "audience", "keyId", "connector_id"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
