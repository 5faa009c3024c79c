//! Edits of a list in brackets: JSON, and YAML in flow style.

use std::ops::Range;

use crate::document::Node;
use crate::edit::PROVIDERS;
use crate::edit::lines::Lines;
use crate::edit::reading::Reading;
use crate::edit::splice::Splice;
use crate::edit::write::{FlowLines, FlowStyle};

/// A file whose list has brackets, or will have.
pub(super) struct Flow<'a> {
    file: &'a Reading,
    lines: Lines<'a>,
}

impl<'a> Flow<'a> {
    pub(super) fn new(file: &'a Reading) -> Self {
        Self { file, lines: Lines(&file.text) }
    }

    /// Adds an item after the last one, with the white space that is between the others.
    pub(super) fn append(
        &self,
        span: &Range<usize>,
        items: &[Range<usize>],
        commas: &[usize],
        entry: &Node,
    ) -> Vec<Splice> {
        let Some(last) = items.last() else { return self.fill(span, entry) };
        let gap = match items {
            [.., before, _] => {
                let comma = commas.get(items.len() - 2).copied();
                let comma = comma.or_else(|| self.find(before.end..last.start, b','));
                comma.map_or(before.end, |comma| comma + 1)..last.start
            }
            _ => span.start + 1..last.start,
        };
        let mut style = self.style_of(last);
        let written = self.file.slice(&gap);
        // A comment is not white space that can be repeated.
        let gap = match written.rfind('\n') {
            Some(at) if written.contains('#') => {
                format!("{}{}", self.lines.end_at(gap.start), &written[at + 1..])
            }
            Some(_) => written.to_owned(),
            None if written.is_empty() && style.lines.is_some() => " ".to_owned(),
            None => written.to_owned(),
        };
        let indent = gap.rsplit_once('\n').map(|(_, indent)| indent);
        if let (Some(lines), Some(indent)) = (&mut style.lines, indent) {
            lines.base = indent.to_owned();
        }
        vec![Splice::insert(last.end, format!(",{gap}{}", style.value(entry)))]
    }

    /// Adds the first item to an empty list.
    pub(super) fn fill(&self, span: &Range<usize>, entry: &Node) -> Vec<Splice> {
        let style = self.style_of_document();
        let end = span.end - 1;
        if span.len() > 2 {
            // What is between the brackets stays before the item.
            return vec![Splice::insert(end, style.value(entry))];
        }
        self.put_list(span.clone(), entry)
    }

    /// Replaces an empty list or null with a list of one item.
    pub(super) fn put_list(&self, span: Range<usize>, entry: &Node) -> Vec<Splice> {
        vec![Splice { span, text: self.style_of_document().list_of(entry) }]
    }

    /// Adds the key and its list at the end of the document's mapping.
    pub(super) fn add_list(&self, entry: &Node) -> Option<Vec<Splice>> {
        let root = &self.file.layout.root;
        let style = self.style_of_document();
        let within = &self.file.text[root.start + 1..root.end - 1];
        let last = within.iter().rposition(|byte| !byte.is_ascii_whitespace())?;
        if within[last] == b',' || within.contains(&b'#') {
            return None;
        }
        let separator = match &style.lines {
            Some(lines) => format!(",{}{}", lines.end, lines.base),
            None => style.comma.to_owned(),
        };
        let text = format!("{separator}\"{PROVIDERS}\"{}{}", style.colon, style.list_of(entry));
        Some(vec![Splice::insert(root.start + 1 + last + 1, text)])
    }

    /// Replaces an item.
    pub(super) fn replace(&self, item: &Range<usize>, entry: &Node) -> Vec<Splice> {
        vec![Splice { span: item.clone(), text: self.style_of(item).value(entry) }]
    }

