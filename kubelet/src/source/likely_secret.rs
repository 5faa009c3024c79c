//! Texts that may be secret judging by their form, wherever they are: in a key, in a name, in a
//! pattern.

use std::borrow::Cow;

/// How well-known secrets begin.
const SECRET_BEGINNINGS: [&str; 14] = [
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "dckr_pat_",
    "hvs.",
    "-----BEGIN",
];

/// The shortest text that is treated as a secret because of its mixture of characters.
const SHORTEST_MIXTURE: usize = 20;

/// Whether `text` begins as the secrets of well-known services do.
pub(crate) fn begins_as_secret(text: &str) -> bool {
    text.len() > 12 && SECRET_BEGINNINGS.iter().any(|start| text.starts_with(start))
}

/// Whether `word`, a key or a name, has the form of a secret: a well-known beginning, or letters of
/// both cases with several digits between them, which names do not have.
pub(crate) fn may_be_secret(word: &str) -> bool {
    let is_mixture = |part: &str| {
        let count = |of: fn(&u8) -> bool| part.bytes().filter(of).count();
        part.len() >= SHORTEST_MIXTURE
            && count(u8::is_ascii_digit) >= 3
            && count(u8::is_ascii_uppercase) >= 2
            && count(u8::is_ascii_lowercase) >= 2
    };
    begins_as_secret(word)
        || word.split('.').any(begins_as_secret)
        || word.split(['.', '-', '_']).any(is_mixture)
}

/// The user and password before a host, with the `@` after them.
pub(crate) fn has_user(text: &str) -> bool {
    find_user(text).is_some()
}

/// `text` with `...` for each word that may be secret, and for what is before the `@` of a host.
pub(crate) fn hide(text: &str) -> Cow<'_, str> {
    let mut hidden = String::with_capacity(text.len());
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.+/=~@:%!$&*,;?".contains(c);
    for piece in text.split_inclusive(|c| !is_part(c)) {
        let end = piece.find(|c| !is_part(c)).unwrap_or(piece.len());
        let (word, after) = piece.split_at(end);
        hide_word(word, &mut hidden);
        hidden.push_str(after);
    }
    match hidden == text {
        true => Cow::Borrowed(text),
        false => Cow::Owned(hidden),
    }
}

fn hide_word(word: &str, hidden: &mut String) {
    let word = match find_user(word) {
        Some((start, end)) => {
            hidden.push_str(&word[..start]);
            hidden.push_str("...");
            &word[end..]
        }
        None => word,
    };
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    for piece in word.split_inclusive(|c| !is_letter(c)) {
        let end = piece.find(|c| !is_letter(c)).unwrap_or(piece.len());
        let (letters, after) = piece.split_at(end);
        hidden.push_str(if may_be_secret(letters) { "..." } else { letters });
        hidden.push_str(after);
    }
}

/// Where a user with a password is, up to the `@`. Not a user without one: `image@sha256:...`.
fn find_user(word: &str) -> Option<(usize, usize)> {
    let start = word.find("://").map_or(0, |at| at + 3);
    let host = word[start..].find('/').map_or(word.len(), |at| start + at);
    let end = match word[start..host].rfind('@') {
        Some(at) => start + at,
        // A password may have a slash in it.
        None => {
            start + word[start..].rfind('@').filter(|at| word[start..start + at].contains(':'))?
        }
    };
    word[start..end].contains(':').then_some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_the_form_of_a_secret_are_hidden() {
        for (text, expected) in [
            ("unknown field \"ghp_0123456789abcdefghij\"", "unknown field \"...\""),
            ("providers[0].AKIAIOSFODNN7EXAMPLE", "providers[0]..."),
            ("`wJalrXUtnFEMI7K7MDENG5bPxRfiCYEXAMPLEKEY`", "`...`"),
            ("`user:hunter2@r.io/x` and r.io", "`...@r.io/x` and r.io"),
            ("parse \"https://u:p/w@r.io\": bad", "parse \"https://...@r.io\": bad"),
            ("u:p@[::1]:5000", "...@[::1]:5000"),
            ("u:p@x@r.io", "...@r.io"),
        ] {
            assert_eq!(hide(text), expected);
        }
    }

    #[test]
    fn other_words_are_shown() {
        for text in [
            "unknown field \"providers[0].requiredServiceAccountAnnotationKeys\"",
            "/etc/kubernetes/credential-providers.yaml:12:3",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com",
            "r.io/a@sha256:0123456789abcdef0123456789abcdef",
            "credentialprovider.kubelet.k8s.io/v1beta1",
            "`*.*.r.io:5000` ... ",
            "/tmp/.tmpAb12Cd/c.yaml",
            "a@b",
        ] {
            assert_eq!(hide(text), text);
        }
    }
}
