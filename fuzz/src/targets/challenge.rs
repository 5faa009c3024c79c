//! A registry's `WWW-Authenticate`.

use pullpass::http::bearer_challenge;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    for (name, value) in bearer_challenge(text).into_iter().flatten() {
        assert!(text.contains(&name) && text.contains(&value), "{name}={value}");
    }
}
