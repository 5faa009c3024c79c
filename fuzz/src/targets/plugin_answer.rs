//! A plugin's stdout, against the kubelet.

use pullpass_kubelet::fuzzing::{Refused, response};
use pullpass_kubelet::{ExecApiVersion, Target};
use serde_json::json;

use crate::oracle;

pub fn run(input: &[u8]) {
    let version = oracle::version(input);
    let ours = response(input, ExecApiVersion::V1, &Target::new(version));
    let Ok(text) = std::str::from_utf8(input) else { return };
    let question = json!({"op": "response", "stdout": text});
    let Some(kubelet) = oracle::ask(version, &question) else { return };
    let said = |field: &str| kubelet[field].as_str().unwrap_or_default();
    let is_v1 = said("api_version") == ExecApiVersion::V1.as_str();
    match ours {
        Ok(_) => assert!(is_v1 && kubelet["is_response"] == true, "{kubelet}: {text:?}"),
        // A limit of ours, on the depth.
        Err(Refused::NotJson(message)) if message.ends_with("which is not read here") => {}
        Err(Refused::NotJson(message)) => {
            let theirs = format!("error reading GVK from response: {}", said("head_error"));
            assert_eq!(message, theirs, "{text:?}");
        }
        Err(Refused::ApiVersion(_)) => {
            assert!(said("head_error").is_empty() && !is_v1, "{kubelet}: {text:?}");
        }
        Err(Refused::Undecodable(_)) => {
            assert!(said("head_error").is_empty() && is_v1, "{kubelet}: {text:?}");
            assert!(kubelet["is_response"] != true, "{kubelet}: {text:?}");
        }
    }
}
