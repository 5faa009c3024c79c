//! Points and spans of time, in the forms in which servers and tokens write them.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// Seconds since the epoch, a fraction allowed and dropped (RFC 7519 §2).
pub(crate) fn numeric_date(seconds: f64) -> Option<SystemTime> {
    let since_epoch = Duration::try_from_secs_f64(seconds.floor()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since_epoch)
}

/// A number of seconds, such as `expires_in` (RFC 6749 §5.1), or its digits in a string, as
/// some servers have it. A fraction is dropped, a negative number is zero; `None` when it is not
/// a number, or out of range.
pub fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(digits) => digits.parse::<u32>().ok()?.into(),
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds.max(0.0).floor()).ok()
}

/// A date of RFC 3339 §5.6, such as `2026-11-24T10:00:00.5+01:00`.
pub fn rfc3339(text: &str) -> Option<SystemTime> {
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    OffsetDateTime::parse(text, &Rfc3339).ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn seconds_are_numbers_or_digits() {
        for (value, expected) in [
            (json!(3599), Some(3599)),
            (json!("3599"), Some(3599)),
            (json!(0), Some(0)),
            (json!(-5), Some(0)),
            (json!(59.9), Some(59)),
            (json!("1e3"), None),
            (json!("NaN"), None),
            (json!(1e300), None),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            assert_eq!(seconds(&value), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn dates_of_rfc_3339() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (text, expected) in [
            ("2026-11-24T10:00:00Z", at(1_795_514_400)),
            ("2026-11-24T11:00:00+01:00", at(1_795_514_400)),
            ("2026-11-24 10:00:00", None),
            ("2026-02-30T10:00:00Z", None),
            ("1795514400", None),
            ("", None),
        ] {
            assert_eq!(rfc3339(text), expected, "{text}");
        }
        let fraction = rfc3339("2026-11-24T10:00:00.250Z");
        assert_eq!(fraction, at(1_795_514_400).map(|it| it + Duration::from_millis(250)));
    }
}
