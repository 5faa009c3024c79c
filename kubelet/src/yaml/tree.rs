//! A document as it is written, before aliases are followed and keys are compared.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

/// A node as it is written: aliases are not followed, keys are not compared.
pub(super) struct YamlNode {
    pub(super) content: Content,
    /// From 0.
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    /// From its anchor or tag to the end of its last token.
    pub(super) written: Range<usize>,
}

pub(super) enum Content {
    Scalar {
        text: Rc<str>,
        /// Empty if there is none.
        tag: Vec<u8>,
        /// Whether the text alone decides the type.
        is_implicit: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values in turn.
    Mapping(Vec<usize>),
    Alias(usize),
}

/// A document: its nodes by number, and the number of the outermost.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<YamlNode>,
    /// `None` if the text holds no document.
    pub(super) root: Option<usize>,
    /// Where scalars and names are written, including those that were overwritten.
    pub(super) texts: Vec<Range<usize>>,
    /// The marks of each sequence, by the number of its node.
    pub(super) lists: HashMap<usize, ListMarks>,
}

/// The marks of a sequence.
#[derive(Clone, Default)]
pub(super) struct ListMarks {
    /// Where the token before the sequence ends.
    pub(super) after: usize,
    /// Where the dashes or the commas are.
    pub(super) marks: Vec<usize>,
}
