//! Takes the secrets that are known in this look-up out of foreign texts.

use pullpass_kubelet::Lookup;
use secrecy::{ExposeSecret as _, SecretString};

/// What is shown in place of a secret.
pub(super) const REDACTED: &str = "REDACTED";

/// Shorter ones would take words out of texts.
const SHORTEST: usize = 6;

/// Knows the look-up's secrets.
pub(super) struct Redactor {
    show: bool,
    secrets: Vec<SecretString>,
}

impl Redactor {
    pub(super) fn new(show: bool, token: Option<&SecretString>, lookup: &Lookup) -> Self {
        let passwords = lookup.credentials.iter().map(|credential| &credential.password);
        let mut secrets: Vec<SecretString> = passwords
            .chain(token)
            .filter(|secret| secret.expose_secret().len() >= SHORTEST)
            .cloned()
            .collect();
        // A secret may be a part of another.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self { show, secrets }
    }

    /// A password, or what is shown in its place.
    pub(super) fn password<'a>(&self, password: &'a SecretString) -> &'a str {
        if self.show { password.expose_secret() } else { REDACTED }
    }

    /// A foreign text without the known secrets.
    pub(super) fn text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        if self.show {
            return shown;
        }
        for secret in &self.secrets {
            shown = shown.replace(secret.expose_secret(), REDACTED);
        }
        shown
    }
}
