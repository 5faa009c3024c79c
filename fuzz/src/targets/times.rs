//! Lives and dates as servers write them.

use pullpass::serde_json::{self, Value};
use pullpass::{rfc3339, seconds};

pub fn run(input: &[u8]) {
    if let Ok(value) = serde_json::from_slice::<Value>(input) {
        let _ = seconds(&value);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = seconds(&Value::from(text));
        let _ = rfc3339(text);
    }
}
