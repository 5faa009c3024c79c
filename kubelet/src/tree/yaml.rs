//! YAML as the kubelet reads it: the first document, the scalars of YAML 1.1, turned
//! into what JSON can hold with sorted keys.
//!
//! Source: `sigs.k8s.io/yaml`, `YAMLToJSON`, over `go.yaml.in/yaml/v2`.

mod scalar;
mod syntax;

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use crate::go::quote::quote;
use crate::tree::{Entry, Fault, Node, Value};

use self::scalar::Scalar;

/// Deeper than any configuration, shallower than any stack.
const DEEPEST: usize = 200;
/// As many nodes as aliases may make out of a small file.
const MOST_NODES: usize = 1_000_000;

/// A document, and what strict reading says about its duplicate keys.
pub(crate) struct Document {
    pub(crate) node: Node,
    /// Each message as the YAML library words it, with the place of the key.
    pub(crate) duplicates: Vec<(String, Range<usize>)>,
}

/// Reads the first document; without one, null.
pub(crate) fn parse(text: &str) -> Result<Document, Fault> {
    if let Some((at, _)) = text.char_indices().find(|(_, c)| !syntax::is_allowed(*c)) {
        return Err(Fault::at("yaml: control characters are not allowed", at));
    }
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(text, syntax::options()),
        length: text.len(),
        anchors: HashMap::new(),
        nodes: 0,
        duplicates: Vec::new(),
        faults: Vec::new(),
    };
    let node = builder.document()?;
    builder.faults.sort_by_key(|(phase, _)| *phase);
    match builder.faults.into_iter().next() {
        Some((_, fault)) => Err(fault),
        None => Ok(Document { node, duplicates: builder.duplicates }),
    }
}

/// A node of the YAML document, before keys are sorted and merged.
#[derive(Clone)]
struct Item {
    node: Node,
    /// From 0, as the YAML library counts it.
    line: usize,
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    length: usize,
    anchors: HashMap<usize, Item>,
    nodes: usize,
    duplicates: Vec<(String, Range<usize>)>,
    /// Faults of values, which count once the whole document was found well-formed.
    faults: Vec<(Phase, Fault)>,
}

