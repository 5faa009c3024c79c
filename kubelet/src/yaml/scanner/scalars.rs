//! Plain, quoted and block scalars.

use crate::document::Fault;
use crate::yaml::reader::{is_blank, is_break, is_break_or_end, is_space_or_end};
use crate::yaml::scanner::Scanner;
use crate::yaml::token::Token;

/// Blanks and breaks in a scalar, before their meaning is known.
#[derive(Default)]
struct Gap {
    blanks: String,
    first_break: String,
    further_breaks: String,
    has_break: bool,
}

impl Gap {
    /// One break becomes a space, several lose the first; blanks around them are lost.
    fn fold_into(&mut self, text: &mut String) {
        if !self.has_break {
            text.push_str(&self.blanks);
        } else if !self.first_break.starts_with('\n') {
            text.push_str(&self.first_break);
            text.push_str(&self.further_breaks);
        } else if self.further_breaks.is_empty() {
            text.push(' ');
        } else {
            text.push_str(&self.further_breaks);
        }
        *self = Self::default();
    }
}

impl Scanner<'_> {
    pub(super) fn scan_plain_scalar(&mut self) -> Result<Token, Fault> {
        let start = self.reader.mark();
        let (mut end, mut text, mut gap) = (start, String::new(), Gap::default());
        let indent = self.indent + 1;
        loop {
            self.reader.fill(4)?;
            if self.is_at_document_indicator() || self.reader.is('#') {
                break;
            }
            while !is_space_or_end(self.reader.peek(0)) && !self.ends_plain_scalar() {
                gap.fold_into(&mut text);
                self.reader.read(&mut text);
                end = self.reader.mark();
                self.reader.fill(2)?;
            }
            let next = self.reader.peek(0);
            if !is_blank(next) && !is_break(next) {
                break;
            }
            self.scan_gap(&mut gap, Some(indent))?;
            if self.flow_level == 0 && self.column() < indent {
                break;
            }
        }
        if gap.has_break {
            self.may_be_key = true;
        }
        Ok(self.scalar_token(text, true, start, end))
    }

    fn ends_plain_scalar(&self) -> bool {
        match self.reader.peek(0) {
            ':' => is_space_or_end(self.reader.peek(1)),
            c => self.flow_level > 0 && ",?[]{}".contains(c),
        }
    }

    /// Blanks and breaks up to the next word. In the indent of a plain scalar a tab is an error.
    fn scan_gap(&mut self, gap: &mut Gap, indent: Option<isize>) -> Result<(), Fault> {
        loop {
            let c = self.reader.peek(0);
            if is_blank(c) {
                if !gap.has_break {
                    self.reader.read(&mut gap.blanks);
                } else if c == '\t' && indent.is_some_and(|indent| self.column() < indent) {
                    return Err(self.fault("found a tab character that violates indentation"));
                } else {
                    self.reader.skip();
                }
            } else if is_break(c) {
                self.reader.fill(2)?;
                if gap.has_break {
                    self.reader.read_break(&mut gap.further_breaks);
                } else {
                    gap.blanks.clear();
                    self.reader.read_break(&mut gap.first_break);
                    gap.has_break = true;
                }
            } else {
                return Ok(());
            }
            self.reader.fill(1)?;
        }
    }

    pub(super) fn scan_quoted_scalar(&mut self, quote: char) -> Result<Token, Fault> {
        let start = self.reader.mark();
        self.reader.skip();
        let mut text = String::new();
        loop {
            self.reader.fill(4)?;
            if self.is_at_document_indicator() {
                return Err(self.fault("found unexpected document indicator"));
            }
            if self.reader.is('\0') {
                return Err(self.fault("found unexpected end of stream"));
            }
            let mut gap = Gap::default();
            while !is_space_or_end(self.reader.peek(0)) {
                let next = self.reader.peek(1);
                match self.reader.peek(0) {
                    '\'' if quote == '\'' && next == '\'' => {
                        text.push('\'');
                        self.reader.skip();
                        self.reader.skip();
                    }
                    c if c == quote => break,
                    '\\' if quote == '"' && is_break(next) => {
                        self.reader.fill(3)?;
                        self.reader.skip();
                        self.reader.skip_break();
                        gap.has_break = true;
                        break;
                    }
                    '\\' if quote == '"' => self.scan_escape(&mut text)?,
                    _ => self.reader.read(&mut text),
                }
                self.reader.fill(2)?;
            }
            self.reader.fill(1)?;
            if self.reader.is(quote) {
                break;
            }
            let is_escaped = gap.has_break;
            self.scan_gap(&mut gap, None)?;
            if is_escaped {
                // An escaped break is dropped.
                text.push_str(&gap.first_break);
                text.push_str(&gap.further_breaks);
            } else {
                gap.fold_into(&mut text);
            }
        }
        self.reader.skip();
        let end = self.reader.mark();
        Ok(self.scalar_token(text, false, start, end))
    }

    fn scan_escape(&mut self, text: &mut String) -> Result<(), Fault> {
        let (plain, digits) = match self.reader.peek(1) {
            '0' => ('\0', 0),
            'a' => ('\x07', 0),
            'b' => ('\x08', 0),
            't' | '\t' => ('\t', 0),
            'n' => ('\n', 0),
            'v' => ('\x0b', 0),
            'f' => ('\x0c', 0),
            'r' => ('\r', 0),
            'e' => ('\x1b', 0),
            c @ (' ' | '"' | '\'' | '\\') => (c, 0),
            'N' => ('\u{85}', 0),
            '_' => ('\u{a0}', 0),
            'L' => ('\u{2028}', 0),
            'P' => ('\u{2029}', 0),
            'x' => ('\0', 2),
            'u' => ('\0', 4),
            'U' => ('\0', 8),
            _ => return Err(self.fault("found unknown escape character")),
        };
        self.reader.skip();
        self.reader.skip();
        if digits == 0 {
            text.push(plain);
            return Ok(());
        }
        self.reader.fill(digits)?;
        let mut value: u32 = 0;
        for at in 0..digits {
            let Some(digit) = self.reader.peek(at).to_digit(16) else {
                return Err(self.fault("did not find expected hexdecimal number"));
            };
            value = value << 4 | digit;
        }
        let Some(c) = char::from_u32(value) else {
            return Err(self.fault("found invalid Unicode character escape code"));
        };
        text.push(c);
        for _ in 0..digits {
            self.reader.skip();
        }
        Ok(())
    }

    pub(super) fn scan_block_scalar(&mut self, is_literal: bool) -> Result<Token, Fault> {
        let start = self.reader.mark();
        self.reader.skip();
        let (chomping, increment) = self.scan_block_header()?;
        let mut end = self.reader.mark();
        let mut indent = match increment {
            0 => 0,
            increment => self.indent.max(0) + increment,
        };
        let (mut text, mut first_break, mut further_breaks) =
            (String::new(), String::new(), String::new());
        self.scan_block_breaks(&mut indent, &mut further_breaks, &mut end)?;
        self.reader.fill(1)?;
        let mut begins_blank = false;
        while self.column() == indent && !self.reader.is('\0') {
            let is_blank_line = is_blank(self.reader.peek(0));
            let folds = !is_literal && !begins_blank && !is_blank_line;
            if folds && first_break.starts_with('\n') {
                if further_breaks.is_empty() {
                    text.push(' ');
                }
            } else {
                text.push_str(&first_break);
            }
            first_break.clear();
            text.push_str(&further_breaks);
            further_breaks.clear();
            begins_blank = is_blank_line;
            while !is_break_or_end(self.reader.peek(0)) {
                self.reader.read(&mut text);
                self.reader.fill(1)?;
            }
            self.reader.fill(2)?;
            self.reader.read_break(&mut first_break);
            self.scan_block_breaks(&mut indent, &mut further_breaks, &mut end)?;
        }
        if chomping != Some('-') {
            text.push_str(&first_break);
        }
        if chomping == Some('+') {
            text.push_str(&further_breaks);
        }
        Ok(self.scalar_token(text, false, start, end))
    }

    /// What follows the `|` or `>` in its line: `+` or `-`, and a digit.
    fn scan_block_header(&mut self) -> Result<(Option<char>, isize), Fault> {
        self.reader.fill(1)?;
        let mut chomping = self.scan_chomping();
        if chomping.is_some() {
            self.reader.fill(1)?;
        }
        let mut increment = 0;
        if let Some(digit) = self.reader.peek(0).to_digit(10) {
            if digit == 0 {
                return Err(self.fault("found an indentation indicator equal to 0"));
            }
            increment = isize::try_from(digit).unwrap_or(0);
            self.reader.skip();
            if chomping.is_none() {
                self.reader.fill(1)?;
                chomping = self.scan_chomping();
            }
        }
        self.skip_blanks()?;
        self.skip_comment()?;
        if !is_break_or_end(self.reader.peek(0)) {
            return Err(self.fault("did not find expected comment or line break"));
        }
        if is_break(self.reader.peek(0)) {
            self.reader.fill(2)?;
            self.reader.skip_break();
        }
        Ok((chomping, increment))
    }

    fn scan_chomping(&mut self) -> Option<char> {
        let found = Some(self.reader.peek(0)).filter(|c| matches!(c, '+' | '-'));
        if found.is_some() {
            self.reader.skip();
        }
        found
    }

    /// The indent of a line and the empty lines before it. The first line sets the indent.
    fn scan_block_breaks(
        &mut self,
        indent: &mut isize,
        breaks: &mut String,
        end: &mut crate::yaml::reader::Mark,
    ) -> Result<(), Fault> {
        *end = self.reader.mark();
        let mut deepest = 0;
        loop {
            self.reader.fill(1)?;
            while (*indent == 0 || self.column() < *indent) && self.reader.is(' ') {
                self.reader.skip();
                self.reader.fill(1)?;
            }
            deepest = deepest.max(self.column());
            if (*indent == 0 || self.column() < *indent) && self.reader.is('\t') {
                return Err(
                    self.fault("found a tab character where an indentation space is expected")
                );
            }
            if !is_break(self.reader.peek(0)) {
                break;
            }
            self.reader.fill(2)?;
            self.reader.read_break(breaks);
            *end = self.reader.mark();
        }
        if *indent == 0 {
            *indent = deepest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
