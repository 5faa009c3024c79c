//! YAML as the kubelet reads it: the first document, the scalars of YAML 1.1, turned
//! into what JSON can hold with sorted keys.
//!
//! Source: `sigs.k8s.io/yaml`, `YAMLToJSON`, over `go.yaml.in/yaml/v2`.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use crate::go::quote::quote;
use crate::tree::{Entry, Fault, Node, Value};

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
    if let Some((at, _)) = text.char_indices().find(|(at, c)| !is_allowed(*at, *c)) {
        return Err(Fault::at("yaml: control characters are not allowed", at));
    }
    let mut builder = Builder {
        parser: Parser::new_from_str(text),
        length: text.len(),
        anchors: HashMap::new(),
        nodes: 0,
        duplicates: Vec::new(),
    };
    let node = builder.document()?;
    Ok(Document { node, duplicates: builder.duplicates })
}

/// What libyaml lets pass.
fn is_allowed(at: usize, c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && (c != '\u{feff}' || at == 0)
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
                (resolve(&text, plain, tag.as_deref(), bytes.start)?.0, anchor)
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
                    let (value, shown) = resolve(&text, plain, tag.as_deref(), key_span.start)?;
                    if anchor > 0 {
                        let node = Node { value: value.clone(), span: key_span.clone() };
                        let line = span.start.line().saturating_sub(1);
                        self.anchors.insert(anchor, Item { node, line });
                    }
                    if merges {
                        let (event, span) = self.expect(start)?;
                        let item = self.item(event, span, depth + 1)?;
                        self.merge(item, &mut entries, &mut index)?;
                        continue;
                    }
                    (key_text(&value, &shown, key_span.start)?, shown)
                }
                Event::Alias(id) => {
                    let value = self.anchors.get(&id).map(|item| item.node.value.clone());
                    match value {
                        Some(Value::String(text)) => (text.clone(), quote(&text)),
                        _ => return Err(bad_key(key_span.start)),
                    }
                }
                _ => return Err(bad_key(key_span.start)),
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
    fn merge(
        &mut self,
        item: Item,
        entries: &mut Vec<Entry>,
        index: &mut HashMap<String, usize>,
    ) -> Result<(), Fault> {
        match item.node.value {
            Value::Object(merged) => {
                for entry in merged {
                    let shown = quote(&entry.key);
                    self.insert(entry, &shown, item.line, entries, index);
                }
                Ok(())
            }
            // The earlier mappings of a list win, so they come last.
            Value::Array(items) => {
                for node in items.into_iter().rev() {
                    let Value::Object(_) = node.value else { return Err(bad_merge(&node)) };
                    self.merge(Item { node, line: item.line }, entries, index)?;
                }
                Ok(())
            }
            _ => Err(bad_merge(&item.node)),
        }
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
                Some(Err(error)) => return Err(self.scan_fault(&error)),
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

    /// A fault of syntax. The place is right; the words are another parser's than the
    /// kubelet's.
    fn scan_fault(&self, error: &ScanError) -> Fault {
        let marker = error.marker();
        let at = marker.byte_offset().unwrap_or(0).min(self.length);
        let message = format!("yaml: line {}: {}", marker.line(), error.info());
        Fault { message, span: at..at + 1, verbatim: false }
    }
}

fn count(node: &Node) -> usize {
    match &node.value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(entries) => 1 + entries.iter().map(|entry| count(&entry.node)).sum::<usize>(),
        _ => 1,
    }
}

fn bad_key(at: usize) -> Fault {
    Fault { verbatim: false, ..Fault::at("yaml: invalid map key", at) }
}

fn bad_merge(node: &Node) -> Fault {
    let message = "yaml: map merge requires map or sequence of maps as the value";
    Fault { span: node.span.clone(), ..Fault::at(message, 0) }
}

/// A key as JSON needs it.
fn key_text(value: &Value, shown: &str, at: usize) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(on) => Ok(on.to_string()),
        Value::Number => Ok(shown.to_owned()),
        _ => {
            let message = "unsupported map key of type: %!s(<nil>), key: <nil>, value: <unknown>";
            Err(Fault { verbatim: false, ..Fault::at(message, at) })
        }
    }
}

/// The value of a scalar, and how Go's `%#v` shows it.
fn resolve(
    text: &str,
    plain: bool,
    tag: Option<&Tag>,
    at: usize,
) -> Result<(Value, String), Fault> {
    let string = || (Value::String(text.to_owned()), quote(text));
    let wanted = tag.map(ToString::to_string);
    let wanted = wanted.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag));
    let resolved = match wanted {
        None if !plain => return Ok(string()),
        Some(other) if !matches!(other, "null" | "bool" | "int" | "float") => return Ok(string()),
        _ => plain_value(text),
    };
    let (found, value, shown) = match resolved {
        Plain::Null => ("null", Value::Null, "<nil>".to_owned()),
        Plain::Bool(on) => ("bool", Value::Bool(on), on.to_string()),
        Plain::Int(shown) => ("int", Value::Number, shown),
        Plain::Float(number) if number.is_finite() => ("float", Value::Number, number.to_string()),
        Plain::Float(number) => {
            let shown = match (number.is_nan(), number > 0.0) {
                (true, _) => "NaN",
                (_, true) => "+Inf",
                (_, false) => "-Inf",
            };
            return Err(Fault::at(format!("json: unsupported value: {shown}"), at));
        }
        Plain::Text => ("str", string().0, string().1),
    };
    match wanted {
        Some("float") if found == "int" => {}
        Some(wanted) if wanted != found => {
            let message = format!("yaml: cannot decode !!{found} `{text}` as a !!{wanted}");
            return Err(Fault::at(message, at));
        }
        _ => {}
    }
    Ok((value, shown))
}

enum Plain {
    Null,
    Bool(bool),
    /// As Go prints it.
    Int(String),
    Float(f64),
    Text,
}

/// The scalars of YAML 1.1 as the kubelet's library knows them.
fn plain_value(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Plain::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Plain::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => decimal(text).map_or(Plain::Text, Plain::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let digits = text.replace('_', "");
            match integer(&digits) {
                Some(number) => Plain::Int(number),
                None => decimal(&digits).map_or(Plain::Text, Plain::Float),
            }
        }
        _ => Plain::Text,
    }
}

/// Go's integers with base 0: `0x`, `0o`, `0b` and a leading `0` for octal.
fn integer(text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(body, radix).ok()?;
    if negative {
        return (value <= 1 << 63)
            .then(|| if value == 0 { "0".into() } else { format!("-{value}") });
    }
    // With a plus sign Go reads signed numbers only.
    if text.starts_with('+') && i64::try_from(value).is_err() {
        return None;
    }
    Some(value.to_string())
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let shaped = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    // Go refuses what overflows, and so leaves a text.
    if shaped { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
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
