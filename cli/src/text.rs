//! Texts for people: plurals, times, and foreign texts made safe.

use std::time::{Duration, SystemTime};

/// `1 label`, `2 labels`.
pub(crate) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// What to do about an image whose name is not valid.
pub(crate) fn hint_about_image(image: &str) -> String {
    match image.split_once("://") {
        Some((_, rest)) => format!("write `{}`: an image's name has no scheme", sanitize(rest)),
        None => "correct the name, such as `registry.example/team/app:v1`, in lower case; the \
                 kubelet pulls nothing under this one (`InvalidImageName`)"
            .to_owned(),
    }
}

/// A foreign text for a terminal: control characters other than line ends are shown as `?`, so
/// that no plugin can move the cursor. Marks of direction are too, since they can make a text
/// look like another one.
pub(crate) fn sanitize(text: &str) -> String {
    let show = |c: char| if is_deceptive(c) && c != '\n' && c != '\t' { '?' } else { c };
    text.chars().map(show).collect()
}

/// Whether a character is invisible and changes how others look.
pub(crate) fn is_deceptive(c: char) -> bool {
    let is_mark = matches!(
        c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    );
    is_mark || c.is_control()
}

/// The labels that may begin a line, and the colour that each has on a terminal: red for what
/// fails, yellow for what probably will, green for what works, cyan for information.
const LABELS: [(&str, &str); 22] = [
    ("error:", RED),
    ("refused:", RED),
    ("no match:", RED),
    ("warning:", YELLOW),
    ("skipped:", YELLOW),
    ("accepted:", GREEN),
    ("match:", GREEN),
    ("ok:", GREEN),
    ("added:", GREEN),
    ("replaced:", GREEN),
    ("removed:", GREEN),
    ("must pull:", YELLOW),
    ("kills the kubelet:", RED),
    ("no credentials:", RED),
    ("risk:", YELLOW),
    ("read:", CYAN),
    ("fix:", CYAN),
    ("advice:", CYAN),
    ("note:", CYAN),
    ("hint:", CYAN),
    ("caused by:", CYAN),
    ("kubelet:", CYAN),
];
const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const GREEN: &str = "\x1b[1;32m";
const CYAN: &str = "\x1b[1;36m";
const RESET: &str = "\x1b[0m";

/// A text for people with its labels in colour.
pub(crate) fn paint_labels(text: &str) -> String {
    let mut painted = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = line.trim_start_matches(' ');
        let indent = &line[..line.len() - rest.len()];
        let label = LABELS.iter().find_map(|(label, colour)| {
            rest.strip_prefix(label).map(|rest| (*label, *colour, rest))
        });
        match label {
            Some((label, colour, rest)) => {
                painted.extend([indent, colour, label, RESET, rest]);
            }
            None => painted.push_str(line),
        }
    }
    painted
}

/// The time of a run, for people.
pub(crate) fn elapsed(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// A time in UTC by RFC 3339, in whole seconds.
pub(crate) fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day counted from 1970-01-01 in the Gregorian calendar.
fn civil(days: u64) -> (u64, u64, u64) {
    let is_leap =
        |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    // Whole cycles of 400 years first, so that the loop below is short.
    let (mut year, mut left) = (1970 + days / 146_097 * 400, days % 146_097);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(utc(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn only_labels_at_the_beginning_of_a_line_are_painted() {
        let painted = paint_labels("ok: a\n  hint: b error: c\n\"error\": 1\n");
        let expected =
            "\x1b[1;32mok:\x1b[0m a\n  \x1b[1;36mhint:\x1b[0m b error: c\n\"error\": 1\n";
        assert_eq!(painted, expected);
        for (label, colour) in LABELS {
            let is_good = matches!(
                label,
                "accepted:" | "match:" | "ok:" | "added:" | "replaced:" | "removed:"
            );
            assert_eq!(colour == GREEN, is_good, "{label}");
        }
    }

    #[test]
    fn no_escape_sequence_passes() {
        assert_eq!(sanitize("a\x1b[2Jb\nc\td\u{9b}"), "a?[2Jb\nc\td?");
    }
}
