//! Makes text from elsewhere safe to print: one line, bounded, nothing that looks
//! like a token.

/// The longest line that is printed, in characters: the kubelet logs stderr whole.
const LONGEST: usize = 600;

/// Folds `text` into one printable line, cuts it, and masks anything JWT-shaped.
///
/// Use it on every text of which a part comes from a server or a file.
pub fn one_line(text: &str) -> String {
    cut_and_mask(&fold_space(text), LONGEST)
}

/// The text on one line: each run of white space as one space, without control and invisible
/// characters.
pub(crate) fn fold_space(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST));
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() || is_invisible(c) {
            space = !line.is_empty();
            continue;
        }
        if std::mem::take(&mut space) {
            line.push(' ');
        }
        line.push(c);
    }
    line
}

/// The first `longest` characters of a line, with what looks like a token masked. It is cut
/// before it is masked, so that what is printed is within what was cut; a token that the cut
/// would divide is masked whole.
pub(crate) fn cut_and_mask(line: &str, longest: usize) -> String {
    let Some((end, _)) = line.char_indices().nth(longest) else { return mask_tokens(line) };
    let (shown, rest) = line.split_at(end);
    let shown = match rest.starts_with(is_token_char) {
        true => shown.trim_end_matches(is_token_char),
        false => shown,
    };
    format!("{}...", mask_tokens(shown))
}

/// Whether `label` can be one label of a host name: letters, digits and hyphens, with a letter
/// or digit at both ends, at most 63 (RFC 1123 §2.1). In lower or upper case.
pub fn is_dns_label(label: &str) -> bool {
    let is_inner = |c: u8| c.is_ascii_alphanumeric() || c == b'-';
    (1..=63).contains(&label.len())
        && label.bytes().all(is_inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Bidirectional and zero-width characters can make a log line look like another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Replaces each word that looks like a token.
fn mask_tokens(line: &str) -> String {
    let mut masked = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        masked.push_str(if is_token(word) { "[token]" } else { word });
        let next = after.find(is_token_char).unwrap_or(after.len());
        masked.push_str(&after[..next]);
        rest = &after[next..];
    }
    masked
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=' | '+' | '~')
}

/// A JOSE header starts with `{"`, `{ ` or a line break in base64. An opaque token is a
/// long mixture that no word, host name or hexadecimal digest is.
fn is_token(word: &str) -> bool {
    let is_jose = ["eyJ", "eyA", "ewo", "ew0"].iter().any(|start| word.starts_with(start));
    let is_mixture = |part: &str| {
        part.len() >= 32
            && !is_name(part)
            && part.bytes().any(|b| b.is_ascii_digit())
            && part.bytes().any(|b| b.is_ascii_uppercase())
            && part.bytes().any(|b| b.is_ascii_lowercase())
    };
    is_jose && word.len() >= 20 || word.split('.').any(is_mixture)
}

/// Generated names, such as those of roles, are words and a short hash with hyphens between
/// them. No part of them mixes as many kinds of characters as a part of a token does.
fn is_name(part: &str) -> bool {
    let all = |piece: &str, of: fn(&u8) -> bool| piece.bytes().all(|c| of(&c));
    let is_word = |piece: &str| {
        let rest = piece.get(1..).unwrap_or_default();
        let is_camel = piece.starts_with(|c: char| c.is_ascii_uppercase())
            && rest.bytes().filter(u8::is_ascii_uppercase).count() <= 2;
        piece.len() > 1
            && all(piece, u8::is_ascii_alphabetic)
            && (all(piece, u8::is_ascii_lowercase) || is_camel)
    };
    let is_piece = |piece: &str| {
        let of_one_case = !piece.bytes().any(|c| c.is_ascii_uppercase())
            || !piece.bytes().any(|c| c.is_ascii_lowercase());
        piece.len() < 24 && (is_word(piece) || of_one_case)
    };
    part.split('-').all(is_piece) && part.split('-').filter(|piece| is_word(piece)).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_space_and_drops_control_characters() {
        assert_eq!(one_line(" a\r\n\tb\u{1b}[31mc\u{202e}d "), "a b [31mc d");
    }

    #[test]
    fn cuts_long_text_between_characters() {
        let cut = one_line(&"é".repeat(5000));
        assert_eq!(cut.chars().count(), LONGEST + 3);
        assert!(cut.ends_with("é..."));
        // No part of a token is left at the end.
        let cut =
            one_line(&format!("{}é token {}", "x ".repeat(295), "dGhpcyBpcyBhbiBv".repeat(9)));
        assert!(cut.ends_with("é token ..."), "{cut}");
    }

    #[test]
    fn labels_of_host_names() {
        for label in ["a", "a-b", "0", "A1", &"a".repeat(63)] {
            assert!(is_dns_label(label), "{label}");
        }
        for label in ["", "-a", "a-", "a.b", "a_b", "é", &"a".repeat(64)] {
            assert!(!is_dns_label(label), "{label}");
        }
    }

    #[test]
    fn a_generated_name_has_two_words_and_pieces_that_do_not_mix() {
        for (name, is_shown) in [
            ("eksctl-prod-nodegroup-NodeRoleInstance-1A2B3C4D5E6F", true),
            ("eksctl-prod-1A2B3C4D5E6F7A8B9C0D1E2", true),
            // One word.
            ("eksctl-1A2B3C4D5E6F-7A8B9C0D1E2F-0001", false),
            // A piece of 24 characters.
            ("eksctl-prod-1A2B3C4D5E6F7A8B9C0D1E2F", false),
            // A piece of both cases that is not a word.
            ("eksctl-prod-nodegroup-aB3dE5fG7hJ9", false),
            ("eksctl-prod-nodegroup-Prod2-1A2B3C4D5E6F", false),
            // A word with four capitals.
            ("eksctl-prod-NodeRoleInstanceProfile-1A2B3C4D5E6F", false),
        ] {
            assert_eq!(one_line(name) == name, is_shown, "{name}: {}", one_line(name));
        }
    }

    #[test]
    fn masks_whatever_looks_like_a_token() {
        for text in [
            "bad token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl given",
            "bad token eyJhbGciOiJSUzI1NiJ9eyJzdWIiOiJ4In0 given",
            "bad token ewogICJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl given",
            "bad token dGhpcyBpcyBhbiBvcGFxdWUgdG9rZW4gMTIz given",
        ] {
            assert_eq!(one_line(text), "bad token [token] given");
        }
        for text in [
            "they keyed every key",
            "`eyes.on.the.registry.at-some-very-long-host-name.example`",
            "arn:aws:iam::1:role/eksctl-prod-nodegroup-ng-1-NodeInstanceRole-1A2B3C4D5E6F",
            "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(one_line(text), text);
        }
    }
}
