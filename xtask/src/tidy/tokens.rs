//! Rust source as tokens: enough to find items and paths.

use super::source;

#[derive(Clone)]
pub(super) struct Token {
    /// A name, `::`, or one other character.
    pub(super) text: String,
    pub(super) line: usize,
}

/// The tokens of a source file, comments and the content of literals left out.
pub(super) fn read_tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in source::strip_comments(source).lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match rest {
                _ if rest.starts_with("::") => 2,
                _ if is_of_name(first) => {
                    rest.find(|other| !is_of_name(other)).unwrap_or(rest.len())
                }
                _ => first.len_utf8(),
            };
            let (text, after) = rest.split_at(length);
            tokens.push(Token { text: text.to_owned(), line: number + 1 });
            rest = after.trim_start();
        }
    }
    tokens
}

/// The tokens without the items that `#[cfg(test)]` marks.
pub(super) fn without_tests(tokens: Vec<Token>) -> Vec<Token> {
    const MARK: [&str; 6] = ["[", "cfg", "(", "test", ")", "]"];
    let is_mark = |at: usize| {
        let texts = tokens[at..].iter().map(|token| token.text.as_str());
        texts.take(MARK.len()).eq(MARK)
    };
    let mut kept = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "#" if is_mark(at + 1) => at = item_end(&tokens, at + 1 + MARK.len()),
            "#" if tokens.get(at + 1).is_some_and(|next| next.text == "!") && is_mark(at + 2) => {
                return Vec::new();
            }
            _ => {
                kept.push(token.clone());
                at += 1;
            }
        }
    }
    kept
}

/// Where the item that starts here ends: after its `;` or its block.
fn item_end(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            ";" if depth == 0 => return at + 1,
            "(" | "[" | "{" => depth += 1,
            // The end of what holds the item.
            ")" | "]" | "}" if depth == 0 => return at,
            // A `use` ends with both.
            "}" if depth == 1 => {
                let is_use = tokens.get(at + 1).is_some_and(|next| next.text == ";");
                return at + 1 + usize::from(is_use);
            }
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Is it a name or a keyword?
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(is_of_name)
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> String {
        let tokens = without_tests(read_tokens(source));
        tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_and_paths_are_tokens() {
        assert_eq!(texts("use a::b_1 ; // c\nlet x='y';"), "use a :: b_1 ; let x = \" \" ;");
    }

    #[test]
    fn items_of_tests_are_left_out() {
        assert_eq!(texts("a; #[cfg(test)] mod tests { fn f() { g(); } } b;"), "a ; b ;");
        assert_eq!(texts("#[cfg(test)] fn f(x: [u8; 2]) -> u8 { x } b;"), "b ;");
        assert_eq!(texts("#[cfg(test)] #[allow(x)] use c::{d, e}; b;"), "b ;");
        assert_eq!(texts("struct A { a: u8, #[cfg(test)] b: u8 } c;"), "struct A { a : u8 , } c ;");
        assert_eq!(texts("#![cfg(test)] a;"), "");
        assert_eq!(texts("#[cfg(unix)] a;"), "# [ cfg ( unix ) ] a ;");
    }
}
