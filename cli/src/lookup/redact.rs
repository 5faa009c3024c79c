//! Removes the secrets that are known in this look-up from foreign texts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use pullpass::http::SentSecrets;
use pullpass::secrecy::{ExposeSecret as _, SecretString};
use pullpass_kubelet::Lookup;
use serde_json::Value;

/// What is shown instead of a secret.
pub(super) const REDACTED: &str = "REDACTED";

/// What is shown instead of a text that repeats a secret in another form.
const WITHHELD: &str = "(not shown: it repeats a part of a secret; `--show-secrets` shows it)";

/// In bytes. A shorter secret is removed only where it is a whole word, since it may also be a part
/// of other words.
const SHORTEST: usize = 6;

/// Knows the look-up's secrets.
pub(super) struct Redactor {
    show: bool,
    secrets: Vec<SecretString>,
    sent: SentSecrets,
}

impl Redactor {
    /// Knows the token, and the passwords of all answers: also of those whose keys do not cover
    /// the image, and of those that the kubelet drops.
    pub(super) fn new(show: bool, token: Option<&SecretString>, lookup: &Lookup) -> Self {
        let sent = SentSecrets::default();
        let mut secrets: Vec<SecretString> = Vec::new();
        let logins = lookup.providers.iter().flat_map(|report| report.auth.values());
        for login in logins {
            sent.remember_basic(&login.username, login.password.expose_secret());
            secrets.push(login.password.clone());
        }
        for report in &lookup.providers {
            secrets.extend(find_secrets(&report.stdout, &lookup.lookup_name));
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

    /// A password, or what is shown instead.
    pub(super) fn password<'a>(&self, password: &'a SecretString) -> &'a str {
        if self.show { password.expose_secret() } else { REDACTED }
    }

    /// A foreign text without the known secrets, or what is shown instead.
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

/// Fields of an answer that hold no secret.
const HARMLESS: [&str; 5] = ["kind", "apiVersion", "cacheKeyType", "cacheDuration", "username"];

/// What may be a password in an answer that the kubelet could not use.
fn find_secrets(stdout: &[u8], image: &str) -> Vec<SecretString> {
    let mut found = Vec::new();
    match serde_json::from_slice(stdout) {
        Ok(answer) => collect_texts(&answer, &mut found),
        // Words for people: they are shown.
        Err(_) if !stdout.contains(&b'{') => {}
        // An answer that is broken: every text in quotes, but for those of any answer.
        Err(_) => {
            let stdout = String::from_utf8_lossy(stdout);
            let is_known = |text: &str| {
                HARMLESS.contains(&text)
                    || ["auth", "password", "Image", "Registry", "Global"].contains(&text)
                    || text.starts_with("credentialprovider.kubelet.k8s.io/")
                    || text.starts_with("CredentialProvider")
                    || image.contains(text)
            };
            let texts = stdout.split('"').map(str::trim);
            let texts = texts.filter(|text| text.contains(char::is_alphanumeric));
            found.extend(texts.filter(|text| !is_known(text)).map(str::to_owned));
        }
    }
    found.into_iter().map(SecretString::from).collect()
}

fn collect_texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, found)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(name, _)| !HARMLESS.contains(&name.as_str()));
            fields.for_each(|(_, value)| collect_texts(value, found));
        }
        _ => {}
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
