//! A document as a tree in which every value has its position in the text: the common form of
//! JSON and YAML once the kubelet has read them.

use std::ops::Range;
use std::rc::Rc;

/// How deep a document may be nested. The kubelet stops at 10,000 or not at all; a tree
/// that deep would not fit every stack.
pub(crate) const MOST_DEPTH: usize = 200;

/// How many values a document may hold. The kubelet has no limit.
pub(crate) const MOST_NODES: usize = 1_000_000;

/// A value and its place in the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// A number as JSON writes it. No field that a kubelet knows is one.
    Number(Rc<str>),
    /// Shared, since an alias may repeat a long text many times.
    String(Rc<str>),
    Array(Vec<Node>),
    /// In the order in which the kubelet reads the entries, duplicates included.
    Object(Vec<Entry>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Rc<str>,
    pub(crate) key_span: Range<usize>,
    pub(crate) node: Node,
}

impl Value {
    /// The name that Go's JSON decoder has for this kind of value.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Number(_) => "number",
            Self::String(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }
}

impl Node {
    /// The last entry with exactly this key, as Go's decoder would leave it.
    pub(crate) fn field(&self, key: &str) -> Option<&Node> {
        let Value::Object(entries) = &self.value else { return None };
        entries.iter().rev().find(|entry| &*entry.key == key).map(|entry| &entry.node)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::Array(items) => items,
            _ => &[],
        }
    }
}

/// Why a document has no tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
    /// Whether this is exactly the kubelet's message.
    pub(crate) verbatim: bool,
    /// Whether the text ended where more was needed.
    pub(crate) is_early_end: bool,
}

impl Fault {
    pub(crate) fn at(message: impl Into<String>, at: usize) -> Self {
        Self { message: message.into(), span: at..at + 1, verbatim: true, is_early_end: false }
    }

    /// Our own limit; the kubelet's is different.
    pub(crate) fn too_deep(at: usize) -> Self {
        let message = format!("nested deeper than {MOST_DEPTH} levels, which is not read here");
        Self { verbatim: false, ..Self::at(message, at) }
    }

    /// Our own limit; the kubelet has none.
    pub(crate) fn too_many_nodes(at: usize) -> Self {
        let message = format!("more than {MOST_NODES} values, which are not read here");
        Self { verbatim: false, ..Self::at(message, at) }
    }
}
