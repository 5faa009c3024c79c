//! Characters to tokens, as the kubelet's library finds them: YAML 1.1, with that
//! library's own rules for keys.
//!
//! Source: YAML 1.1 specification; `go.yaml.in/yaml/v2`, whose behaviour this follows.

mod names;
mod scalars;

use std::collections::{HashMap, VecDeque};

use crate::document::Fault;
use crate::yaml::reader::{Mark, Reader, is_break, is_break_or_end, is_space_or_end};
use crate::yaml::token::{Token, TokenKind};

/// The longest key without a `?`, in characters.
const LONGEST_SIMPLE_KEY: usize = 1024;

/// A place where a key without a `?` could begin.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    is_possible: bool,
    /// Nothing else is allowed there.
    is_required: bool,
    token: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    reader: Reader<'a>,
    /// What was found and not taken.
    tokens: VecDeque<Token>,
    /// How many tokens were taken.
    taken: usize,
    has_started: bool,
    /// Open `[` and `{`.
    flow_level: usize,
    /// The column of the current block collection; -1 outside of all.
    indent: isize,
    outer_indents: Vec<isize>,
    may_be_key: bool,
    /// One for every flow level and one for the block.
    simple_keys: Vec<SimpleKey>,
    /// Which key belongs to which token.
    keys_by_token: HashMap<usize, usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(input),
            tokens: VecDeque::new(),
            taken: 0,
            has_started: false,
            flow_level: 0,
            indent: -1,
            outer_indents: Vec::new(),
            may_be_key: true,
            simple_keys: vec![SimpleKey::default()],
            keys_by_token: HashMap::new(),
        }
    }

    /// The next token, which stays.
    pub(super) fn peek(&mut self) -> Result<&Token, Fault> {
        while self.tokens.is_empty() || self.next_may_become_key()? {
            self.fetch()?;
        }
        // The loop ends with a token.
        self.tokens.front().ok_or_else(|| Fault::at("yaml: no token", 0))
    }

    /// Takes the token that was peeked at.
    pub(super) fn take(&mut self) -> Option<Token> {
        self.taken += 1;
        self.tokens.pop_front()
    }

    /// Whether a `:` may still turn the next token into a key.
    fn next_may_become_key(&mut self) -> Result<bool, Fault> {
        match self.keys_by_token.get(&self.taken) {
            Some(&level) if level < self.simple_keys.len() => self.check_simple_key(level),
            _ => Ok(false),
        }
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.reader.fill(1)?;
        if !self.has_started {
            self.has_started = true;
            self.push(TokenKind::StreamStart, self.reader.mark());
            return Ok(());
        }
        self.skip_to_token()?;
        self.close_blocks(self.column());
        self.reader.fill(4)?;
        let (c, next) = (self.reader.peek(0), self.reader.peek(1));
        let in_flow = self.flow_level > 0;
        match c {
            '\0' => self.fetch_end(),
            '%' if self.column() == 0 => self.fetch_directive(),
            _ if self.is_at_document_indicator() => {
                let start = c == '-';
                self.fetch_document_indicator(if start {
                    TokenKind::DocumentStart
                } else {
                    TokenKind::DocumentEnd
                })
            }
            '[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            '{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            ']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            '}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            ',' => {
                self.remove_simple_key()?;
                self.may_be_key = true;
                self.fetch_indicator(TokenKind::FlowEntry, 1)
            }
            '-' if is_space_or_end(next) => self.fetch_block_entry(),
            '?' if in_flow || is_space_or_end(next) => self.fetch_key(),
            ':' if in_flow || is_space_or_end(next) => self.fetch_value(),
            '*' | '&' => self.fetch_key_candidate(|scanner| scanner.scan_anchor(c == '*')),
            '!' => self.fetch_key_candidate(Self::scan_tag),
            '|' | '>' if !in_flow => {
                self.remove_simple_key()?;
                self.may_be_key = true;
                let token = self.scan_block_scalar(c == '|')?;
                self.tokens.push_back(token);
                Ok(())
            }
            '\'' | '"' => self.fetch_key_candidate(|scanner| scanner.scan_quoted_scalar(c)),
            _ if self.begins_plain_scalar(c, next) => {
                self.fetch_key_candidate(Self::scan_plain_scalar)
            }
            _ => Err(self.fault("found character that cannot start any token")),
        }
    }

    fn begins_plain_scalar(&self, c: char, next: char) -> bool {
        match c {
            '-' => !matches!(next, ' ' | '\t'),
            '?' | ':' => self.flow_level == 0 && !is_space_or_end(next),
            _ => !is_space_or_end(c) && !",[]{}#&*!|>'\"%@`".contains(c),
        }
    }

    /// Whether `---` or `...` is here, alone at the beginning of a line.
    fn is_at_document_indicator(&self) -> bool {
        self.column() == 0
            && (self.reader.starts_with("---") || self.reader.starts_with("..."))
            && is_space_or_end(self.reader.peek(3))
    }

    fn column(&self) -> isize {
        isize::try_from(self.reader.mark().column).unwrap_or(isize::MAX)
    }

    /// An error at the current place. Lines are counted from 1, and the first is not named.
    fn fault(&self, words: &str) -> Fault {
        let mark = self.reader.mark();
        let line = match mark.line {
            0 => String::new(),
            line => format!("line {}: ", line + 1),
        };
        Fault::at(format!("yaml: {line}{words}"), mark.byte)
    }

    /// Blanks and comments. A tab is not a blank where a key could begin.
    fn skip_to_token(&mut self) -> Result<(), Fault> {
        loop {
            self.reader.fill(1)?;
            if self.column() == 0 && self.reader.buffer_begins_with_bom() {
                self.reader.skip();
                self.reader.fill(1)?;
            }
            let tabs = self.flow_level > 0 || !self.may_be_key;
            while self.reader.is(' ') || (tabs && self.reader.is('\t')) {
                self.reader.skip();
                self.reader.fill(1)?;
            }
            self.skip_comment()?;
            if !is_break(self.reader.peek(0)) {
                return Ok(());
            }
            self.reader.fill(2)?;
            self.reader.skip_break();
            if self.flow_level == 0 {
                self.may_be_key = true;
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), Fault> {
        if self.reader.is('#') {
            while !is_break_or_end(self.reader.peek(0)) {
                self.reader.skip();
                self.reader.fill(1)?;
            }
        }
        Ok(())
    }

    /// Whether the key of this level is still possible; it ends with its line.
    fn check_simple_key(&mut self, level: usize) -> Result<bool, Fault> {
        let (key, mark) = (self.simple_keys[level], self.reader.mark());
        if !key.is_possible {
            return Ok(false);
        }
        if key.mark.line == mark.line && mark.index <= key.mark.index + LONGEST_SIMPLE_KEY {
            return Ok(true);
        }
        if key.is_required {
            return Err(self.fault("could not find expected ':'"));
        }
        self.simple_keys[level].is_possible = false;
        Ok(false)
    }

    fn save_simple_key(&mut self) -> Result<(), Fault> {
        if !self.may_be_key {
            return Ok(());
        }
        let key = SimpleKey {
            is_possible: true,
            is_required: self.flow_level == 0 && self.indent == self.column(),
            token: self.taken + self.tokens.len(),
            mark: self.reader.mark(),
        };
        self.remove_simple_key()?;
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = key;
        self.keys_by_token.insert(key.token, level);
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), Fault> {
        let level = self.simple_keys.len() - 1;
        let key = self.simple_keys[level];
        if key.is_possible {
            if key.is_required {
                return Err(self.fault("could not find expected ':'"));
            }
            self.simple_keys[level].is_possible = false;
            self.keys_by_token.remove(&key.token);
        }
        Ok(())
    }

    /// Begins a block collection at `column`, before the token of number `before`.
    fn open_block(&mut self, column: isize, before: Option<usize>, kind: TokenKind, mark: Mark) {
        if self.flow_level > 0 || self.indent >= column {
            return;
        }
        self.outer_indents.push(self.indent);
        self.indent = column;
        self.insert(before, Token { kind, start: mark, end: mark });
    }

    /// Ends the block collections that begin after `column`.
    fn close_blocks(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.reader.mark());
            self.indent = self.outer_indents.pop().unwrap_or(-1);
        }
    }

    fn push(&mut self, kind: TokenKind, mark: Mark) {
        self.tokens.push_back(Token { kind, start: mark, end: mark });
    }

    /// Inserts a token before another; at the end if that one was taken already.
    fn insert(&mut self, before: Option<usize>, token: Token) {
        match before.and_then(|number| number.checked_sub(self.taken)) {
            Some(at) if at <= self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    fn fetch_end(&mut self) -> Result<(), Fault> {
        self.reader.end_line();
        self.close_blocks(-1);
        self.remove_simple_key()?;
        self.may_be_key = false;
        self.push(TokenKind::StreamEnd, self.reader.mark());
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.remove_simple_key()?;
        self.may_be_key = false;
        let token = self.scan_directive()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.close_blocks(-1);
        self.remove_simple_key()?;
        self.may_be_key = false;
        self.fetch_indicator(kind, 3)
    }

    fn fetch_flow_start(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.save_simple_key()?;
        let token = self.taken + self.tokens.len();
        self.simple_keys.push(SimpleKey { token, ..SimpleKey::default() });
        self.flow_level += 1;
        self.may_be_key = true;
        self.fetch_indicator(kind, 1)
    }

    fn fetch_flow_end(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.keys_by_token.remove(&key.token);
            }
        }
        self.may_be_key = false;
        self.fetch_indicator(kind, 1)
    }

    fn fetch_block_entry(&mut self) -> Result<(), Fault> {
        if self.flow_level == 0 {
            if !self.may_be_key {
                return Err(self.fault("block sequence entries are not allowed in this context"));
            }
            let mark = self.reader.mark();
            self.open_block(self.column(), None, TokenKind::BlockSequenceStart, mark);
        }
        self.remove_simple_key()?;
        self.may_be_key = true;
        self.fetch_indicator(TokenKind::BlockEntry, 1)
    }

    fn fetch_key(&mut self) -> Result<(), Fault> {
        if self.flow_level == 0 {
            if !self.may_be_key {
                return Err(self.fault("mapping keys are not allowed in this context"));
            }
            let mark = self.reader.mark();
            self.open_block(self.column(), None, TokenKind::BlockMappingStart, mark);
        }
        self.remove_simple_key()?;
        self.may_be_key = self.flow_level == 0;
        self.fetch_indicator(TokenKind::Key, 1)
    }

    fn fetch_value(&mut self) -> Result<(), Fault> {
        let level = self.simple_keys.len() - 1;
        if self.check_simple_key(level)? {
            let SimpleKey { token, mark, .. } = self.simple_keys[level];
            self.insert(Some(token), Token { kind: TokenKind::Key, start: mark, end: mark });
            let column = isize::try_from(mark.column).unwrap_or(isize::MAX);
            self.open_block(column, Some(token), TokenKind::BlockMappingStart, mark);
            self.simple_keys[level].is_possible = false;
            self.keys_by_token.remove(&token);
            self.may_be_key = false;
        } else {
            if self.flow_level == 0 {
                if !self.may_be_key {
                    return Err(self.fault("mapping values are not allowed in this context"));
                }
                let mark = self.reader.mark();
                self.open_block(self.column(), None, TokenKind::BlockMappingStart, mark);
            }
            self.may_be_key = self.flow_level == 0;
        }
        self.fetch_indicator(TokenKind::Value, 1)
    }

    fn fetch_key_candidate(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Result<Token, Fault>,
    ) -> Result<(), Fault> {
        self.save_simple_key()?;
        self.may_be_key = false;
        let token = scan(self)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_indicator(&mut self, kind: TokenKind, length: usize) -> Result<(), Fault> {
        let start = self.reader.mark();
        for _ in 0..length {
            self.reader.skip();
        }
        self.tokens.push_back(Token { kind, start, end: self.reader.mark() });
        Ok(())
    }
}
