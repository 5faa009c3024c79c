//! Nodes to a tree: aliases followed, scalars resolved, mappings merged, keys compared.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use crate::document::{Entry, Fault, MOST_DEPTH, Node, Value};
use crate::yaml::Document;
use crate::yaml::scalar::{Scalar, not_finite};
use crate::yaml::tree::{Content, Tree, YamlNode};

/// How many bytes of messages about duplicate keys are kept.
const MOST_MESSAGE_BYTES: usize = 1 << 20;

/// The tree of a document.
///
/// # Errors
/// The first error in the library's order: in the values, then in the keys, then in what
/// JSON cannot represent.
pub(super) fn decode(tree: Tree) -> Result<Document, Fault> {
    let mut decoder = Decoder {
        nodes: &tree.nodes,
        followed: HashSet::new(),
        alias_depth: 0,
        // The document itself is the first.
        decoded: 1,
        decoded_by_alias: 0,
        keys: Keys::default(),
        duplicates: Vec::new(),
        has_more_duplicates: false,
        message_bytes: 0,
    };
    let Some(root) = tree.root else {
        let node = Node { value: Value::Null, span: 0..0 };
        return Ok(Document {
            node,
            duplicates: Vec::new(),
            has_more_duplicates: false,
            texts: tree.texts,
        });
    };
    let decoded = decoder.node(root, 0)?;
    if let Some(problem) = decoded.problem {
        return Err(problem.fault);
    }
    Ok(Document {
        node: decoded.node,
        duplicates: decoder.duplicates,
        has_more_duplicates: decoder.has_more_duplicates,
        texts: tree.texts,
    })
}

/// A value, and what keeps it from being JSON. That matters only if the value is not
/// overwritten by another one with the same key.
struct Decoded {
    node: Node,
    problem: Option<Box<Problem>>,
}

struct Problem {
    /// Keys are checked before values.
    is_of_key: bool,
    fault: Fault,
}

struct Decoder<'a> {
    nodes: &'a [YamlNode],
    /// The aliases on the path to this place.
    followed: HashSet<usize>,
    alias_depth: usize,
    decoded: u64,
    decoded_by_alias: u64,
    keys: Keys,
    duplicates: Vec<(String, Range<usize>)>,
    has_more_duplicates: bool,
    message_bytes: usize,
}

/// Every key once: a long one may be repeated many times by aliases.
#[derive(Default)]
struct Keys {
    known: Vec<Key>,
    /// By the key's value in Go: `1` and `"1"` are different keys.
    by_value: HashMap<(u8, Rc<str>), usize>,
    by_node: HashMap<usize, usize>,
}

struct Key {
    scalar: Scalar,
    /// Its form in JSON, or something to show if it has none.
    name: Rc<str>,
    is_writable: bool,
}

impl Keys {
    fn add(&mut self, scalar: Scalar) -> usize {
        let name = scalar.as_key();
        let is_writable = name.is_some();
        let name = name.unwrap_or_else(|| scalar.display().into());
        let kind = match scalar {
            Scalar::Null => 0,
            Scalar::Bool(_) => 1,
            Scalar::Int(_) => 2,
            Scalar::Uint(_) => 3,
            Scalar::Float(_) => 4,
            Scalar::Text(_) => 5,
        };
        let number = self.known.len();
        // All of these are different keys.
        if !matches!(scalar, Scalar::Float(value) if value.is_nan()) {
            let known = *self.by_value.entry((kind, Rc::clone(&name))).or_insert(number);
            if known != number {
                return known;
            }
        }
        self.known.push(Key { scalar, name, is_writable });
        number
    }
}

/// A mapping that is being built.
#[derive(Default)]
struct Mapping {
    entries: Vec<Entry>,
    problems: Vec<Option<Box<Problem>>>,
    /// By the number of the key.
    index: HashMap<usize, usize>,
}

