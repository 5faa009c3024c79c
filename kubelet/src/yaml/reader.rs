//! Bytes to characters, one part of the file at a time: what follows the first document may
//! be anything, and is refused only if it was read.

use std::ops::Range;

use crate::document::Fault;

/// How many bytes are decoded at once.
const CHUNK: usize = 512;

/// A place in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// In bytes of the text of the [`Source`](crate::source::Source).
    pub(super) byte: usize,
    /// In characters.
    pub(super) index: usize,
    /// From 0.
    pub(super) line: usize,
    /// From 0, in characters.
    pub(super) column: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Unknown,
    Utf8,
    Utf16 { high: usize },
}

/// The characters from the present position on. Where the text has ended there are NULs,
/// which cannot stand in it.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    encoding: Encoding,
    /// What was read from the input and is not decoded yet.
    raw: Range<usize>,
    input_ended: bool,
    buffer: Vec<char>,
    position: usize,
    /// Where the next character to be decoded begins in the text.
    decoded: usize,
    mark: Mark,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            // An empty file is read as an empty line.
            input: if input.is_empty() { b"\n" } else { input },
            encoding: Encoding::Unknown,
            raw: 0..0,
            input_ended: false,
            buffer: Vec::new(),
            position: 0,
            decoded: 0,
            mark: Mark::default(),
        }
    }

    pub(super) fn mark(&self) -> Mark {
        self.mark
    }

    /// Makes sure that `count` characters are decoded.
    pub(super) fn fill(&mut self, count: usize) -> Result<(), Fault> {
        if self.buffer.len() - self.position >= count {
            return Ok(());
        }
        if self.encoding == Encoding::Unknown {
            self.find_encoding();
        }
        self.buffer.drain(..self.position);
        self.position = 0;
        let mut is_first = true;
        while self.buffer.len() < count {
            if !is_first || self.raw.is_empty() {
                self.take_chunk();
            }
            is_first = false;
            self.decode()?;
            if self.input_ended {
                self.buffer.push('\0');
                break;
            }
        }
        Ok(())
    }

    /// The character `ahead` of the current one; NUL after the end.
    pub(super) fn peek(&self, ahead: usize) -> char {
        self.buffer.get(self.position + ahead).copied().unwrap_or('\0')
    }

    pub(super) fn is(&self, c: char) -> bool {
        self.peek(0) == c
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == c)
    }

    /// Whether the buffer begins with a byte order mark. That is not always the current
    /// position: the library that the kubelet uses looks there, too.
    pub(super) fn buffer_begins_with_bom(&self) -> bool {
        self.buffer.first() == Some(&'\u{feff}')
    }

    pub(super) fn skip(&mut self) {
        let c = self.peek(0);
        self.position += 1;
        self.mark.byte += c.len_utf8();
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Moves the current character to `text`.
    pub(super) fn read(&mut self, text: &mut String) {
        text.push(self.peek(0));
        self.skip();
    }

    pub(super) fn skip_break(&mut self) {
        if self.is('\r') && self.peek(1) == '\n' {
            self.skip();
        }
        if is_break(self.peek(0)) {
            self.skip();
            self.mark.line += 1;
            self.mark.column = 0;
        }
    }

    /// Takes a break of lines into `text`; all but two kinds become `\n`.
    pub(super) fn read_break(&mut self, text: &mut String) {
        match self.peek(0) {
            c @ ('\u{2028}' | '\u{2029}') => text.push(c),
            c if is_break(c) => text.push('\n'),
            _ => return,
        }
        self.skip_break();
    }

    /// Goes to the beginning of the next line, or the end of the text.
    pub(super) fn end_line(&mut self) {
        if self.mark.column > 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
    }

    fn take_chunk(&mut self) {
        if self.raw.end == self.input.len() {
            self.input_ended = true;
        } else if !self.input_ended {
            self.raw.end = (self.raw.start + CHUNK).min(self.input.len());
        }
    }

    fn find_encoding(&mut self) {
        while !self.input_ended && self.raw.len() < 3 {
            self.take_chunk();
        }
        let (encoding, mark, text) = match &self.input[self.raw.clone()] {
            [0xff, 0xfe, ..] => (Encoding::Utf16 { high: 1 }, 2, 0),
            [0xfe, 0xff, ..] => (Encoding::Utf16 { high: 0 }, 2, 0),
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3, 3),
            _ => (Encoding::Utf8, 0, 0),
        };
        self.encoding = encoding;
        self.raw.start += mark;
        self.decoded = text;
        self.mark.byte = text;
    }

    /// Decodes what was read, except for a character of which a part is missing.
    fn decode(&mut self) -> Result<(), Fault> {
        while !self.raw.is_empty() {
            let bytes = &self.input[self.raw.clone()];
            let decoded = match self.encoding {
                Encoding::Utf16 { high } => decode_utf16(bytes, high),
                _ => decode_utf8(bytes),
            };
            let words = match decoded {
                Ok((c, width)) if is_allowed(c) => {
                    self.raw.start += width;
                    self.decoded += c.len_utf8();
                    self.buffer.push(c);
                    continue;
                }
                Ok(_) => "control characters are not allowed",
                Err(Undecodable::Incomplete(words)) => {
                    if !self.input_ended {
                        return Ok(());
                    }
                    words
                }
                Err(Undecodable::Wrong(words)) => words,
            };
            return Err(Fault::at(format!("yaml: {words}"), self.decoded));
        }
        Ok(())
    }
}

