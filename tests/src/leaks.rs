//! Finds secrets in text, also as base64, percent-encoded or JSON-escaped. One list per test, asked
//! after every run.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::Value;
use url::form_urlencoded;

/// Shorter secrets would be found by chance, and make the search useless.
const SHORTEST: usize = 8;

/// Texts that must not be printed, each under a name that may be printed.
#[derive(Clone, Default)]
pub struct Secrets {
    needles: Vec<(String, String)>,
}

impl Secrets {
    /// Adds a secret and the forms in which it might be printed. Of a JWT, the signature alone is a
    /// secret too: the rest of it is not.
    pub fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= SHORTEST, "the secret `{name}` is too short to be searched for");
        self.add_forms(name, secret);
        let pieces: Vec<&str> = secret.split('.').collect();
        if let [_, _, signature] = pieces.as_slice()
            && signature.len() >= SHORTEST
        {
            self.add_forms(&format!("{name}, its signature"), signature);
        }
    }

    /// The names of the secrets in `text`, with the form they were found in.
    pub fn found_in(&self, text: &str) -> Vec<&str> {
        let found = self.needles.iter().filter(|(_, needle)| text.contains(needle.as_str()));
        found.map(|(name, _)| name.as_str()).collect()
    }

    /// As [`Secrets::found_in`], for a plugin's stdout, where the passwords of logins are allowed.
    pub fn found_in_response(&self, stdout: &str) -> Vec<&str> {
        let mut rest = stdout.to_owned();
        if let Ok(response) = serde_json::from_str::<Value>(stdout)
            && let Some(logins) = response["auth"].as_object()
        {
            for login in logins.values() {
                let field = format!("\"password\":{}", login["password"]);
                // Once per login: the same password a second time is a leak.
                rest = rest.replacen(&field, "", 1);
            }
        }
        self.found_in(&rest)
    }

    fn add_forms(&mut self, name: &str, secret: &str) {
        self.needle(name, secret.to_owned());
        let percent: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let escaped = Value::from(secret).to_string();
        self.needle(&format!("{name}, percent-encoded"), percent);
        self.needle(&format!("{name}, JSON-escaped"), escaped.trim_matches('"').to_owned());
        for before in 0..3 {
            let bytes = [&[b' '; 3][..before], secret.as_bytes()].concat();
            // Characters that neighbours before and after would change are left out.
            let skip = [0, 2, 3][before];
            let keep = bytes.len() / 3 * 4;
            for (kind, text) in
                [("base64", STANDARD.encode(&bytes)), ("base64url", URL_SAFE.encode(&bytes))]
            {
                self.needle(&format!("{name}, {kind}"), text[skip..keep].to_owned());
            }
        }
    }

    fn needle(&mut self, name: &str, needle: String) {
        if !self.needles.iter().any(|(_, known)| *known == needle) {
            self.needles.push((name.to_owned(), needle));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";

    fn secrets() -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add("token", TOKEN);
        secrets.add("client secret", "p\"ss w/rd & more?");
        secrets
    }

    #[test]
    fn every_form_of_a_secret_is_found() {
        let secrets = secrets();
        for user in ["", "a", "ab", "abc", "oauth2:", "user:"] {
            for after in ["", "x", "xy"] {
                let pair = format!("{user}p\"ss w/rd & more?{after}");
                assert!(!secrets.found_in(&STANDARD.encode(&pair)).is_empty(), "{pair}");
                assert!(!secrets.found_in(&URL_SAFE.encode(&pair)).is_empty(), "{pair}");
            }
        }
        for text in [TOKEN, "x c2lnbmF0dXJlLW9mLXRoZS10b2tlbg x", "p%22ss+w%2Frd+%26+more%3F"] {
            assert!(!secrets.found_in(text).is_empty(), "{text}");
        }
        assert!(!secrets.found_in(r#"{"a":"p\"ss w/rd & more?"}"#).is_empty());
    }

    #[test]
    fn what_is_no_secret_is_not_found() {
        let text = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.REDACTED sub=system:serviceaccount:a:b";
        assert!(secrets().found_in(text).is_empty());
    }

    #[test]
    fn in_a_response_a_password_may_stand_in_its_place_only() {
        let good = format!(r#"{{"auth":{{"r.io":{{"username":"u","password":"{TOKEN}"}}}}}}"#);
        assert!(secrets().found_in_response(&good).is_empty());
        let swapped = good.replace("\"u\"", &format!("\"{TOKEN}\""));
        assert!(!secrets().found_in_response(&swapped).is_empty());
        assert!(!secrets().found_in_response(&format!("token {TOKEN}")).is_empty());
    }
}
