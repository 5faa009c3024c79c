//! Bytes and letters in other alphabets.

use std::fmt::Write as _;

/// Letters from these places of Unicode on; digits where it has them.
pub(super) fn alphabet(text: &str, upper: u32, lower: u32, digits: Option<u32>) -> String {
    let other = |c: char| {
        let code = u32::from(c);
        match c {
            'A'..='Z' => char::from_u32(upper + code - u32::from('A')),
            'a'..='z' => char::from_u32(lower + code - u32::from('a')),
            '0'..='9' => digits.and_then(|zero| char::from_u32(zero + code - u32::from('0'))),
            _ => None,
        }
    };
    text.chars().map(|c| other(c).unwrap_or(c)).collect()
}

/// Enclosed Alphanumerics: 1 to 9 come before 0.
pub(super) fn circled(text: &str) -> String {
    let digit = |c: char| match c {
        '0' => '\u{24ea}',
        '1'..='9' => char::from_u32(0x2460 + u32::from(c) - u32::from('1')).unwrap_or(c),
        _ => c,
    };
    alphabet(text, 0x24b6, 0x24d0, None).chars().map(digit).collect()
}

/// As `xxd` prints it, with the text next to it.
pub(super) fn hex_dump(text: &str) -> String {
    let mut dump = String::new();
    for (row, bytes) in text.as_bytes().chunks(16).enumerate() {
        let _ = write!(dump, "{:08x}:", row * 16);
        for pair in bytes.chunks(2) {
            let pair: String = pair.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = write!(dump, " {pair}");
        }
        let _ = writeln!(dump, "  {}", String::from_utf8_lossy(bytes));
    }
    dump
}

pub(super) fn rot13(c: char) -> Option<char> {
    let place = |first: u8| char::from((c as u8 - first + 13) % 26 + first);
    match c {
        'a'..='z' => Some(place(b'a')),
        'A'..='Z' => Some(place(b'A')),
        _ => None,
    }
}

/// ZeroMQ RFC 32.
pub(super) const Z85: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Five digits to the base 85 for each four bytes, and for what is left one digit more than bytes.
pub(super) fn base85(bytes: &[u8], digit: fn(u8) -> u8) -> String {
    let mut text = String::new();
    for group in bytes.chunks(4) {
        let mut padded = [0; 4];
        padded[..group.len()].copy_from_slice(group);
        let number = u32::from_be_bytes(padded);
        for at in 0..=group.len() {
            let value = number / 85_u32.pow(4 - at as u32) % 85;
            text.push(char::from(digit(value as u8)));
        }
    }
    text
}

/// RFC 4648 section 7.
pub(super) fn base32_hex(bytes: &[u8]) -> String {
    let digit = |c: char| {
        let value = match c {
            'A'..='Z' => c as u8 - b'A',
            '2'..='7' => c as u8 - b'2' + 26,
            _ => return c,
        };
        char::from(b"0123456789ABCDEFGHIJKLMNOPQRSTUV"[usize::from(value)])
    };
    base32(bytes).chars().map(digit).collect()
}

/// RFC 4648 section 6.
pub(super) fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let mut bits = [0; 8];
        bits[3..3 + group.len()].copy_from_slice(group);
        let bits = u64::from_be_bytes(bits);
        let count = (group.len() * 8).div_ceil(5);
        for at in 0..8 {
            let index = (bits >> (35 - 5 * at) & 31) as usize;
            let character = char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[index]);
            text.push(if at < count { character } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (text, expected) in [
            ("", ""),
            ("f", "MY======"),
            ("fo", "MZXQ===="),
            ("foo", "MZXW6==="),
            ("foob", "MZXW6YQ="),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI======"),
        ] {
            assert_eq!(base32(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_others_are_those_of_other_programs() {
        // Python: `base64.b32hexencode`, `base64.a85encode`.
        let bytes = b"hunter2-blue!";
        assert_eq!(base32_hex(bytes), "D1QMST35E8P2QOJCELII2===");
        assert_eq!(base85(bytes, |value| value + b'!'), r"BQ\37ATBOX@Vg0u+T");
    }
}
