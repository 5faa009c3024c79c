//! `${name}` in a text of the file, and which names are allowed where.
//!
//! No conditions, no functions. `$${` is written for the characters `${`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, Error as _};

/// A text with `${name}` for values that are known later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Name(String),
}

/// Where in a request a template is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// A segment of a URL's path, or a value of its query.
    Url,
    /// A value of a form, or a text in JSON.
    Body,
    /// A header's value.
    Header,
    /// A user name: before an HTTP Basic password, or of the registry.
    User,
    /// A password or bearer token.
    Secret,
}

/// Whether the value of a name may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sensitivity {
    /// From the pod, its annotations or the image: checked, and never trusted.
    Public,
    /// The pod's token, what a server answered, or a secret file on the node.
    Secret,
}

/// The names of a profile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Names with a fixed text: what the operator or a preset set.
    pub(crate) constants: BTreeMap<String, String>,
    /// Those of them that a template used.
    pub(crate) used: Rc<RefCell<BTreeSet<String>>>,
    pub(crate) names: BTreeMap<String, Sensitivity>,
    /// How many bytes of constants were put in, in all.
    pub(crate) put_in: Rc<Cell<usize>>,
}

/// The most bytes of constants that are put into the templates of a profile, in all.
const MAX_PUT_IN: usize = 64 * 1024;

/// Names that every profile has.
const BUILTIN: &[(&str, Sensitivity)] = &[
    ("sa.token", Sensitivity::Secret),
    ("sa.namespace", Sensitivity::Public),
    ("sa.name", Sensitivity::Public),
    ("sa.issuer", Sensitivity::Public),
    ("sa.subject", Sensitivity::Public),
    ("image.registry", Sensitivity::Public),
    ("image.host", Sensitivity::Public),
    ("image.repository", Sensitivity::Public),
];

impl Scope {
    /// A constant that no template used.
    pub(crate) fn unused(&self) -> Option<String> {
        let used = self.used.borrow();
        self.constants.keys().find(|name| !used.contains(*name)).cloned()
    }

    /// Whether `name` has a meaning here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.constants.contains_key(name) || self.sensitivity(name).is_some()
    }

    /// What `name` holds; `None` where it is not known, or a constant.
    pub(crate) fn sensitivity(&self, name: &str) -> Option<Sensitivity> {
        let builtin = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, it)| *it);
        builtin.or_else(|| self.names.get(name).copied())
    }

    /// The text of a constant; `None` where `name` is not one.
    ///
    /// # Errors
    /// What is wrong, when more would be put in than a profile may have.
    fn use_constant(&self, name: &str) -> Result<Option<&String>, String> {
        let Some(text) = self.constants.get(name) else { return Ok(None) };
        self.put_in.set(self.put_in.get().saturating_add(text.len()));
        if self.put_in.get() > MAX_PUT_IN {
            return Err(format!(
                "`${{{name}}}` and the other variables with a `value` put more than {MAX_PUT_IN} \
                 bytes into this profile; shorten the values, or use them less often"
            ));
        }
        if !self.used.borrow().contains(name) {
            self.used.borrow_mut().insert(name.to_owned());
        }
        Ok(Some(text))
    }
}

