//! `${name}` in a text of the file: what may stand where, and the text with values in.
//!
//! No conditions, no functions. `$${` stands for the characters `${`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use secrecy::zeroize::Zeroizing;

use crate::engine::values::Values;

/// A text in which names stand for values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

/// Where a template stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
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

/// What is known by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From the pod, its annotations or the image: checked, and never trusted.
    Public,
    /// The pod's token, what a server answered, or an operator's secret file.
    Secret,
}

/// The names of a profile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Names with their text: what the operator or a preset set.
    pub(crate) constants: BTreeMap<String, String>,
    /// Those of them that were put in somewhere.
    pub(crate) used: Rc<RefCell<BTreeSet<String>>>,
    pub(crate) names: BTreeMap<String, Kind>,
}

/// Names that every profile has.
pub(crate) const BUILTIN: &[(&str, Kind)] = &[
    ("sa.token", Kind::Secret),
    ("sa.namespace", Kind::Public),
    ("sa.name", Kind::Public),
    ("sa.issuer", Kind::Public),
    ("sa.subject", Kind::Public),
    ("image.registry", Kind::Public),
    ("image.host", Kind::Public),
    ("image.repository", Kind::Public),
];

impl Scope {
    /// A fixed text that stands nowhere.
    pub(crate) fn unused(&self) -> Option<String> {
        let used = self.used.borrow();
        self.constants.keys().find(|name| !used.contains(*name)).cloned()
    }

    fn fixed(&self, name: &str) -> Option<&String> {
        let text = self.constants.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(text)
    }

    /// What `name` is.
    fn kind(&self, name: &str) -> Option<Kind> {
        let builtin = BUILTIN.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
        builtin.or_else(|| self.names.get(name).copied())
    }

    /// `text` with the constants in, and nothing else allowed.
    ///
    /// # Errors
    /// A text on what is wrong.
    pub(crate) fn constant(&self, text: &str) -> Result<String, String> {
        let template = Template::parse(text)?;
        template.0.into_iter().try_fold(String::new(), |mut whole, part| {
            match part {
                Part::Text(text) => whole.push_str(&text),
                Part::Name(name) => match self.fixed(&name) {
                    Some(text) => whole.push_str(text),
                    None => return Err(format!("`${{{name}}}` is not a fixed value")),
                },
            }
            Ok(whole)
        })
    }
}

impl Template {
    /// Splits a text; its names are not looked up yet.
    ///
    /// # Errors
    /// A text on what is wrong.
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
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// A text with its names looked up: constants are put in, and the others may stand here.
    ///
    /// # Errors
    /// A text on what is wrong.
    pub(crate) fn compile(text: &str, slot: Slot, scope: &Scope) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        for part in Self::parse(text)?.0 {
            let text = match part {
                Part::Text(text) => text,
                Part::Name(name) => match (scope.fixed(&name), scope.kind(&name)) {
                    (Some(text), _) => text.clone(),
                    (None, Some(kind)) if slot.takes(kind, &name) => {
                        parts.push(Part::Name(name));
                        continue;
                    }
                    (None, Some(kind)) => {
                        return Err(format!("`${{{name}}}` {}", slot.refuses(kind)));
                    }
                    (None, None) => return Err(format!("`${{{name}}}` is not known here")),
                },
            };
            match parts.last_mut() {
                Some(Part::Text(before)) => before.push_str(&text),
                _ => parts.push(Part::Text(text)),
            }
        }
        Ok(Self(parts))
    }

    /// With its fixed texts encoded too.
    pub(crate) fn encoded(self, encode: impl Fn(&str) -> String) -> Self {
        let part = |part| match part {
            Part::Text(text) => Part::Text(encode(&text)),
            Part::Name(name) => Part::Name(name),
        };
        Self(self.0.into_iter().map(part).collect())
    }

    /// One name alone.
    pub(crate) fn of_name(name: &str) -> Self {
        Self(vec![Part::Name(name.to_owned())])
    }

    /// A text alone.
    pub(crate) fn of_text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
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

    /// The text with `values` in, each as `encode` makes it.
    pub(crate) fn render(
        &self,
        values: &Values,
        encode: impl Fn(&str) -> String,
    ) -> Zeroizing<String> {
        let mut whole = Zeroizing::new(String::new());
        for part in &self.0 {
            match part {
                Part::Text(text) => whole.push_str(text),
                Part::Name(name) => whole.push_str(&Zeroizing::new(encode(values.get(name)))),
            }
        }
        whole
    }

    /// The same, as it is.
    pub(crate) fn text(&self, values: &Values) -> Zeroizing<String> {
        self.render(values, str::to_owned)
    }

    /// The text with those values in that may be printed; other names stay names.
    pub(crate) fn shown(&self, values: &Values) -> String {
        self.0.iter().fold(String::new(), |mut shown, part| {
            match part {
                Part::Text(text) => shown.push_str(text),
                Part::Name(name) => match values.shown(name) {
                    Some(value) => shown.push_str(value),
                    None => shown.push_str(&format!("${{{name}}}")),
                },
            }
            shown
        })
    }
}

