//! The lines of a text.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A text by its lines.
#[derive(Clone, Copy)]
pub(super) struct Lines<'a>(pub(super) &'a [u8]);

impl<'a> Lines<'a> {
    /// Where the line at `at` begins, after a byte order mark.
    pub(super) fn start(self, at: usize) -> usize {
        match self.0[..at].iter().rposition(|byte| *byte == b'\n') {
            Some(before) => before + 1,
            None if self.0.starts_with(BYTE_ORDER_MARK) => BYTE_ORDER_MARK.len().min(at),
            None => 0,
        }
    }

    /// Where the next line begins after what ends at `at`: a block of text ends with its line.
    pub(super) fn next(self, at: usize) -> usize {
        if at > 0 && self.0[at - 1] == b'\n' {
            return at;
        }
        self.0[at..].iter().position(|byte| *byte == b'\n').map_or(self.0.len(), |end| at + end + 1)
    }

    /// The column of what is at `at`, if only spaces are before it in its line.
    pub(super) fn column(self, at: usize) -> Option<usize> {
        let start = self.start(at);
        self.0[start..at].iter().all(|byte| *byte == b' ').then_some(at - start)
    }

    /// The white space that the line at `at` begins with.
    pub(super) fn indent(self, at: usize) -> &'a str {
        let rest = &self.0[self.start(at)..];
        let end = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
        std::str::from_utf8(&rest[..end]).unwrap_or_default()
    }

    /// Starting at a line, the comments that are deeper than `column` and the empty
    /// lines before them: they belong to the item that was before them.
    pub(super) fn skip_comments(self, from: usize, column: usize) -> usize {
        let (mut at, mut end) = (from, from);
        while at < self.0.len() {
            let next = self.next(at + usize::from(self.0[at] != b'\n')).max(at + 1);
            let line = &self.0[at..next];
            let indent = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
            match line.get(indent) {
                Some(b'#') if indent > column => end = next,
                None | Some(b'\n' | b'\r') => {}
                Some(_) => break,
            }
            at = next;
        }
        end
    }

    /// The line end of the line at `at`; if it has none, that of the first line.
    pub(super) fn end_at(self, at: usize) -> &'static str {
        let end = self.next(at);
        let ends = |end: usize| match &self.0[..end] {
            [.., b'\r', b'\n'] => Some("\r\n"),
            [.., b'\n'] => Some("\n"),
            _ => None,
        };
        let first = || ends(self.next(0));
        ends(end).or_else(first).unwrap_or("\n")
    }

    /// Whether the line at `at`, the text's end, has no line end.
    pub(super) fn is_cut(self, at: usize) -> bool {
        at == self.0.len() && !self.0.ends_with(b"\n")
    }
}
