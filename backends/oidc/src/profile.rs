//! A profile as the rest of the backend uses it: whatever is in one is valid.

pub(crate) mod address;
pub(crate) mod compile;
pub(crate) mod field;
pub(crate) mod file;
mod merge;
pub(crate) mod preset;
pub(crate) mod raw;
pub(crate) mod template;

use std::path::PathBuf;
use std::time::Duration;

use pullpass::CacheKey;
use pullpass::http::header::HeaderName;
use pullpass::http::{HttpConfig, Method};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::engine::values::{ImagePart, Pattern, Source, Variable};
use crate::profile::address::Address;
use crate::profile::template::Template;
use crate::registry::Registry;

/// How to log in to some registries.
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) registries: Vec<Registry>,
    /// `None` where no token is needed.
    pub(crate) service_account: Option<Expected>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) exchange: Exchange,
    pub(crate) answer: Answer,
    pub(crate) http: HttpConfig,
    pub(crate) on_refused: Policy,
    pub(crate) cache_key: CacheKey,
    /// Keys of the answer beside the image's own registry: mirrors.
    pub(crate) auth_keys: Vec<String>,
}

impl Profile {
    /// Whether another image of the same registry may have another login.
    pub(crate) fn is_by_image(&self) -> bool {
        // Whether it is used or not: a pattern lets some images in.
        let from_repository = |variable: &Variable| {
            matches!(variable.source, Source::Image { part: ImagePart::Repository, .. })
        };
        if self.variables.iter().any(from_repository) {
            return true;
        }
        let username = match &self.answer.username {
            Username::Fixed(template) => Some(template),
            Username::Answered { .. } => None,
        };
        let names = self.exchange.names().chain(username.into_iter().flat_map(Template::names));
        names.into_iter().any(|name| name == "image.repository")
    }
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

/// How a password is come by.
pub(crate) enum Exchange {
    /// The pod's token is the password.
    Passthrough,
    /// An operator's file, read anew each time.
    File(PathBuf),
    /// Calls, the last of which answers with the password.
    Calls(Box<Calls>),
}

/// One to three calls.
pub(crate) struct Calls {
    pub(crate) steps: Vec<Step>,
    /// Asked first for the address of the step that has none.
    pub(crate) discovery: Option<Discovery>,
    /// How the client itself authenticates, in the steps that say so.
    pub(crate) client: Client,
}

/// One call.
pub(crate) struct Step {
    pub(crate) method: Method,
    pub(crate) target: Target,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) auth: Auth,
    pub(crate) body: Body,
    /// Statuses that mean success; empty for every 2xx.
    pub(crate) expect: Vec<u16>,
    /// Names, and JSON pointers (RFC 6901) into the answer.
    pub(crate) capture: Vec<(String, String)>,
    /// Whether the client authenticates here.
    pub(crate) client: bool,
    /// Whether what is sent is accepted once: never tried again.
    pub(crate) once: bool,
    /// Where in the file its address is: for messages.
    pub(crate) place: &'static str,
}

/// Where a step goes.
pub(crate) enum Target {
    Address(Address),
    /// The token endpoint that discovery finds.
    TokenEndpoint,
}

/// What a step shows in its `Authorization`.
pub(crate) enum Auth {
    None,
    Bearer(Template),
    Basic { user: Template, password: Template },
}

/// What a step sends. An empty value is left out.
pub(crate) enum Body {
    None,
    Form(Vec<(String, Template)>),
    Json(Json),
}

/// JSON whose texts are templates.
pub(crate) enum Json {
    Text(Template),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
    /// A number, a boolean or null.
    Other(Value),
}

/// An issuer's metadata (OpenID Connect Discovery 1.0 §4, RFC 8414 §3).
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    pub(crate) url: Url,
    /// Hosts, with ports, that a token endpoint may be on, beside the issuer's own.
    pub(crate) hosts: Vec<String>,
    pub(crate) allow_loopback_http: bool,
}

/// How the client authenticates (RFC 6749 §2.3).
#[derive(Debug)]
pub(crate) enum Client {
    /// Not at all; or by its certificate alone (RFC 8705).
    None,
    /// Its name in the form, no secret.
    Public(String),
    /// `client_secret_basic`.
    Basic(Secret),
    /// `client_secret_post`.
    Post(Secret),
    /// `private_key_jwt` (RFC 7523 §2.2).
    PrivateKey(PrivateKey),
    /// The pod's token is the client's assertion.
    PodToken(Option<String>),
}

/// A client's name, and the file that holds its secret.
#[derive(Debug)]
pub(crate) struct Secret {
    pub(crate) client_id: String,
    pub(crate) file: PathBuf,
}

/// A client's name, and the key that signs its assertions.
#[derive(Debug)]
pub(crate) struct PrivateKey {
    pub(crate) client_id: String,
    pub(crate) file: PathBuf,
    pub(crate) key_id: Option<String>,
    /// `alg`, where it is asked for.
    pub(crate) algorithm: Option<&'static str>,
    /// `aud`; else the token endpoint.
    pub(crate) audience: Option<String>,
}

/// Where in the answer the login is.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) username: Username,
    /// A JSON pointer (RFC 6901).
    pub(crate) password: String,
    pub(crate) expiry: Expiry,
    /// The life of a password that does not say when it ends.
    pub(crate) default_lifetime: Option<Duration>,
    pub(crate) margin: Option<Duration>,
    /// `None`: as long as the password lives.
    pub(crate) max_cache_duration: Option<Duration>,
}

/// Where an answer says when the password ends, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// A number of seconds, from now.
    Seconds(String),
    /// Seconds since the epoch.
    Epoch(String),
    /// Milliseconds since the epoch.
    EpochMillis(String),
    /// A date of RFC 3339.
    Rfc3339(String),
    /// Nowhere but in the password itself, a JWT.
    Jwt,
    /// Nowhere: the profile says how long it lives.
    Fixed,
}

/// The user name.
#[derive(Debug)]
pub(crate) enum Username {
    /// This one.
    Fixed(Template),
    /// The one that the answer has.
    Answered {
        /// A JSON pointer into it.
        pointer: Option<String>,
        /// A claim of the password, a JWT, where there is none.
        claim: Option<String>,
        /// What of it counts.
        pattern: Option<Pattern>,
    },
}
