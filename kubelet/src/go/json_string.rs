//! Strings as Go's package `encoding/json` writes them.

/// A JSON string as Go's encoder writes it, safe inside HTML.
pub(crate) fn write_string(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    for c in text.chars() {
        match c {
            '"' | '\\' => bytes.extend([b'\\', c as u8]),
            '\u{8}' => bytes.extend(b"\\b"),
            '\u{c}' => bytes.extend(b"\\f"),
            '\n' => bytes.extend(b"\\n"),
            '\r' => bytes.extend(b"\\r"),
            '\t' => bytes.extend(b"\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                bytes.extend(format!("\\u{:04x}", u32::from(c)).bytes());
            }
            _ => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes.push(b'"');
}
