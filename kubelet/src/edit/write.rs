//! Values as text: in block style for YAML, or in brackets for JSON and YAML.

use crate::document::{Entry, Node, Value};

/// A mapping on its own lines.
#[derive(Clone, Debug)]
pub(super) struct BlockStyle {
    /// The column of the dash.
    pub(super) column: usize,
    /// From the dash to the first key.
    pub(super) dash: usize,
    /// By how much a nested list is deeper than its key.
    pub(super) nested: usize,
    pub(super) line_end: &'static str,
}

impl BlockStyle {
    /// An item with its dash, without the end of its last line.
    pub(super) fn item(&self, node: &Node) -> String {
        let mut text = spaces(self.column);
        text.push('-');
        text.push_str(&spaces(self.dash - 1));
        self.write_item(&mut text, node, self.column + self.dash);
        text
    }

    fn write_item(&self, text: &mut String, node: &Node, column: usize) {
        match &node.value {
            Value::Object(entries) if !entries.is_empty() => {
                self.write_mapping(text, entries, column);
            }
            _ => write_inline(text, node),
        }
    }

    fn write_mapping(&self, text: &mut String, entries: &[Entry], column: usize) {
        for (number, entry) in entries.iter().enumerate() {
            if number > 0 {
                self.begin_line(text, column);
            }
            write_plain(text, &entry.key);
            text.push(':');
            self.write_value(text, &entry.node, column);
        }
    }

    fn write_value(&self, text: &mut String, node: &Node, column: usize) {
        match &node.value {
            Value::Array(items) if !items.is_empty() => {
                let column = column + self.nested;
                for item in items {
                    self.begin_line(text, column);
                    text.push_str("- ");
                    self.write_item(text, item, column + 2);
                }
            }
            Value::Object(entries) if !entries.is_empty() => {
                self.begin_line(text, column + 2);
                self.write_mapping(text, entries, column + 2);
            }
            _ => {
                text.push(' ');
                write_inline(text, node);
            }
        }
    }

    fn begin_line(&self, text: &mut String, column: usize) {
        text.push_str(self.line_end);
        text.push_str(&spaces(column));
    }
}

/// A value in brackets or braces.
#[derive(Clone, Debug)]
pub(super) struct FlowStyle {
    /// With each field on its own line.
    pub(super) lines: Option<FlowLines>,
    pub(super) colon: &'static str,
    pub(super) comma: &'static str,
    /// Within braces, all in one line.
    pub(super) padding: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct FlowLines {
    /// The indent of the line with the brace.
    pub(super) base: String,
    /// By how much the lines inside are deeper.
    pub(super) unit: String,
    pub(super) end: &'static str,
}

impl FlowStyle {
    pub(super) fn value(&self, node: &Node) -> String {
        let mut text = String::new();
        self.write(&mut text, node, 0);
        text
    }

    /// A list with this one item.
    pub(super) fn list_of(&self, node: &Node) -> String {
        let list = Node { value: Value::Array(vec![node.clone()]), span: 0..0 };
        self.value(&list)
    }

    fn write(&self, text: &mut String, node: &Node, level: usize) {
        match &node.value {
            Value::Array(items) if !items.is_empty() => {
                text.push('[');
                for (number, item) in items.iter().enumerate() {
                    self.separate(text, number > 0, "", level + 1);
                    self.write(text, item, level + 1);
                }
                self.close(text, "", level);
                text.push(']');
            }
            Value::Object(entries) if !entries.is_empty() => {
                text.push('{');
                for (number, entry) in entries.iter().enumerate() {
                    self.separate(text, number > 0, self.padding, level + 1);
                    write_quoted(text, &entry.key);
                    text.push_str(self.colon);
                    self.write(text, &entry.node, level + 1);
                }
                self.close(text, self.padding, level);
                text.push('}');
            }
            _ => write_scalar(text, node, write_quoted),
        }
    }

