//! Files that are neither YAML nor JSON.

use crate::finding::Finding;
use crate::lints::hints::document;

/// What to do about a fault in the syntax.
pub(super) fn hint(finding: &Finding) -> String {
    let message = finding.message.as_str();
    let says = |words: &str| message.contains(words);
    let line = finding.location.as_ref().map(|at| at.line_text()).unwrap_or_default();
    let text = finding.location.as_ref().map(|at| at.source().text()).unwrap_or_default();
    if text.starts_with("\u{1f}") || text.contains('\0') {
        return "this is not a text file: is it compressed, or the wrong file?".to_owned();
    }
    if let Some(other) = document::find_other_format(text) {
        return other.to_owned();
    }
    if let Some(wrapper) = document::find_wrapper(text) {
        return document::in_wrapper(wrapper, text);
    }
    let is_foreign = |line: &str| {
        line.trim_start_matches([' ', '-']).starts_with(['\u{a0}', '\u{3000}', '\u{2003}'])
    };
    if text.lines().any(is_foreign) {
        return "a field is indented with a no-break or wide space, as copied from a web page: \
             replace it with plain spaces"
            .to_owned();
    }
    if says("json parse error") || says("JSON input") {
        return json(message, text).to_owned();
    }
    if says("that cannot start any token") || says("found a tab character") {
        return cannot_start(line, finding).to_owned();
    }
    if says("unknown anchor") || says("did not find expected alphabetic or numeric character") {
        return "put quotes around a pattern that begins with `*`, as in `- \"*.example\"`: \
             without quotes YAML reads it as an alias"
            .to_owned();
    }
    let hint = if says("found unexpected end of stream") {
        "close the quotes: a `\"` or `'` is opened and never closed"
    } else if says("expected ',' or ']'") {
        "close the list with `]`, and separate its values with `,`"
    } else if says("expected ',' or '}'") {
        "close the mapping with `}`, and separate its fields with `,`"
    } else if says("mapping values are not allowed") {
        "check this line and the one before: the indentation, and a space after each `NAME:`; a \
         value that contains `: ` needs quotes"
    } else if says("could not find expected ':'") {
        "write `NAME: VALUE`, with a space after the colon"
    } else if says("did not find expected key") || says("did not find expected '-' indicator") {
        "check the indentation: all fields of an entry, and all entries of a list, must begin in \
         the same column"
    } else if says("unknown escape character") {
        "inside \"...\" write each backslash twice, or use '...'"
    } else if says("excessive aliasing") || says("not read here") {
        "write the configuration without YAML anchors and deep nesting"
    } else if says("directive") || says("incompatible YAML document") || says("document indicator")
    {
        "remove the lines that begin with `%`, `---` or `...`: the file must be a single document"
    } else if says("control characters") || says("UTF-8") || says("UTF-16") || says("surrogate") {
        "save the file as UTF-8 text"
    } else {
        "check this line and the one before; `pullpass config NAME` prints a valid file to start \
         from"
    };
    hint.to_owned()
}

fn cannot_start(line: &str, finding: &Finding) -> &'static str {
    let column = finding.location.as_ref().map_or(1, |at| at.column());
    match line.chars().nth(column - 1) {
        _ if line.trim_start_matches([' ', '-']).starts_with('\t') => TAB,
        Some('\t') => TAB,
        Some('@' | '`' | '%') => {
            "put quotes around a value that begins with `@`, `%` or a backquote"
        }
        _ if line.contains('\t') => TAB,
        _ => "put quotes around the value",
    }
}

const TAB: &str = "indent with spaces: this line begins with a tab, which YAML does not allow";

fn json(message: &str, text: &str) -> &'static str {
    let says = |words: &str| message.contains(words);
    if says("unexpected end of JSON input") {
        "the file ends too early: close every `{`, `[` and `\"`"
    } else if says("']' looking for") {
        "remove the comma before `]`"
    } else if says("'}' looking for") {
        "remove the comma before `}`"
    } else if says("invalid character '\\'' ") {
        "JSON allows only double quotes"
    } else if says("invalid character '/'") || says("invalid character '#'") {
        "JSON allows no comments: remove them"
    } else if says("after object key:value pair") || says("after array element") {
        "add the missing comma before this"
    } else if says("after object key") {
        "add the missing colon after the name"
    } else if says("after top-level value") {
        "remove what follows the last `}`"
    } else if says("in string literal") || says("in string escape code") {
        "inside a string write a line break as `\\n` and a backslash as `\\\\`"
    } else if says("looking for beginning of object key string") && text.contains("{{") {
        "render the template first"
    } else {
        "a file that begins with `{` is read as JSON: names and strings need double quotes"
    }
}
