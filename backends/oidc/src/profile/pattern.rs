//! A regular expression that a whole text must match.

use regex_lite::{Regex, RegexBuilder};
use serde::de::{Deserialize, Deserializer, Error as _};

/// The longest that a compiled pattern is, in bytes: some 1000 characters of a class.
const MAX_SIZE: usize = 128 * 1024;

/// A regular expression that a whole text must match. Its time is linear in the text.
///
/// It is kept as a text that compiles, since it may be a thousand times as long as that, and a run
/// uses few of a file's patterns.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Compiles `text`, to match from the first character to the last.
    ///
    /// # Errors
    /// What the parser says, when `text` is not a regular expression.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        // Alone first: `a)(b` is not one, and would be one in the parentheses below.
        let whole = format!("^(?:{text})$");
        compile(text)
            .and_then(|_| compile(&whole))
            .map_err(|error| format!("not a regular expression: {error}"))?;
        Ok(Self(whole))
    }

    /// What of `text` is used: the group `name`, else the first group, else the whole text; `None`
    /// where the text does not match, or that group did not take part.
    pub(crate) fn extract<'t>(&self, text: &'t str, name: &str) -> Option<&'t str> {
        // It was compiled before.
        let regex = compile(&self.0).ok()?;
        let found = regex.captures(text)?;
        // A group that exists and did not take part gives nothing, not the whole text.
        let group = match regex.capture_names().flatten().any(|known| known == name) {
            true => found.name(name),
            false if regex.captures_len() > 1 => found.get(1),
            false => found.get(0),
        };
        group.map(|group| group.as_str())
    }
}

fn compile(text: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(text).size_limit(MAX_SIZE).build()
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_and_extracts_its_group() {
        let extract = |pattern: &str, text: &'static str| {
            Pattern::parse(pattern).unwrap().extract(text, "region")
        };
        assert_eq!(extract("[a-z]+", "abc"), Some("abc"));
        assert_eq!(extract("[a-z]+", "abc1"), None);
        assert_eq!(extract("a|b", "ab"), None, "an alternative does not match partly");
        assert_eq!(extract("[a-z]+", "abc\n"), None);
        let by_name = "(?<region>[a-z0-9-]+)\\.reg\\.example";
        assert_eq!(extract(by_name, "eu-1.reg.example"), Some("eu-1"));
        assert_eq!(extract("(?:.*/users/)?([^/]+)", "x/users/me"), Some("me"));
        assert_eq!(extract("(?:.*/users/)?([^/]+)", "me"), Some("me"));
        assert_eq!(extract("(?:(?<region>eu|us)|[a-z]+)", "xx"), None);
        assert!(Pattern::parse("a)(b").is_err());
        assert!(Pattern::parse("(").is_err());
        assert!(Pattern::parse("(?x)a # b").is_err(), "the parenthesis would be in the comment");
        assert!(Pattern::parse("[a-z0-9][a-z0-9-]{0,253}[a-z0-9]").is_ok());
        assert!(Pattern::parse("(?:a{1000}){1000}").is_err());
    }
}
