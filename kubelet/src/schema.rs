//! Go's JSON decoder for typed values, with its strictness and its messages: which
//! field is unknown, repeated or of the wrong type.
//!
//! Source: `sigs.k8s.io/json`, `UnmarshalStrict`.

use std::collections::HashSet;
use std::ops::Range;

use pullpass_go_duration::GoDuration;

use crate::document::{Fault, Node, Value};
use crate::go::quote::quote;
use crate::go::time::is_time;

/// A Go type as far as decoding needs it.
#[derive(Clone, Copy)]
pub(crate) enum Type {
    String,
    /// A string type with its own name.
    Named(&'static str),
    Bool,
    Duration,
    Time,
    Array(&'static Type),
    Map(&'static Type),
    Struct(&'static str, &'static [(&'static str, Type)]),
}

impl Type {
    /// The type as Go prints it; `package` qualifies the named ones.
    fn name(self, package: &str) -> String {
        match self {
            Self::String => "string".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Duration => "v1.Duration".to_owned(),
            Self::Time => "v1.Time".to_owned(),
            Self::Named(name) | Self::Struct(name, _) => format!("{package}.{name}"),
            Self::Array(item) => format!("[]{}", item.name(package)),
            Self::Map(item) => format!("map[string]{}", item.name(package)),
        }
    }
}

/// Why strict decoding refuses a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldProblem {
    Unknown,
    Duplicate,
}

/// A field that strict decoding refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Strict {
    pub(crate) problem: FieldProblem,
    /// Its name, without the path to it.
    pub(crate) field: String,
    pub(crate) message: String,
    pub(crate) span: Range<usize>,
}

/// Decodes `node` as `wanted`, only for the errors.
///
/// # Errors
/// The error with which decoding ends in Go; strict errors matter only without it.
pub(crate) fn check(node: &Node, wanted: Type, package: &str) -> Result<Vec<Strict>, Fault> {
    let mut decoder = Decoder {
        package,
        fields: Vec::new(),
        place: String::new(),
        owner: None,
        saved: None,
        strict: Vec::new(),
        seen: HashSet::new(),
    };
    decoder.value(node, wanted)?;
    match decoder.saved {
        Some(fault) => Err(fault),
        None => Ok(decoder.strict),
    }
}

/// Go stops collecting there.
const MOST_STRICT_ERRORS: usize = 100;

struct Decoder<'a> {
    package: &'a str,
    /// The path of struct fields to this place, for type errors.
    fields: Vec<&'static str>,
    /// The whole path to this place with indexes and map keys, for strict errors.
    place: String,
    /// The struct that holds the current field.
    owner: Option<&'static str>,
    /// The first type error; Go continues after it.
    saved: Option<Fault>,
    strict: Vec<Strict>,
    seen: HashSet<String>,
}

impl Decoder<'_> {
    fn value(&mut self, node: &Node, wanted: Type) -> Result<(), Fault> {
        match (&node.value, wanted) {
            (Value::Null, _)
            | (Value::String(_), Type::String | Type::Named(_))
            | (Value::Bool(_), Type::Bool) => {}
            (Value::String(text), Type::Duration) => {
                // A type with its own decoder ends the decoding with its own error.
                text.parse::<GoDuration>().map_err(|error| Fault {
                    span: node.span.clone(),
                    ..Fault::at(error.to_string(), 0)
                })?;
            }
            (Value::String(text), Type::Time) if is_time(text) => {}
            (Value::String(_), Type::Time) => {
                // The kubelet continues with what is wrong in it.
                let message = "parsing time \"...\" as \"2006-01-02T15:04:05Z07:00\"";
                let fault = Fault { span: node.span.clone(), ..Fault::at(message, 0) };
                return Err(Fault { verbatim: false, ..fault });
            }
            (_, Type::Duration | Type::Time) => return Err(self.type_error(node, "string")),
            (Value::Array(items), Type::Array(item)) => {
                let length = self.place.len();
                for (index, element) in items.iter().enumerate() {
                    self.place.push_str(&format!("[{index}]"));
                    self.value(element, *item)?;
                    self.place.truncate(length);
                }
            }
            (Value::Object(_), Type::Map(item)) => self.map(node, *item)?,
            (Value::Object(_), Type::Struct(name, fields)) => self.object(node, name, fields)?,
            _ => {
                if self.saved.is_none() {
                    self.saved = Some(self.type_error(node, &wanted.name(self.package)));
                }
            }
        }
        Ok(())
    }

    fn map(&mut self, node: &Node, item: Type) -> Result<(), Fault> {
        let Value::Object(entries) = &node.value else { return Ok(()) };
        let mut keys = HashSet::new();
        for entry in entries {
            if !keys.insert(&*entry.key) {
                self.refuse(FieldProblem::Duplicate, &entry.key, &entry.key_span);
            }
            let length = self.enter(&entry.key);
            self.value(&entry.node, item)?;
            self.place.truncate(length);
        }
        Ok(())
    }

    fn object(
        &mut self,
        node: &Node,
        name: &'static str,
        fields: &'static [(&'static str, Type)],
    ) -> Result<(), Fault> {
        let Value::Object(entries) = &node.value else { return Ok(()) };
        let mut keys = HashSet::new();
        for entry in entries {
            let Some(&(field, wanted)) = fields.iter().find(|(field, _)| *field == &*entry.key)
            else {
                self.refuse(FieldProblem::Unknown, &entry.key, &entry.key_span);
                continue;
            };
            if !keys.insert(field) {
                self.refuse(FieldProblem::Duplicate, field, &entry.key_span);
            }
            let (length, owner) = (self.enter(field), self.owner.replace(name));
            self.fields.push(field);
            self.value(&entry.node, wanted)?;
            self.fields.pop();
            self.owner = owner;
            self.place.truncate(length);
        }
        Ok(())
    }

