//! The secrets that a call sent: no server's word that holds a part of one is repeated.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};

use crate::redact::one_line;

/// The longest text of a server that is repeated, in characters.
const LONGEST: usize = 300;

/// How much of a server's text is looked at, in characters.
const SEARCHED: usize = 4096;

/// A run of this many characters in common is no chance.
const TELLING: usize = 12;

/// What was sent, in the forms in which it may come back.
#[derive(Clone, Default)]
pub struct Spent(Vec<SecretString>);

impl Spent {
    /// One secret, as it is and form-encoded.
    pub fn one(secret: &SecretString) -> Self {
        let mut spent = Self::default();
        spent.add(secret.expose_secret());
        spent
    }

    /// Remembers a secret, as it is and form-encoded.
    pub fn add(&mut self, secret: &str) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.0.push(secret.into());
        self.0.push(encoded.into());
    }

    /// A server's `text` as it may be repeated: one line, short, and not at all where it holds
    /// a secret.
    pub fn quote(&self, text: &str) -> String {
        // What is beyond is not shown, and a megabyte would take seconds to compare.
        let end = text.char_indices().nth(SEARCHED).map_or(text.len(), |(end, _)| end);
        let text = &text[..end];
        match self.is_in(text) {
            true => "(words that repeat a secret are not shown)".to_owned(),
            false => one_line(text).chars().take(LONGEST).collect(),
        }
    }

    /// Whether `text` holds a secret, or a telling part of one, whatever white space is
    /// in between.
    fn is_in(&self, text: &str) -> bool {
        let text: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        self.0.iter().any(|secret| {
            let secret: Vec<u8> =
                secret.expose_secret().bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            let length = secret.len().min(TELLING);
            length > 0
                && secret
                    .windows(length)
                    .any(|part| text.windows(length).any(|other| other == part))
        })
    }
}

impl fmt::Debug for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_secret_is_found_through_white_space() {
        let mut spent = Spent::default();
        spent.add("hunter2+blue moon");
        for text in [
            "wrong secret hunter2+blue moon for x",
            "hunter2%2Bblue+moon",
            "secret starts with hunter2+blue",
            "h u n t e r 2 + b l u e m",
        ] {
            assert!(spent.is_in(text), "{text}");
        }
        assert!(!spent.is_in("wrong client secret"));
        let mut short = Spent::default();
        short.add("abc");
        assert!(short.is_in("not abc") && !short.is_in("not ab"));
    }
}
