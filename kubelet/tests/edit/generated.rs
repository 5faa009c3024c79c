//! Files of generated layouts.

use proptest::prelude::*;

use pullpass_kubelet::edit::{Change, merge, remove};

use crate::{ENTRY, NAME, accepted, entry, go_round, show};

/// Lines that are allowed anywhere between the lines of a block.
fn filler() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(String::new()),
        1 => Just("\n".to_owned()),
        1 => "( {0,8})# [a-z:\\-\\[\\]{}\"']{0,10}\n",
        1 => "  \n( {0,6})#\n\n",
    ]
}

/// What may follow a value in its line.
fn tail() -> impl Strategy<Value = String> {
    prop_oneof![4 => Just(String::new()), 1 => Just(" # x: - y".to_owned()), 1 => Just("  ".to_owned())]
}

fn list() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("[a.io, \"*.b.io\"]"),
        Just("[a.io, # one\n    '*.b.io' ]"),
        Just("\n_- a.io\n_- \"*.b.io\" # two"),
        Just("\n\n_-   >-\n_     b.io\n  # x\n_- a.io"),
        Just("['a.io']"),
    ]
}

fn argument() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just(""),
        Just("args: [--v=3]"),
        Just("args:\n_- |\n_  # not a comment\n_   deep\n\n_  end\n"),
        Just("args:\n_- |+\n_  kept\n\n\n"),
        Just("args: # none"),
        Just("env:\n_- {name: A, value: \"#\"}\n_- name: B\n_  value: 'b'"),
        Just("args:\n_- \"over\n\n     lines\""),
    ]
}

/// An item of a list with dashes.
#[derive(Clone, Debug)]
struct Item {
    list: &'static str,
    argument: &'static str,
    is_argument_last: bool,
    dash: usize,
    is_nested: bool,
    fillers: Vec<String>,
    tails: Vec<String>,
}

impl Item {
    fn text(&self, number: usize, column: usize) -> String {
        let indent = " ".repeat(column + 1 + self.dash);
        let nest = format!("{indent}{}", if self.is_nested { "  " } else { "" });
        let value = |text: &str| text.replace('_', &nest);
        let mut fields = vec![
            format!("apiVersion: credentialprovider.kubelet.k8s.io/v1{}", self.tails[0]),
            format!("matchImages: {}", value(self.list)),
            format!("defaultCacheDuration: 1m{}", self.tails[1]),
        ];
        if !self.argument.is_empty() {
            let at = if self.is_argument_last { fields.len() } else { 0 };
            fields.insert(at, value(self.argument));
        }
        let column = " ".repeat(column);
        let dash = " ".repeat(self.dash);
        let mut text = format!("{column}-{dash}name: p{number}{}\n", self.tails[2]);
        for (field, filler) in fields.iter().zip(&self.fillers) {
            text.push_str(&format!("{filler}{indent}{field}"));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }
}

prop_compose! {
    fn item()(
        list in list(), argument in argument(), is_argument_last in any::<bool>(),
        dash in 1usize..4, is_nested in any::<bool>(),
        fillers in prop::collection::vec(filler(), 5), tails in prop::collection::vec(tail(), 3),
    ) -> Item {
        Item { list, argument, is_argument_last, dash, is_nested, fillers, tails }
    }
}

prop_compose! {
    fn block_file()(
        items in prop::collection::vec(item(), 0..4), fillers in prop::collection::vec(filler(), 8),
        column in 0usize..5, position in 0usize..3, crlf in any::<bool>(), bom in any::<bool>(),
        cut in any::<bool>(), start in any::<bool>(), end in any::<bool>(), tail in tail(),
    ) -> String {
        let mut list = format!("providers: []{tail}\n");
        if !items.is_empty() {
            list = format!("providers:{tail}\n");
        }
        for (number, item) in items.iter().enumerate() {
            list.push_str(&fillers[3 + number]);
            list.push_str(&item.text(number, column));
        }
        let mut parts =
            vec!["apiVersion: kubelet.config.k8s.io/v1\n".to_owned(), "kind: CredentialProviderConfig\n".to_owned()];
        parts.insert(position, list);
        let mut text = fillers[0].clone();
        if start {
            text.push_str("---\n");
        }
        for (part, filler) in parts.iter().zip(&fillers[1..]) {
            text.push_str(part);
            text.push_str(filler);
        }
        if end {
            text.push_str("...\n# after the end\n");
        }
        // A text that is kept to its end has one.
        if cut && !text.contains("|") {
            text.truncate(text.trim_end().len());
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom { format!("\u{feff}{text}") } else { text }
    }
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof!["", " ", "\n {0,4}", "\n\t{0,2}", "\r\n {0,3}"]
}

prop_compose! {
    fn json_file()(blanks in prop::collection::vec(blank(), 64), count in 0usize..4, position in 0usize..3) -> String {
        let mut blanks = blanks.into_iter().cycle();
        let mut text = String::new();
        let mut next = |piece: &str| {
            text.push_str(&blanks.next().unwrap_or_default());
            text.push_str(piece);
        };
        let mut head = [
            ("kind", "CredentialProviderConfig"),
            ("apiVersion", "kubelet.config.k8s.io/v1"),
        ]
        .into_iter();
        next("{");
        for field in 0..3 {
            if field > 0 {
                next(",");
            }
            if field != position {
                let (name, value) = head.next().expect("two fields");
                next(&format!("\"{name}\""));
                next(":");
                next(&format!("\"{value}\""));
                continue;
            }
            next("\"providers\"");
            next(":");
            next("[");
            for number in 0..count {
                if number > 0 {
                    next(",");
                }
                next("{");
                next(&format!("\"name\":\"p{number}\""));
                next(",");
                next("\"apiVersion\" : \"credentialprovider.kubelet.k8s.io/v1\"");
                next(",");
                next("\"matchImages\":");
                next("[\"a.io\"]");
                next(",");
                next("\"defaultCacheDuration\":\"1m\"");
                next("}");
            }
            next("]");
        }
        next("}");
        next("");
        text
    }
}

/// What makes structure, and what breaks it.
const MARKS: &[u8] = b"{}[]:,\"'\n\r\t -&*!|>%@#?<~.0y\\\xff";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// Whatever the text is, an edit ends, and gives the old bytes back where it adds.
    #[test]
    fn damaged(
        hand in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..MARKS.len(), 0..3usize), 1..5),
    ) {
        let hands = crate::hands::hands();
        let (_, mut text, _) = hands[hand.index(hands.len())].clone();
        for (at, mark, kind) in changes {
            let at = at.index(text.len() + 1);
            match kind {
                0 => text.insert(at, MARKS[mark]),
                1 if at < text.len() => text[at] = MARKS[mark],
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        let Ok(added) = merge(&text, &entry(ENTRY)) else { return Ok(()) };
        prop_assert_eq!(added.change, Change::Added);
        let again = merge(&added.text, &entry(ENTRY)).expect("read before");
        prop_assert_eq!(&again.text, &added.text);
        // Not every odd layout can be undone, but none is undone wrongly.
        if let Ok(removed) = remove(&added.text, NAME) {
            let had_list = remove(&text, NAME).is_ok_and(|it| it.providers > 0);
            if had_list {
                prop_assert_eq!(show(&removed.text), show(&text));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn yaml(text in block_file()) {
        let added = go_round(&text, text.as_bytes());
        accepted(&text, &added.text);
    }

    #[test]
    fn json(text in json_file()) {
        let added = go_round(&text, text.as_bytes());
        accepted(&text, &added.text);
    }
}
