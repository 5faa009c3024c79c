//! YAML as the kubelet reads it: the first document, with the scalars of YAML 1.1, converted
//! to JSON values with sorted keys.
//!
//! Source: `sigs.k8s.io/yaml`, `YAMLToJSON`, over `go.yaml.in/yaml/v2`.

mod decoder;
mod layout;
mod parser;
mod reader;
mod scalar;
mod scanner;
mod timestamp;
mod token;
mod tree;

use std::ops::Range;

use crate::document::{Fault, Node};
use crate::layout::Layout;

/// A document, and what strict reading says about its duplicate keys.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) node: Node,
    /// Each message as the YAML library has it, with the place of the key.
    pub(crate) duplicates: Vec<(String, Range<usize>)>,
    /// Whether there are more than are listed here.
    pub(crate) has_more_duplicates: bool,
    /// Where scalars, aliases, anchors and tags are written, including those that were
    /// overwritten.
    pub(crate) texts: Vec<Range<usize>>,
}

impl Document {
    /// A document in JSON, whose reader reports duplicates itself.
    pub(crate) fn of_json(node: Node) -> Self {
        Self { node, duplicates: Vec::new(), has_more_duplicates: false, texts: Vec::new() }
    }
}

/// Reads the first document; without one, null.
pub(crate) fn parse(bytes: &[u8]) -> Result<Document, Fault> {
    decoder::decode(parser::parse(bytes)?)
}

