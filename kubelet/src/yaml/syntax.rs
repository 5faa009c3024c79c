//! Where our parser of YAML and the kubelet's differ, and how their words are joined.

use granit_parser::{Options, ScanError};

use crate::document::Fault;

/// What libyaml lets pass.
pub(super) fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// What libyaml does otherwise than the specification.
pub(super) fn options() -> Options {
    let mut options = Options::default();
    options.bom_inside_document_as_content = true;
    options.block_scalar_eof_without_line_feed = true;
    options
}

/// A fault of syntax in a text of `length` bytes. The place is right; the words are put
/// into the library's where the two parsers see the same, and that is no promise.
pub(super) fn fault(error: &ScanError, length: usize) -> Fault {
    let marker = error.marker();
    let at = marker.byte_offset().unwrap_or(0).min(length);
    let info = error.info();
    let (is_parser, words) = library_words(&info);
    // The library counts from 0 where its parser fails, and leaves the first line out.
    let line = match (marker.line().saturating_sub(1), is_parser) {
        (0, _) => String::new(),
        (line, true) => format!("line {line}: "),
        (line, false) => format!("line {}: ", line + 1),
    };
    Fault { message: format!("yaml: {line}{words}"), span: at..at + 1, verbatim: false }
}

/// Whether it is the parser's fault or the scanner's, and how the library words it.
fn library_words(info: &str) -> (bool, &str) {
    let words = match info.split_once(", ") {
        Some((context, words)) if context.starts_with("while ") => words,
        _ => info,
    };
    let is_parser = info.starts_with("while parsing a ") && !info.contains("quoted");
    let words = match words {
        "simple key expected ':'" => "could not find expected ':'",
        "unclosed quote" => "found unexpected end of stream",
        _ if words.starts_with("unexpected character: ") => {
            "found character that cannot start any token"
        }
        _ => words,
    };
    (is_parser, words)
}
