//! The forms in which a server may repeat what it was sent: as programs, terminals and mail write
//! bytes down, and as somebody would who wants it to be printed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// `secret` in every form, each under a name.
pub fn encodings(secret: &str) -> Vec<(&'static str, String)> {
    let separated = |size: usize, separator: &str| {
        let pieces: Vec<_> =
            secret.as_bytes().chunks(size).map(|piece| String::from_utf8_lossy(piece)).collect();
        pieces.join(separator)
    };
    let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
    let percent = each(|byte| format!("%{byte:02X}"));
    let reversed: String = secret.chars().rev().collect();
    let reverse = |text: &str| text.chars().rev().collect::<String>();
    let hex = each(|byte| format!("{byte:02x}"));
    let base64 = STANDARD.encode(secret);
    let swap = |c: char| match c.is_ascii_uppercase() {
        true => c.to_ascii_lowercase(),
        false => c.to_ascii_uppercase(),
    };
    vec![
        ("as it is", secret.to_owned()),
        ("in a sentence", format!("the token {secret} is not valid")),
        ("its middle", format!("...{}...", &secret[secret.len() / 4..secret.len() * 3 / 4])),
        ("its beginning", format!("{}...", &secret[..24])),
        ("its end", format!("...{}", &secret[secret.len() - 24..])),
        ("words of 19", separated(19, " ")),
        ("words of 11 with dashes", separated(11, " - ")),
        ("paths of 11", separated(11, "/")),
        ("lines of 64", separated(64, "\r\n")),
        ("tabs", separated(8, "\t")),
        ("a space after each letter", separated(1, " ")),
        ("a comma after each letter", separated(1, ",")),
        ("a dot after each letter", separated(1, ".")),
        ("quoted letters", separated(1, "','")),
        ("no-break spaces", separated(9, "\u{a0}")),
        ("em spaces", separated(9, "\u{2003}")),
        ("ideographic spaces", separated(9, "\u{3000}")),
        ("line separators", separated(9, "\u{2028}")),
        ("zero-width spaces", separated(7, "\u{200b}")),
        ("zero-width joiners", separated(7, "\u{200d}")),
        ("word joiners", separated(7, "\u{2060}")),
        ("soft hyphens", separated(7, "\u{ad}")),
        ("byte order marks", separated(7, "\u{feff}")),
        ("direction marks", separated(5, "\u{202e}")),
        ("control characters", separated(1, "\u{1}")),
        ("deletes", separated(1, "\u{7f}")),
        ("escape sequences", separated(6, "\u{1b}")),
        ("UTF-16", separated(1, "\0")),
        ("UTF-32", separated(1, "\0\0\0")),
        ("hex", hex.clone()),
        ("hex in capitals with colons", each(|byte| format!("{byte:02X}:"))),
        ("hex with spaces", each(|byte| format!("{byte:02x} "))),
        ("hex with 0x", each(|byte| format!("0x{byte:02x}, "))),
        ("hex escapes", each(|byte| format!("\\x{byte:02x}"))),
        ("JSON escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("escapes with braces", each(|byte| format!("\\u{{{byte:x}}}"))),
        ("decimal entities", each(|byte| format!("&#{byte};"))),
        ("hexadecimal entities", each(|byte| format!("&#x{byte:x};"))),
        ("quoted-printable", each(|byte| format!("={byte:02X}"))),
        ("soft line breaks", separated(20, "=\r\n")),
        ("percent", percent.clone()),
        ("percent twice", percent.replace('%', "%25")),
        ("percent three times", percent.replace('%', "%2525")),
        ("small letters", secret.to_ascii_lowercase()),
        ("capital letters", secret.to_ascii_uppercase()),
        ("the other case", secret.chars().map(swap).collect()),
        ("base32", base32(secret)),
        ("base32 in small letters", base32(secret).to_ascii_lowercase()),
        ("base32 after one byte", base32(&format!("\"{secret}\""))),
        ("base64", base64.clone()),
        ("base64url", URL_SAFE_NO_PAD.encode(secret)),
        ("base64 after one byte", STANDARD.encode(format!("\"{secret}\""))),
        ("base64 after two bytes", STANDARD.encode(format!("=\"{secret}"))),
        ("reversed", reversed.clone()),
        ("hex, reversed", reverse(&hex)),
        ("base64, reversed", reverse(&base64)),
    ]
}

/// RFC 4648 §6, without padding.
fn base32(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut encoded, mut bits, mut count) = (String::new(), 0_u32, 0);
    for byte in text.bytes() {
        bits = bits << 8 | u32::from(byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            encoded.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        encoded.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_many_and_differ() {
        assert_eq!(base32("foobar"), "MZXW6YTBOI");
        assert_eq!(base32("fo"), "MZXQ");
        let forms = encodings(&"0123456789abcdefGHIJKLMNOPQRSTUVWXYZ-.=/".repeat(2));
        assert!(forms.len() >= 45, "{}", forms.len());
        let mut texts: Vec<_> = forms.iter().map(|(_, text)| text).collect();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), forms.len());
    }
}
