//! A pod's image as the kubelet names it in a request, against the kubelet.

use pullpass::Image;
use pullpass_kubelet::image_name::lookup_name;
use serde_json::json;

use crate::oracle;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let found = lookup_name(text);
    if let Ok(name) = &found {
        // The kubelet sends it so, and no plugin may refuse it, but for a port that is none.
        let host = name.split('/').next().unwrap_or_default();
        let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
        let has_port = port.is_none_or(|(_, port)| port.parse().is_ok_and(|port: u16| port > 0));
        match Image::parse(name) {
            Ok(image) => assert!(has_port && image.as_str() == name, "{name}"),
            Err(error) => assert!(!has_port, "{name}: {}", error.render()),
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
