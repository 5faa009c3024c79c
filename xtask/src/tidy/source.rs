//! Rust source with what is not code taken out. Not a parser: enough for conventions.

/// The source without comments and without the content of string literals; lines are kept.
pub(super) fn strip_comments(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(next) = rest.chars().next() {
        let skipped = comment_length(rest).or_else(|| literal_length(rest, &code));
        let length = skipped.unwrap_or(next.len_utf8());
        let (piece, after) = rest.split_at(length);
        if skipped.is_none() {
            code.push(next);
        } else {
            // A literal is code, whatever is in it; a comment is not.
            code.push_str(if piece.starts_with('/') { "" } else { "\"\"" });
            code.extend(piece.chars().filter(|character| *character == '\n'));
        }
        rest = after;
    }
    code
}

/// How many lines hold code: not blank, not a comment.
pub(super) fn count_code_lines(source: &str) -> usize {
    strip_comments(source).lines().filter(|line| !line.trim().is_empty()).count()
}

/// Whether the word is in the text, not as a part of a longer one.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    let part = |character: char| character.is_alphanumeric() || "_-".contains(character);
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part)
            && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

/// The length of the comment that starts here.
fn comment_length(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    Some(text.len())
}

/// The length of the string or character literal that starts here, after `before`.
fn literal_length(text: &str, before: &str) -> Option<usize> {
    let in_word =
        before.chars().next_back().is_some_and(|last| last.is_alphanumeric() || last == '_');
    if text.starts_with('r') && (!in_word || ends_with_prefix(before)) {
        let hashes = text[1..].chars().take_while(|character| *character == '#').count();
        if text[1 + hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let start = 2 + hashes;
            return Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()));
        }
    }
    if text.starts_with('"') {
        return Some(quoted_length(text, '"'));
    }
    // `'a'` and `'\n'` are literals, `'a` is a lifetime.
    let mut characters = text.strip_prefix('\'')?.chars();
    let first = characters.next()?;
    (first == '\\' || characters.next() == Some('\'')).then(|| quoted_length(text, '\''))
}

/// Whether the code ends with the `b` or `c` of `br"..."` or `cr"..."`.
fn ends_with_prefix(before: &str) -> bool {
    let mut characters = before.chars().rev();
    let prefix = characters.next().is_some_and(|last| last == 'b' || last == 'c');
    prefix && !characters.next().is_some_and(|last| last.is_alphanumeric() || last == '_')
}

/// The length of a literal with escapes, both quotes included.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_not_code() {
        let source =
            "let a = \"// ring \\\" \"; // ring\n/* ring /* ring */\n ring */ let b = 'x';";
        assert_eq!(strip_comments(source), "let a = \"\"; \n\n let b = \"\";");
    }

    #[test]
    fn raw_strings_end_at_their_own_mark() {
        assert_eq!(strip_comments("f(r#\"a \" ring\"#, br\"ring\", ring)"), "f(\"\", b\"\", ring)");
        assert_eq!(strip_comments("let for_r = r;"), "let for_r = r;");
    }

    #[test]
    fn lifetimes_are_not_literals() {
        assert_eq!(
            strip_comments("fn f<'a>(x: &'a str, y: char) { '\\'' }"),
            "fn f<'a>(x: &'a str, y: char) { \"\" }"
        );
    }

    #[test]
    fn counts_lines_of_code() {
        assert_eq!(count_code_lines("//! Docs.\n\n/* a\nb */\nfn main() {\n    run();\n}\n"), 3);
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("use rustls::crypto::ring;", "ring"));
        assert!(!has_word("let string = keyring;", "ring"));
        assert!(!has_word("pullpass-oidc-extra", "pullpass-oidc"));
    }
}
