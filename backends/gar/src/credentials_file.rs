//! Google's credential files: a service account's key, or the set-up of a workload identity
//! federation.
//!
//! Source: AIP-4112 (service account keys) and AIP-4117 (external accounts).

use std::path::Path;
use std::time::Duration;

use pullpass::{Error, file, seconds};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::pool::Pool;

/// The identity in a file, and the universe that it is for.
#[derive(Default)]
pub(crate) struct CredentialsFile {
    pub(crate) universe: Option<String>,
    /// A service account's key.
    pub(crate) key: Option<Key>,
    /// How to exchange another issuer's token.
    pub(crate) external: Option<External>,
}

/// A service account and its key.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) email: String,
    /// In PEM.
    pub(crate) private_key: SecretString,
    pub(crate) key_id: Option<String>,
    pub(crate) token_url: Url,
}

/// A workload identity federation, without the source of its token: the token is the request's.
pub(crate) struct External {
    pub(crate) pool: Pool,
    pub(crate) token_url: Url,
    pub(crate) impersonation: Option<Impersonation>,
}

/// A service account to be impersonated.
pub(crate) struct Impersonation {
    /// The URL of the IAM Service Account Credentials API, up to its version.
    pub(crate) api: Url,
    pub(crate) email: String,
    pub(crate) lifetime: Option<Duration>,
}

/// Reads the file.
///
/// # Errors
/// [`ErrorKind::Config`](pullpass::ErrorKind::Config); the message repeats no value, since one of
/// them is a key.
pub(crate) fn read(path: &Path) -> Result<CredentialsFile, Error> {
    let text = Zeroizing::new(file::read_config(path).map_err(|error| error.with_hint(HINT))?);
    let broken = |why: &str| {
        Error::config(format!("`{}` is not a usable credential file: {why}", path.display()))
            .with_hint(HINT)
    };
    let json: Wire = serde_json::from_str(&text).map_err(|error| {
        broken(&match error.classify() {
            serde_json::error::Category::Data => "a field has the wrong type".to_owned(),
            _ => format!("not valid JSON at line {}, column {}", error.line(), error.column()),
        })
    })?;
    let mut file =
        CredentialsFile { universe: json.universe_domain.clone(), ..CredentialsFile::default() };
    let read = match json.r#type.as_deref() {
        Some("service_account") => json.key().map(|key| file.key = Some(key)),
        Some("external_account") => json.external().map(|it| file.external = Some(it)),
        Some("authorized_user" | "external_account_authorized_user") => {
            Err("it is a user's login, which nodes cannot use")
        }
        Some("impersonated_service_account") => {
            Err("its type `impersonated_service_account` is not supported: use `--service-account`")
        }
        Some(_) => Err("its `type` is not supported"),
        None => Err("it has no `type`"),
    };
    read.map(|()| file).map_err(broken)
}

const HINT: &str = "`--credentials` (or `GOOGLE_APPLICATION_CREDENTIALS`) must be a service account's key, or an \
                    `external_account` file for an OIDC provider, as `gcloud iam \
                    workload-identity-pools create-cred-config --credential-source-file` writes it";

/// Fields of both kinds; other fields are for other programs.
#[derive(Deserialize)]
struct Wire {
    r#type: Option<String>,
    universe_domain: Option<String>,
    client_email: Option<String>,
    private_key: Option<String>,
    private_key_id: Option<String>,
    token_uri: Option<String>,
    audience: Option<String>,
    subject_token_type: Option<String>,
    credential_source: Option<Value>,
    token_url: Option<String>,
    service_account_impersonation_url: Option<String>,
    service_account_impersonation: Option<WireImpersonation>,
}

#[derive(Deserialize)]
struct WireImpersonation {
    token_lifetime_seconds: Option<Value>,
}

impl Wire {
    fn key(self) -> Result<Key, &'static str> {
        let private_key = self.private_key.ok_or("it has no `private_key`")?;
        Ok(Key {
            email: self.client_email.filter(|it| is_email(it)).ok_or("it has no `client_email`")?,
            private_key: SecretString::from(private_key),
            key_id: self.private_key_id.filter(|it| !it.is_empty()),
            token_url: match &self.token_uri {
                Some(url) => https(url).ok_or("`token_uri` is not an `https://` URL")?,
                None => https(TOKEN_URL).ok_or("there is no token URL")?,
            },
        })
    }

    /// A file for another program's identity is refused: its provider would get a pod's token.
    fn check_kind(&self) -> Result<(), &'static str> {
        let source = self.credential_source.as_ref();
        let has = |field: &str| source.is_some_and(|source| !source[field].is_null());
        if has("environment_id") {
            return Err("its `credential_source` is an AWS identity (`environment_id`), not a \
                        pod's token");
        }
        if has("executable") {
            return Err("its `credential_source` is a program (`executable`), not a pod's token");
        }
        if has("url") {
            return Err("its `credential_source` is a server (`url`), not a pod's token");
        }
        if has("certificate") {
            return Err("its `credential_source` is a `certificate`, not a pod's token");
        }
        match self.subject_token_type.as_deref() {
            Some(kind) if !TOKEN_TYPES.contains(&kind) => {
                Err("its `subject_token_type` is not that of a pod's token")
            }
            _ => Ok(()),
        }
    }

    fn external(self) -> Result<External, &'static str> {
        self.check_kind()?;
        let audience = self.audience.ok_or("it has no `audience`")?;
        let pool = Pool::of_audience(&audience)
            .map_err(|_| "its `audience` is not a provider of a workload identity pool")?;
        let lifetime = self.service_account_impersonation.and_then(|it| it.token_lifetime_seconds);
        let lifetime = match lifetime {
            Some(value) => Some(
                seconds(&value)
                    .filter(|lifetime| !lifetime.is_zero())
                    .ok_or("`token_lifetime_seconds` is not a number of seconds")?,
            ),
            None => None,
        };
        let impersonation = match &self.service_account_impersonation_url {
            Some(url) => {
                let (api, email) = impersonation(url).ok_or(
                    "`service_account_impersonation_url` is not a URL of the IAM Service \
                            Account Credentials API",
                )?;
                Some(Impersonation { api, email, lifetime })
            }
            None => None,
        };
        let token_url = self.token_url.ok_or("it has no `token_url`")?;
        let token_url = https(&token_url).ok_or("`token_url` is not an `https://` URL")?;
        Ok(External { pool, token_url, impersonation })
    }
}

/// The type of a pod's token in an exchange.
const TOKEN_TYPES: [&str; 2] =
    ["urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"];

/// The token endpoint for keys, for files that do not name one.
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";

/// A URL to which a secret may be sent.
pub(crate) fn https(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    (url.scheme() == "https" && url.host().is_some() && is_plain).then_some(url)
}

/// The URL of the API, up to its version, and the service account.
fn impersonation(text: &str) -> Option<(Url, String)> {
    let (api, rest) = text.split_once("/v1/projects/-/serviceAccounts/")?;
    let email = rest.strip_suffix(":generateAccessToken")?;
    is_email(email).then_some(())?;
    Some((https(api)?, email.to_owned()))
}

/// Whether a text is a service account's address: it becomes part of a URL's path.
pub(crate) fn is_email(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 200
            && part.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'))
    };
    text.split_once('@').is_some_and(|(name, domain)| {
        is_part(name) && is_part(domain) && domain.ends_with(".gserviceaccount.com")
    })
}

#[cfg(test)]
mod tests;
