//! Blanks what may be secret in a line of a file.

use std::ops::Range;

/// The parts of a file that may be shown.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Visible {
    /// The file has no structure: only the names of known fields may.
    KnownWords,
    /// Every text of the file by its place, sorted, and whether it may be shown.
    Texts(Vec<(Range<usize>, bool)>),
}

/// The fields of a configuration.
const KNOWN_WORDS: [&str; 15] = [
    "kind",
    "apiVersion",
    "providers",
    "name",
    "matchImages",
    "defaultCacheDuration",
    "args",
    "env",
    "value",
    "tokenAttributes",
    "serviceAccountTokenAudience",
    "cacheType",
    "requireServiceAccount",
    "requiredServiceAccountAnnotationKeys",
    "optionalServiceAccountAnnotationKeys",
];

impl Visible {
    /// The line at `window` with `*` for every byte that may not be shown. Blanks and marks of
    /// structure outside of texts and comments may.
    pub(super) fn mask(&self, text: &str, window: Range<usize>) -> String {
        let line = &text[window.clone()];
        let mut masked = String::with_capacity(line.len());
        let mut in_comment = false;
        for (at, c) in line.char_indices() {
            let shows = match self.find(text, window.start + at) {
                _ if in_comment => false,
                Some(is_visible) => is_visible,
                None => {
                    in_comment = c == '#';
                    "-:,[]{}?|>\"'".contains(c)
                }
            };
            if shows || c.is_whitespace() {
                masked.push(c);
            } else {
                masked.extend(std::iter::repeat_n('*', c.len_utf8()));
            }
        }
        masked
    }

    /// Whether what is at `at` may be shown; `None` outside of texts.
    fn find(&self, text: &str, at: usize) -> Option<bool> {
        match self {
            Self::KnownWords => find_known_word(text, at),
            Self::Texts(texts) => {
                let next = texts.partition_point(|(span, _)| span.start <= at);
                let (span, is_visible) = texts.get(next.checked_sub(1)?)?;
                span.contains(&at).then_some(*is_visible)
            }
        }
    }
}

/// Whether the name of a known field is at `at`, with a colon after it.
fn find_known_word(text: &str, at: usize) -> Option<bool> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let bytes = text.as_bytes();
    if !bytes[at].is_ascii_alphanumeric() {
        return if bytes[at].is_ascii() { None } else { Some(false) };
    }
    // A word that is longer than the longest known one need not be compared.
    let most = 40;
    let before = bytes[at.saturating_sub(most)..at].iter().rev();
    let start = at - before.take_while(|byte| is_letter(**byte)).count();
    let rest = &bytes[at..bytes.len().min(at + most)];
    let end = at + rest.iter().take_while(|byte| is_letter(**byte)).count();
    let after = text.get(end..).unwrap_or_default();
    let is_key = after.trim_start_matches(['"', '\'']).trim_start_matches(' ').starts_with(':');
    Some(is_key && text.get(start..end).is_some_and(|word| KNOWN_WORDS.contains(&word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_structure_only_known_keys_are_shown() {
        for (line, expected) in [
            ("  - name: [p", "  - name: [*"),
            (r#"{"name": "A", "value": "x-y", "b": 1"#, r#"{"name": "*", "value": "*-*", "*": *"#),
            ("valeu: x", "*****: *"),
            ("value value: name", "***** value: ****"),
            ("kind: é # kind: x", "kind: ** * ***** *"),
        ] {
            let masked = Visible::KnownWords.mask(line, 0..line.len());
            assert_eq!(masked, expected, "{line}");
            assert_eq!(masked.len(), line.len());
        }
    }
}
