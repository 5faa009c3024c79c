//! Where the list of a document is, and its dashes, commas and items.

use crate::layout::{Layout, List};
use crate::yaml::tree::{Content, Tree};

/// How the list at `field` is written; `None` if the document is not a mapping.
pub(super) fn find(tree: &Tree, text: &[u8], field: &str) -> Option<Layout> {
    let root = &tree.nodes[tree.root?];
    let Content::Mapping(items) = &root.content else { return None };
    let is_key = |number: usize| match &tree.nodes[number].content {
        Content::Scalar { text, .. } => &**text == field,
        _ => false,
    };
    let mut found = items.chunks_exact(2).filter(|pair| is_key(pair[0]));
    let pair = found.next();
    let list = match (pair, found.next()) {
        (None, _) => List::Missing,
        (Some(_), Some(_)) => List::Repeated,
        (Some(pair), None) => list(tree, text, pair[1]),
    };
    Some(Layout {
        root: root.span.start..root.written.end,
        is_flow: text.get(root.span.start) == Some(&b'{'),
        key: pair.map(|pair| tree.nodes[pair[0]].written.start),
        list,
    })
}

fn list(tree: &Tree, text: &[u8], number: usize) -> List {
    let node = &tree.nodes[number];
    let items = match &node.content {
        Content::Scalar { text, is_implicit: true, .. } => {
            return match &**text {
                "" => List::Empty(node.written.end),
                "~" | "null" | "Null" | "NULL" => List::Null(node.span.clone()),
                _ => List::Other,
            };
        }
        Content::Sequence(items) => items,
        _ => return List::Other,
    };
    let Some(marks) = tree.lists.get(&number) else { return List::Other };
    let written = items.iter().map(|item| tree.nodes[*item].written.clone());
    if text.get(node.span.start) == Some(&b'[') {
        let span = node.span.start..node.written.end;
        return List::Flow { span, items: written.collect(), commas: marks.marks.clone() };
    }
    let items = marks.marks.iter().zip(written).map(|(dash, item)| *dash..item.end.max(dash + 1));
    List::Block { after: marks.after, items: items.collect() }
}
