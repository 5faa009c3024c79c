//! The secrets that a call sent: no server's word that holds a part of one is repeated.

use std::collections::HashSet;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::text::one_line;

/// The longest text of a server that is repeated, in characters.
const LONGEST: usize = 300;

/// How much of a server's text is looked at, in characters.
const SEARCHED: usize = 4096;

/// A run of this many characters in common is no chance.
const TELLING: usize = 12;

/// What was sent, in the forms in which it may come back.
#[derive(Clone, Default)]
pub struct SentSecrets(Vec<SecretString>);

impl SentSecrets {
    /// One secret, as it is and form-encoded.
    pub fn from_secret(secret: &SecretString) -> Self {
        let mut sent = Self::default();
        sent.remember(secret.expose_secret());
        sent
    }

    /// Remembers a secret: as it is, form-encoded and in base64.
    pub fn remember(&mut self, secret: &str) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.0.push(secret.into());
        self.0.push(encoded.into());
        self.0.push(STANDARD.encode(secret).into());
    }

    /// Remembers a password, and what HTTP Basic makes of it (RFC 7617).
    pub fn remember_basic(&mut self, user: &str, password: &str) {
        self.remember(password);
        let pair = SecretString::from(format!("{user}:{password}"));
        self.0.push(STANDARD.encode(pair.expose_secret()).into());
    }

    /// A server's `text` as it may be repeated: one line, short, and not at all where it holds
    /// a secret.
    pub fn quote(&self, text: &str) -> String {
        // What is beyond is not shown, and a megabyte would take seconds to compare.
        let end = text.char_indices().nth(SEARCHED).map_or(text.len(), |(end, _)| end);
        let text = &text[..end];
        match self.occur_in(text) {
            true => "(words that repeat a secret are not shown)".to_owned(),
            false => one_line(text).chars().take(LONGEST).collect(),
        }
    }

    /// Whether `text` holds a secret, or a telling part of one, whatever white space is
    /// in between, and however much of it is percent-encoded.
    pub fn occur_in(&self, text: &str) -> bool {
        let decoded = percent_decode(text);
        let texts = [without_space(text.as_bytes()), without_space(&decoded)];
        self.0.iter().any(|secret| {
            let secret = without_space(secret.expose_secret().as_bytes());
            let length = secret.len().min(TELLING);
            // By a table: a long secret and a long text would take seconds to compare.
            length > 0
                && texts.iter().any(|text| {
                    let parts: HashSet<&[u8]> = text.windows(length).collect();
                    secret.windows(length).any(|part| parts.contains(part))
                })
        })
    }
}

fn without_space(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

/// `%XX` as the byte that it stands for; the rest as it is.
fn percent_decode(text: &str) -> Vec<u8> {
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| *first == b'%').and_then(|it| str::from_utf8(it).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    decoded
}

impl fmt::Debug for SentSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentSecrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_secret_is_found_through_white_space() {
        let mut sent = SentSecrets::default();
        sent.remember("hunter2+blue moon");
        for text in [
            "wrong secret hunter2+blue moon for x",
            "hunter2%2Bblue+moon",
            "hunter2%2bblue%20moon",
            "Basic aHVudGVyMitibHVlIG1vb24=",
            "secret starts with hunter2+blue",
            "h u n t e r 2 + b l u e m",
        ] {
            assert!(sent.occur_in(text), "{text}");
        }
        assert!(!sent.occur_in("wrong client secret"));
        let mut basic = SentSecrets::default();
        basic.remember_basic("me", "hunter2");
        assert!(basic.occur_in("bad header Basic bWU6aHVudGVyMg=="));
        let mut long = SentSecrets::default();
        long.remember(&"abcdefghij".repeat(90_000));
        assert!(!long.occur_in(&"x".repeat(4096)), "and soon");
        let mut short = SentSecrets::default();
        short.remember("abc");
        assert!(short.occur_in("not abc") && !short.occur_in("not ab"));
    }
}
