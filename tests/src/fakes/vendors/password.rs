//! What is handed out: a fresh password for every answer.

use serde_json::{Value, json};

use super::Expiry;
use crate::fakes::clock;

/// A password that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password {
    /// The password itself.
    pub value: String,
    /// The user's name, where the answer has it.
    pub username: Option<String>,
    /// The `sub` that it was handed out for.
    pub subject: String,
    /// Seconds that it lives.
    pub lifetime: i64,
    /// Its end, in seconds of the Unix epoch.
    pub expires: i64,
    /// Taken back since (Vault).
    pub revoked: bool,
}

impl Password {
    /// Its end as an answer says it; `None` where it does not. `usual` is the vendor's way.
    pub(super) fn end(&self, usual: Expiry, expiry: Expiry) -> Option<Value> {
        match if expiry == Expiry::Usual { usual } else { expiry } {
            Expiry::Usual | Expiry::Seconds => Some(json!(self.lifetime)),
            Expiry::SecondsText => Some(json!(self.lifetime.to_string())),
            Expiry::Epoch => Some(json!(self.expires)),
            Expiry::EpochMillis => Some(json!(self.expires * 1000)),
            Expiry::Rfc3339 => Some(json!(clock::rfc3339(self.expires))),
            Expiry::JwtExp | Expiry::Absent => None,
        }
    }
}