enum Undecodable {
    Incomplete(&'static str),
    Wrong(&'static str),
}

use Undecodable::{Incomplete, Wrong};

fn decode_utf8(bytes: &[u8]) -> Result<(char, usize), Undecodable> {
    let (width, first) = match bytes[0] {
        byte @ 0..0x80 => (1, byte),
        byte @ 0xc0..0xe0 => (2, byte & 0x1f),
        byte @ 0xe0..0xf0 => (3, byte & 0x0f),
        byte @ 0xf0..0xf8 => (4, byte & 0x07),
        _ => return Err(Wrong("invalid leading UTF-8 octet")),
    };
    if width > bytes.len() {
        return Err(Incomplete("incomplete UTF-8 octet sequence"));
    }
    let mut value = u32::from(first);
    for byte in &bytes[1..width] {
        if byte & 0xc0 != 0x80 {
            return Err(Wrong("invalid trailing UTF-8 octet"));
        }
        value = value << 6 | u32::from(byte & 0x3f);
    }
    let least = [0, 0, 0x80, 0x800, 0x1_0000][width];
    if value < least {
        return Err(Wrong("invalid length of a UTF-8 sequence"));
    }
    let c = char::from_u32(value).ok_or(Wrong("invalid Unicode character"))?;
    Ok((c, width))
}

fn decode_utf16(bytes: &[u8], high: usize) -> Result<(char, usize), Undecodable> {
    let unit = |at: usize| u32::from(bytes[at + high]) << 8 | u32::from(bytes[at + 1 - high]);
    if bytes.len() < 2 {
        return Err(Incomplete("incomplete UTF-16 character"));
    }
    let first = unit(0);
    match first & 0xfc00 {
        0xdc00 => Err(Wrong("unexpected low surrogate area")),
        0xd800 => {
            if bytes.len() < 4 {
                return Err(Incomplete("incomplete UTF-16 surrogate pair"));
            }
            let second = unit(2);
            if second & 0xfc00 != 0xdc00 {
                return Err(Wrong("expected low surrogate area"));
            }
            let value = 0x1_0000 + ((first & 0x3ff) << 10) + (second & 0x3ff);
            Ok((char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER), 4))
        }
        _ => Ok((char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 2)),
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

/// A break, or the end of the text.
pub(super) fn is_break_or_end(c: char) -> bool {
    c == '\0' || is_break(c)
}

/// A blank, a break or the end of the text.
pub(super) fn is_space_or_end(c: char) -> bool {
    is_blank(c) || is_break_or_end(c)
}

/// A letter of names of anchors, tags and directives.
pub(super) fn is_name_letter(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}
