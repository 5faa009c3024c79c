//! What an edit changes, for people: a unified diff that shows nothing that may be secret.

use std::fmt::Write as _;
use std::ops::Range;

use crate::source::Source;

/// The number of lines before and after a change.
const CONTEXT: usize = 3;

/// The change from one text to the other as a unified diff with one hunk, without the two lines
/// that name the files. Empty where nothing changes. Values that may be secret, comments, and
/// unknown fields are shown as `*`; they are compared as they are.
pub fn diff(old: &Source, new: &Source) -> String {
    let (old_lines, new_lines) = (Lines::new(old), Lines::new(new));
    if old.text() == new.text() {
        return String::new();
    }
    let least = old_lines.count().min(new_lines.count());
    let before = (0..least).take_while(|at| old_lines.at(*at) == new_lines.at(*at)).count();
    let is_same_from_end = |back: &usize| {
        old_lines.at(old_lines.count() - 1 - back) == new_lines.at(new_lines.count() - 1 - back)
    };
    let after = (0..least - before).take_while(is_same_from_end).count();
    let start = before.saturating_sub(CONTEXT);
    let old_changed = before..old_lines.count() - after;
    let new_changed = before..new_lines.count() - after;
    let end = old_lines.count().min(old_changed.end + CONTEXT);
    let new_end = new_changed.end + (end - old_changed.end);
    let mut text = String::new();
    let _ = writeln!(text, "@@ -{} +{} @@", range(start..end), range(start..new_end));
    for (mark, lines, span) in [
        (' ', &old_lines, start..before),
        ('-', &old_lines, old_changed.clone()),
        ('+', &new_lines, new_changed),
        (' ', &old_lines, old_changed.end..end),
    ] {
        for at in span {
            lines.write(&mut text, mark, at);
        }
    }
    text
}

/// The lines of a file, with and without what may be secret.
struct Lines<'a> {
    lines: Vec<&'a str>,
    masked: Vec<String>,
}

impl<'a> Lines<'a> {
    fn new(source: &'a Source) -> Self {
        let lines: Vec<&str> = source.text().split_inclusive('\n').collect();
        let mut start = 0;
        let mask = |line: &&str| {
            let end = start + line.trim_end_matches(['\r', '\n']).len();
            let masked = source.mask(start..end);
            start += line.len();
            masked
        };
        Self { masked: lines.iter().map(mask).collect(), lines }
    }

    fn count(&self) -> usize {
        self.lines.len()
    }

    fn at(&self, number: usize) -> &str {
        self.lines[number]
    }

    fn write(&self, text: &mut String, mark: char, number: usize) {
        let _ = writeln!(text, "{mark}{}", self.masked[number]);
        if !self.lines[number].ends_with('\n') {
            text.push_str("\\ No newline at end of file\n");
        }
    }
}

/// As `diff -u` writes it: the first line from 1, and how many, unless it is one.
fn range(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => (lines.start + 1).to_string(),
        count => format!("{},{count}", lines.start + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Target};

    fn show(old: &str, new: &str) -> String {
        let read = |text: &str| match Config::parse("f", text.as_bytes(), &Target::default()) {
            Ok(config) => config.sources[0].clone(),
            Err(error) => error.sources[0].clone(),
        };
        diff(&read(old), &read(new))
    }

    #[test]
    fn one_hunk_without_secrets() {
        let old = "kind: a\nproviders:\n- name: b\n  env:\n  - name: C\n    value: d\nx: e\n";
        assert_eq!(show(old, old), "");
        let new = old.replace("value: d", "value: correct");
        let expected = "@@ -3,5 +3,5 @@\n - name: b\n   env:\n   - name: C\n-    value: *\n\
                        +    value: *******\n x: *\n";
        assert_eq!(show(old, &new), expected);
        assert_eq!(
            show("a: 1", "a: 1\n"),
            "@@ -1 +1 @@\n-a: *\n\\ No newline at end of file\n+a: *\n"
        );
        assert_eq!(show("", "kind: a\n"), "@@ -0,0 +1 @@\n+kind: a\n");
        assert_eq!(show("kind: a\r\n", ""), "@@ -1 +0,0 @@\n-kind: a\n");
    }
}
