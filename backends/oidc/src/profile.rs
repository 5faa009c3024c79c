//! A profile as the rest of the backend uses it: whatever is in one is valid.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use pullpass::CacheKey;
use pullpass::http::Settings;
use serde::Deserialize;
use url::Url;

use crate::registry::Registry;

/// How to log in to some registries.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) registries: Vec<Registry>,
    pub(crate) service_account: Expected,
    pub(crate) exchange: Exchange,
    pub(crate) on_refused: Policy,
    pub(crate) cache_key: CacheKey,
}

/// What the pod's token must say before it is sent anywhere.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) audience: String,
    pub(crate) issuer: Option<String>,
    pub(crate) on_missing: Policy,
    pub(crate) allow_api_server_audience: bool,
}

/// What to do where there are no credentials to give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Policy {
    /// An error.
    #[default]
    Fail,
    /// An answer without credentials: the kubelet pulls anonymously.
    Empty,
}

/// From the pod's token to a password.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// The token is the password, under this user name.
    Passthrough(String),
    /// OAuth 2.0 Token Exchange (RFC 8693).
    Token(Box<TokenExchange>),
}

/// A call to a token endpoint.
pub(crate) struct TokenExchange {
    pub(crate) endpoint: Url,
    /// A URN (RFC 8693 §3).
    pub(crate) subject_token_type: String,
    pub(crate) requested_token_type: Option<String>,
    pub(crate) audience: Vec<String>,
    pub(crate) resource: Vec<String>,
    pub(crate) scope: Vec<String>,
    /// Further parameters, such as Dex's `connector_id`.
    pub(crate) extra: Vec<(String, String)>,
    pub(crate) client: Client,
    pub(crate) answer: Answer,
    pub(crate) http: Settings,
}

/// Its URL and its further fields may hold what must not print.
impl fmt::Debug for TokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenExchange").field("client", &self.client).finish_non_exhaustive()
    }
}

/// How the client authenticates (RFC 6749 §2.3).
#[derive(Debug)]
pub(crate) enum Client {
    /// Not at all.
    None,
    /// Its name in the form, no secret.
    Public(String),
    /// `client_secret_basic`.
    Basic(Secret),
    /// `client_secret_post`.
    Post(Secret),
}

/// A client's name, and the file that holds its secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) client_id: String,
    pub(crate) file: PathBuf,
}

/// Where in the answer the login is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) username: Username,
    /// A JSON pointer (RFC 6901).
    pub(crate) password: String,
    pub(crate) expires_in: String,
    /// The life of a password that does not say when it ends.
    pub(crate) default_lifetime: Option<Duration>,
    pub(crate) margin: Option<Duration>,
    pub(crate) max_cache_duration: Duration,
}

/// The user name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Username {
    /// This one.
    Fixed(String),
    /// The one that the answer holds at this JSON pointer.
    Pointer(String),
}
