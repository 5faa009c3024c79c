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
        return "this is not a text: is it compressed, or another file?".to_owned();
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
        return "replace the spaces of another kind before a field (a no-break space, copied from a \
                web page) by plain ones"
            .to_owned();
    }
    if says("json parse error") || says("JSON input") {
        return json(message, text).to_owned();
    }
    if says("that cannot start any token") || says("found a tab character") {
        return cannot_start(line, finding).to_owned();
    }
    if says("unknown anchor") || says("did not find expected alphabetic or numeric character") {
        return "put quotes around a pattern that begins with `*`, as in `- \"*.example\"`: without \
                them YAML takes it for a reference"
            .to_owned();
    }
    let hint = if says("found unexpected end of stream") {
        "close the quote: a `\"` or `'` has no other end"
    } else if says("expected ',' or ']'") {
        "close the list with `]`, and write `,` between its values"
    } else if says("expected ',' or '}'") {
        "close the mapping with `}`, and write `,` between its fields"
    } else if says("mapping values are not allowed") {
        "check the indentation of this line and of the one before; a value that holds `: ` needs \
         quotes"
    } else if says("could not find expected ':'") {
        "write `NAME: VALUE`, with a space after the colon"
    } else if says("did not find expected key") || says("did not find expected '-' indicator") {
        "check the indentation: the fields of one entry, and the entries of one list, begin in the \
         same column"
    } else if says("unknown escape character") {
        "write a backslash within \"...\" twice, or use '...'"
    } else if says("excessive aliasing") || says("not read here") {
        "write the configuration without anchors and deep nesting"
    } else if says("directive") || says("incompatible YAML document") || says("document indicator")
    {
        "remove the lines that begin with `%`, `---` or `...`: the file is one document"
    } else if says("control characters") || says("UTF-8") || says("UTF-16") || says("surrogate") {
        "save the file as UTF-8 text"
    } else {
        "check the line and the one before it; `pullpass config NAME` prints a file to begin with"
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

const TAB: &str = "indent with spaces: the line begins with a tab, which YAML does not take";

fn json(message: &str, text: &str) -> &'static str {
    let says = |words: &str| message.contains(words);
    if says("unexpected end of JSON input") {
        "the file ends too early: close every `{`, `[` and `\"`"
    } else if says("']' looking for") {
        "remove the comma before `]`"
    } else if says("'}' looking for") {
        "remove the comma before `}`"
    } else if says("invalid character '\\'' ") {
        "JSON has double quotes only"
    } else if says("invalid character '/'") || says("invalid character '#'") {
        "JSON has no comments"
    } else if says("after object key:value pair") || says("after array element") {
        "write a comma before it"
    } else if says("after object key") {
        "write a colon after the name"
    } else if says("after top-level value") {
        "remove what follows the last `}`"
    } else if says("in string literal") || says("in string escape code") {
        "write a line break within a text as `\\n`, a backslash as `\\\\`"
    } else if says("looking for beginning of object key string") && text.contains("{{") {
        "render the template first"
    } else {
        "a file that begins with `{` is read as JSON: names and texts are in double quotes"
    }
}
