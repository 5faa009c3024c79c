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

/// What is known by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sensitivity {
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
    pub(crate) names: BTreeMap<String, Sensitivity>,
}

/// Names that every profile has.
pub(crate) const BUILTIN: &[(&str, Sensitivity)] = &[
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
    fn kind(&self, name: &str) -> Option<Sensitivity> {
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
    pub(crate) fn compile(text: &str, position: Position, scope: &Scope) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        for part in Self::parse(text)?.0 {
            let text = match part {
                Part::Text(text) => text,
                Part::Name(name) => match (scope.fixed(&name), scope.kind(&name)) {
                    (Some(text), _) => text.clone(),
                    (None, Some(kind)) if position.takes(kind, &name) => {
                        parts.push(Part::Name(name));
                        continue;
                    }
                    (None, Some(kind)) => {
                        return Err(format!("`${{{name}}}` {}", position.refuses(kind)));
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
    pub(crate) fn preview(&self, values: &Values) -> String {
        self.0.iter().fold(String::new(), |mut shown, part| {
            match part {
                Part::Text(text) => shown.push_str(text),
                Part::Name(name) => match values.preview(name) {
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

impl Position {
    fn takes(self, kind: Sensitivity, name: &str) -> bool {
        match self {
            Self::Url => kind == Sensitivity::Public,
            // A subject has colons in it, and no user name may.
            Self::User => {
                kind == Sensitivity::Public && name != "sa.subject" && name != "sa.issuer"
            }
            Self::Header | Self::Secret => kind == Sensitivity::Secret,
            Self::Body => true,
        }
    }

    fn refuses(self, kind: Sensitivity) -> &'static str {
        match (self, kind) {
            (Self::Url, _) => "is a secret, and URLs are logged",
            (Self::User, Sensitivity::Secret) => "is a secret, and user names are not",
            (Self::User, Sensitivity::Public) => "has a `:`, which no user name may have",
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
            names: [
                ("robot".to_owned(), Sensitivity::Public),
                ("key".to_owned(), Sensitivity::Secret),
            ]
            .into(),
            ..Scope::default()
        }
    }

    #[test]
    fn names_stand_where_their_kind_may() {
        for (text, position, expected) in [
            ("plain $ {x} $", Position::Url, Ok("plain $ {x} $")),
            ("$${robot}", Position::Url, Ok("$${robot}")),
            ("${sa.subject}", Position::User, Err("has a `:`")),
            ("a-${host}-b", Position::Header, Ok("a-art.example-b")),
            ("x${robot}y", Position::Url, Ok("x${robot}y")),
            ("${sa.token}", Position::Body, Ok("${sa.token}")),
            ("${sa.token}", Position::Url, Err("is a secret")),
            ("${sa.token}", Position::User, Err("is a secret")),
            ("${key}", Position::Url, Err("is a secret")),
            ("${key}", Position::Header, Ok("${key}")),
            ("${robot}", Position::Header, Err("must not stand in a header")),
            ("${sa.namespace}", Position::Secret, Err("must not stand")),
            ("${other}", Position::Body, Err("not known")),
            ("${robot", Position::Body, Err("not closed")),
            ("${a b}", Position::Body, Err("has letters")),
            ("${}", Position::Body, Err("has letters")),
            ("${${robot}}", Position::Body, Err("has letters")),
        ] {
            match (Template::compile(text, position, &scope()), expected) {
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
        let template = Template::compile("<${robot}>", Position::Url, &scope()).unwrap();
        assert_eq!(*template.text(&values), "<${key}>");
    }
}
