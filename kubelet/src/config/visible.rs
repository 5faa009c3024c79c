//! Which texts of a configuration may be shown: keys, and the values of fields that hold no
//! secret.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::document::{Node, Value};
use crate::source::{Visible, has_user, may_be_secret};
use crate::yaml::Document;

/// What a value is, judged by its path in the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Document,
    Providers,
    Provider,
    TokenAttributes,
    Environment,
    Variable,
    /// The name of a variable, which may be followed by its value.
    VariableName,
    Harmless,
    Secret,
}

impl Place {
    fn of_field(self, key: &str) -> Self {
        match (self, key) {
            (Self::Document, "kind" | "apiVersion") => Self::Harmless,
            (Self::Document, "providers") => Self::Providers,
            (Self::Provider, "name" | "matchImages" | "defaultCacheDuration" | "apiVersion") => {
                Self::Harmless
            }
            (Self::Provider, "tokenAttributes") => Self::TokenAttributes,
            (Self::Provider, "env") => Self::Environment,
            (
                Self::TokenAttributes,
                "serviceAccountTokenAudience"
                | "cacheType"
                | "requireServiceAccount"
                | "requiredServiceAccountAnnotationKeys"
                | "optionalServiceAccountAnnotationKeys",
            ) => Self::Harmless,
            (Self::Variable, "name") => Self::VariableName,
            _ => Self::Secret,
        }
    }

    fn of_item(self) -> Self {
        match self {
            Self::Providers => Self::Provider,
            Self::Environment => Self::Variable,
            Self::Harmless => Self::Harmless,
            _ => Self::Secret,
        }
    }

    fn shows(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Harmless, Value::String(text)) => !has_user(text) && !may_be_secret(text),
            (Self::Harmless, _) => true,
            (Self::VariableName, Value::String(text)) => {
                !text.contains('=') && !may_be_secret(text)
            }
            _ => false,
        }
    }
}

/// The parts of a file that may be shown.
pub(super) fn of_document(document: &Document) -> Visible {
    let mut texts = Texts::default();
    texts.walk(&document.node, Place::Document);
    let mut all: BTreeMap<usize, (usize, bool)> =
        document.texts.iter().map(|span| (span.start, (span.end, false))).collect();
    for (start, end) in texts.hidden.iter().chain(&texts.shown) {
        all.insert(*start, (*end, !texts.hidden.contains(&(*start, *end))));
    }
    Visible::Texts(all.into_iter().map(|(start, (end, shown))| (start..end, shown)).collect())
}

/// An alias repeats a text at another place, and it must be safe at both.
#[derive(Default)]
struct Texts {
    shown: HashSet<(usize, usize)>,
    hidden: HashSet<(usize, usize)>,
}

impl Texts {
    fn walk(&mut self, node: &Node, place: Place) {
        match &node.value {
            Value::Array(items) => {
                items.iter().for_each(|item| self.walk(item, place.of_item()));
            }
            Value::Object(entries) => {
                for entry in entries {
                    self.add(&entry.key_span, is_name(&entry.key));
                    self.walk(&entry.node, place.of_field(&entry.key));
                }
            }
            value => self.add(&node.span, place.shows(value)),
        }
    }

    fn add(&mut self, span: &Range<usize>, shows: bool) {
        let list = if shows { &mut self.shown } else { &mut self.hidden };
        list.insert((span.start, span.end));
    }
}

/// Whether a key is the name of a field or a variable, and not a misplaced value.
fn is_name(key: &str) -> bool {
    key.len() <= 63
        && !may_be_secret(key)
        && key.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
}
