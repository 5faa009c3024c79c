//! One form for all texts that represent the same bytes: escapes undone, only letters and digits,
//! in lower case.

use std::fmt::Write as _;

/// How often escapes are undone: `%2565` is `%65`, which is `e`.
const ROUNDS: usize = 4;

/// The longest character reference, in bytes: HTML has none with more.
const LONGEST_ENTITY: usize = 34;

/// The ways in which a server's text can be read, each folded.
pub(super) fn readings(text: &str) -> Vec<Vec<u8>> {
    let mut readings: Vec<_> = unescape_all(text).iter().map(|text| fold(text)).collect();
    // Characters of two and four bytes, in hexadecimal: `5200300068004a00`.
    readings.push(without_zeros(&readings[0]));
    readings
}

/// The text as it is, with its escapes undone once, twice and so on, and its decimal numbers as
/// characters.
pub(super) fn unescape_all(text: &str) -> Vec<String> {
    let mut texts = vec![text.to_owned()];
    for _ in 0..ROUNDS {
        let unescaped = texts.last().map(|text| unescape(text)).unwrap_or_default();
        if texts.contains(&unescaped) {
            break;
        }
        texts.push(unescaped);
    }
    for unescaped in [decimal_characters(text), css(text)] {
        if !texts.contains(&unescaped) {
            texts.push(unescaped);
        }
    }
    texts
}

/// Without each `00`.
fn without_zeros(folded: &[u8]) -> Vec<u8> {
    let mut rest = folded;
    let mut left = Vec::with_capacity(folded.len());
    while let Some((first, after)) = rest.split_first() {
        rest = match rest.strip_prefix(b"00") {
            Some(after) => after,
            None => {
                left.push(*first);
                after
            }
        };
    }
    left
}

/// Only letters and digits, in lower case. Letters of another style (full width, circled,
/// mathematical) become plain letters; spaces, marks and invisible characters are dropped.
pub(super) fn fold(text: &str) -> Vec<u8> {
    let mut folded = Vec::with_capacity(text.len());
    for c in text.chars().map(plain) {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                folded.push(c.to_ascii_lowercase() as u8);
            }
        } else if c.is_alphanumeric() {
            folded.extend(c.to_lowercase().collect::<String>().bytes());
        }
    }
    folded
}

/// The ASCII character that `c` is a compatibility form of (Unicode, "Halfwidth and Fullwidth
/// Forms", "Mathematical Alphanumeric Symbols", "Enclosed Alphanumerics").
fn plain(c: char) -> char {
    let code = u32::from(c);
    let letter = |offset: u32| {
        let base = if offset < 26 { u32::from('A') } else { u32::from('a') - 26 };
        char::from_u32(base + offset).unwrap_or(c)
    };
    match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        0x1d400..=0x1d6a3 => letter((code - 0x1d400) % 52),
        0x1d7ce..=0x1d7ff => char::from_digit((code - 0x1d7ce) % 10, 10).unwrap_or(c),
        0x2460..=0x2468 => char::from_digit(code - 0x245f, 10).unwrap_or(c),
        0x24b6..=0x24e9 => letter(code - 0x24b6),
        0x24ea => '0',
        _ => c,
    }
}

/// Bytes in hexadecimal, lower case.
pub(super) fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text.into_bytes()
}

/// Bytes in base32 (RFC 4648 §6), lower case, without padding. Bits that do not fill the last
/// character are left out: that character depends on what follows.
pub(super) fn base32(bytes: &[u8]) -> Vec<u8> {
    let (mut text, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for byte in bytes {
        bits = (bits << 8 | u32::from(*byte)) & 0xfff;
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(b"abcdefghijklmnopqrstuvwxyz234567"[(bits >> count & 31) as usize]);
        }
    }
    text
}

/// Each decimal number that is a printable character's as that character: `101, 121, 74`.
fn decimal_characters(text: &str) -> String {
    let number = |digits: &str| match digits.parse::<u8>() {
        Ok(code @ 32..=126) => char::from(code),
        _ => '\u{fffd}',
    };
    text.split(|c: char| !c.is_ascii_digit()).filter(|it| !it.is_empty()).map(number).collect()
}

/// Undoes the escapes of CSS: `\\`, up to six hexadecimal digits, and a space.
fn css(text: &str) -> String {
    let mut pieces = text.split('\\');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let code = u32::from_str_radix(&piece[..digits], 16).ok();
        plain.extend(code.and_then(char::from_u32));
        plain.push_str(&piece[digits..]);
    }
    plain
}

/// Undoes every escape once. Everything else stays.
fn unescape(text: &str) -> String {
    let mut plain = Bytes::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (value, length) = match c {
            '%' => percent(rest),
            '=' => byte(rest, 1),
            '\\' => backslash(rest),
            '&' => entity(rest),
            '<' => tag(rest),
            '0' if rest.starts_with("0x") || rest.starts_with("0X") => byte(rest, 2),
            'U' | 'u' if rest[1..].starts_with('+') => code_point(rest, 2, 4),
            _ => None,
        }
        .unwrap_or((Value::Character(c), c.len_utf8()));
        plain.push(value);
        rest = &rest[length..];
    }
    plain.into_text()
}

/// The bytes that an escape represents, and its length.
type Escape = Option<(Value, usize)>;

enum Value {
    Byte(u8),
    Character(char),
    Nothing,
}