/// Like [`parse`], with how the list at `field` of the document is written; `None` for that if
/// the document is not a mapping. `text` is the same as `bytes`, in UTF-8, as places are counted.
pub(crate) fn parse_with_layout(
    bytes: &[u8],
    text: &[u8],
    field: &str,
) -> Result<(Document, Option<Layout>), Fault> {
    let tree = parser::parse(bytes)?;
    let layout = layout::find(&tree, text, field);
    Ok((decoder::decode(tree)?, layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Value;

    fn read(text: &str) -> Result<Document, Fault> {
        parse(text.as_bytes())
    }

    fn value(text: &str) -> Value {
        read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).node.value
    }

    #[test]
    fn scalars_of_yaml_1_1() {
        for text in ["yes", "On", "y", "TRUE", "!!bool yes"] {
            assert_eq!(value(text), Value::Bool(true), "{text}");
        }
        for text in ["no", "off", "N"] {
            assert_eq!(value(text), Value::Bool(false), "{text}");
        }
        for text in ["", "~", "null", "# nothing", "---\n"] {
            assert_eq!(value(text), Value::Null, "{text}");
        }
        for text in ["1", "-1", "0x1F", "017", "08", "1_000", "1.5", ".5", "1e3", "0b11", "0o17"] {
            assert!(matches!(value(text), Value::Number(_)), "{text}");
        }
        for text in ["'yes'", "\"1\"", "!!str 1", "12h", "2020-01-01", "1:30", "v1", "0xzz", "."] {
            assert!(matches!(value(text), Value::String(_)), "{text}: {:?}", value(text));
        }
    }

    #[test]
    fn keys_become_texts_and_are_sorted() {
        let Value::Object(entries) = value("b: 1\n1: 2\nyes: 3\na: 4\n0x10: 5\n1.5e3: 6") else {
            panic!("a mapping")
        };
        let keys: Vec<&str> = entries.iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["1", "1500", "16", "a", "b", "true"]);
    }

    #[test]
    fn duplicates_in_the_library_s_words() {
        let document =
            read("a: 1\na: yes\nb: {x: 1, x: 2}\nb: 3\ntrue: 1\nyes: 2\n").expect("reads");
        let messages: Vec<&str> =
            document.duplicates.iter().map(|(message, _)| message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "line 2: key \"a\" already set in map",
                "line 3: key \"x\" already set in map",
                "line 4: key \"b\" already set in map",
                "line 6: key true already set in map",
            ]
        );
        assert_eq!(
            document.node.field("b").map(|node| &node.value),
            Some(&Value::Number("3".into()))
        );
    }

    #[test]
    fn only_the_first_document_is_read() {
        assert_eq!(value("a\n---\n{{{ nonsense"), Value::String("a".into()));
        assert_eq!(value("[a.io]# c\n}}}"), value("[a.io]"));
        // To this library an empty flow collection is not a key.
        assert_eq!(value("[]: x"), Value::Array(Vec::new()));
    }

    #[test]
    fn merges_and_aliases() {
        let document = read("x: &a {p: 1}\nw:\n  <<: *a\n  q: two\nz: *a\n").expect("reads");
        let merged = document.node.field("w").expect("w");
        assert_eq!(merged.field("p").map(|node| &node.value), Some(&Value::Number("1".into())));
        assert_eq!(
            document.node.field("z").and_then(|z| z.field("p")).map(|n| &n.value),
            Some(&Value::Number("1".into()))
        );
    }

    #[test]
    fn what_the_library_reads_otherwise_than_yaml_1_2() {
        for text in
            ["%YAML 1.1\n---\na", "%TAG !e! x:\n--- !e!y a", "!a,b a", "a # c", "--- a\n..."]
        {
            assert_eq!(value(text), Value::String("a".into()), "{text}");
        }
        assert_eq!(value("a\u{2028}b"), Value::String("a\u{2028}b".into()));
        assert_eq!(value("a\u{85}b"), Value::String("a b".into()));
        assert!(read("[a?b]").is_err());
        assert_eq!(value("!!timestamp 2020-1-2"), Value::String("2020-1-2".into()));
    }

    #[test]
    fn faults() {
        for (text, message) in [
            ("a: \u{1}", "yaml: control characters are not allowed"),
            ("a: .inf", "json: unsupported value: +Inf"),
            ("a: !!int x", "yaml: cannot decode !!str `...` as a !!int"),
            ("a: !!timestamp x", "yaml: cannot decode !!str `...` as a !!timestamp"),
            ("%YAML 1.2\n---\na", "yaml: found incompatible YAML document"),
            ("%FOO x\n---\na", "yaml: found unknown directive name"),
            ("...\na", "yaml: did not find expected node content"),
            ("a: &x! b", "yaml: did not find expected alphabetic or numeric character"),
            ("a: *x", "yaml: unknown anchor '...' referenced"),
            ("a:\n\t- b", "yaml: line 2: found character that cannot start any token"),
            ("a: b: c", "yaml: mapping values are not allowed in this context"),
            ("a: [1\nb", "yaml: line 2: did not find expected ',' or ']'"),
        ] {
            let Err(fault) = read(text) else { panic!("{text} was read") };
            assert_eq!(fault.message, message, "{text}");
        }
        for text in ["a: [1", "? [a]\n: 3", "&a [*a]", "\"\\", "a: |\n\tb"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_much_is_refused_soon() {
        let deep = "[".repeat(100_000);
        assert!(read(&deep).expect_err("deep").message.contains("nested deeper than"));
        let nested: String = std::iter::once("a0: &a0 x\n".to_owned())
            .chain((1..3000).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)))
            .collect();
        assert!(read(&nested).expect_err("nested").message.contains("nested deeper than"));
        let laughs: String = std::iter::once("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned())
            .chain((1..10).map(|n| {
                let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
                format!("a{n}: &a{n} [{aliases}]\n")
            }))
            .collect();
        assert_eq!(
            read(&laughs).expect_err("laughs").message,
            "yaml: document contains excessive aliasing"
        );
    }

    #[test]
    fn an_alias_as_a_key_again_and_again_takes_no_memory() {
        let key = "k".repeat(270_000);
        let text = format!("a: &a {key}\nb: {{{}}}\n", "*a : 1, ".repeat(30_000));
        let document = read(&text).expect("read");
        let said: usize = document.duplicates.iter().map(|(message, _)| message.len()).sum();
        assert!(said < 4 << 20, "{said} bytes of messages");
    }
}
