//! A message with the line that it is about, without what may be secret in it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use pullpass_kubelet::lints::{Lint, Severity};
use pullpass_kubelet::{Excerpt, Finding, Location};

use crate::text::sanitize;

/// In bytes. A longer line is of no use to a reader; only its place is given.
const LONGEST_LINE: usize = 1000;

/// Renders messages.
pub(crate) struct Snippets {
    renderer: Renderer,
}

impl Snippets {
    pub(crate) fn new(colour: bool) -> Self {
        Self { renderer: if colour { Renderer::styled() } else { Renderer::plain() } }
    }

    /// An error with the kubelet's message.
    pub(super) fn error(&self, finding: &Finding, hint: &str) -> String {
        self.render(Level::ERROR, &finding.message, finding.location.as_ref(), hint)
    }

    /// Our advice.
    pub(crate) fn lint(&self, lint: &Lint) -> String {
        let level = match lint.severity {
            Severity::Warning => Level::WARNING,
            Severity::Advice => Level::HELP.with_name("advice"),
        };
        let title = format!("{} [{}]", lint.message, lint.code);
        self.render(level, &title, lint.location.as_ref(), &lint.hint)
    }

    fn render(
        &self,
        level: Level<'_>,
        title: &str,
        location: Option<&Location>,
        hint: &str,
    ) -> String {
        let mut group = Group::with_title(level.primary_title(title));
        if let Some(location) = location {
            let path = location.source().path().display().to_string();
            group = match location.excerpt(LONGEST_LINE) {
                Some(excerpt) => {
                    let (text, marked) = show_tabs(&excerpt);
                    group.element(
                        Snippet::source(text)
                            .path(path)
                            .line_start(location.line())
                            .annotation(AnnotationKind::Primary.span(marked)),
                    )
                }
                None => {
                    let origin = Origin::path(path).line(location.line());
                    group.element(origin.char_column(location.column()))
                }
            };
        }
        let mut text = self.renderer.render(&[group]);
        text.push('\n');
        text.push_str(&format!("hint: {}\n", sanitize(hint)));
        text
    }
}

/// How a tab is shown: if it is the mistake, blanks would hide it.
const TAB: &str = "→";

/// The line with its tabs made visible.
fn show_tabs(excerpt: &Excerpt) -> (String, Range<usize>) {
    let shift = |at: usize| at + excerpt.text[..at].matches('\t').count() * (TAB.len() - 1);
    let marked = shift(excerpt.marked.start)..shift(excerpt.marked.end);
    (excerpt.text.replace('\t', TAB), marked)
}
