//! Where in which file something stands.

use std::fmt;
use std::ops::{Deref, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A configuration file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    path: PathBuf,
    text: String,
    line_starts: Vec<usize>,
}

impl Source {
    /// Keeps `bytes` for messages; what is no UTF-8 becomes `?`, byte by byte, so that
    /// offsets stay true.
    pub fn new(path: impl Into<PathBuf>, bytes: &[u8]) -> Arc<Self> {
        let text = decode_utf16(bytes).unwrap_or_else(|| {
            let mut text = String::with_capacity(bytes.len());
            for chunk in bytes.utf8_chunks() {
                text.push_str(chunk.valid());
                text.extend(chunk.invalid().iter().map(|_| '?'));
            }
            text
        });
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Arc::new(Self { path: path.into(), text, line_starts })
    }

    /// The file's path as it was given; for a text without a file what the caller said.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The place of `span`, which is cut to the text and to whole characters.
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

/// The text of a file in UTF-16, which YAML allows and a byte order mark tells. `None`
/// for all else, a fault in it included.
fn decode_utf16(bytes: &[u8]) -> Option<String> {
    let (read, rest): (fn([u8; 2]) -> u16, _) = match bytes {
        [0xff, 0xfe, rest @ ..] => (u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => (u16::from_be_bytes, rest),
        _ => return None,
    };
    let (pairs, []) = rest.as_chunks::<2>() else { return None };
    let units: Vec<u16> = pairs.iter().map(|pair| read(*pair)).collect();
    String::from_utf16(&units).ok()
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

    /// The bytes of the file's text that are meant.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.source.line_starts.partition_point(|start| *start <= self.span.start)
    }

    /// The column in characters, from 1.
    pub fn column(&self) -> usize {
        let start = self.source.line_starts[self.line() - 1];
        self.source.text[start..self.span.start].chars().count() + 1
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

/// A value with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
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
        let source = Source::new("f", "é: 1\nb: \u{1f600}x\n".as_bytes());
        let at = source.text().find('x').expect("x");
        let location = source.locate(at..at + 1);
        assert_eq!((location.line(), location.column()), (2, 5));
        assert_eq!(location.to_string(), "f:2:5");
        let outside = source.locate(900..1000);
        assert_eq!((outside.line(), outside.column()), (3, 1));
        let bad = Source::new("f", b"\xff\xffx");
        assert_eq!(bad.text(), "??x");
    }
}