impl Template {
    /// Splits a text; its names are not looked up yet.
    ///
    /// # Errors
    /// What is wrong, when `${` is not closed, or what it holds cannot be a name.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                plain.push_str(before);
                plain.push_str("${");
                rest = &from[2..];
                continue;
            }
            plain.push_str(before);
            let (name, after) = from[2..]
                .split_once('}')
                .ok_or("`${` is not closed by `}`; for the characters write `$${`")?;
            if !is_name(name) {
                return Err("a name in `${}` has letters, digits, `.`, `-` and `_`".to_owned());
            }
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        parts.push(Part::Text(plain));
        Ok(parts.into_iter().collect())
    }

    /// One name alone.
    pub(crate) fn from_name(name: &str) -> Self {
        Self(vec![Part::Name(name.to_owned())])
    }

    /// A text alone, as it is.
    pub(crate) fn from_text(text: &str) -> Self {
        [Part::Text(text.to_owned())].into_iter().collect()
    }

    /// Looks the names up: constants are put in, and the others are checked for `position`.
    ///
    /// # Errors
    /// The first name that is not known, or not allowed in `position`.
    pub(crate) fn compile(self, position: Position, scope: &Scope) -> Result<Self, String> {
        self.map_names(scope, |name| match scope.sensitivity(&name) {
            Some(sensitivity) if position.takes(sensitivity, &name) => Ok(Part::Name(name)),
            Some(sensitivity) => {
                Err(format!("`${{{name}}}` {}", position.describe_refused(sensitivity)))
            }
            None => Err(format!("`${{{name}}}` is not known here")),
        })
    }

    /// The text with the constants in; no other name is allowed.
    ///
    /// # Errors
    /// The first name that is not a constant.
    pub(crate) fn constant(self, scope: &Scope) -> Result<String, String> {
        let fixed = self
            .map_names(scope, |name| Err(format!("`${{{name}}}` must have a fixed value here")))?;
        Ok(fixed.as_text().unwrap_or_default().to_owned())
    }

    fn map_names(
        self,
        scope: &Scope,
        other: impl Fn(String) -> Result<Part, String>,
    ) -> Result<Self, String> {
        let part = |part| match part {
            Part::Text(text) => Ok(Part::Text(text)),
            Part::Name(name) => match scope.use_constant(&name)? {
                Some(text) => Ok(Part::Text(text.clone())),
                None => other(name),
            },
        };
        self.0.into_iter().map(part).collect()
    }

    /// The template cut at each `separator` that is written out: a value is never cut.
    pub(crate) fn split(self, separator: char) -> Vec<Self> {
        let (mut pieces, mut piece) = (Vec::new(), Vec::new());
        for part in self.0 {
            let Part::Text(text) = part else {
                piece.push(part);
                continue;
            };
            for (at, text) in text.split(separator).enumerate() {
                if at > 0 {
                    pieces.push(std::mem::take(&mut piece).into_iter().collect());
                }
                piece.push(Part::Text(text.to_owned()));
            }
        }
        pieces.push(piece.into_iter().collect());
        pieces
    }

    /// The template cut at the first `separator` that is written out, if there is one.
    pub(crate) fn split_once(self, separator: char) -> (Self, Option<Self>) {
        let mut pieces = self.split(separator).into_iter();
        let first = pieces.next().unwrap_or_default();
        let rest: Vec<_> = pieces.collect();
        let has_rest = !rest.is_empty();
        (first, has_rest.then(|| Self::join(rest, &separator.to_string())))
    }

    /// The templates in a row, with `separator` between them.
    pub(crate) fn join(templates: Vec<Self>, separator: &str) -> Self {
        let separate = |(at, template): (usize, Self)| {
            let between = (at > 0).then(|| Part::Text(separator.to_owned()));
            between.into_iter().chain(template.0)
        };
        templates.into_iter().enumerate().flat_map(separate).collect()
    }

    /// Without `character`s at its beginning.
    pub(crate) fn trim_start(self, character: char) -> Self {
        let mut parts = self.0.into_iter();
        let first = parts.next().map(|part| match part {
            Part::Text(text) => Part::Text(text.trim_start_matches(character).to_owned()),
            Part::Name(name) => Part::Name(name),
        });
        first.into_iter().chain(parts).collect()
    }

    /// With its fixed texts encoded.
    pub(crate) fn encoded(self, encode: impl Fn(&str) -> String) -> Self {
        let part = |part| match part {
            Part::Text(text) => Part::Text(encode(&text)),
            Part::Name(name) => Part::Name(name),
        };
        self.0.into_iter().map(part).collect()
    }

    /// The text, where there is nothing to fill in.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The names in it.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The fixed texts in it.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Name(_) => None,
        })
    }

    /// Texts and names in their order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }
}

/// Texts that meet become one.
impl FromIterator<Part> for Template {
    fn from_iter<I: IntoIterator<Item = Part>>(parts: I) -> Self {
        let mut merged: Vec<Part> = Vec::new();
        for part in parts {
            match (merged.last_mut(), part) {
                (_, Part::Text(text)) if text.is_empty() => {}
                (Some(Part::Text(before)), Part::Text(text)) => before.push_str(&text),
                (_, part) => merged.push(part),
            }
        }
        Self(merged)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// As the file has it: names stay names.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(&text.replace("${", "$${")),
            Part::Name(name) => write!(f, "${{{name}}}"),
        })
    }
}

impl Position {
    fn takes(self, sensitivity: Sensitivity, name: &str) -> bool {
        match self {
            Self::Url => sensitivity == Sensitivity::Public,
            // A subject and an issuer have colons, and a user name must not.
            Self::User => {
                sensitivity == Sensitivity::Public && name != "sa.subject" && name != "sa.issuer"
            }
            Self::Header | Self::Secret => sensitivity == Sensitivity::Secret,
            Self::Body => true,
        }
    }

    fn describe_refused(self, sensitivity: Sensitivity) -> &'static str {
        match (self, sensitivity) {
            (Self::Url, _) => "is a secret and must not be in a URL: URLs are logged",
            (Self::User, Sensitivity::Secret) => {
                "is a secret and must not be in a user name: \
                 user names are logged"
            }
            (Self::User, Sensitivity::Public) => "contains `:`, which a user name must not contain",
            _ => {
                "comes from the pod or the image and is not allowed in a header: put it into the \
                 body or the query"
            }
        }
    }
}

/// Whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests;
