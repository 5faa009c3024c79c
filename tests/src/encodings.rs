//! The ways in which a server may write down what it was sent, in an error or a log: escaped,
//! encoded, reversed, cut, spread out. No such text may be printed.

mod alphabets;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::json;
use url::form_urlencoded;

use self::alphabets::{Z85, alphabet, base32, base32_hex, base85, circled, hex_dump, rot13};

/// One way.
pub struct Encoding {
    /// What it is called.
    pub name: &'static str,
    /// Writes a text so.
    pub encode: fn(&str) -> String,
}

/// All of them.
pub const ENCODINGS: &[Encoding] = &[
    // as it is, and in words
    of("as it is", str::to_owned),
    of("in a sentence", |text| format!("the token '{text}' was not accepted, try another")),
    of("in upper case", |text| text.to_uppercase()),
    of("in lower case", |text| text.to_lowercase()),
    of("in alternating case", alternating_case),
    of("in JSON in JSON", |text| json!(json!({"sent": text}).to_string()).to_string()),
    of("as a form", |text| {
        form_urlencoded::Serializer::new("grant_type=exchange".to_owned())
            .append_pair("subject_token", text)
            .finish()
    }),
    of("as a Basic header", |text| {
        format!("Authorization: Basic {}", STANDARD.encode(format!("client:{text}")))
    }),
    of("as a bearer header", |text| format!("authorization: bearer {text}")),
    of("as a signed header", |text| {
        format!("x-amz-security-token:{text}\n\nhost;x-amz-security-token' should have been signed")
    }),
    of("as a Go struct", |text| format!("&{{Token:{text} Expiry:0001-01-01 00:00:00 +0000 UTC}}")),
    // cut
    of("its first 40 characters", |text| text.chars().take(40).collect()),
    of("its last 40 characters", |text| last(text, 40)),
    of("its middle 12 characters", |text| {
        text.chars().skip(text.chars().count() / 2).take(12).collect()
    }),
    of("with its middle left out", |text| {
        let first: String = text.chars().take(16).collect();
        format!("{first}...{}", last(text, 16))
    }),
    // spread out
    of("a space every character", |text| between(text, 1, " ")),
    of("a line separator every character", |text| between(text, 1, "\u{2028}")),
    of("a control character every character", |text| between(text, 1, "\u{1}")),
    of("a NUL every character", |text| between(text, 1, "\0")),
    of("a zero-width space every character", |text| between(text, 1, "\u{200b}")),
    of("a zero-width joiner every character", |text| between(text, 1, "\u{200d}")),
    of("a no-break space every character", |text| between(text, 1, "\u{a0}")),
    of("an ideographic space every character", |text| between(text, 1, "\u{3000}")),
    of("a soft hyphen every character", |text| between(text, 1, "\u{ad}")),
    of("a combining mark every character", |text| between(text, 1, "\u{301}")),
    of("a direction mark every character", |text| between(text, 1, "\u{202e}")),
    of("a tag character every character", |text| between(text, 1, "\u{e0020}")),
    of("a comma every 5 characters", |text| between(text, 5, ", ")),
    of("a hyphen every 11 characters", |text| between(text, 11, "-")),
    of("a space every 19 characters", |text| between(text, 19, " ")),
    of("in lines of 40 characters", |text| between(text, 40, "\r\n")),
    of("in quotes every 7 characters", |text| between(text, 7, "\" + \"")),
    // other alphabets
    of("in full width", |text| mapped(text, |c| char::from_u32(u32::from(c) + 0xfee0))),
    of("in circles", circled),
    of("in mathematical bold", |text| alphabet(text, 0x1d400, 0x1d41a, Some(0x1d7ce))),
    of("in mathematical monospace", |text| alphabet(text, 0x1d670, 0x1d68a, Some(0x1d7f6))),
    // UTF-16 and UTF-32, as a reader of UTF-8 sees them
    of("in UTF-16, little end first", |text| lossy(text.encode_utf16().flat_map(u16::to_le_bytes))),
    of("in UTF-16, big end first", |text| lossy(text.encode_utf16().flat_map(u16::to_be_bytes))),
    of("in UTF-16 with a mark", |text| {
        lossy([0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)))
    }),
    of("in UTF-32, little end first", |text| {
        lossy(text.chars().flat_map(|c| u32::from(c).to_le_bytes()))
    }),
    of("in UTF-32, big end first", |text| {
        lossy(text.chars().flat_map(|c| u32::from(c).to_be_bytes()))
    }),
    // bytes as numbers
    of("in hex", |text| each_byte(text, |byte| format!("{byte:02x}"))),
    of("in upper-case hex", |text| each_byte(text, |byte| format!("{byte:02X}"))),
    of("in hex with colons", |text| each_byte(text, |byte| format!("{byte:02x}:"))),
    of("in hex with spaces", |text| each_byte(text, |byte| format!("{byte:02x} "))),
    of("in hex with 0x", |text| each_byte(text, |byte| format!("0x{byte:02x}, "))),
    of("in hex with \\x", |text| each_byte(text, |byte| format!("\\x{byte:02x}"))),
    of("in hex, reversed", |text| reversed(&each_byte(text, |byte| format!("{byte:02x}")))),
    of("in a hex dump", hex_dump),
    of("in octal escapes", |text| each_byte(text, |byte| format!("\\{byte:03o}"))),
    of("in decimal numbers", |text| each_byte(text, |byte| format!("{byte}, "))),
    of("in decimal numbers as Go prints bytes", |text| {
        format!("[{}]", each_byte(text, |byte| format!("{byte} ")))
    }),
    // escapes
    of("in JSON escapes", |text| each_char(text, |code| format!("\\u{code:04x}"))),
    of("in upper-case JSON escapes", |text| each_char(text, |code| format!("\\u{code:04X}"))),
    of("in JSON escapes, twice", |text| each_char(text, |code| format!("\\\\u{code:04x}"))),
    of("in JavaScript escapes", |text| each_char(text, |code| format!("\\u{{{code:x}}}"))),
    of("in C escapes", |text| each_char(text, |code| format!("\\U{code:08x}"))),
    of("in code points", |text| each_char(text, |code| format!("U+{code:04X} "))),
    of("in decimal HTML entities", |text| each_char(text, |code| format!("&#{code};"))),
    of("in hex HTML entities", |text| each_char(text, |code| format!("&#x{code:x};"))),
    of("in HTML entities, twice", |text| each_char(text, |code| format!("&amp;#{code};"))),
    of("in HTML tags", |text| {
        each_char(text, |code| format!("<b>{}</b>", char::from_u32(code).unwrap_or_default()))
    }),
    of("percent-encoded where it must be", |text| {
        form_urlencoded::byte_serialize(text.as_bytes()).collect()
    }),
    of("percent-encoded", |text| each_byte(text, |byte| format!("%{byte:02X}"))),
    of("percent-encoded twice", |text| each_byte(text, |byte| format!("%25{byte:02x}"))),
    of("percent-encoded three times", |text| each_byte(text, |byte| format!("%2525{byte:02x}"))),
    of("percent-encoded as by `escape`", |text| each_char(text, |code| format!("%u{code:04x}"))),
    of("in quoted-printable", |text| each_byte(text, |byte| format!("={byte:02X}"))),
    of("in quoted-printable lines", |text| between(text, 30, "=\r\n")),
    // base32 and base64
    of("in base32", |text| base32(text.as_bytes())),
    of("in lower-case base32", |text| base32(text.as_bytes()).to_lowercase()),
    of("in base32 after one byte", |text| base32(format!("\"{text}\"").as_bytes())),
    of("in base64", |text| STANDARD.encode(text)),
    of("in base64 without padding", |text| STANDARD_NO_PAD.encode(text)),
    of("in base64url", |text| URL_SAFE.encode(text)),
    of("in base64url without padding", |text| URL_SAFE_NO_PAD.encode(text)),
    of("in base64 after one byte", |text| STANDARD.encode(format!("\"{text}\""))),
    of("in base64 after two bytes", |text| STANDARD.encode(format!("=\"{text}\""))),
    of("in base64 of a form", |text| STANDARD.encode(format!("a=b&subject_token={text}&c=d"))),
    of("in base64 in lines", |text| between(&STANDARD.encode(text), 64, "\r\n")),
    of("in base64 in groups", |text| between(&STANDARD.encode(text), 11, " ")),
    of("in percent-encoded base64", |text| {
        each_byte(&STANDARD.encode(text), |byte| format!("%{byte:02x}"))
    }),
    // other alphabets of bytes
    of("in base32hex", |text| base32_hex(text.as_bytes())),
    of("in base64 of each character", |text| each_byte(text, |byte| STANDARD.encode([byte]))),
    of("in base64 of each character, without padding", |text| {
        each_byte(text, |byte| format!("{} ", STANDARD_NO_PAD.encode([byte])))
    }),
    of("in base64 of each two characters", |text| {
        text.as_bytes().chunks(2).map(|pair| STANDARD_NO_PAD.encode(pair) + ",").collect()
    }),
    of("in Ascii85", |text| base85(text.as_bytes(), |value| value + b'!')),
    of("in Z85", |text| base85(text.as_bytes(), |value| Z85[usize::from(value)])),
    of("in binary", |text| each_byte(text, |byte| format!("{byte:08b} "))),
    of("in octal numbers", |text| each_byte(text, |byte| format!("{byte:03o}"))),
    of("in decimal numbers of three digits", |text| each_byte(text, |byte| format!("{byte:03}"))),
    of("in ROT13", |text| mapped(text, rot13)),
    // one in the other
    of("in hex of base64", |text| each_byte(&STANDARD.encode(text), |byte| format!("{byte:02x}"))),
    of("in base64 of hex", |text| STANDARD.encode(each_byte(text, |byte| format!("{byte:02x}")))),
    of("in hex of hex", |text| {
        let hex = each_byte(text, |byte| format!("{byte:02x}"));
        each_byte(&hex, |byte| format!("{byte:02x}"))
    }),
    of("in base64 of percent-encoding", |text| {
        STANDARD.encode(each_byte(text, |byte| format!("%{byte:02X}")))
    }),
    of("in base64 of JSON escapes", |text| {
        STANDARD.encode(each_char(text, |code| format!("\\u{code:04x}")))
    }),
    of("in base64 of HTML entities", |text| {
        URL_SAFE.encode(each_char(text, |code| format!("&#{code};")))
    }),
    of("in base64 twice", |text| STANDARD.encode(STANDARD.encode(text))),
    of("in base64 twice, after one byte each", |text| {
        STANDARD.encode(format!("\"{}", STANDARD.encode(format!("\"{text}"))))
    }),
    of("in base64 three times", |text| {
        URL_SAFE_NO_PAD.encode(URL_SAFE_NO_PAD.encode(URL_SAFE_NO_PAD.encode(text)))
    }),
    of("in base64 of lines of base64", |text| {
        STANDARD.encode(between(&STANDARD.encode(text), 64, "\r\n"))
    }),
    of("in base64 of UTF-16", |text| {
        STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
    }),
    of("in base64 of base64 of UTF-16", |text| {
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        STANDARD.encode(STANDARD.encode(bytes))
    }),
    of("in base32 of base64", |text| base32(STANDARD.encode(text).as_bytes())),
    of("in base64 of base32", |text| STANDARD.encode(base32(text.as_bytes()))),
    of("in hex of base32hex", |text| {
        each_byte(&base32_hex(text.as_bytes()), |byte| format!("{byte:02x}"))
    }),
    of("in percent-encoded base64 of base64", |text| {
        each_byte(&STANDARD.encode(STANDARD.encode(text)), |byte| format!("%{byte:02x}"))
    }),
    of("in base64 of hex, reversed", |text| {
        reversed(&STANDARD.encode(each_byte(text, |byte| format!("{byte:02x}"))))
    }),
    of("in base64 of Ascii85", |text| {
        STANDARD.encode(base85(text.as_bytes(), |value| value + b'!'))
    }),
    // backwards
    of("reversed", reversed),
    of("reversed with spaces", |text| between(&reversed(text), 3, " ")),
    of("in base64, reversed", |text| reversed(&STANDARD.encode(text))),
    of("reversed, in base64", |text| STANDARD.encode(reversed(text))),
];

