//! What a token exchange server is set to, and what it remembers.

use crate::fakes::form::{ClientAuth, Form};
use crate::verify::Verifier;

/// What the server demands and gives; change what a test is about.
pub struct ExchangeOptions {
    /// Verifies subject tokens: their issuer, and the audience this server expects of them.
    pub subjects: Verifier,
    /// The last part of the one `subject_token_type` that is taken: `jwt`, `id_token`, ...
    pub subject_token_type: &'static str,
    /// The services that tokens are issued for; `audience` must name one. The first is the default
    /// when the request names none.
    pub targets: Vec<String>,
    /// How the client must authenticate.
    pub client_auth: ClientAuth,
    /// An opaque text instead of a JWT.
    pub opaque: bool,
    /// The lifetime of what is issued, in seconds; below zero it is issued expired.
    pub lifetime: i64,
    /// What the answer says of that lifetime.
    pub expires_in: ExpiresIn,
}

impl ExchangeOptions {
    /// A server as the RFC has it: type `jwt`, no client authentication, JWTs good for an hour.
    pub fn new(subjects: Verifier, target: &str) -> Self {
        Self {
            subjects,
            subject_token_type: "jwt",
            targets: vec![target.to_owned()],
            client_auth: ClientAuth::None,
            opaque: false,
            lifetime: 3600,
            expires_in: ExpiresIn::Number,
        }
    }
}

/// The ways in which servers word `expires_in`.
#[derive(Clone, Copy)]
pub enum ExpiresIn {
    /// A number, as RFC 6749 section 5.1 has it.
    Number,
    /// A text of digits, as some servers do.
    Text,
    /// Left out.
    Absent,
}

/// One token request as the server saw it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The parameters.
    pub form: Form,
    /// The `User-Agent` header.
    pub user_agent: Option<String>,
    /// The subject that was given a token, or the RFC 6749 error code and reason.
    pub outcome: Result<String, (String, String)>,
    /// What no client may do, whatever it asks for. Empty for a correct client.
    pub violations: Vec<String>,
}