/// As the file has it: names stay names.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            // So that it can be read again.
            Part::Text(text) => f.write_str(&text.replace("${", "$${")),
            Part::Name(name) => write!(f, "${{{name}}}"),
        })
    }
}

impl Slot {
    fn takes(self, kind: Kind, name: &str) -> bool {
        match self {
            Self::Url => kind == Kind::Public,
            // A subject has colons in it, and no user name may.
            Self::User => kind == Kind::Public && name != "sa.subject" && name != "sa.issuer",
            Self::Header | Self::Secret => kind == Kind::Secret,
            Self::Body => true,
        }
    }

    fn refuses(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Url, _) => "is a secret, and URLs are logged",
            (Self::User, Kind::Secret) => "is a secret, and user names are not",
            (Self::User, Kind::Public) => "has a `:`, which no user name may have",
            _ => "comes from the pod or the image, and must not stand in a header",
        }
    }
}

/// Whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope {
            constants: [("host".to_owned(), "art.example".to_owned())].into(),
            names: [("robot".to_owned(), Kind::Public), ("key".to_owned(), Kind::Secret)].into(),
            ..Scope::default()
        }
    }

    #[test]
    fn names_stand_where_their_kind_may() {
        for (text, slot, expected) in [
            ("plain $ {x} $", Slot::Url, Ok("plain $ {x} $")),
            ("$${robot}", Slot::Url, Ok("$${robot}")),
            ("${sa.subject}", Slot::User, Err("has a `:`")),
            ("a-${host}-b", Slot::Header, Ok("a-art.example-b")),
            ("x${robot}y", Slot::Url, Ok("x${robot}y")),
            ("${sa.token}", Slot::Body, Ok("${sa.token}")),
            ("${sa.token}", Slot::Url, Err("is a secret")),
            ("${sa.token}", Slot::User, Err("is a secret")),
            ("${key}", Slot::Url, Err("is a secret")),
            ("${key}", Slot::Header, Ok("${key}")),
            ("${robot}", Slot::Header, Err("must not stand in a header")),
            ("${sa.namespace}", Slot::Secret, Err("must not stand")),
            ("${other}", Slot::Body, Err("not known")),
            ("${robot", Slot::Body, Err("not closed")),
            ("${a b}", Slot::Body, Err("has letters")),
            ("${}", Slot::Body, Err("has letters")),
            ("${${robot}}", Slot::Body, Err("has letters")),
        ] {
            match (Template::compile(text, slot, &scope()), expected) {
                (Ok(template), Ok(expected)) => {
                    assert_eq!(template.to_string(), expected, "{text}")
                }
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{text}: {error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_constant_text_takes_constants_alone() {
        assert_eq!(scope().constant("https://${host}/").unwrap(), "https://art.example/");
        assert!(scope().constant("${robot}").unwrap_err().contains("not a fixed value"));
    }

    #[test]
    fn a_value_is_not_a_template() {
        let values = Values::of([("robot", "${key}")]);
        let template = Template::compile("<${robot}>", Slot::Url, &scope()).unwrap();
        assert_eq!(*template.text(&values), "<${key}>");
    }
}
