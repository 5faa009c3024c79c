//! Takes the secrets that are known in this look-up out of foreign texts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use pullpass::http::SentSecrets;
use pullpass::secrecy::{ExposeSecret as _, SecretString};
use pullpass_kubelet::Lookup;

/// What is shown in place of a secret.
pub(super) const REDACTED: &str = "REDACTED";

/// What is shown in place of a text that repeats a secret in another form.
const WITHHELD: &str = "(not shown: it repeats a part of a secret; `--show-secrets` shows it)";

/// In bytes. A shorter secret is taken out only where it is a word, since it may also be a part
/// of words.
const SHORTEST: usize = 6;

/// Knows the look-up's secrets.
pub(super) struct Redactor {
    show: bool,
    secrets: Vec<SecretString>,
    sent: SentSecrets,
}

impl Redactor {
    /// Knows the token, and the passwords of all answers: also of those whose keys do not cover
    /// the image.
    pub(super) fn new(show: bool, token: Option<&SecretString>, lookup: &Lookup) -> Self {
        let sent = SentSecrets::default();
        let mut secrets: Vec<SecretString> = Vec::new();
        let logins = lookup.providers.iter().flat_map(|report| report.auth.values());
        for login in logins {
            sent.remember_basic(&login.username, login.password.expose_secret());
            secrets.push(login.password.clone());
        }
        secrets.extend(token.cloned());
        for secret in &secrets {
            sent.remember(secret.expose_secret());
        }
        secrets.retain(|secret| !secret.expose_secret().is_empty());
        // A secret may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self { show, secrets, sent }
    }

    /// A password, or what is shown in its place.
    pub(super) fn password<'a>(&self, password: &'a SecretString) -> &'a str {
        if self.show { password.expose_secret() } else { REDACTED }
    }

    /// A foreign text without the known secrets, or what is shown in its place.
    pub(super) fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        if self.show {
            return shown;
        }
        for secret in &self.secrets {
            for form in forms(secret.expose_secret()) {
                shown = replace(&shown, &form);
            }
        }
        match self.sent.occur_in(&[&shown]) {
            true => WITHHELD.to_owned(),
            false => shown,
        }
    }
}

/// The forms in which a secret is replaced. Others are found by [`SentSecrets`], unless the
/// secret is too short for that.
fn forms(secret: &str) -> [String; 5] {
    [
        secret.to_owned(),
        secret.chars().rev().collect(),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    ]
}

fn replace(text: &str, secret: &str) -> String {
    if secret.len() >= SHORTEST {
        return text.replace(secret, REDACTED);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, after) = (&rest[..at], &rest[at + secret.len()..]);
        let is_word =
            !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
        shown.push_str(before);
        shown.push_str(if is_word { REDACTED } else { secret });
        rest = after;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_secrets_are_taken_out_as_words() {
        assert_eq!(
            replace("pw: abc, abcd xabc (abc)", "abc"),
            "pw: REDACTED, abcd xabc (REDACTED)"
        );
        assert_eq!(replace("correct-horse-2", "correct-horse"), "REDACTED-2");
    }
}
