//! The secrets that were sent in this run. A server's words that repeat a part of one are not
//! printed.
//!
//! A server may echo what it was sent, in any form in which programs write bytes:
//! escaped, encoded, reversed, cut into pieces. So both sides are first converted to one normal
//! form (see [`normal_form`](super::normal_form)), and a short common run is enough to withhold
//! the words.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret as _, SecretString};

use super::decode::decode;
use super::normal_form::{self, fold};
use crate::text::{cut_and_mask, fold_space};

/// The longest text of a server that is repeated, in characters.
const LONGEST_QUOTE: usize = 300;

/// How much of a server's text is compared, in characters.
const SEARCHED: usize = 4096;

/// A common run of this many letters and digits is not a coincidence. (As many as fit a `u64`.)
const RUN: usize = size_of::<u64>();

/// The same, in what a text may be an encoding of: there, short common runs are often coincidence.
const DECODED_RUN: usize = 12;

/// A part of an `Authorization` header that is not one token is a secret from this length on:
/// a signature is, a date, a region and the name of an algorithm are not.
const SHORTEST_CREDENTIAL: usize = 32;

/// What is printed instead of words that repeat a secret.
pub const WITHHELD: &str = "(not shown: the server's words repeat a secret)";

/// What was sent. Clones share it: all clients of one run remember together.
#[derive(Clone, Default)]
pub struct SentSecrets(Arc<Mutex<Vec<SecretString>>>);

impl SentSecrets {
    /// Remembers a secret. An empty text is ignored.
    pub fn remember(&self, secret: &str) {
        let mut secrets = self.lock();
        let is_new = secrets.iter().all(|known| known.expose_secret() != secret);
        if !secret.is_empty() && is_new {
            secrets.push(secret.into());
        }
    }

    /// Remembers a password, and what HTTP Basic makes of it (RFC 7617).
    pub fn remember_basic(&self, user: &str, password: &str) {
        self.remember(password);
        let pair = Zeroizing::new(format!("{user}:{password}"));
        self.remember(&Zeroizing::new(STANDARD_NO_PAD.encode(pair.as_bytes())));
    }

    /// Remembers the secrets in the value of an `Authorization` header (RFC 9110 §11.6.2): the one
    /// token after the scheme, or if there are several parts, those as long as a signature.
    pub(super) fn remember_authorization(&self, value: &str) {
        let (_, credentials) = value.split_once(' ').unwrap_or(("", value));
        match is_token68(credentials) {
            true => self.remember(credentials),
            false => credentials
                .split([' ', ',', '=', '"'])
                .filter(|part| part.len() >= SHORTEST_CREDENTIAL && !part.contains(['/', ';']))
                .for_each(|part| self.remember(part)),
        }
    }

    /// The words of one answer in printable form: each on one line and shortened; or, if together
    /// they repeat a part of a secret, [`WITHHELD`] for each that is not empty.
    pub fn quote<const N: usize>(&self, words: [&str; N]) -> [String; N] {
        match self.occur_in(&words) {
            true => words.map(|words| match words.trim().is_empty() {
                true => String::new(),
                false => WITHHELD.to_owned(),
            }),
            false => words.map(|words| cut_and_mask(&fold_space(words), LONGEST_QUOTE)),
        }
    }

    /// Whether these texts, alone or one after the other, hold a secret, or a part of one that is
    /// too long for a coincidence.
    pub fn occur_in(&self, texts: &[&str]) -> bool {
        let secrets = self.lock();
        if secrets.is_empty() {
            return false;
        }
        // What is beyond is never printed, and a megabyte would take seconds to compare. Space is
        // folded first, as for printing: else much of it would push a secret beyond.
        let searched = |text: &&str| fold_space(text).chars().take(SEARCHED).collect::<String>();
        let texts = texts.iter().map(searched);
        let whole = Zeroizing::new(texts.collect::<Vec<_>>().join("\n"));
        let secrets: Vec<_> =
            secrets.iter().map(|secret| Secret::new(secret.expose_secret())).collect();
        let text = Text::new([whole.as_str()]);
        if secrets.iter().any(|secret| secret.is_in(&whole, &text)) {
            return true;
        }
        // What cannot be compared is not printed.
        let Some(decoded) = decode(&whole) else { return true };
        let text = Text::new(decoded.iter().map(String::as_str));
        secrets.iter().any(|secret| secret.has_run_in(&text, DECODED_RUN))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SecretString>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether all of it is one token (RFC 9110 §11.2).
fn is_token68(credentials: &str) -> bool {
    let token = credentials.trim_end_matches('=');
    !token.is_empty() && token.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~+/".contains(&c))
}

/// A server's text, ready to be compared.
struct Text {
    /// All readings, forwards and backwards.
    readings: Vec<Vec<u8>>,
    /// Every run in them.
    runs: HashSet<u64>,
}

impl Text {
    fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut readings: Vec<_> = texts.into_iter().flat_map(normal_form::readings).collect();
        let reversed: Vec<_> =
            readings.iter().map(|text| text.iter().rev().copied().collect()).collect();
        readings.extend(reversed);
        let runs = readings.iter().flat_map(|reading| runs(reading)).collect();
        Self { readings, runs }
    }
}

/// A secret, ready to be compared.
struct Secret<'a> {
    whole: &'a str,
    forms: Vec<Zeroizing<Vec<u8>>>,
}

