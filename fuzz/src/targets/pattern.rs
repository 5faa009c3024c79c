//! A pattern of `matchImages`, and an image after a NUL, against the kubelet.

use pullpass_kubelet::pattern::{AuthKey, Match, Pattern};
use serde_json::json;

use crate::oracle;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let (pattern, image) = text.split_once('\0').unwrap_or((text, "registry.example/team/app"));
    let version = oracle::version(input);
    let parsed = Pattern::parse(pattern, version);
    let matched = parsed.as_ref().is_ok_and(|parsed| parsed.matches(image));
    if let Ok(parsed) = &parsed {
        let _ = parsed.explain(image);
    }
    if let Ok(key) = AuthKey::parse(pattern, version) {
        assert_eq!(key.matches(image), key.explain(image) == Some(Match::Hit), "{text:?}");
    }
    let question = json!({"op": "match", "pattern": pattern, "image": image});
    let Some(kubelet) = oracle::ask(version, &question) else { return };
    let refused = parsed.err().map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(kubelet["matched"], matched, "{version}: {text:?}");
    assert_eq!(kubelet["pattern_error"], refused, "{version}: {text:?}");
}