    fn separate(&self, text: &mut String, follows: bool, padding: &str, level: usize) {
        match (&self.lines, follows) {
            (Some(lines), _) => {
                text.push_str(if follows { "," } else { "" });
                lines.begin(text, level);
            }
            (None, true) => text.push_str(self.comma),
            (None, false) => text.push_str(padding),
        }
    }

    fn close(&self, text: &mut String, padding: &str, level: usize) {
        match &self.lines {
            Some(lines) => lines.begin(text, level),
            None => text.push_str(padding),
        }
    }
}

impl FlowLines {
    fn begin(&self, text: &mut String, level: usize) {
        text.push_str(self.end);
        text.push_str(&self.base);
        text.push_str(&self.unit.repeat(level));
    }
}

/// A scalar of YAML, or a collection in brackets.
fn write_inline(text: &mut String, node: &Node) {
    match node.value {
        Value::Array(_) | Value::Object(_) => {
            let style = FlowStyle { lines: None, colon: ": ", comma: ", ", padding: "" };
            text.push_str(&style.value(node));
        }
        _ => write_scalar(text, node, write_plain),
    }
}

fn write_scalar(text: &mut String, node: &Node, write_text: fn(&mut String, &str)) {
    match &node.value {
        Value::Null => text.push_str("null"),
        Value::Bool(on) => text.push_str(if *on { "true" } else { "false" }),
        Value::Number(digits) => text.push_str(digits),
        Value::String(value) => write_text(text, value),
        Value::Array(_) => text.push_str("[]"),
        Value::Object(_) => text.push_str("{}"),
    }
}

/// Without quotes if every YAML reader reads it as a text.
fn write_plain(text: &mut String, value: &str) {
    if is_plain(value) { text.push_str(value) } else { write_quoted(text, value) }
}

fn is_plain(value: &str) -> bool {
    const NOT_TEXTS: [&str; 11] =
        ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan", "inf"];
    let is_duration = value.starts_with(|c: char| c.is_ascii_digit())
        && value.ends_with(['h', 'm', 's'])
        && value.chars().all(|c| c.is_ascii_digit() || "hms".contains(c));
    let is_word = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "._/-".contains(c))
        && !NOT_TEXTS.contains(&value.to_ascii_lowercase().as_str());
    is_duration || is_word
}

/// In double quotes, in a way that JSON and YAML both read.
fn write_quoted(text: &mut String, value: &str) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            // YAML reads some of these as line ends, and refuses or hides the others.
            '\0'..' '
            | '\u{7f}'..='\u{a0}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                text.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

fn spaces(count: usize) -> String {
    " ".repeat(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, yaml};

    const HARD: [&str; 22] = [
        "",
        "a",
        "yes",
        "No",
        "1",
        "1.5",
        "0x1",
        "12h",
        "1h30m",
        "5m0",
        "~",
        "null",
        "- a",
        "a: b",
        "a #b",
        "*.dkr.ecr.*.amazonaws.com",
        "\u{85}\u{2028}\u{feff}\u{7f}\0",
        "é\u{1f600}",
        "\"\\",
        "<<",
        "a\r\n\tb",
        "registry.example:5000/team",
    ];

    #[test]
    fn every_text_is_read_back() {
        for text in HARD {
            for write in [write_plain, write_quoted] {
                let mut written = String::new();
                write(&mut written, text);
                let read = yaml::parse(format!("- {written}\n").as_bytes()).expect(&written);
                assert_eq!(read.node.items()[0].as_str(), Some(text), "{written}");
            }
            let mut written = String::new();
            write_quoted(&mut written, text);
            assert_eq!(json::parse(written.as_bytes()).expect(&written).as_str(), Some(text));
        }
    }

    #[test]
    fn only_plain_words_have_no_quotes() {
        let plain = HARD.iter().filter(|text| is_plain(text));
        assert_eq!(plain.collect::<Vec<_>>(), [&"a", &"12h", &"1h30m"]);
    }
}
