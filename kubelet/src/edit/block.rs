//! Edits of a list with dashes: whole lines are inserted and removed.

use std::ops::Range;

use crate::document::Node;
use crate::edit::PROVIDERS;
use crate::edit::lines::Lines;
use crate::edit::reading::Reading;
use crate::edit::splice::Splice;
use crate::edit::write::BlockStyle;

/// The most blanks between a dash and its first key that are copied.
const WIDEST_DASH: usize = 8;

/// A file whose list has dashes, or will have.
pub(super) struct Block<'a> {
    file: &'a Reading,
    lines: Lines<'a>,
}

impl<'a> Block<'a> {
    pub(super) fn new(file: &'a Reading) -> Self {
        Self { file, lines: Lines(&file.text) }
    }

    /// Adds an item after the last one.
    pub(super) fn append(&self, items: &[Range<usize>], entry: &Node) -> Option<Vec<Splice>> {
        let last = items.last()?;
        let style = self.style_of(last)?;
        Some(vec![self.insert_lines(last.end, style.column, style.line_end, &style.item(entry))])
    }

    /// Replaces an item.
    pub(super) fn replace(
        &self,
        items: &[Range<usize>],
        at: usize,
        entry: &Node,
    ) -> Option<Vec<Splice>> {
        let style = self.style_of(&items[at])?;
        let span = self.lines.start(items[at].start)..self.lines.next(items[at].end);
        let is_cut = self.lines.is_cut(span.end);
        let text = style.item(entry) + if is_cut { "" } else { style.line_end };
        Some(vec![Splice { span, text }])
    }

    /// Takes an item out with its lines, and with the comments within it. A list whose
    /// last item was removed is `[]`, since a kubelet reads a key without a value as null.
    pub(super) fn remove(
        &self,
        items: &[Range<usize>],
        at: usize,
        after: usize,
    ) -> Option<Vec<Splice>> {
        let item = &items[at];
        let column = self.lines.column(item.start)?;
        let mut start = self.lines.start(item.start);
        let end = self.lines.skip_comments(self.lines.next(item.end), column);
        if self.lines.is_cut(end) {
            // Then the line before has no line end. A `\r` may be its own.
            let before = &self.file.text[..start];
            let is_crlf = before.ends_with(b"\r\n") && self.lines.end_at(0) == "\r\n";
            start = start.checked_sub(if is_crlf { 2 } else { 1 })?;
        }
        let mut splices = vec![Splice::delete(start..end)];
        if items.len() == 1 {
            splices.insert(0, Splice::insert(after, " []".to_owned()));
        }
        Some(splices)
    }

    /// Replaces `[]` or null with a list, if it follows its colon and one space.
    pub(super) fn fill(
        &self,
        span: &Range<usize>,
        literal: &str,
        entry: &Node,
    ) -> Option<Vec<Splice>> {
        let before = &self.file.text[..span.start];
        if !before.ends_with(b": ") || self.file.slice(span) != literal {
            return None;
        }
        let mut splices = self.begin(span.end, entry)?;
        splices.insert(0, Splice::delete(span.start - 1..span.end));
        Some(splices)
    }

    /// Makes a list for a key that has no value; what is written of it ends at `after`.
    pub(super) fn begin(&self, after: usize, entry: &Node) -> Option<Vec<Splice>> {
        let column = self.lines.column(self.file.layout.key?)?;
        let line_end = self.lines.end_at(after);
        let style = BlockStyle { column, dash: 2, nested: 0, line_end };
        Some(vec![self.insert_lines(after, column, line_end, &style.item(entry))])
    }

    /// Adds the key and its list at the end of the document's mapping.
    pub(super) fn add_list(&self, entry: &Node) -> Option<Vec<Splice>> {
        let root = &self.file.layout.root;
        let column = self.lines.column(root.start)?;
        let line_end = self.lines.end_at(root.end);
        let style = BlockStyle { column, dash: 2, nested: 0, line_end };
        let key = " ".repeat(column) + PROVIDERS;
        let text = format!("{key}:{line_end}{}", style.item(entry));
        Some(vec![self.insert_lines(root.end, column, line_end, &text)])
    }

    /// Inserts lines after what ends at `after` and the comments that belong to it.
    fn insert_lines(&self, after: usize, column: usize, line_end: &str, text: &str) -> Splice {
        let at = self.lines.skip_comments(self.lines.next(after), column);
        match self.lines.is_cut(at) {
            true => Splice::insert(at, format!("{line_end}{text}")),
            false => Splice::insert(at, format!("{text}{line_end}")),
        }
    }

    /// The style of an item, to write another one in.
    fn style_of(&self, item: &Range<usize>) -> Option<BlockStyle> {
        let column = self.lines.column(item.start)?;
        let key_column = self.file.layout.key.and_then(|key| self.lines.column(key)).unwrap_or(0);
        let after = &self.file.text[item.start + 1..];
        let blanks = after.iter().take_while(|byte| **byte == b' ').count();
        let is_first_key = after.get(blanks).is_some_and(u8::is_ascii_alphanumeric);
        let is_usual = is_first_key && (1..WIDEST_DASH).contains(&blanks);
        Some(BlockStyle {
            column,
            dash: if is_usual { 1 + blanks } else { 2 },
            nested: if column > key_column { 2 } else { 0 },
            line_end: self.lines.end_at(item.end),
        })
    }
}