const fn of(name: &'static str, encode: fn(&str) -> String) -> Encoding {
    Encoding { name, encode }
}

/// A text in every encoding, each under its name.
pub fn encodings(text: &str) -> Vec<(&'static str, String)> {
    ENCODINGS.iter().map(|encoding| (encoding.name, (encoding.encode)(text))).collect()
}

/// A text in two halves, for two fields of an answer.
pub fn halves(text: &str) -> (&str, &str) {
    let middle = text.chars().count() / 2;
    let at = text.char_indices().nth(middle).map_or(text.len(), |(at, _)| at);
    text.split_at(at)
}

/// Every run of `length` characters in `text` that is not blank.
pub fn runs(text: &str, length: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let runs = characters.windows(length).map(|run| run.iter().collect::<String>());
    runs.filter(|run| !run.trim().is_empty()).collect()
}

fn last(text: &str, count: usize) -> String {
    text.chars().skip(text.chars().count().saturating_sub(count)).collect()
}

fn between(text: &str, size: usize, separator: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters.chunks(size).map(|piece| piece.iter().collect()).collect();
    pieces.join(separator)
}

fn each_byte(text: &str, write: fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

fn each_char(text: &str, write: fn(u32) -> String) -> String {
    text.chars().map(|c| write(u32::from(c))).collect()
}

fn lossy(bytes: impl Iterator<Item = u8>) -> String {
    String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn alternating_case(text: &str) -> String {
    let change = |(at, c): (usize, char)| match at % 2 {
        0 => c.to_ascii_uppercase(),
        _ => c.to_ascii_lowercase(),
    };
    text.chars().enumerate().map(change).collect()
}

fn mapped(text: &str, other: fn(char) -> Option<char>) -> String {
    text.chars()
        .map(|c| Some(c).filter(char::is_ascii_graphic).and_then(other).unwrap_or(c))
        .collect()
}

#[cfg(test)]
mod tests {
    use pullpass::http::SentSecrets;

    use super::*;

    /// A pod's token, an AWS session token, a client's secret, a Vault token.
    const SECRETS: [&str; 4] = [
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjlxMmE3In0.eyJhdWQiOlsic3RzLmFtYXpvbmF3cy5jb20iXSwiZXhwIjo0\
         MTAyNDQ0ODAwLCJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6ZGVtbzp3ZWIifQ.dGhlLXNpZ25hdHVyZS1v\
         Zi10aGUtdG9rZW4_-x7Q",
        "IQoJb3JpZ2luX2VjEHoaCXVzLXdlc3QtMiJHMEUCIQDx9f/3yKqk+1vT0Zn8/aY2b7w+Q6rJ5sHc4Xe1mLpT/A==",
        "Qx8~T7.hPz_4vJ2-nL9wRkEo1uYb6sGd3mCfAi0q",
        "hvs.CAESIJ2kq8vYw3X9fT1aLmPz7RbQ0sUe4HdN6oGiVtKcW5xEGh4KHGh2cy5",
    ];

    #[test]
    fn there_are_many_and_each_has_its_own_name() {
        let mut names: Vec<&str> = ENCODINGS.iter().map(|encoding| encoding.name).collect();
        assert!(names.len() >= 100, "{}", names.len());
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ENCODINGS.len());
    }

    #[test]
    fn words_that_hold_a_secret_in_any_encoding_are_withheld() {
        let mut shown = Vec::new();
        for secret in SECRETS {
            let sent = SentSecrets::default();
            sent.remember(secret);
            for Encoding { name, encode } in ENCODINGS {
                let encoded = encode(secret);
                let (first, second) = halves(&encoded);
                let quoted = [
                    sent.quote([&encoded]).concat(),
                    sent.quote(["invalid_token", &encoded]).concat(),
                    sent.quote([first, second]).concat(),
                    sent.quote([&format!("invalid {encoded} as"), "x"]).concat(),
                ];
                let is_shown = |quote: &String| !quote.contains("(not shown");
                if quoted.iter().any(is_shown) {
                    shown.push(format!("{name}: {quoted:?}"));
                }
            }
        }
        assert!(shown.is_empty(), "{} are shown:\n{}", shown.len(), shown.join("\n"));
    }
}
