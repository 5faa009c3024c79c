//! The secrets that a call sent: no server's word that holds a part of one is repeated.

use secrecy::{ExposeSecret as _, SecretString};

/// A run of this many characters in common is no chance.
const TELLING: usize = 12;

/// What was sent, in the forms in which it may come back.
#[derive(Default)]
pub(crate) struct Spent(Vec<SecretString>);

impl Spent {
    /// Remembers a secret, as it is and form-encoded.
    pub(crate) fn add(&mut self, secret: &str) {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        self.0.push(secret.into());
        self.0.push(encoded.into());
    }

    /// Whether `text` holds a secret, or a telling part of one, whatever white space is
    /// in between.
    pub(crate) fn is_in(&self, text: &str) -> bool {
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
