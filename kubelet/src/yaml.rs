//! YAML as the kubelet reads it: the first document, the scalars of YAML 1.1, turned
//! into what JSON can hold with sorted keys.
//!
//! Source: `sigs.k8s.io/yaml`, `YAMLToJSON`, over `go.yaml.in/yaml/v2`.

mod builder;
mod scalar;
mod syntax;
mod tabs;

use std::ops::Range;

use crate::document::{Fault, Node};

/// Each costs one more reading.
const MOST_TABBED_LINES: usize = 1000;

/// A document, and what strict reading says about its duplicate keys.
pub(crate) struct Document {
    pub(crate) node: Node,
    /// Each message as the YAML library words it, with the place of the key.
    pub(crate) duplicates: Vec<(String, Range<usize>)>,
}

/// Reads the first document; without one, null.
pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
    // A break of lines in YAML 1.1; as many bytes, so that places stay true.
    let text = text.replace('\u{85}', " \n");
    let mut blanked = text.clone();
    for _ in 0..MOST_TABBED_LINES {
        match builder::read(&blanked, &text) {
            Err((_, Some(tab))) => blank_indent(&mut blanked, tab),
            Err((fault, None)) => return Err(fault),
            Ok(document) => return Ok(document),
        }
    }
    builder::read(&blanked, &text).map_err(|(fault, _)| fault)
}

/// Makes spaces of the tabs before the first word of the line in which `tab` is.
fn blank_indent(text: &mut String, tab: usize) {
    let start = text[..tab].rfind('\n').map_or(0, |at| at + 1);
    let rest = &text[start..];
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    text.replace_range(start..start + blanks, &" ".repeat(blanks));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Value;

    fn value(text: &str) -> Value {
        parse(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")).node.value
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
            assert_eq!(value(text), Value::Number, "{text}");
        }
        for text in ["'yes'", "\"1\"", "!!str 1", "12h", "2020-01-01", "1:30", "v1", "0xzz", "."] {
            assert!(matches!(value(text), Value::String(_)), "{text}: {:?}", value(text));
        }
    }

    #[test]
    fn keys_become_texts_and_are_sorted() {
        let Value::Object(entries) = value("b: 1\n1: 2\nyes: 3\na: 4\n0x10: 5") else {
            panic!("a mapping")
        };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["1", "16", "a", "b", "true"]);
    }

    #[test]
    fn duplicates_in_the_library_s_words() {
        let document =
            parse("a: 1\na: yes\nb: {x: 1, x: 2}\nb: 3\ntrue: 1\nyes: 2\n").expect("reads");
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
        assert_eq!(document.node.field("b").map(|node| &node.value), Some(&Value::Number));
    }

    #[test]
    fn only_the_first_document_is_read() {
        assert_eq!(value("a\n---\n{{{ nonsense"), Value::String("a".into()));
    }

    #[test]
    fn merges_and_aliases() {
        let document = parse("x: &a {p: 1}\nw:\n  <<: *a\n  q: two\nz: *a\n").expect("reads");
        let merged = document.node.field("w").expect("w");
        assert_eq!(merged.field("p").map(|node| &node.value), Some(&Value::Number));
        assert_eq!(
            document.node.field("z").and_then(|z| z.field("p")).map(|n| &n.value),
            Some(&Value::Number)
        );
    }

    #[test]
    fn faults() {
        for (text, message) in [
            ("a: \u{1}", "yaml: control characters are not allowed"),
            ("a: .inf", "json: unsupported value: +Inf"),
            ("a: !!int x", "yaml: cannot decode !!str `x` as a !!int"),
        ] {
            let Err(fault) = parse(text) else { panic!("{text} was read") };
            assert_eq!(fault.message, message);
        }
        for text in ["a: [1", "a: *x", "a:\n\t- b", "? [a]\n: 3", "a: b: c"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
