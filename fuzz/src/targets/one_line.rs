//! What of a foreign text is printed: one line, cut, and no token.

use pullpass::one_line;

use crate::secrets;

pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(&secrets::expand(input)).into_owned();
    let line = one_line(&text);
    assert!(line.chars().count() <= 603, "{line}");
    assert!(!line.contains(|c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c)));
    // The text may hold other forms of the token: those are withheld by what was sent.
    assert!(!line.contains(secrets::TOKEN.as_str()), "{line}");
}
