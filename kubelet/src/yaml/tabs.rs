//! What libyaml refuses between the tokens and our parser does not: a tab before a token
//! that could begin a line of block style, odd names of anchors, and the marks of YAML 1.1
//! that are part of a word in 1.2.

use std::ops::Range;

use granit_parser::{Event, Marker, ScalarStyle};

use crate::document::Fault;

/// Watches what stands between the tokens.
pub(super) struct Tabs<'a> {
    text: &'a str,
    /// Where the last token ended.
    end: usize,
    /// Whether the last token was a plain scalar, which takes in the blanks after it.
    after_plain: bool,
    /// For every open collection its column, or nothing in flow style, where tabs are blanks.
    open: Vec<Option<usize>>,
}

impl<'a> Tabs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, end: 0, after_plain: false, open: Vec::new() }
    }

    /// Goes on to the event at `bytes`.
    pub(super) fn check(
        &mut self,
        event: &Event<'_>,
        bytes: Range<usize>,
        start: &Marker,
    ) -> Result<(), Fault> {
        let in_flow = self.open.last().is_some_and(Option::is_none);
        let gap = self.text.get(self.end..bytes.start).unwrap_or_default();
        let fault = |at: usize, words: &str| {
            let line = start.line().saturating_sub(gap[at..].matches('\n').count());
            let message = format!("yaml: line {line}: {words}");
            Err(Fault { verbatim: false, ..Fault::at(message, self.end + at) })
        };
        let block = self.open.iter().rev().find_map(|column| *column);
        let plain = self.after_plain.then(|| block.map_or(0, |column| column + 1));
        if let Some(at) = stray_tab(gap, self.end == 0, plain).filter(|_| !in_flow) {
            return fault(at, "found character that cannot start any token");
        }
        if let Some(at) = odd_anchor(gap) {
            return fault(at, "did not find expected alphabetic or numeric character");
        }
        if in_flow
            && let Event::Scalar(text, ScalarStyle::Plain, ..) = event
            && text.starts_with(['?', ':'])
        {
            return fault(gap.len(), "`?` or `:` before a word of flow style marks a key or value");
        }
        let is_at = |marks: &[char]| self.text[bytes.start..].starts_with(marks);
        let is_token = match event {
            // The ends of a block collection are no tokens of their own.
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                let flow = in_flow || is_at(&['[', '{']);
                self.open.push((!flow).then(|| start.col()));
                flow
            }
            Event::SequenceEnd | Event::MappingEnd => self.open.pop() == Some(None),
            // A value that is not written stands wherever the parser is.
            Event::Scalar(text, ScalarStyle::Plain, ..) => !text.is_empty() && !bytes.is_empty(),
            _ => true,
        };
        if is_token {
            self.after_plain = matches!(event, Event::Scalar(_, ScalarStyle::Plain, ..));
            self.end = self.end.max(bytes.end);
        }
        Ok(())
    }
}

/// Whether there is a tab before the first word of the line in which `at` is.
pub(super) fn indents_by_tab(text: &str, at: usize) -> bool {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    text[start..].chars().take_while(|c| matches!(c, ' ' | '\t')).any(|c| c == '\t')
}

/// The place of an anchor that is not made of letters, digits, `_` and `-`.
fn odd_anchor(gap: &str) -> Option<usize> {
    gap.match_indices('&').map(|(at, _)| at).find(|at| {
        let line = gap[..*at].rsplit('\n').next().unwrap_or_default();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let name = gap[at + 1..].trim_start_matches(is_name);
        let is_empty = name.len() == gap.len() - at - 1;
        let ends = name.starts_with(|c: char| c.is_whitespace() || "?:,]}%@`".contains(c));
        !line.contains('#') && (is_empty || !(ends || name.is_empty()))
    })
}

/// The place of a tab at which libyaml stops. `plain` is set after a plain scalar, which takes
/// in the blanks from that column on.
fn stray_tab(gap: &str, at_start: bool, mut plain: Option<usize>) -> Option<usize> {
    // Where a key could begin; at the end of a token none can before the next line.
    let mut key_could_begin = at_start;
    let mut in_comment = false;
    let mut column = 0;
    for (at, c) in gap.char_indices() {
        match c {
            '\n' | '\r' => {
                (key_could_begin, in_comment, column) = (true, false, 0);
                continue;
            }
            '\t' if key_could_begin && !in_comment && plain.is_none_or(|least| column < least) => {
                return Some(at);
            }
            ' ' | '\t' | '\u{feff}' => {}
            _ if in_comment => {}
            '#' => (in_comment, plain) = (true, None),
            '-' | '?' => (key_could_begin, plain) = (true, None),
            _ => (key_could_begin, plain) = (false, None),
        }
        column += 1;
    }
    None
}
