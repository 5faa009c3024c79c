//! Go's `strings.ToLower`, which maps each character by itself: no final sigma, and always one
//! letter for one.

pub(crate) fn lower(text: &str) -> String {
    text.chars()
        .map(|c| match (c, c.to_lowercase().next()) {
            // The one letter that has two letters in lower case; Go uses the first.
            (_, Some(small)) => small,
            (c, None) => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowers_as_go_does() {
        assert_eq!(lower("A\u{130}\u{212a}\u{1c5}\u{39f}\u{3a3}"), "aik\u{1c6}\u{3bf}\u{3c3}");
    }
}
