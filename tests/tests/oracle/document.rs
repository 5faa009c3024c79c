//! A document that can be written as JSON and as YAML, and be wrong in either.

use crate::random::Random;

/// A value, down to what no decoder takes.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    /// Written as it is in both forms.
    Raw(String),
    /// A text, quoted where the form needs it.
    Text(String),
    List(Vec<Tree>),
    /// In this order, repeated keys and all.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    pub(crate) fn raw(text: &str) -> Self {
        Self::Raw(text.to_owned())
    }

    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn texts(texts: &[String]) -> Self {
        Self::List(texts.iter().map(Self::text).collect())
    }

    pub(crate) fn map<const N: usize>(entries: [(&str, Tree); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// The entries of a map; for everything else a list that is not used.
    pub(crate) fn entries(&mut self) -> &mut Vec<(String, Tree)> {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Vec::new());
        }
        let Self::Map(entries) = self else { unreachable!("it was made one") };
        entries
    }

    /// Sets a field, or takes it out.
    pub(crate) fn set(&mut self, key: &str, value: Option<Tree>) {
        let entries = self.entries();
        let at = entries.iter().position(|(name, _)| name == key);
        match (at, value) {
            (Some(at), Some(value)) => entries[at].1 = value,
            (Some(at), None) => drop(entries.remove(at)),
            (None, Some(value)) => entries.push((key.to_owned(), value)),
            (None, None) => {}
        }
    }

    /// The field of a map.
    pub(crate) fn field(&mut self, key: &str) -> Option<&mut Tree> {
        let Self::Map(entries) = self else { return None };
        entries.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Some value in it, itself not often.
    pub(crate) fn any(&mut self, random: &mut Random) -> &mut Tree {
        let inside = match self {
            Self::List(items) => items.len(),
            Self::Map(entries) => entries.len(),
            _ => 0,
        };
        if inside == 0 || random.percent(15) {
            return self;
        }
        let at = random.below(inside);
        match self {
            Self::List(items) => items[at].any(random),
            Self::Map(entries) => entries[at].1.any(random),
            _ => unreachable!("it has something inside"),
        }
    }

    /// Some map in it.
    pub(crate) fn any_map(&mut self, random: &mut Random) -> &mut Vec<(String, Tree)> {
        let holders: Vec<usize> = match self {
            Self::Map(entries) => {
                (0..entries.len()).filter(|at| entries[*at].1.holds_map()).collect()
            }
            Self::List(items) => (0..items.len()).filter(|at| items[*at].holds_map()).collect(),
            _ => Vec::new(),
        };
        if holders.is_empty() || (matches!(self, Self::Map(_)) && random.percent(25)) {
            return self.entries();
        }
        let at = holders[random.below(holders.len())];
        match self {
            Self::Map(entries) => entries[at].1.any_map(random),
            Self::List(items) => items[at].any_map(random),
            _ => unreachable!("it holds something"),
        }
    }

    fn holds_map(&self) -> bool {
        match self {
            Self::Map(_) => true,
            Self::List(items) => items.iter().any(Self::holds_map),
            _ => false,
        }
    }

    /// As JSON, on one line or on several.
    pub(crate) fn json(&self, random: &mut Random) -> String {
        let gap = random.pick(&["", "", " ", "\n  ", "\t"]);
        let mut text = String::new();
        self.write_json(&mut text, gap);
        text
    }

    fn write_json(&self, out: &mut String, gap: &str) {
        match self {
            Self::Raw(text) => out.push_str(text),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    out.push_str(gap);
                    item.write_json(out, gap);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    out.push_str(gap);
                    out.push_str(&quoted(key));
                    out.push(':');
                    out.push_str(gap);
                    value.write_json(out, gap);
                }
                out.push('}');
            }
        }
    }

    /// As YAML in block style, with flow style and every way to quote mixed in.
    pub(crate) fn yaml(&self, random: &mut Random) -> String {
        let mut text = String::new();
        self.write_yaml(&mut text, 0, random);
        text
    }

    fn write_yaml(&self, out: &mut String, depth: usize, random: &mut Random) {
        let indent = "  ".repeat(depth);
        match self {
            Self::List(items) if !items.is_empty() && (depth == 0 || random.percent(85)) => {
                out.push('\n');
                for item in items {
                    out.push_str(&indent);
                    out.push('-');
                    item.write_yaml(out, depth + 1, random);
                }
            }
            Self::Map(entries) if !entries.is_empty() && (depth == 0 || random.percent(90)) => {
                if depth > 0 {
                    out.push('\n');
                }
                for (key, value) in entries {
                    out.push_str(&indent);
                    out.push_str(&scalar(key, random));
                    out.push(':');
                    value.write_yaml(out, depth + 1, random);
                    if random.percent(2) {
                        out.push_str("# a comment\n");
                    }
                }
            }
            Self::Raw(text) => {
                out.push(' ');
                out.push_str(text);
                out.push('\n');
            }
            Self::Text(text) => {
                out.push(' ');
                out.push_str(&scalar(text, random));
                out.push('\n');
            }
            Self::List(_) | Self::Map(_) => {
                out.push(' ');
                let gap = random.word(&[" ", " ", " ", "", "\t", "\n\t", "\n   "]);
                self.write_json(out, &gap);
                out.push('\n');
            }
        }
    }
}

/// A text as YAML: plain where that is another way to write the same.
fn scalar(text: &str, random: &mut Random) -> String {
    let mut bytes = text.bytes();
    let plain = bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"./-_".contains(&byte));
    // `true` or `on` may lose its quotes: YAML 1.1 then makes it a bool, for both sides.
    match random.below(if plain { 6 } else { 2 }) {
        0 => quoted(text),
        1 if !text.contains(['\n', '\r']) => format!("'{}'", text.replace('\'', "''")),
        1 => quoted(text),
        _ => text.to_owned(),
    }
}

/// A text in JSON's quotes.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
