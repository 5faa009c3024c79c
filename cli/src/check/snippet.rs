//! A message with the line that it is about, less what looks like a secret in it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use pullpass_kubelet::lints::{Lint, Severity};
use pullpass_kubelet::{Finding, Location};

use crate::text::harmless;

/// A longer line says nothing to an eye; only its place is given.
const LONGEST_LINE: usize = 1000;

/// Renders messages.
pub(super) struct Snippets<'a> {
    renderer: Renderer,
    /// Places that are blanked wherever they would show.
    hidden: &'a [Location],
}

impl<'a> Snippets<'a> {
    pub(super) fn new(colour: bool, hidden: &'a [Location]) -> Self {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        Self { renderer, hidden }
    }

    /// A fault in the kubelet's words.
    pub(super) fn error(&self, finding: &Finding, hint: Option<&str>) -> String {
        self.render(Level::ERROR, &finding.message, finding.location.as_ref(), hint)
    }

    /// Advice of ours.
    pub(super) fn lint(&self, lint: &Lint) -> String {
        let level = match lint.severity {
            Severity::Warning => Level::WARNING,
            Severity::Advice => Level::NOTE.with_name("advice"),
        };
        let title = format!("{} [{}]", lint.message, lint.code);
        self.render(level, &title, lint.location.as_ref(), Some(&lint.hint))
    }

    fn render(
        &self,
        level: Level<'_>,
        title: &str,
        location: Option<&Location>,
        hint: Option<&str>,
    ) -> String {
        let mut group = Group::with_title(level.primary_title(title));
        if let Some(location) = location {
            let path = location.source().path().display().to_string();
            let window = window(location);
            if window.len() > LONGEST_LINE {
                let origin = Origin::path(path).line(location.line());
                group = group.element(origin.char_column(location.column()));
            } else {
                let span = location.span();
                let end = span.end.min(window.end);
                let marked = span.start - window.start..end.max(span.start) - window.start;
                let snippet = Snippet::source(self.show(location, window))
                    .path(path)
                    .line_start(location.line())
                    .annotation(AnnotationKind::Primary.span(marked));
                group = group.element(snippet);
            }
        }
        let mut text = self.renderer.render(&[group]);
        text.push('\n');
        if let Some(hint) = hint {
            text.push_str(&format!("hint: {}\n", harmless(hint)));
        }
        text
    }

    /// The text of a window, with the hidden places blanked byte by byte.
    fn show(&self, location: &Location, window: Range<usize>) -> String {
        let source = location.source();
        let text = &source.text()[window.clone()];
        let hidden: Vec<Range<usize>> = self
            .hidden
            .iter()
            .filter(|place| place.source() == source)
            .map(Location::span)
            .collect();
        let mut shown = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            let at = at + window.start;
            if c != '\n' && hidden.iter().any(|span| span.contains(&at)) {
                shown.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                shown.push(c);
            }
        }
        blank_values(&shown)
    }
}

/// Blanks what follows `value:`, byte by byte. In a file that does not decode nobody
/// knows which of them are secrets, and even unquoted numbers may be passwords.
fn blank_values(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("value") {
        let (before, after) = rest.split_at(at + "value".len());
        shown.push_str(before);
        rest = after;
        let colon = after.trim_start_matches(['"', '\'']).trim_start();
        let is_key = !before[..at].ends_with(|c: char| c.is_alphanumeric() || "_-".contains(c));
        let Some(value) = colon.strip_prefix(':').map(str::trim_start).filter(|_| is_key) else {
            continue;
        };
        let start = after.len() - value.len();
        let end = value_end(value);
        shown.push_str(&after[..start]);
        shown.extend(std::iter::repeat_n('*', end));
        rest = &value[end..];
    }
    shown.push_str(rest);
    shown
}

/// Where the scalar at the beginning of `text` ends, quotes included.
fn value_end(text: &str) -> usize {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return text.find([',', '}', ']']).unwrap_or(text.len());
    };
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' && quote == '"' {
            escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The line in which a place begins, without its end.
fn window(location: &Location) -> Range<usize> {
    let text = location.source().text();
    let at = location.span().start;
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_blanked() {
        for (line, expected) in [
            ("    value: 123", "    value: ***"),
            (
                r#"{"name": "A", "value": "x\"y,", "b": 1}"#,
                r#"{"name": "A", "value": *******, "b": 1}"#,
            ),
            ("{name: A, value: xyz}, {value: é}", "{name: A, value: ***}, {value: **}"),
            ("- 'value': 'a b'", "- 'value': *****"),
            ("  values: [a]", "  values: [a]"),
            ("name: value", "name: value"),
            ("value: \"open", "value: *****"),
        ] {
            let shown = blank_values(line);
            assert_eq!(shown, expected);
            assert_eq!(shown.len(), line.len());
        }
    }
}