impl Decoder<'_> {
    fn node(&mut self, number: usize, depth: usize) -> Result<Decoded, Fault> {
        let nodes = self.nodes;
        let written = &nodes[number];
        self.count(written.span.start, depth)?;
        let span = written.span.clone();
        match &written.content {
            Content::Alias(target) => self.alias(number, *target, depth),
            Content::Scalar { text, tag, is_implicit } => {
                let scalar = Scalar::resolve(text, tag, *is_implicit, span.start)?;
                Ok(Decoded::scalar(&scalar, span))
            }
            Content::Sequence(items) => {
                let (mut list, mut problem) = (Vec::with_capacity(items.len()), None);
                for item in items {
                    let decoded = self.node(*item, depth + 1)?;
                    list.push(decoded.node);
                    problem = first_of(problem, decoded.problem);
                }
                Ok(Decoded { node: Node { value: Value::Array(list), span }, problem })
            }
            Content::Mapping(items) => {
                let mut mapping = Mapping::default();
                self.entries(items, &mut mapping, depth)?;
                Ok(mapping.finish(span))
            }
        }
    }

    /// The library's limit on how much aliases may expand a small file, and ours on depth.
    fn count(&mut self, at: usize, depth: usize) -> Result<(), Fault> {
        self.decoded += 1;
        self.decoded_by_alias += u64::from(self.alias_depth > 0);
        if self.decoded_by_alias > 100
            && self.decoded > 1000
            && share(self.decoded_by_alias, self.decoded) > allowed_share(self.decoded)
        {
            return Err(Fault::at("yaml: document contains excessive aliasing", at));
        }
        if depth > MOST_DEPTH { Err(Fault::too_deep(at)) } else { Ok(()) }
    }

    fn alias(&mut self, number: usize, target: usize, depth: usize) -> Result<Decoded, Fault> {
        let span = self.nodes[number].span.clone();
        if !self.followed.insert(number) {
            // The kubelet quotes the name, which may be the beginning of a password.
            let message = "yaml: anchor '...' value contains itself";
            return Err(Fault { verbatim: false, ..Fault::at(message, span.start) });
        }
        self.alias_depth += 1;
        let decoded = self.node(target, depth + 1)?;
        self.alias_depth -= 1;
        self.followed.remove(&number);
        Ok(Decoded { node: Node { value: decoded.node.value, span }, ..decoded })
    }

    /// Adds the entries of a mapping to `mapping`.
    fn entries(&mut self, items: &[usize], into: &mut Mapping, depth: usize) -> Result<(), Fault> {
        for pair in items.chunks_exact(2) {
            let (key, value) = (pair[0], pair[1]);
            if self.is_merge(key) {
                self.merge(value, into, depth)?;
                continue;
            }
            let name = self.key(key, depth)?;
            let decoded = self.node(value, depth + 1)?;
            self.set(into, name, &self.nodes[key].span, decoded, self.nodes[value].line);
        }
        Ok(())
    }

    fn is_merge(&self, key: usize) -> bool {
        let Content::Scalar { text, tag, is_implicit } = &self.nodes[key].content else {
            return false;
        };
        &**text == "<<" && (*is_implicit || tag == b"tag:yaml.org,2002:merge")
    }

    /// The merge key `<<`: a mapping, or several of which the earlier win.
    fn merge(&mut self, value: usize, into: &mut Mapping, depth: usize) -> Result<(), Fault> {
        if let Content::Sequence(items) = &self.nodes[value].content {
            for item in items.iter().rev() {
                self.merge_one(*item, into, depth + 1)?;
            }
            return Ok(());
        }
        self.merge_one(value, into, depth + 1)
    }

    fn merge_one(&mut self, number: usize, into: &mut Mapping, depth: usize) -> Result<(), Fault> {
        let nodes = self.nodes;
        let at = nodes[number].span.start;
        let refused =
            || Fault::at("yaml: map merge requires map or sequence of maps as the value", at);
        self.count(at, depth)?;
        match &nodes[number].content {
            Content::Mapping(items) => self.entries(items, into, depth),
            Content::Alias(target) => {
                let Content::Mapping(items) = &nodes[*target].content else {
                    return Err(refused());
                };
                if !self.followed.insert(number) {
                    let message = "yaml: anchor '...' value contains itself";
                    return Err(Fault { verbatim: false, ..Fault::at(message, at) });
                }
                self.alias_depth += 1;
                self.count(at, depth)?;
                self.entries(items, into, depth)?;
                self.alias_depth -= 1;
                self.followed.remove(&number);
                Ok(())
            }
            _ => Err(refused()),
        }
    }

    /// A key, which must be a scalar once aliases are followed.
    fn key(&mut self, number: usize, depth: usize) -> Result<usize, Fault> {
        let nodes = self.nodes;
        let at = nodes[number].span.start;
        match &nodes[number].content {
            Content::Scalar { text, tag, is_implicit } => {
                self.count(at, depth)?;
                if let Some(known) = self.keys.by_node.get(&number) {
                    return Ok(*known);
                }
                let key = self.keys.add(Scalar::resolve(text, tag, *is_implicit, at)?);
                self.keys.by_node.insert(number, key);
                Ok(key)
            }
            Content::Alias(target) => {
                self.count(at, depth)?;
                self.alias_depth += 1;
                let key = self.key(*target, depth + 1);
                self.alias_depth -= 1;
                key
            }
            Content::Sequence(_) | Content::Mapping(_) => {
                // Errors inside it come first.
                self.node(number, depth + 1)?;
                // The kubelet prints the whole key.
                let message = "yaml: invalid map key: ...";
                Err(Fault { verbatim: false, ..Fault::at(message, at) })
            }
        }
    }

    fn set(
        &mut self,
        mapping: &mut Mapping,
        number: usize,
        key_span: &Range<usize>,
        value: Decoded,
        line: usize,
    ) {
        let key = &self.keys.known[number];
        let mut problem = value.problem;
        if !key.is_writable {
            // The kubelet prints the key's value.
            let fault = Fault::at("unsupported map key of type: ...", key_span.start);
            let fault = Fault { verbatim: false, ..fault };
            problem = Some(Box::new(Problem { is_of_key: true, fault }));
        }
        let name = Rc::clone(&key.name);
        let entry = Entry { key: name, key_span: key_span.clone(), node: value.node };
        let Some(at) = mapping.index.get(&number).copied() else {
            mapping.index.insert(number, mapping.entries.len());
            mapping.entries.push(entry);
            mapping.problems.push(problem);
            return;
        };
        if self.message_bytes < MOST_MESSAGE_BYTES {
            let shown = key.scalar.display();
            let message = format!("line {}: key {shown} already set in map", line + 1);
            self.message_bytes += message.len();
            self.duplicates.push((message, key_span.clone()));
        } else {
            self.has_more_duplicates = true;
        }
        mapping.entries[at] = entry;
        mapping.problems[at] = problem;
    }
}

