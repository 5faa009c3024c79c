//! What an HTTP status means for a credential.

use crate::error::ErrorKind;

/// Who must act on a status that is not a success: 401 and 403 mean denied; 408, 429 and 5xx
/// mean unavailable, and are retried; anything else is not expected by the protocol.
pub fn status_kind(status: u16) -> ErrorKind {
    match status {
        401 | 403 => ErrorKind::Denied,
        408 | 429 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    }
}
