//! Secrets in `args` and `env`, where everyone who can read the file or the process list
//! sees them.

use secrecy::ExposeSecret as _;

use crate::config::CredentialProvider;
use crate::lints::Lint;
use crate::source::{Location, begins_as_secret};

/// The last words of names whose values are secrets.
const SECRET_NAMES: [&str; 14] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api_key",
    "access_key",
    "secret_key",
    "private_key",
    "account_key",
    "client_secret",
    "pat",
    "credentials",
];

pub(super) fn check(provider: &CredentialProvider, lints: &mut Vec<Lint>) {
    let mut names_secret = false;
    for arg in &provider.args {
        let text = arg.expose_secret();
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value),
            None if text.starts_with('-') => {
                names_secret = is_secret_name(text);
                continue;
            }
            None => ("", text),
        };
        let named = names_secret || is_secret_name(name);
        names_secret = false;
        if is_secret(named, value) {
            lints.push(lint("secret-in-args", &arg.location, "an argument"));
        }
    }
    for variable in &provider.env {
        if is_secret(is_secret_name(&variable.name), variable.value.expose_secret()) {
            let what = format!("the variable `{}`", variable.name.value);
            lints.push(lint("secret-in-env", &variable.value.location, &what));
        }
    }
}

fn lint(code: &'static str, location: &Location, what: &str) -> Lint {
    Lint::warning(
        code,
        location,
        format!("{what} looks like a secret, and other processes may be able to read this file"),
        "put the secret into its own file that only root can read, and name that file here"
            .to_owned(),
    )
}

fn is_secret_name(name: &str) -> bool {
    let name = name.trim_start_matches('-').to_ascii_lowercase().replace('-', "_");
    // A policy, such as `--without-token=node`.
    !name.starts_with("without_")
        && SECRET_NAMES.iter().any(|word| {
            name.strip_suffix(word).is_some_and(|before| before.is_empty() || before.ends_with('_'))
        })
}

/// Paths, addresses and switches are not secrets, whatever their names are.
fn is_secret(named: bool, value: &str) -> bool {
    if begins_as_secret(value) {
        return true;
    }
    let safe = value.is_empty()
        || value.starts_with(['/', '.', '$'])
        || value.contains("://")
        || matches!(value, "true" | "false" | "yes" | "no" | "0" | "1");
    named && !safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        for name in ["PASSWORD", "--client-secret", "REGISTRY_TOKEN", "AWS_SECRET_ACCESS_KEY"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["TOKEN_FILE", "--token-audience", "SECRETARY", "PATH", "--compat", "--without-token"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(is_secret(true, "hunter2"));
        assert!(!is_secret(true, "/etc/token"));
        assert!(!is_secret(false, "hunter2"));
        assert!(is_secret(false, "eyJhbGciOiJSUzI1NiJ9.e30.x"));
    }
}
