//! A pod's image as the kubelet names it in a request, against the kubelet.

use pullpass::Image;
use pullpass_kubelet::image_name::lookup_name;
use serde_json::json;

use crate::oracle;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let found = lookup_name(text);
    if let Ok(name) = &found {
        // The kubelet sends it like this, and a plugin may refuse it only where the host is not valid.
        let registry = name.split('/').next().unwrap_or_default();
        match Image::parse(name) {
            Ok(image) => assert!(is_host(registry) && image.as_str() == name, "{name}"),
            Err(error) => assert!(!is_host(registry), "{name}: {}", error.render()),
        }
    }
    let version = oracle::version(input);
    let question = json!({"op": "normalize", "image": text});
    let Some(kubelet) = oracle::ask(version, &question) else { return };
    let (name, error) = match found {
        Ok(name) => (name, String::new()),
        Err(error) => (String::new(), error.to_string()),
    };
    assert_eq!((&kubelet["lookup"], &kubelet["error"]), (&json!(name), &json!(error)), "{text:?}");
}

/// Whether DNS and TCP can have it: a reference's grammar has hosts of any length, and any port.
fn is_host(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or(0)),
        _ => (registry, 443),
    };
    port > 0_u16 && host.len() <= 253
}
