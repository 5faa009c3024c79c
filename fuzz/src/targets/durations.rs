//! Go's durations, against Go.

use pullpass_go_duration::GoDuration;
use serde_json::json;

use crate::oracle;

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let parsed = text.parse::<GoDuration>();
    if let Ok(duration) = &parsed {
        assert_eq!(duration.to_string().parse(), Ok(*duration), "{text}");
    }
    let question = json!({"op": "duration", "text": text});
    let Some(kubelet) = oracle::ask(oracle::version(&[]), &question) else { return };
    let ours = match parsed {
        Ok(duration) => json!({
            "nanoseconds": duration.nanoseconds(), "printed": duration.to_string(), "error": "",
        }),
        Err(error) => json!({"nanoseconds": 0, "printed": "", "error": error.to_string()}),
    };
    assert_eq!(ours, kubelet, "{text:?}");
}
