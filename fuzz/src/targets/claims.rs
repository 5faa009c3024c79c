//! A pod's token: all of it, or its claims alone.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pullpass::{JwtExpiry, Token, jwt_claim, jwt_expiry};

use crate::run;

pub fn run(input: &[u8]) {
    let token = match input.strip_prefix(b".") {
        Some(token) => String::from_utf8_lossy(token).into_owned(),
        None => format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(input)),
    };
    let expiry = jwt_expiry(&token);
    let _ = jwt_claim(&token, "email");
    let token = match Token::parse(token) {
        Ok(token) => token,
        Err(error) => return run::check_error(&error),
    };
    assert_eq!(expiry, JwtExpiry::At(token.claims().expires));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let checks = [token.check_alive(now), token.check_not_for_api_server(&["a".to_owned()])];
    checks.iter().filter_map(|check| check.as_ref().err()).for_each(run::check_error);
}
