//! Go's quoted strings: package `strconv`, `Quote`; verb `%q` of package `fmt`.

use std::fmt::Write as _;

/// `text` in double quotes as Go writes it, bytes that are not UTF-8 as `\xNN`.
pub(crate) fn quote(text: impl AsRef<[u8]>) -> String {
    let mut quoted = String::from("\"");
    for chunk in text.as_ref().utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut quoted, c);
        }
        for byte in chunk.invalid() {
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

fn push(quoted: &mut String, c: char) {
    match c {
        '"' => quoted.push_str("\\\""),
        '\\' => quoted.push_str("\\\\"),
        '\x07' => quoted.push_str("\\a"),
        '\x08' => quoted.push_str("\\b"),
        '\x0c' => quoted.push_str("\\f"),
        '\n' => quoted.push_str("\\n"),
        '\r' => quoted.push_str("\\r"),
        '\t' => quoted.push_str("\\t"),
        '\x0b' => quoted.push_str("\\v"),
        ' '..='~' => quoted.push(c),
        '\0'..='\x1f' | '\x7f' => {
            let _ = write!(quoted, "\\x{:02x}", u32::from(c));
        }
        _ if is_printable(c) => quoted.push(c),
        _ if u32::from(c) < 0x1_0000 => {
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        }
        _ => {
            let _ = write!(quoted, "\\U{:08x}", u32::from(c));
        }
    }
}

/// Go's `unicode.IsPrint`. The standard library keeps the same table for its own
/// debug output; a leading letter keeps it from escaping combining marks.
fn is_printable(c: char) -> bool {
    let pair: String = ['a', c].iter().collect();
    pair.escape_debug().nth(1).is_none_or(|shown| shown != '\\')
}

/// A text as klog shows it: quoted, or in several lines if it has any.
pub(crate) fn quote_value(text: &str) -> String {
    if !text.contains('\n') {
        return quote(text);
    }
    let lines: String = text
        .split_inclusive('\n')
        .flat_map(|line| ["\t", line.trim_end_matches('\n'), "\n"])
        .collect();
    format!("<\n{lines} >")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, quoted) in [
            (&b"plain"[..], r#""plain""#),
            (b"a\"b\\c", r#""a\"b\\c""#),
            (b"\n\t\r\x07\x00\x7f", r#""\n\t\r\a\x00\x7f""#),
            ("é日".as_bytes(), r#""é日""#),
            ("\u{a0}\u{200b}\u{e000}".as_bytes(), r#""\u00a0\u200b\ue000""#),
            ("\u{301}".as_bytes(), "\"\u{301}\""),
            ("\u{f0000}".as_bytes(), r#""\U000f0000""#),
            (b"\xff\xc3", r#""\xff\xc3""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
    }
}