impl<'a> Secret<'a> {
    fn new(whole: &'a str) -> Self {
        Self { whole, forms: forms(whole) }
    }

    /// Whether `whole` holds the secret, or a form of the secret has a run in common with a
    /// reading of `whole`. `text` holds these readings.
    fn is_in(&self, whole: &str, text: &Text) -> bool {
        if fold(self.whole).is_empty() {
            // It has neither letters nor digits, so only the text itself can be searched for.
            return whole.contains(self.whole);
        }
        let mut short = self.forms.iter().filter(|form| form.len() < RUN);
        let is_read = |form: &[u8]| {
            text.readings.iter().any(|text| text.windows(form.len()).any(|it| it == form))
        };
        short.any(|form| is_read(form)) || self.has_run_in(text, RUN)
    }

    /// Whether `length` bytes in sequence of a form, or all of a shorter one, are in `text`.
    fn has_run_in(&self, text: &Text, length: usize) -> bool {
        self.forms.iter().any(|form| {
            let needed = length.min(form.len()) + 1 - RUN.min(form.len());
            let mut found = 0;
            runs(form).any(|run| {
                found = if text.runs.contains(&run) { found + 1 } else { 0 };
                found >= needed
            })
        })
    }
}

/// Every [`RUN`] bytes in sequence, as one number.
fn runs(bytes: &[u8]) -> impl Iterator<Item = u64> {
    let mut last = 0_u64;
    bytes.iter().enumerate().filter_map(move |(index, byte)| {
        last = last << 8 | u64::from(*byte);
        (index + 1 >= RUN).then_some(last)
    })
}

/// With each letter moved by half the alphabet: ROT13.
fn rotate(text: &str) -> Zeroizing<String> {
    let rotate = |c: char| match c {
        'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
        _ => c,
    };
    Zeroizing::new(text.chars().map(rotate).collect())
}

/// A secret in the forms in which programs write bytes, forwards and backwards, each folded.
fn forms(secret: &str) -> Vec<Zeroizing<Vec<u8>>> {
    let bytes = secret.as_bytes();
    let reversed: Zeroizing<Vec<u8>> = Zeroizing::new(bytes.iter().rev().copied().collect());
    let wide = |low: bool| {
        let units = secret.encode_utf16();
        let bytes =
            units.flat_map(|unit| if low { unit.to_le_bytes() } else { unit.to_be_bytes() });
        Zeroizing::new(bytes.collect::<Vec<u8>>())
    };
    let (low, high) = (wide(true), wide(false));
    // Of a short one, any few letters would be a coincidence.
    let rotated = Some(fold(&rotate(secret))).filter(|form| form.len() >= RUN);
    let mut forms = vec![Some(fold(secret)), rotated];
    for bytes in [bytes, &reversed, &low, &high] {
        let encode = |bytes: &[u8]| Zeroizing::new(STANDARD_NO_PAD.encode(bytes));
        let base64 = |from| fold(&encode(bytes.get(from..)?)).into();
        let base32 = |from| normal_form::base32(bytes.get(from..)?).into();
        forms.push(Some(normal_form::hex(bytes)));
        // Text before the secret shifts it against the groups of 3 and 5 bytes.
        forms.extend((0..3).map(base64));
        forms.extend((0..5).map(base32));
    }
    let forms = forms.into_iter().flatten().filter(|form| !form.is_empty());
    forms.map(Zeroizing::new).collect()
}

