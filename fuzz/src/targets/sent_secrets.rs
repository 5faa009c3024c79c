//! The rule of sent secrets: whatever is around it, a secret that a server repeats in one of the
//! listed encodings is not printed.

use pullpass::http::{SentSecrets, WITHHELD};

use crate::encodings::encodings;

/// Enough that the text around it, which may change its first and last characters, leaves a part.
const SHORTEST: usize = 40;

/// The number of the encoding, the secret, and the texts before and after it, divided by NUL.
pub fn run(input: &[u8]) {
    let Some((number, rest)) = input.split_first() else { return };
    let Ok(rest) = std::str::from_utf8(rest) else { return };
    let mut parts = rest.split('\0');
    let mut next = || parts.next().unwrap_or_default();
    let (secret, before, after) = (next(), next(), next());
    let is_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    if !(SHORTEST..=300).contains(&secret.len()) || !secret.chars().all(is_token) {
        return;
    }
    let plain = secret.chars().filter(char::is_ascii_alphanumeric).count();
    if plain < SHORTEST || before.len() > 300 {
        return;
    }
    let encodings = encodings(secret);
    let (name, encoded) = &encodings[usize::from(*number) % encodings.len()];
    let sent = SentSecrets::default();
    sent.remember(secret);
    for words in [format!("{before}{encoded}{after}"), format!("{before} {encoded} {after}")] {
        let [quoted] = sent.quote([&words]);
        assert!(quoted == WITHHELD, "{name}: {words:?} as {quoted:?}");
    }
    let [first, second] = sent.quote([before, encoded]);
    assert!(second == WITHHELD, "{name} in the second of two fields: {first:?} {second:?}");
}