    /// Enters `key`, and returns how long the path was before.
    fn enter(&mut self, key: &str) -> usize {
        let length = self.place.len();
        if length > 0 {
            self.place.push('.');
        }
        self.place.push_str(key);
        length
    }

    fn refuse(&mut self, problem: FieldProblem, key: &str, span: &Range<usize>) {
        if self.strict.len() >= MOST_STRICT_ERRORS {
            return;
        }
        let dot = if self.place.is_empty() { "" } else { "." };
        let what = match problem {
            FieldProblem::Unknown => "unknown",
            FieldProblem::Duplicate => "duplicate",
        };
        let message = format!("{what} field {}", quote(format!("{}{dot}{key}", self.place)));
        if self.seen.insert(message.clone()) {
            let field = key.to_owned();
            self.strict.push(Strict { problem, field, message, span: span.clone() });
        }
    }

    fn type_error(&self, node: &Node, wanted: &str) -> Fault {
        let found = node.value.kind();
        let place = match self.owner {
            Some(owner) => format!("struct field {owner}.{}", self.fields.join(".")),
            None => "value".to_owned(),
        };
        let message = format!("json: cannot unmarshal {found} into Go {place} of type {wanted}");
        Fault { span: node.span.clone(), ..Fault::at(message, 0) }
    }
}

/// What a document says it is: `apiVersion` and `kind`, which Go reads before all
/// else and without regard to case.
pub(crate) struct Meta {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    /// The place of the two fields, else the document's beginning.
    pub(crate) version_span: Range<usize>,
    pub(crate) kind_span: Range<usize>,
}

impl Meta {
    pub(crate) fn read(node: &Node) -> Result<Self, Fault> {
        let fault = |message: String, span: &Range<usize>| {
            let message = format!("couldn't get version/kind; json parse error: {message}");
            Fault { span: span.clone(), ..Fault::at(message, 0) }
        };
        let entries = match &node.value {
            Value::Object(entries) => entries.as_slice(),
            Value::Null => &[],
            other => {
                let message = format!(
                    "json: cannot unmarshal {} into Go value of type struct {{ APIVersion string \
                     \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \
                     \"json:\\\"kind,omitempty\\\"\" }}",
                    other.kind()
                );
                return Err(fault(message, &node.span));
            }
        };
        let start = node.span.start..node.span.start + 1;
        let (mut api_version, mut kind): ((&str, _), (&str, _)) =
            (("", start.clone()), ("", start));
        for entry in entries {
            let (name, slot) = if entry.key.eq_ignore_ascii_case("apiVersion") {
                ("apiVersion", &mut api_version)
            } else if entry.key.eq_ignore_ascii_case("kind") {
                ("kind", &mut kind)
            } else {
                continue;
            };
            match &entry.node.value {
                Value::String(text) => *slot = (&**text, entry.node.span.clone()),
                Value::Null => {}
                other => {
                    let message = format!(
                        "json: cannot unmarshal {} into Go struct field .{name} of type string",
                        other.kind()
                    );
                    return Err(fault(message, &entry.node.span));
                }
            }
        }
        let (group, version) = match api_version.0.matches('/').count() {
            _ if matches!(api_version.0, "" | "/") => ("", ""),
            0 => ("", api_version.0),
            1 => api_version.0.split_once('/').unwrap_or_default(),
            _ => {
                let message = format!("unexpected GroupVersion string: {}", api_version.0);
                return Err(Fault { span: api_version.1, ..Fault::at(message, 0) });
            }
        };
        Ok(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.0.to_owned(),
            version_span: api_version.1,
            kind_span: kind.1,
        })
    }

    /// Group and version as Go joins them.
    pub(crate) fn api_version(&self) -> String {
        match (self.group.as_str(), self.version.as_str()) {
            ("", version) => version.to_owned(),
            (group, version) => format!("{group}/{version}"),
        }
    }
}
