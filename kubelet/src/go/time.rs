//! Go's `time.Parse` with the layout of RFC 3339, as far as to say yes or no.

/// Whether Go reads this text as a time.
pub(crate) fn is_time(text: &str) -> bool {
    parse(text).is_some()
}

fn parse(text: &str) -> Option<()> {
    let (year, rest) = digits(text, 4)?;
    let (month, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let rest = rest.strip_prefix('T')?;
    // Go accepts an hour of one digit.
    let (hour, rest) = digits(rest, 2).or_else(|| digits(rest, 1))?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) => {
            let end = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            (end.len() < fraction.len()).then_some(end)?
        }
        None => rest,
    };
    let zone = if rest == "Z" { "+00:00" } else { rest };
    let (zone_hour, rest) = digits(zone.strip_prefix(['+', '-'])?, 2)?;
    let (zone_minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_in_range = (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60;
    // Go accepts offsets of 24 hours and 60 minutes.
    (rest.is_empty() && is_in_range && zone_hour <= 24 && zone_minute <= 60).then_some(())
}

fn digits(text: &str, count: usize) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().ok())?.map(|number| (number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Go 1.26's verdict on them.
    #[test]
    fn times() {
        for text in [
            "2024-10-21T12:26:40Z",
            "2024-02-29T1:26:40Z",
            "2024-10-21T12:26:40.123456789+02:00",
            "2024-10-21T12:26:40,5-24:60",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "",
            "2024-10-21",
            "2024-10-21 12:26:40Z",
            "2023-02-29T12:26:40Z",
            "2024-13-01T12:26:40Z",
            "2024-10-21T24:00:00Z",
            "2024-10-21T12:26:60Z",
            "2024-10-21T12:26:40",
            "2024-10-21T12:26:40z",
            "2024-10-21T12:26:40.Z",
            "2024-10-21T12:26:40+25:00",
            "2024-10-21T12:26:40Z ",
            "+024-10-21T12:26:40Z",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
