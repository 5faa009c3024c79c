//! The place of something in a file, and which parts of the file may be shown.

mod likely_secret;
mod mask;

use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::encoding::Encoding;

pub(crate) use self::likely_secret::{begins_as_secret, has_user, hide, may_be_secret};
pub(crate) use self::mask::Visible;

/// A configuration file as it was read. Its text may hold secrets and is shown only through
/// [`Location::excerpt`].
#[derive(PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
    /// How many characters there are before each block of [`BLOCK`] bytes: a file of one line may
    /// have many places to name.
    characters: Vec<usize>,
    visible: Visible,
}

/// In bytes.
const BLOCK: usize = 1024;

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Source {
    /// Keeps `bytes` for messages; what is not UTF-8 becomes `?`, byte by byte, so that
    /// offsets stay correct.
    pub(crate) fn new(path: impl Into<PathBuf>, bytes: &[u8], visible: Visible) -> Arc<Self> {
        let text = Encoding::decode_utf16(bytes).map(|(_, text)| text).unwrap_or_else(|| {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| '?'));
            }
            text
        });
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut characters = vec![0];
        for block in text.as_bytes().chunks(BLOCK) {
            characters.push(characters[characters.len() - 1] + count_characters(block));
        }
        Arc::new(Self { path: path.into(), text, line_starts, characters, visible })
    }

    /// The file's path as it was given; for a text without a file, the caller's name for it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text, which may hold secrets.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What is at `span`, which is within a line, with `*` for everything that may be secret.
    pub(crate) fn mask(&self, span: Range<usize>) -> String {
        self.visible.mask(&self.text, span)
    }

    /// How many characters there are before `at`.
    fn characters_before(&self, at: usize) -> usize {
        let block = at / BLOCK;
        self.characters[block] + count_characters(&self.text.as_bytes()[block * BLOCK..at])
    }

    /// The line of this number, from 1, without its end.
    fn line(&self, line: usize) -> Range<usize> {
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| next - 1);
        self.line_starts[line - 1]..end
    }

    /// The place of `span`, limited to the text and to whole characters.
    pub(crate) fn locate(self: &Arc<Self>, span: Range<usize>) -> Location {
        let floor = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        let end = floor(span.end.max(start));
        Location { source: Arc::clone(self), span: start..end }
    }
}

/// The characters that begin in `bytes` of UTF-8.
fn count_characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Location {
    source: Arc<Source>,
    span: Range<usize>,
}

impl Location {
    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.source.line_starts.partition_point(|start| *start <= self.span.start)
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        let start = self.source.line_starts[self.line() - 1];
        let before = |at| self.source.characters_before(at);
        before(self.span.start) - before(start) + 1
    }

    /// What is there, which may be secret.
    pub(crate) fn text(&self) -> &str {
        &self.source.text[self.span.clone()]
    }

    /// The line in which it begins, which may hold secrets.
    pub(crate) fn line_text(&self) -> &str {
        &self.source.text[self.source.line(self.line())]
    }

    /// The line in which the place begins, unless it is longer than `most` bytes.
    pub fn excerpt(&self, most: usize) -> Option<Excerpt> {
        let Range { start, end } = self.source.line(self.line());
        if end - start > most {
            return None;
        }
        let marked = self.span.start - start..self.span.end.min(end).max(self.span.start) - start;
        Some(Excerpt { text: self.source.mask(start..end), marked })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source.path.display(), self.line(), self.column())
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A line of a file. Every byte of a value that may be secret, of a comment, and of what is not
/// known is a `*`; keys and the fields that hold no secret are as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The line without its end.
    pub text: String,
    /// The bytes of it that are meant.
    pub marked: Range<usize>,
}

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is.
    pub location: Location,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters() {
        let source = Source::new("f", "é: 1\nb: \u{1f600}x\n".as_bytes(), Visible::KnownWords);
        let at = source.text.find('x').expect("x");
        let location = source.locate(at..at + 1);
        assert_eq!((location.line(), location.column()), (2, 5));
        assert_eq!(location.to_string(), "f:2:5");
        let outside = source.locate(900..1000);
        assert_eq!((outside.line(), outside.column()), (3, 1));
        let long = "é\u{1f600}x".repeat(1000);
        let source = Source::new("f", format!("a\n{long}").as_bytes(), Visible::KnownWords);
        for (at, _) in long.char_indices() {
            let location = source.locate(at + 2..at + 2);
            assert_eq!(location.column(), long[..at].chars().count() + 1, "{at}");
        }
        let bad = Source::new("f", b"\xff\xffx", Visible::KnownWords);
        assert_eq!(bad.text, "??x");
    }
}