/// The library reads a document in these steps, each of which can end it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Resolve,
    Keys,
    Write,
}

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Fault> {
        loop {
            match self.next()? {
                None | Some((Event::StreamEnd, _)) => {
                    return Ok(Node { value: Value::Null, span: 0..0 });
                }
                Some((Event::StreamStart | Event::DocumentStart(..), _)) => {}
                Some((event, span)) => {
                    let item = self.item(event, span, 0)?;
                    // A fault after the node and still in its document counts.
                    while let Some((event, _)) = self.next()? {
                        if matches!(event, Event::DocumentEnd | Event::StreamEnd) {
                            break;
                        }
                    }
                    return Ok(item.node);
                }
            }
        }
    }

    fn item(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Item, Fault> {
        self.nodes += 1;
        let bytes = self.bytes(span);
        if self.nodes > MOST_NODES {
            return Err(Fault::at("yaml: document contains excessive aliasing", bytes.start));
        }
        if depth > DEEPEST {
            let fault = Fault::at("yaml: exceeded max depth of 10000", bytes.start);
            return Err(Fault { verbatim: false, ..fault });
        }
        let line = span.start.line().saturating_sub(1);
        let (value, anchor) = match event {
            Event::Alias(id) => {
                let Some(item) = self.anchors.get(&id) else {
                    return Err(Fault::at("yaml: anchor value contains itself", bytes.start));
                };
                let node = Node { value: item.node.value.clone(), span: bytes.clone() };
                self.nodes += count(&node);
                return Ok(Item { node, line });
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                (self.scalar(&text, plain, tag.as_deref(), bytes.start).value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.expect(bytes.start)? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.item(event, span, depth + 1)?.node),
                    }
                }
                (Value::Array(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => (self.mapping(bytes.start, depth)?, anchor),
            _ => return Err(Fault::at("yaml: unknown problem parsing YAML content", bytes.start)),
        };
        let end = match &value {
            Value::Array(items) => items.last().map(|item| item.span.end),
            Value::Object(entries) => entries.iter().map(|entry| entry.node.span.end).max(),
            _ => Some(bytes.end),
        };
        let span = bytes.start..end.unwrap_or(bytes.end).max(bytes.start);
        let item = Item { node: Node { value, span }, line };
        if anchor > 0 {
            self.anchors.insert(anchor, item.clone());
        }
        Ok(item)
    }

    fn mapping(&mut self, start: usize, depth: usize) -> Result<Value, Fault> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut index: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = self.expect(start)?;
            let key_span = self.bytes(span);
            let (key, shown) = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = style == ScalarStyle::Plain;
                    let merges = plain && text == "<<" && tag.is_none();
                    let Scalar { value, shown, .. } =
                        self.scalar(&text, plain, tag.as_deref(), key_span.start);
                    if anchor > 0 {
                        let node = Node { value: value.clone(), span: key_span.clone() };
                        let line = span.start.line().saturating_sub(1);
                        self.anchors.insert(anchor, Item { node, line });
                    }
                    if merges {
                        let (event, span) = self.expect(start)?;
                        let item = self.item(event, span, depth + 1)?;
                        self.merge(item, &mut entries, &mut index);
                        continue;
                    }
                    (self.key_text(&value, &shown, key_span.start), shown)
                }
                Event::Alias(id) => {
                    let value = self.anchors.get(&id).map(|item| item.node.value.clone());
                    match value {
                        Some(Value::String(text)) => (text.clone(), quote(&text)),
                        _ => self.bad_key(key_span.start),
                    }
                }
                event => {
                    self.item(event, span, depth + 1)?;
                    self.bad_key(key_span.start)
                }
            };
            let (event, span) = self.expect(start)?;
            let item = self.item(event, span, depth + 1)?;
            let line = item.line;
            let entry = Entry { key, key_span, node: item.node };
            self.insert(entry, &shown, line, &mut entries, &mut index);
        }
        // Go writes the keys of a map sorted, and meets them so afterwards.
        entries.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
        Ok(Value::Object(entries))
    }

    /// The merge key `<<`: a mapping, or several.
    fn merge(&mut self, item: Item, entries: &mut Vec<Entry>, index: &mut HashMap<String, usize>) {
        let span = item.node.span.clone();
        match item.node.value {
            Value::Object(merged) => {
                for entry in merged {
                    let shown = quote(&entry.key);
                    self.insert(entry, &shown, item.line, entries, index);
                }
            }
            // The earlier mappings of a list win, so they come last.
            Value::Array(items)
                if items.iter().all(|node| matches!(node.value, Value::Object(_))) =>
            {
                for node in items.into_iter().rev() {
                    self.merge(Item { node, line: item.line }, entries, index);
                }
            }
            _ => {
                let message = "yaml: map merge requires map or sequence of maps as the value";
                self.faults.push((Phase::Resolve, Fault { span, ..Fault::at(message, 0) }));
            }
        }
    }

    fn scalar(&mut self, text: &str, plain: bool, tag: Option<&Tag>, at: usize) -> Scalar {
        let mut scalar = scalar::resolve(text, plain, tag, at);
        self.faults.extend(scalar.fault.take());
        scalar
    }

    /// A key as JSON needs it.
    fn key_text(&mut self, value: &Value, shown: &str, at: usize) -> String {
        match value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number => shown.to_owned(),
            _ => {
                let message = "unsupported map key of type: %!s(<nil>), key: <nil>";
                let fault = Fault { verbatim: false, ..Fault::at(message, at) };
                self.faults.push((Phase::Keys, fault));
                String::new()
            }
        }
    }

    fn bad_key(&mut self, at: usize) -> (String, String) {
        let fault = Fault { verbatim: false, ..Fault::at("yaml: invalid map key", at) };
        self.faults.push((Phase::Resolve, fault));
        (String::new(), String::new())
    }

    fn insert(
        &mut self,
        entry: Entry,
        shown: &str,
        line: usize,
        entries: &mut Vec<Entry>,
        index: &mut HashMap<String, usize>,
    ) {
        match index.get(&entry.key) {
            Some(&at) => {
                let message = format!("line {}: key {shown} already set in map", line + 1);
                self.duplicates.push((message, entry.key_span.clone()));
                entries[at] = entry;
            }
            None => {
                index.insert(entry.key.clone(), entries.len());
                entries.push(entry);
            }
        }
    }

    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, Fault> {
        loop {
            match self.parser.next() {
                None => return Ok(None),
                Some(Ok((Event::Comment(..) | Event::Anchor(..), _))) => {}
                Some(Ok(event)) => return Ok(Some(event)),
                Some(Err(error)) => return Err(syntax::fault(&error, self.length)),
            }
        }
    }

    fn expect(&mut self, start: usize) -> Result<(Event<'a>, Span), Fault> {
        self.next()?.ok_or_else(|| Fault::at("yaml: unexpected end of stream", start))
    }

    fn bytes(&self, span: Span) -> Range<usize> {
        let start = span.start.byte_offset().unwrap_or(0).min(self.length);
        start..span.end.byte_offset().unwrap_or(start).clamp(start, self.length)
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(entries) => 1 + entries.iter().map(|entry| count(&entry.node)).sum::<usize>(),
        // A long text weighs as much as several nodes.
        Value::String(text) => 1 + text.len() / 64,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
