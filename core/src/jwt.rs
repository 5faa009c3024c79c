//! JSON Web Tokens (RFC 7519): what one claims, unverified, and signing one.

mod signing;

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::time::numeric_date;

pub use signing::SigningKey;

/// When a token of any kind ends by its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtExpiry {
    /// It is not a JWT, or one without `exp`.
    Missing,
    /// It has an `exp` that cannot be read: do not rely on any life.
    Unreadable,
    /// Its `exp` (RFC 7519 §4.1.4).
    At(SystemTime),
}

/// The `exp` of `token`, whatever its other claims are. Nothing is verified.
pub fn jwt_expiry(token: &str) -> JwtExpiry {
    match jwt_claims(token).as_ref().and_then(|claims| claims.get("exp")) {
        None => JwtExpiry::Missing,
        Some(exp) => {
            exp.as_f64().and_then(numeric_date).map_or(JwtExpiry::Unreadable, JwtExpiry::At)
        }
    }
}

/// The text that `token`, a JWT, claims by `name`. Nothing is verified.
pub fn jwt_claim(token: &str, name: &str) -> Option<String> {
    jwt_claims(token)?.get(name)?.as_str().map(str::to_owned)
}

fn jwt_claims(token: &str) -> Option<Value> {
    let [_, payload, _] = parts(token)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// Header, payload and signature of a signed JWT, each in base64url (RFC 7515 §7.1).
pub(crate) fn parts(token: &str) -> Option<[&str; 3]> {
    let mut parts = token.split('.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn jwt(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), part("signature"))
    }

    #[test]
    fn an_expiry_does_not_hang_on_other_claims() {
        let at = |seconds| JwtExpiry::At(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (claims, expected) in [
            (r#"{"exp":1800000000,"sub":42,"aud":null}"#, at(1_800_000_000)),
            (r#"{"exp":1800000000.9}"#, at(1_800_000_000)),
            (r#"{"exp":"1800000000"}"#, JwtExpiry::Unreadable),
            (r#"{"exp":-1}"#, JwtExpiry::Unreadable),
            (r#"{"sub":"me"}"#, JwtExpiry::Missing),
            ("opaque", JwtExpiry::Missing),
        ] {
            assert_eq!(jwt_expiry(&jwt(claims)), expected, "{claims}");
        }
        assert_eq!(jwt_expiry("opaque"), JwtExpiry::Missing);
    }
}
