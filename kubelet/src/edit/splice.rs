//! One change of a text.

use std::ops::Range;

/// The bytes at a place, and what replaces them.
#[derive(Clone, Debug)]
pub(super) struct Splice {
    pub(super) span: Range<usize>,
    pub(super) text: String,
}

impl Splice {
    pub(super) fn insert(at: usize, text: String) -> Self {
        Self { span: at..at, text }
    }

    pub(super) fn delete(span: Range<usize>) -> Self {
        Self { span, text: String::new() }
    }
}

/// The text with all changes made. They do not overlap.
pub(super) fn apply(text: &[u8], mut splices: Vec<Splice>) -> Vec<u8> {
    splices.sort_by_key(|splice| splice.span.start);
    let mut changed = Vec::with_capacity(text.len() + 512);
    let mut at = 0;
    for Splice { span, text: new } in splices {
        changed.extend_from_slice(&text[at..span.start]);
        changed.extend_from_slice(new.as_bytes());
        at = span.end;
    }
    changed.extend_from_slice(&text[at..]);
    changed
}
