//! Directives, anchors and tags.

use crate::document::Fault;
use crate::yaml::reader::is_space_or_end;
use crate::yaml::reader::{Mark, is_blank, is_break, is_break_or_end, is_name_letter};
use crate::yaml::scanner::Scanner;
use crate::yaml::token::{Token, TokenKind};

impl Scanner<'_> {
    /// `%YAML 1.1` or `%TAG !handle! prefix`, with its whole line.
    pub(super) fn scan_directive(&mut self) -> Result<Token, Fault> {
        let start = self.reader.mark();
        self.reader.skip();
        let name = self.scan_name()?;
        if name.is_empty() {
            return Err(self.fault("could not find expected directive name"));
        }
        if !is_space_or_end(self.reader.peek(0)) {
            return Err(self.fault("found unexpected non-alphabetical character"));
        }
        let kind = match name.as_str() {
            "YAML" => self.scan_version()?,
            "TAG" => self.scan_tag_directive()?,
            _ => return Err(self.fault("found unknown directive name")),
        };
        let end = self.reader.mark();
        self.skip_blanks()?;
        self.skip_comment()?;
        if !is_break_or_end(self.reader.peek(0)) {
            return Err(self.fault("did not find expected comment or line break"));
        }
        if is_break(self.reader.peek(0)) {
            self.reader.fill(2)?;
            self.reader.skip_break();
        }
        Ok(Token { kind, start, end })
    }

    fn scan_version(&mut self) -> Result<TokenKind, Fault> {
        self.skip_blanks()?;
        let major = self.scan_version_number()?;
        if !self.reader.is('.') {
            return Err(self.fault("did not find expected digit or '.' character"));
        }
        self.reader.skip();
        let minor = self.scan_version_number()?;
        Ok(TokenKind::VersionDirective { major, minor })
    }

    fn scan_version_number(&mut self) -> Result<u8, Fault> {
        self.reader.fill(1)?;
        let (mut value, mut length) = (0, 0);
        while let Some(digit) = self.reader.peek(0).to_digit(10) {
            length += 1;
            if length > 2 {
                return Err(self.fault("found extremely long version number"));
            }
            value = value * 10 + u8::try_from(digit).unwrap_or(0);
            self.reader.skip();
            self.reader.fill(1)?;
        }
        if length == 0 {
            return Err(self.fault("did not find expected version number"));
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self) -> Result<TokenKind, Fault> {
        self.reader.fill(1)?;
        self.skip_blanks()?;
        let handle = self.scan_tag_handle(true)?;
        self.reader.fill(1)?;
        if !is_blank(self.reader.peek(0)) {
            return Err(self.fault("did not find expected whitespace"));
        }
        self.skip_blanks()?;
        let prefix = self.scan_tag_uri(&[])?;
        if !is_space_or_end(self.reader.peek(0)) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        Ok(TokenKind::TagDirective { handle, prefix })
    }

    /// `*name` or `&name`.
    pub(super) fn scan_anchor(&mut self, is_alias: bool) -> Result<Token, Fault> {
        let start = self.reader.mark();
        self.reader.skip();
        let name = self.scan_name()?;
        let end = self.reader.mark();
        let next = self.reader.peek(0);
        if name.is_empty() || !(is_space_or_end(next) || "?:,]}%@`".contains(next)) {
            return Err(self.fault("did not find expected alphabetic or numeric character"));
        }
        let kind = if is_alias { TokenKind::Alias(name) } else { TokenKind::Anchor(name) };
        Ok(Token { kind, start, end })
    }

    /// `!suffix`, `!handle!suffix` or `!<uri>`.
    pub(super) fn scan_tag(&mut self) -> Result<Token, Fault> {
        let start = self.reader.mark();
        self.reader.fill(2)?;
        let (handle, suffix) = if self.reader.peek(1) == '<' {
            self.reader.skip();
            self.reader.skip();
            let uri = self.scan_tag_uri(&[])?;
            if !self.reader.is('>') {
                return Err(self.fault("did not find the expected '>'"));
            }
            self.reader.skip();
            (Vec::new(), uri)
        } else {
            self.scan_short_tag()?
        };
        self.reader.fill(1)?;
        if !is_space_or_end(self.reader.peek(0)) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        let kind = TokenKind::Tag { handle, suffix };
        Ok(Token { kind, start, end: self.reader.mark() })
    }

    fn scan_short_tag(&mut self) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        let handle = self.scan_tag_handle(false)?;
        if handle.len() > 1 && handle.ends_with(b"!") {
            let suffix = self.scan_tag_uri(&[])?;
            return Ok((handle, suffix));
        }
        // It was the beginning of a suffix.
        let suffix = self.scan_tag_uri(&handle)?;
        Ok(if suffix.is_empty() { (suffix, b"!".to_vec()) } else { (b"!".to_vec(), suffix) })
    }

    fn scan_tag_handle(&mut self, is_directive: bool) -> Result<Vec<u8>, Fault> {
        self.reader.fill(1)?;
        if !self.reader.is('!') {
            return Err(self.fault("did not find expected '!'"));
        }
        let mut handle = String::new();
        self.reader.read(&mut handle);
        handle.push_str(&self.scan_name()?);
        if self.reader.is('!') {
            self.reader.read(&mut handle);
        } else if is_directive && handle != "!" {
            return Err(self.fault("did not find expected '!'"));
        }
        Ok(handle.into_bytes())
    }

    /// The rest of a tag of which `head` was read, less its `!`.
    fn scan_tag_uri(&mut self, head: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut uri = head.get(1..).unwrap_or_default().to_vec();
        let mut is_empty = head.is_empty();
        self.reader.fill(1)?;
        loop {
            let c = self.reader.peek(0);
            if c == '%' {
                self.scan_escaped_octets(&mut uri)?;
            } else if is_name_letter(c) || ";/?:@&=+$,.!~*'()[]".contains(c) {
                uri.extend(c.encode_utf8(&mut [0; 4]).bytes());
                self.reader.skip();
            } else {
                break;
            }
            is_empty = false;
            self.reader.fill(1)?;
        }
        if is_empty {
            return Err(self.fault("did not find expected tag URI"));
        }
        Ok(uri)
    }

    /// `%` and two digits for every byte of one character.
    fn scan_escaped_octets(&mut self, uri: &mut Vec<u8>) -> Result<(), Fault> {
        let mut left = None;
        while left != Some(0) {
            self.reader.fill(3)?;
            let digits = (self.reader.peek(1).to_digit(16), self.reader.peek(2).to_digit(16));
            let (true, (Some(high), Some(low))) = (self.reader.is('%'), digits) else {
                return Err(self.fault("did not find URI escaped octet"));
            };
            let octet = u8::try_from(high << 4 | low).unwrap_or(0);
            left = Some(
                match left {
                    None => match octet {
                        0..0x80 => 1,
                        0xc0..0xe0 => 2,
                        0xe0..0xf0 => 3,
                        0xf0..0xf8 => 4,
                        _ => return Err(self.fault("found an incorrect leading UTF-8 octet")),
                    },
                    Some(_) if octet & 0xc0 != 0x80 => {
                        return Err(self.fault("found an incorrect trailing UTF-8 octet"));
                    }
                    Some(left) => left,
                } - 1,
            );
            uri.push(octet);
            for _ in 0..3 {
                self.reader.skip();
            }
        }
        Ok(())
    }

    fn scan_name(&mut self) -> Result<String, Fault> {
        let mut name = String::new();
        self.reader.fill(1)?;
        while is_name_letter(self.reader.peek(0)) {
            self.reader.read(&mut name);
            self.reader.fill(1)?;
        }
        Ok(name)
    }

    pub(super) fn skip_blanks(&mut self) -> Result<(), Fault> {
        self.reader.fill(1)?;
        while is_blank(self.reader.peek(0)) {
            self.reader.skip();
            self.reader.fill(1)?;
        }
        Ok(())
    }

    pub(super) fn scalar_token(
        &self,
        text: String,
        is_plain: bool,
        start: Mark,
        end: Mark,
    ) -> Token {
        Token { kind: TokenKind::Scalar { text, is_plain }, start, end }
    }
}
