//! A file's text, what the kubelet reads in it, and where.

use std::ops::Range;

use crate::config::is_json;
use crate::document::{Fault, Node, Value};
use crate::edit::splice::{self, Splice};
use crate::edit::{Change, EditError, Edited, PROVIDERS, is_same};
use crate::encoding::Encoding;
use crate::json;
use crate::layout::{Layout, List};
use crate::yaml;

/// A file that is to be edited.
pub(super) struct Reading {
    original: Vec<u8>,
    encoding: Encoding,
    /// In UTF-8.
    pub(super) text: Vec<u8>,
    node: Node,
    pub(super) layout: Layout,
}

impl Reading {
    pub(super) fn new(original: &[u8]) -> Result<Self, EditError> {
        let (encoding, text) = Encoding::decode(original);
        let read = if encoding == Encoding::Utf8 && is_json(&text) {
            json::parse(&text).map(|node| {
                let layout = of_json(&node);
                (node, Some(layout))
            })
        } else {
            // From the bytes as they are: the reader finds the encoding.
            yaml::parse_with_layout(original, &text, PROVIDERS)
                .map(|(document, layout)| (document.node, layout))
        };
        let (node, layout) = read.map_err(|fault| syntax(&text, &fault))?;
        let layout = layout.ok_or(EditError::NotAMapping)?;
        Ok(Self { original: original.to_vec(), encoding, text, node, layout })
    }

    pub(super) fn providers(&self) -> Vec<&Node> {
        self.node.field(PROVIDERS).map_or(&[][..], Node::items).iter().collect()
    }

    /// What is written there.
    pub(super) fn slice(&self, span: &Range<usize>) -> &str {
        std::str::from_utf8(&self.text[span.clone()]).unwrap_or_default()
    }

    pub(super) fn unchanged(&self) -> Edited {
        Edited {
            text: self.original.clone(),
            change: Change::Nothing,
            providers: self.providers().len(),
        }
    }

    /// Makes the changes, and checks that the file then has these providers and is otherwise the
    /// same.
    pub(super) fn apply(
        &self,
        splices: Vec<Splice>,
        change: Change,
        providers: &[&Node],
    ) -> Result<Edited, EditError> {
        let text = self.encoding.encode(splice::apply(&self.text, splices));
        let new = Self::new(&text).map_err(|_| EditError::OtherPart)?;
        let found = new.providers();
        let is_as_wanted = found.len() == providers.len()
            && found.iter().zip(providers).all(|(found, wanted)| is_same(found, wanted))
            && is_same(&without_providers(&self.node), &without_providers(&new.node));
        match is_as_wanted {
            true => Ok(Edited { text, change, providers: providers.len() }),
            false => Err(EditError::OtherPart),
        }
    }
}

fn without_providers(node: &Node) -> Node {
    let mut node = node.clone();
    if let Value::Object(entries) = &mut node.value {
        entries.retain(|entry| &*entry.key != PROVIDERS);
    }
    node
}

fn syntax(text: &[u8], fault: &Fault) -> EditError {
    let before = &text[..fault.span.start.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    EditError::Syntax { message: fault.message.clone(), line }
}

/// In JSON the tree is enough: between two items there is only one comma and white space.
fn of_json(node: &Node) -> Layout {
    let entries = match &node.value {
        Value::Object(entries) => entries.as_slice(),
        _ => &[],
    };
    let mut found = entries.iter().filter(|entry| &*entry.key == PROVIDERS);
    let entry = found.next();
    let list = match (entry.map(|entry| &entry.node), found.next()) {
        (None, _) => List::Missing,
        (Some(_), Some(_)) => List::Repeated,
        (Some(Node { value: Value::Null, span }), None) => List::Null(span.clone()),
        (Some(Node { value: Value::Array(items), span }), None) => List::Flow {
            span: span.clone(),
            items: items.iter().map(|item| item.span.clone()).collect(),
            commas: Vec::new(),
        },
        (Some(_), None) => List::Other,
    };
    Layout {
        root: node.span.clone(),
        is_flow: true,
        key: entry.map(|entry| entry.key_span.start),
        list,
    }
}