impl fmt::Debug for SentSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentSecrets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(secret: &str) -> SentSecrets {
        let sent = SentSecrets::default();
        sent.remember(secret);
        sent
    }

    #[test]
    fn a_letter_of_a_secret_of_signs_is_not_looked_for_in_rot13() {
        assert!(!sent("s:+% /&").occur_in(&["client authentication failed"]));
        assert!(sent("hunter2-blue").occur_in(&["uhagre2-oyhr"]));
    }

    #[test]
    fn a_part_of_a_secret_is_found_in_every_form() {
        let secret = "hunter2+Blue/moon9";
        for text in [
            "wrong secret hunter2+Blue/moon9 for x",
            "hunter2%2Bblue%2fmoon9",
            "h u n t e r 2 b l u e",
            "9noom/eulB+2retnuh",
            "aHVudGVyMitCbHVlL21vb245",
            "xx aHVudGVyMitCbHVlL21vb245 of an ID",
            "OW5vb20vZXVsQisycmV0bnVo",
            "68756e746572322b",
            "68:75:6E:74:65:72",
            "680075006e00740065007200",
            "aAB1AG4AdABlAHIA",
            "nb2w45dfoizcwqtmovss63lpn5xds",
            "the secret ends in lue/moon9",
        ] {
            assert!(sent(secret).occur_in(&[text]), "{text}");
        }
        let shifted = STANDARD_NO_PAD.encode(format!("a{secret}"));
        assert!(sent(secret).occur_in(&[&shifted]));
        assert!(!sent(secret).occur_in(&["wrong client secret, moon9 is not known"]));
    }

    #[test]
    fn the_words_of_one_answer_are_looked_at_together() {
        let sent = sent("hunter2-blue-moon");
        let quoted = sent.quote(["access_denied hun", "ter2-b is wrong"]);
        assert_eq!(quoted, [WITHHELD, WITHHELD]);
        assert_eq!(sent.quote(["access_denied", "not\nallowed"]), ["access_denied", "not allowed"]);
    }

    #[test]
    fn space_before_an_echo_does_not_hide_it() {
        let sent = sent("hunter2-blue-moon");
        for filler in [" ", "\n", "\u{200b}", "\0", "eyJhbGciOiJSUzI1NiJ9 "] {
            let words = format!("{}hunter2-blue-moon", filler.repeat(5000));
            let [quoted] = sent.quote([&words]);
            assert!(!quoted.contains("hunter2"), "{filler:?}: {quoted}");
        }
    }

    #[test]
    fn short_and_odd_secrets_are_found_whole() {
        assert!(sent("abc").occur_in(&["not abc"]) && !sent("abc").occur_in(&["not ab"]));
        assert!(sent("+-/!").occur_in(&["a +-/! b"]) && !sent("+-/!").occur_in(&["+-/"]));
        assert!(!sent("").occur_in(&["", "a"]));
    }

    #[test]
    fn of_an_authorization_header_the_secret_parts_are_remembered() {
        let sent = SentSecrets::default();
        sent.remember_authorization("Bearer abc.def-ghi");
        assert!(sent.occur_in(&["abcdefghi"]) && !sent.occur_in(&["Bearer"]));

        for value in ["ab/cd+ef/gh12==", "Basic ab/cd+ef/gh12=="] {
            let sent = SentSecrets::default();
            sent.remember_authorization(value);
            assert!(sent.occur_in(&["ab/cd+ef/gh"]), "{value}");
        }

        let sent = SentSecrets::default();
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        sent.remember_authorization(&format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, \
             Signature={signature}"
        ));
        assert!(sent.occur_in(&[signature]));
        assert!(!sent.occur_in(&["Signature expired: 20150830T123600Z is now earlier than \
             20150830T124500Z; Credential should be scoped to us-east-1/iam/aws4_request with \
             AWS4-HMAC-SHA256 and SignedHeaders content-type;host;x-amz-date"]));
    }

    #[test]
    fn long_secrets_and_texts_are_compared_soon() {
        let start = std::time::Instant::now();
        let secret: String =
            (0..10_000_u32).map(|n| format!("{:x}g", n.wrapping_mul(2_654_435_761))).collect();
        let words: String = (0..100_000).map(|n| format!("x%2565.{n}")).collect();
        assert!(!sent(&secret).occur_in(&[&words]));
        // Generous, for a debug build on a busy machine.
        assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
    }
}