    /// Removes an item with one comma.
    pub(super) fn remove(
        &self,
        span: &Range<usize>,
        items: &[Range<usize>],
        commas: &[usize],
        at: usize,
    ) -> Vec<Splice> {
        let item = items[at].clone();
        let between = match (at, items.get(at + 1)) {
            (0, None) => return self.remove_only(span, item, commas),
            (0, Some(next)) => item.end..next.start,
            _ => items[at - 1].end..item.start,
        };
        if !self.file.slice(&between).contains('#') {
            let gone = item.start.min(between.start)..item.end.max(between.end);
            return vec![Splice::delete(gone)];
        }
        // Comments between the two are kept.
        let comma = commas.get(at.saturating_sub(1)).map(|comma| Splice::delete(*comma..comma + 1));
        comma.into_iter().chain([Splice::delete(item)]).collect()
    }

    fn remove_only(
        &self,
        span: &Range<usize>,
        item: Range<usize>,
        commas: &[usize],
    ) -> Vec<Splice> {
        let end = commas.first().map_or(item.end, |comma| comma + 1);
        let is_blank = |span: Range<usize>| self.file.slice(&span).trim().is_empty();
        let (before, after) = (span.start + 1..item.start, end..span.end - 1);
        if after.is_empty() || !is_blank(before.clone()) || !is_blank(after.clone()) {
            return vec![Splice::delete(item.start..end)];
        }
        vec![Splice::delete(before.start..after.end)]
    }

    fn find(&self, span: Range<usize>, byte: u8) -> Option<usize> {
        self.file.text[span.clone()]
            .iter()
            .position(|found| *found == byte)
            .map(|at| span.start + at)
    }

    /// The style of an item in braces, to write another one in.
    fn style_of(&self, item: &Range<usize>) -> FlowStyle {
        let text = self.file.slice(item);
        let inner = text.strip_prefix('{').unwrap_or(text);
        let blanks = &inner[..inner.len() - inner.trim_start().len()];
        let lines = blanks.rfind('\n').map(|at| {
            let close = text.rfind('\n').map_or("", |at| &text[at + 1..]);
            let base = &close[..close.len() - close.trim_start().len()];
            let unit = blanks[at + 1..].strip_prefix(base).filter(|unit| !unit.is_empty());
            FlowLines {
                base: base.to_owned(),
                unit: unit.unwrap_or("  ").to_owned(),
                end: self.lines.end_at(item.start),
            }
        });
        let padding = if blanks == " " { " " } else { "" };
        style(text, lines, padding)
    }

    /// The style of a document that has no items.
    fn style_of_document(&self) -> FlowStyle {
        let root = self.file.layout.root.clone();
        if !self.file.layout.is_flow {
            return FlowStyle { lines: None, colon: ": ", comma: ", ", padding: "" };
        }
        let text = self.file.slice(&root);
        let inner = text.strip_prefix('{').unwrap_or(text);
        let blanks = &inner[..inner.len() - inner.trim_start().len()];
        let lines = blanks.rfind('\n').map(|at| {
            let indent = &blanks[at + 1..];
            let outer = self.lines.indent(root.start);
            let unit = indent.strip_prefix(outer).filter(|unit| !unit.is_empty());
            FlowLines {
                base: indent.to_owned(),
                unit: unit.unwrap_or("  ").to_owned(),
                end: self.lines.end_at(root.start),
            }
        });
        style(text, lines, "")
    }
}

/// With the white space around its first colon and after its first comma that `text` has.
fn style(text: &str, lines: Option<FlowLines>, padding: &'static str) -> FlowStyle {
    let colon = match around(text, ':') {
        (Some(' '), Some(' ')) => " : ",
        (_, Some(' ')) | (None, None) => ": ",
        _ => ":",
    };
    let comma = match around(text, ',') {
        (_, Some(' ')) | (None, None) => ", ",
        _ => ",",
    };
    FlowStyle { lines, colon, comma, padding }
}

/// The characters before and after the first `mark` that is not in double quotes.
fn around(text: &str, mark: char) -> (Option<char>, Option<char>) {
    let (mut before, mut in_quotes, mut is_escaped) = (None, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' => in_quotes = !in_quotes,
            c if c == mark && !in_quotes => {
                return (before, text[at + c.len_utf8()..].chars().next());
            }
            _ => {}
        }
        before = Some(c);
    }
    (None, None)
}
