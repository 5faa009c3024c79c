//! From the parser's events to a tree.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use crate::document::{Entry, Fault, Node, Value};
use crate::go::quote::quote;
use crate::yaml::scalar::{self, Scalar};
use crate::yaml::tabs::{Tabs, indents_by_tab};
use crate::yaml::{Document, syntax};

/// Deeper than any configuration, shallower than any stack.
const DEEPEST: usize = 200;
/// As many nodes as aliases may make out of a small file.
const MOST_NODES: usize = 1_000_000;

/// Reads `text`, in which some tabs of `original` may be spaces. A fault may come with the
/// place of a tab that only our parser minds.
pub(super) fn read(text: &str, original: &str) -> Result<Document, (Fault, Option<usize>)> {
    let control = text.char_indices().find(|(_, c)| !syntax::is_allowed(*c)).map(|(at, _)| at);
    let mut builder = Builder {
        parser: Parser::new_from_str_with_options(text, syntax::options()),
        tabs: Tabs::new(original),
        text,
        length: text.len(),
        anchors: HashMap::new(),
        nodes: 0,
        reached: 0,
        tab: None,
        duplicates: Vec::new(),
        faults: Vec::new(),
    };
    let result = builder.document();
    let reached = result.as_ref().map_or_else(|fault| fault.span.start, |_| builder.reached);
    if let Some(at) = control.filter(|at| *at < (reached / CHUNK + 1) * CHUNK) {
        return Err((Fault::at("yaml: control characters are not allowed", at), None));
    }
    let node = result.map_err(|fault| (fault, builder.tab))?;
    builder.faults.sort_by_key(|(phase, _)| *phase);
    match builder.faults.into_iter().next() {
        Some((_, fault)) => Err((fault, None)),
        None => Ok(Document { node, duplicates: builder.duplicates }),
    }
}

/// The library decodes so many bytes at once, and sees a bad character no earlier.
const CHUNK: usize = 512;

/// A node of the YAML document, before keys are sorted and merged.
#[derive(Clone)]
struct Item {
    node: Node,
    /// From 0, as the YAML library counts it.
    line: usize,
}

struct Builder<'a> {
    parser: Parser<'a, StrInput<'a>>,
    tabs: Tabs<'a>,
    text: &'a str,
    length: usize,
    anchors: HashMap<usize, Item>,
    nodes: usize,
    /// Where the last event was.
    reached: usize,
    /// A tab in the indent of a line, which libyaml allows in flow style.
    tab: Option<usize>,
    duplicates: Vec<(String, Range<usize>)>,
    /// Faults of values, which count once the whole document was found well-formed.
    faults: Vec<(Phase, Fault)>,
}

/// The library reads a document in these steps, each of which can end it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
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
            let written = self.text.get(key_span.clone()).unwrap_or_default();
            let is_explicit = self.text[..key_span.start].trim_end().ends_with('?');
            if matches!(event, Event::Scalar(..)) && written.contains(['\n', '\r']) && !is_explicit
            {
                let line = span.start.line();
                let message = format!("yaml: line {line}: did not find expected ',' or '}}'");
                return Err(Fault { verbatim: false, ..Fault::at(message, key_span.start) });
            }
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
                // What is written over is never written out.
                let lost = entries[at].node.span.clone();
                self.faults
                    .retain(|(phase, f)| *phase == Phase::Resolve || !lost.contains(&f.span.start));
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
                Some(Ok((event, span))) => {
                    let bytes = self.bytes(span);
                    self.reached = bytes.start;
                    self.tabs.check(&event, bytes, &span.start)?;
                    return Ok(Some((event, span)));
                }
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(0).min(self.length);
                    let is_about_tabs = error.info().contains("tabs disallowed");
                    self.tab = (is_about_tabs && indents_by_tab(self.text, at)).then_some(at);
                    return Err(syntax::fault(&error, self.length));
                }
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
