//! What a vendor's service is set to.

use crate::issuer::Issuer;

use super::Dialect;

/// A dialect and whom it believes; change what a test is about.
pub struct Settings<'a> {
    /// Which vendor, and what is set up there.
    pub dialect: Dialect,
    /// Whose tokens are believed.
    pub issuer: &'a Issuer,
    /// The `aud` that a pod's token must have, where the vendor does not dictate it.
    pub audience: String,
    /// The only `sub` that is let in.
    pub subject: String,
    /// How long a password lives, in seconds, where it is not the vendor's usual time.
    pub lifetime: Option<i64>,
    /// How the answer says it.
    pub expiry: Expiry,
}

impl<'a> Settings<'a> {
    /// Lets in the service account of [`Issuer::token`], `demo/web`.
    pub fn new(dialect: Dialect, issuer: &'a Issuer, audience: &str) -> Self {
        Self {
            dialect,
            issuer,
            audience: audience.to_owned(),
            subject: "system:serviceaccount:demo:web".to_owned(),
            lifetime: None,
            expiry: Expiry::Usual,
        }
    }
}

/// The ways in which services word the end of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The vendor's own.
    Usual,
    /// Seconds from now, as a number.
    Seconds,
    /// Seconds from now, as a text.
    SecondsText,
    /// Seconds since the epoch.
    Epoch,
    /// Milliseconds since the epoch.
    EpochMillis,
    /// `2026-11-24T12:00:00Z`.
    Rfc3339,
    /// Nowhere but in the password, a JWT.
    JwtExp,
    /// Nowhere; the password is opaque.
    Absent,
}
