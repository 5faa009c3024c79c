//! The secrets of a run, and how an input speaks of them.

use std::collections::HashSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::encodings::encodings;

/// A signature of letters and digits alone, without a word in it.
const SIGNATURE: &str = "q7Zx2mKpW9vRtY4uJ8sLbN6cHd3fGg5hQa1eTzXkVoMiPwUrSyCjBnDl0EIO";

/// What a server returns: it is not sent before, and looks like a token.
const HANDED_OUT: &str = "Xq3TzW8vLp5KmR2yN7bJ4hGc9FdS6aQe1UoYiPtM";

/// The pod's token: it ends in 2100, and no server accepts it.
pub(crate) static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"1"}"#);
    let claims = URL_SAFE_NO_PAD.encode(
        r#"{"iss":"https://issuer.example","sub":"system:serviceaccount:demo:web","aud":["sts.example"],"exp":4102444800}"#,
    );
    format!("{header}.{claims}.{SIGNATURE}")
});

/// How the token is put into an input: `{{t}}` as it is, `{{N}}` in the encoding of that number.
static FORMS: LazyLock<Vec<(Vec<u8>, Vec<u8>)>> = LazyLock::new(|| {
    let encoded = encodings(&TOKEN).into_iter().enumerate();
    let mut forms: Vec<(Vec<u8>, Vec<u8>)> = encoded
        .map(|(number, (_, text))| (format!("{{{{{number}}}}}").into_bytes(), text.into_bytes()))
        .collect();
    forms.push((b"{{t}}".to_vec(), TOKEN.clone().into_bytes()));
    forms.push((b"{{h}}".to_vec(), HANDED_OUT.as_bytes().to_vec()));
    forms
});

/// Each eight characters in sequence of the token's signature.
static PARTS: LazyLock<HashSet<&[u8]>> =
    LazyLock::new(|| SIGNATURE.as_bytes().windows(8).collect());

/// The input with the secrets in it.
pub(crate) fn expand(input: &[u8]) -> Vec<u8> {
    let mut expanded = Vec::with_capacity(input.len());
    let mut rest = input;
    while let [first, after @ ..] = rest {
        let find = || FORMS.iter().find(|(name, _)| rest.starts_with(name));
        match Some(*first).filter(|first| *first == b'{').and_then(|_| find()) {
            Some((name, text)) => {
                expanded.extend_from_slice(text);
                rest = &rest[name.len()..];
            }
            None => {
                expanded.push(*first);
                rest = after;
            }
        }
    }
    expanded
}

/// Stops at a secret in what is printed: eight characters of the token's signature, or all of
/// what a server handed out.
pub(crate) fn check(printed: &str) {
    assert!(!printed.contains(HANDED_OUT), "a secret that was handed out: {printed}");
    let plain: Vec<u8> = printed.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let found = plain.windows(8).find(|part| PARTS.contains(part));
    assert!(found.is_none(), "a part of the token, {found:?}: {printed}");
}