impl Mapping {
    fn finish(self, span: Range<usize>) -> Decoded {
        let mut entries = self.entries;
        // Go writes the keys of a map sorted, and reads them in that order afterwards.
        entries.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
        let problem = self.problems.into_iter().fold(None, first_of);
        Decoded { node: Node { value: Value::Object(entries), span }, problem }
    }
}

impl Decoded {
    fn scalar(scalar: &Scalar, span: Range<usize>) -> Self {
        let mut problem = None;
        let value = match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(on) => Value::Bool(*on),
            Scalar::Int(digits) => Value::Number(digits.as_str().into()),
            Scalar::Uint(value) => Value::Number(value.to_string().into()),
            Scalar::Float(value) => {
                if !value.is_finite() {
                    let message = format!("json: unsupported value: {}", not_finite(*value));
                    let fault = Fault::at(message, span.start);
                    problem = Some(Box::new(Problem { is_of_key: false, fault }));
                }
                Value::Number(format!("{value:?}").into())
            }
            Scalar::Text(text) => Value::String(Rc::clone(text)),
        };
        Self { node: Node { value, span }, problem }
    }
}

fn first_of(a: Option<Box<Problem>>, b: Option<Box<Problem>>) -> Option<Box<Problem>> {
    match (a, b) {
        (Some(a), Some(b)) if b.is_of_key && !a.is_of_key => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

#[expect(clippy::cast_precision_loss, reason = "as the library does")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// Which share of all values may come from aliases; the share shrinks as values are added.
fn allowed_share(decoded: u64) -> f64 {
    const LOW: u64 = 400_000;
    const HIGH: u64 = 4_000_000;
    match decoded {
        ..=LOW => 0.99,
        HIGH.. => 0.10,
        _ => 0.99 - 0.89 * share(decoded - LOW, HIGH - LOW),
    }
}
