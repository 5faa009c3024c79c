//! Where the list of a document is written, and how, in bytes of its text. Edits use it.

use std::ops::Range;

/// The document's mapping and the list in it.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The mapping, from its first key or brace to the end of its last token.
    pub(crate) root: Range<usize>,
    /// Whether the mapping is in braces.
    pub(crate) is_flow: bool,
    /// Where the list's key begins.
    pub(crate) key: Option<usize>,
    pub(crate) list: List,
}

#[derive(Debug)]
pub(crate) enum List {
    /// There is no such key.
    Missing,
    /// The key occurs twice.
    Repeated,
    /// The key has no value; the token before ends here.
    Empty(usize),
    /// An explicit null.
    Null(Range<usize>),
    /// Items with dashes.
    Block {
        /// Where the token before the first dash ends.
        after: usize,
        /// Each from its dash to the end of its last token.
        items: Vec<Range<usize>>,
    },
    /// Items in brackets.
    Flow {
        /// From bracket to bracket.
        span: Range<usize>,
        items: Vec<Range<usize>>,
        /// Where the commas are; one may follow the last item.
        commas: Vec<usize>,
    },
    /// An alias, or not a list at all.
    Other,
}
