//! JSON as Go's package `encoding/json` scans it, with its error messages.

use std::fmt;

use crate::document::{Entry, Fault, MOST_DEPTH, MOST_NODES, Node, Value};
use crate::go::quote::quote;

/// Reads one value and nothing else.
pub(crate) fn parse(bytes: &[u8]) -> Result<Node, Fault> {
    let mut scanner = Scanner { bytes, at: 0, depth: 0, nodes: 0 };
    scanner.skip_space();
    let node = scanner.value()?;
    scanner.skip_space();
    match scanner.bytes.get(scanner.at) {
        Some(_) => Err(scanner.unexpected(Context::AfterDocument)),
        None => Ok(node),
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    nodes: usize,
}

/// What was being read when an unexpected character was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Value,
    Key,
    AfterKey,
    AfterEntry,
    AfterElement,
    AfterDocument,
    Text,
    Escape,
    HexEscape,
    Number,
    Fraction,
    Exponent,
    Word { word: &'static str, expected: char },
}

impl Context {
    /// At the end of the text Go adds one more space. If a space is allowed there, the error is
    /// about the end; otherwise it is about the space.
    fn takes_space(self) -> bool {
        match self {
            Self::Value
            | Self::Key
            | Self::AfterKey
            | Self::AfterEntry
            | Self::AfterElement
            | Self::AfterDocument
            | Self::Text => true,
            Self::Escape
            | Self::HexEscape
            | Self::Number
            | Self::Fraction
            | Self::Exponent
            | Self::Word { .. } => false,
        }
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "looking for beginning of value",
            Self::Key => "looking for beginning of object key string",
            Self::AfterKey => "after object key",
            Self::AfterEntry => "after object key:value pair",
            Self::AfterElement => "after array element",
            Self::AfterDocument => "after top-level value",
            Self::Text => "in string literal",
            Self::Escape => "in string escape code",
            Self::HexEscape => "in \\u hexadecimal character escape",
            Self::Number => "in numeric literal",
            Self::Fraction => "after decimal point in numeric literal",
            Self::Exponent => "in exponent of numeric literal",
            Self::Word { word, expected } => {
                return write!(f, "in literal {word} (expecting '{expected}')");
            }
        })
    }
}

impl Scanner<'_> {
    fn value(&mut self) -> Result<Node, Fault> {
        let start = self.at;
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Fault::too_many_nodes(start));
        }
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::String(self.string()?.into()),
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Value::Number(String::from_utf8_lossy(&self.bytes[start..self.at]).into())
            }
            _ => return Err(self.unexpected(Context::Value)),
        };
        Ok(Node { value, span: start..self.at })
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(Fault::too_deep(self.at));
        }
        self.at += 1;
        self.skip_space();
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut entries = Vec::new();
        if self.take(b'}') {
            return Ok(Value::Object(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected(Context::Key));
            }
            let start = self.at;
            let key = self.string()?.into();
            let key_span = start..self.at;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.unexpected(Context::AfterKey));
            }
            self.skip_space();
            let node = self.value()?;
            entries.push(Entry { key, key_span, node });
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(entries));
            }
            if !self.take(b',') {
                return Err(self.unexpected(Context::AfterEntry));
            }
            self.skip_space();
        }
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut items = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(items));
            }
            if !self.take(b',') {
                return Err(self.unexpected(Context::AfterElement));
            }
            self.skip_space();
        }
    }

    /// A string; bytes and escapes that are not characters become U+FFFD.
    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut raw = Vec::new();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    raw.extend(c.encode_utf8(&mut [0; 4]).bytes());
                }
                Some(byte) if byte >= b' ' => {
                    raw.push(byte);
                    self.at += 1;
                }
                _ => return Err(self.unexpected(Context::Text)),
            }
        }
        self.at += 1;
        let mut text = String::with_capacity(raw.len());
        for chunk in raw.utf8_chunks() {
            text.push_str(chunk.valid());
            text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
        Ok(text)
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let c = match self.peek() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.unexpected(Context::Escape)),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self) -> Result<char, Fault> {
        let high = self.four_digits()?;
        let before_low = self.at;
        if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
            self.at += 2;
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            // Not a pair: the second escape is a separate character.
            self.at = before_low;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected(Context::HexEscape));
            };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.unexpected(Context::Number));
        }
        if self.take(b'.') && self.digits() == 0 {
            return Err(self.unexpected(Context::Fraction));
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            if self.digits() == 0 {
                return Err(self.unexpected(Context::Exponent));
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn word(&mut self, word: &'static str, value: Value) -> Result<Value, Fault> {
        for expected in word.chars() {
            if self.peek().map(char::from) != Some(expected) {
                return Err(self.unexpected(Context::Word { word, expected }));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, context: Context) -> Fault {
        let byte = match self.peek() {
            Some(byte) => byte,
            None if context.takes_space() => {
                let at = self.at.saturating_sub(1);
                let fault = Fault::at("unexpected end of JSON input", at);
                return Fault { is_early_end: true, ..fault };
            }
            None => b' ',
        };
        let shown = match byte {
            b'\'' => r"'\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            // A byte is shown as the character with that number.
            _ => format!("'{}'", quote(char::from(byte).to_string()).trim_matches('"')),
        };
        Fault::at(format!("invalid character {shown} {context}"), self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right column was printed by Go 1.26.8.
    #[test]
    fn refuses_in_go_s_words() {
        for (text, message) in [
            ("", "unexpected end of JSON input"),
            ("  ", "unexpected end of JSON input"),
            ("{", "unexpected end of JSON input"),
            ("{\"a\"", "unexpected end of JSON input"),
            ("nul", "invalid character ' ' in literal null (expecting 'l')"),
            ("-", "invalid character ' ' in numeric literal"),
            ("[1.", "invalid character ' ' after decimal point in numeric literal"),
            ("1e", "invalid character ' ' in exponent of numeric literal"),
            ("\"\\", "invalid character ' ' in string escape code"),
            ("\"\\u1", "invalid character ' ' in \\u hexadecimal character escape"),
            ("\"a", "unexpected end of JSON input"),
            ("log line", "invalid character 'l' looking for beginning of value"),
            ("true x", "invalid character 'x' after top-level value"),
            ("{} {}", "invalid character '{' after top-level value"),
            ("{a:1}", "invalid character 'a' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 2}", "invalid character '2' after object key:value pair"),
            ("[1 2]", "invalid character '2' after array element"),
            ("nul!", "invalid character '!' in literal null (expecting 'l')"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("\"\\q\"", "invalid character 'q' in string escape code"),
            ("\"\\u12x\"", "invalid character 'x' in \\u hexadecimal character escape"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("'", "invalid character '\\'' looking for beginning of value"),
            ("\u{feff}{}", "invalid character 'ï' looking for beginning of value"),
        ] {
            assert_eq!(parse(text.as_bytes()).expect_err(text).message, message, "{text}");
        }
    }

    #[test]
    fn strings() {
        for (text, expected) in [
            (&br#""a\n\u00e9\ud83d\ude00""#[..], "a\né😀"),
            (br#""\ud800x""#, "\u{fffd}x"),
            (br#""\ud800\u0041""#, "\u{fffd}A"),
            (b"\"\xff\"", "\u{fffd}"),
        ] {
            assert_eq!(parse(text).expect("valid").as_str(), Some(expected));
        }
    }
}