/// Bytes next to each other may be one character in UTF-8.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn push(&mut self, value: Value) {
        match value {
            Value::Byte(byte) => self.0.push(byte),
            Value::Character(c) => self.0.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Value::Nothing => {}
        }
    }

    fn into_text(self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// `%65`, or `%u0065`.
fn percent(text: &str) -> Escape {
    match text.as_bytes().get(1)? {
        b'u' | b'U' => code_point(text, 2, 4),
        _ => byte(text, 1),
    }
}

/// Two hexadecimal digits after a prefix of `skip` bytes.
fn byte(text: &str, skip: usize) -> Escape {
    // `=` at the end of a line is quoted-printable's way to break it.
    if text.starts_with("=\n") || text.starts_with("=\r\n") {
        return Some((Value::Nothing, 1));
    }
    let digits = text.get(skip..skip + 2)?;
    let value = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
    Some((Value::Byte(value), skip + 2))
}

/// A character's number, in `digits` hexadecimal digits after a prefix of `skip` bytes.
fn code_point(text: &str, skip: usize, digits: usize) -> Escape {
    let number = text.get(skip..skip + digits)?;
    let code = u32::from_str_radix(number, 16).ok().filter(|_| !number.starts_with('+'))?;
    Some((character(code), skip + digits))
}

fn character(code: u32) -> Value {
    char::from_u32(code).map_or(Value::Nothing, Value::Character)
}

/// An escape of JSON, C, JavaScript or CSS.
fn backslash(text: &str) -> Escape {
    match text.as_bytes().get(1)? {
        b'u' if text.as_bytes().get(2) == Some(&b'{') => {
            let (digits, _) = text.get(3..)?.split_once('}')?;
            Some((character(u32::from_str_radix(digits, 16).ok()?), digits.len() + 4))
        }
        b'u' => code_point(text, 2, 4),
        b'U' => code_point(text, 2, 8),
        b'x' | b'X' => byte(text, 2),
        b'0'..=b'7' => octal(text),
        b'a' | b'b' | b'e' | b'f' | b'n' | b'r' | b't' | b'v' => Some((Value::Nothing, 2)),
        _ => Some((Value::Nothing, 1)),
    }
}

fn octal(text: &str) -> Escape {
    let longest = if text[1..].starts_with('0') { 4 } else { 3 };
    let digits: String =
        text[1..].chars().take(longest).take_while(|c| matches!(c, '0'..='7')).collect();
    let code = u8::from_str_radix(&digits, 8).ok()?;
    Some((Value::Byte(code), 1 + digits.len()))
}

/// A character reference of HTML and XML. Of the named ones only `&amp;` can hide another
/// escape; the others represent characters that are dropped anyway.
fn entity(text: &str) -> Escape {
    let end = text.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';')?;
    let name = text.get(1..end).filter(|name| !name.is_empty())?;
    let length = name.len() + 2;
    let value = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            character(code.ok()?)
        }
        None if name == "amp" => Value::Character('&'),
        None if name.bytes().all(|c| c.is_ascii_alphanumeric()) => Value::Nothing,
        None => return None,
    };
    Some((value, length))
}

/// A tag of HTML, such as `<wbr>`, by which pages let long words break.
fn tag(text: &str) -> Escape {
    let end = text.bytes().take(LONGEST_ENTITY).position(|byte| byte == b'>')?;
    let name = text.get(1..end)?.trim_start_matches('/');
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then_some((Value::Nothing, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_read(text: &str, expected: &str) -> bool {
        readings(text).iter().any(|reading| reading == expected.as_bytes())
    }

    #[test]
    fn escapes_are_undone() {
        for text in [
            "eyJh",
            "e y\tJ\nh",
            "e\u{200b}y\u{ad}J\u{301}h",
            "e.y-J_h",
            "%65%79%4A%68",
            "%2565%79%4a%2568",
            "%25252565yJh",
            "%u0065yJh",
            "=65=79=4A=68",
            "ey=\r\nJh",
            r"\u0065\u0079Jh",
            r"\u{65}yJh",
            r"\U00000065yJh",
            r"\x65\x79\x4a\x68",
            r"\145\171\112\150",
            r"\0145\0171\0112\0150",
            r"\000065\000079\00004a\000068",
            r"\65 \79 \4a \68",
            r"ey\nJh",
            r"ey\\nJh",
            r"e\yJh",
            "&#101;&#121;Jh",
            "&#x65;&#X79;Jh",
            "&amp;#101;yJh",
            "ey&shy;Jh",
            "0x65 0x79 0x4a 0x68",
            "U+0065 U+0079 U+004A U+0068",
            "101, 121, 74, 104",
            "ｅｙＪｈ",
            "ⓔⓨⒿⓗ",
            "<b>e</b>y<wbr>J<br />h",
            "𝐞𝐲𝐉𝐡",
            "𝚎𝚢𝙹𝚑",
            "EYJH",
        ] {
            assert!(is_read(text, "eyjh"), "{text}: {:?}", readings(text));
        }
    }

    #[test]
    fn circled_digits_are_digits() {
        assert!(is_read("⓪①⑨", "019"));
    }

    #[test]
    fn what_is_no_escape_stays() {
        for (text, expected) in [
            ("100% sure", "100sure"),
            ("a=b", "ab"),
            ("AT&T; ok", "atok"),
            ("a & b; c", "abc"),
            ("\\", ""),
            ("%", ""),
            ("%é", "é"),
            ("\\u{", "u"),
            ("&#;", ""),
            ("0x", "0x"),
            ("a < b > c", "abc"),
            ("<", ""),
            ("u+", "u"),
            ("\\777", ""),
        ] {
            assert!(is_read(text, expected), "{text}: {:?}", readings(text));
        }
    }

    #[test]
    fn base32_is_that_of_rfc_4648() {
        // RFC 4648 §10, without what the padding completes.
        assert_eq!(base32(b"fooba"), b"mzxw6ytb");
        assert_eq!(base32(b"foo"), b"mzxw");
        assert_eq!(hex(b"fo\xff"), b"666fff");
    }
}
