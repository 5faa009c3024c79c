//! JSON Web Tokens (RFC 7519): what one claims, unverified, and signing one.

mod signing;

use std::time::SystemTime;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use serde_json::{Map, Value};

use crate::time::numeric_date;

pub use signing::SigningKey;

/// When a token of any kind expires, according to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtExpiry {
    /// It is not a JWT, or one without `exp`.
    Missing,
    /// It has an `exp` that cannot be read: do not rely on any lifetime.
    Unreadable,
    /// Its `exp` (RFC 7519 §4.1.4).
    At(SystemTime),
}

/// The `exp` of `token`, whatever its other claims are. Nothing is verified. What looks like a
/// JWT and has claims that cannot be read may have an `exp` too.
pub fn jwt_expiry(token: &str) -> JwtExpiry {
    let Some(claims) = jwt_claims(token) else {
        return match looks_like_jwt(token) {
            true => JwtExpiry::Unreadable,
            false => JwtExpiry::Missing,
        };
    };
    match claims.get("exp") {
        None => JwtExpiry::Missing,
        Some(exp) => {
            exp.as_f64().and_then(numeric_date).map_or(JwtExpiry::Unreadable, JwtExpiry::At)
        }
    }
}

/// Whether `token` begins with the header of a signed token (RFC 7515 §4.1.1). The claims of an
/// encrypted one (RFC 7516 §4.1.2) are its server's alone.
fn looks_like_jwt(token: &str) -> bool {
    let header = token.split_once('.').and_then(|(header, _)| decode_object(header));
    header.is_some_and(|header| header.contains_key("alg") && !header.contains_key("enc"))
}

/// The text of the claim `name` in `token`, a JWT. Nothing is verified.
pub fn jwt_claim(token: &str, name: &str) -> Option<String> {
    jwt_claims(token)?.get(name)?.as_str().map(str::to_owned)
}

fn jwt_claims(token: &str) -> Option<Map<String, Value>> {
    let [_, payload, _] = parts(token)?;
    decode_object(payload)
}

/// A JSON object in base64url, or in plain base64, with or without padding: servers
/// accept such tokens, so this must not be stricter.
fn decode_object(part: &str) -> Option<Map<String, Value>> {
    let url_safe = |c| match c {
        '+' => '-',
        '/' => '_',
        c => c,
    };
    let part: String = part.trim().trim_end_matches('=').chars().map(url_safe).collect();
    serde_json::from_slice(&LENIENT.decode(part).ok()?).ok()
}

/// Also where the bits that do not fill a byte are not zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Header, payload and signature of a signed JWT, each in base64url (RFC 7515 §7.1).
pub(crate) fn parts(token: &str) -> Option<[&str; 3]> {
    let mut parts = token.split('.');
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;

    /// `{"alg":"dir","enc":"A256GCM"}`, and four parts more.
    const JWE: &str = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aXY.dGV4dA.dGFn";

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
            ("opaque", JwtExpiry::Unreadable),
            ("[]", JwtExpiry::Unreadable),
        ] {
            assert_eq!(jwt_expiry(&jwt(claims)), expected, "{claims}");
        }
        for opaque in ["opaque", "a.b.c", "hunter2.blue", "e30.e30.x", "e30", "", JWE] {
            assert_eq!(jwt_expiry(opaque), JwtExpiry::Missing, "{opaque}");
        }
    }

    #[test]
    fn an_expiry_is_found_however_its_base64_is_written() {
        // `+`, `/` and `=` in it.
        let claims = STANDARD.encode(r#"{"a":"~~>??>~~?","exp":1800000000} "#);
        assert!(claims.contains('+') && claims.contains('/') && claims.ends_with('='), "{claims}");
        let at = JwtExpiry::At(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        for header in ["eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiIgfQ==", "opaque"] {
            assert_eq!(jwt_expiry(&format!("{header}.{claims}.c2ln")), at, "{header}");
        }
        // Two parts, four parts, and claims that are cut.
        let header = "eyJhbGciOiJSUzI1NiJ9";
        for token in [
            format!("{header}.{claims}"),
            format!("{header}.{claims}.c2ln.c2ln"),
            format!("{header}.{}.c2ln", &claims[..20]),
        ] {
            assert_eq!(jwt_expiry(&token), JwtExpiry::Unreadable, "{token}");
        }
    }
}
