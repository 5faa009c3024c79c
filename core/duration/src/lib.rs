//! Durations in Go's text form, which the kubelet's API uses on the wire.
//!
//! Source: Go package `time`, `ParseDuration` and `Duration.String`; Kubernetes
//! `metav1.Duration`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// A signed span of time in whole nanoseconds, as Go's `time.Duration`.
///
/// The kubelet can read negative durations, so this type can hold them. Our responses
/// are built from [`std::time::Duration`] and are never negative.
///
/// ```
/// use pullpass_go_duration::GoDuration;
///
/// let duration: GoDuration = "1h30m".parse()?;
/// assert_eq!(duration.to_string(), "1h30m0s");
/// # Ok::<(), pullpass_go_duration::DurationError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

impl GoDuration {
    /// No time at all: `0s`.
    pub const ZERO: Self = Self(0);

    /// A span of `nanoseconds`, which may be negative.
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self(nanoseconds)
    }

    /// The span in nanoseconds.
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whether the span lies before zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The span as an unsigned duration, or `None` when it is negative.
    pub fn to_std(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }
}

impl From<Duration> for GoDuration {
    /// Saturates at Go's longest duration, about 292 years.
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    /// Reads Go's form: an optional sign, then decimal numbers each with a unit
    /// out of `ns`, `us`, `µs`, `ms`, `s`, `m`, `h`. A bare `0` is allowed.
    fn from_str(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(text.to_owned());
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        // Go sums in unsigned 64 bits, so that the most negative value still fits.
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (number, after) = Decimal::split(rest).ok_or_else(invalid)?;
            let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
            let (unit, next) = after.split_at(end);
            if unit.is_empty() {
                return Err(DurationError::MissingUnit(text.to_owned()));
            }
            let unit = nanoseconds_in(unit).ok_or_else(|| DurationError::UnknownUnit {
                unit: unit.to_owned(),
                duration: text.to_owned(),
            })?;
            let part = number.times(unit).ok_or_else(invalid)?;
            total = total.checked_add(part).filter(|sum| *sum <= 1 << 63).ok_or_else(invalid)?;
            rest = next;
        }
        if negative {
            return Ok(Self(0i64.wrapping_sub_unsigned(total)));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.unsigned_abs();
        if total == 0 {
            return f.write_str("0s");
        }
        if self.is_negative() {
            f.write_str("-")?;
        }
        if total < SECOND {
            let (unit, name) = match total {
                0..MICROSECOND => (1, "ns"),
                MICROSECOND..MILLISECOND => (MICROSECOND, "µs"),
                _ => (MILLISECOND, "ms"),
            };
            return write!(f, "{}{name}", Fixed { value: total, unit });
        }
        if total >= HOUR {
            write!(f, "{}h", total / HOUR)?;
        }
        if total >= MINUTE {
            write!(f, "{}m", total % HOUR / MINUTE)?;
        }
        write!(f, "{}s", Fixed { value: total % MINUTE, unit: SECOND })
    }
}

/// Why a text is not a Go duration. The messages are Go's, since the kubelet prints them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Not a duration at all, or too long for 64 bits of nanoseconds.
    Invalid(String),
    /// A number without its unit.
    MissingUnit(String),
    /// A unit that Go does not know, such as `d`.
    UnknownUnit {
        /// The unit as written.
        unit: String,
        /// The whole text.
        duration: String,
    },
}

impl std::error::Error for DurationError {}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(text) => write!(f, "time: invalid duration {}", GoQuoted(text)),
            Self::MissingUnit(text) => {
                write!(f, "time: missing unit in duration {}", GoQuoted(text))
            }
            Self::UnknownUnit { unit, duration } => write!(
                f,
                "time: unknown unit {} in duration {}",
                GoQuoted(unit),
                GoQuoted(duration)
            ),
        }
    }
}

fn nanoseconds_in(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // U+00B5 micro sign and U+03BC Greek mu: Go takes both.
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    })
}

/// A decimal number as Go reads it: whole digits, then a fraction over a scale.
struct Decimal {
    whole: u64,
    fraction: u64,
    scale: f64,
}

impl Decimal {
    /// Splits the number off the front of `text`; `None` when there is none or it overflows.
    fn split(text: &str) -> Option<(Self, &str)> {
        let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (whole_digits, mut rest) = text.split_at(digits(text));
        let mut whole: u64 = 0;
        for digit in whole_digits.bytes() {
            whole = whole.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            if whole > 1 << 63 {
                return None;
            }
        }
        let (mut fraction, mut scale, mut has_fraction) = (0u64, 1f64, false);
        if let Some(after_point) = rest.strip_prefix('.') {
            let (fraction_digits, after) = after_point.split_at(digits(after_point));
            has_fraction = !fraction_digits.is_empty();
            for digit in fraction_digits.bytes() {
                // Digits beyond 63 bits make no difference; Go drops them too.
                let next =
                    fraction.checked_mul(10).and_then(|f| f.checked_add(u64::from(digit - b'0')));
                match next {
                    Some(next) if next <= i64::MAX as u64 => {
                        (fraction, scale) = (next, scale * 10.0)
                    }
                    _ => break,
                }
            }
            rest = after;
        }
        (!whole_digits.is_empty() || has_fraction)
            .then_some((Self { whole, fraction, scale }, rest))
    }

    fn times(&self, unit: u64) -> Option<u64> {
        let whole = self.whole.checked_mul(unit).filter(|v| *v <= 1 << 63)?;
        // Floating point on purpose: Go rounds fractions the same way.
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        whole.checked_add(fraction).filter(|v| *v <= 1 << 63)
    }
}

/// `value / unit` without trailing zeros.
struct Fixed {
    value: u64,
    unit: u64,
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value / self.unit)?;
        let rest = self.value % self.unit;
        if rest == 0 {
            return Ok(());
        }
        let width = self.unit.ilog10() as usize;
        let digits = format!("{rest:0width$}");
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

/// A text between quotes as package `time` writes it: ASCII from the space on stays as it is.
struct GoQuoted<'a>(&'a str);

impl fmt::Display for GoQuoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                ' '..='\x7f' => write!(f, "{c}")?,
                _ => {
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        write!(f, "\\x{byte:02x}")?;
                    }
                }
            }
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, canonical) in [
            ("0", "0s"),
            ("+0", "0s"),
            ("0s", "0s"),
            ("90m", "1h30m0s"),
            ("1h30m", "1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("-1h", "-1h0m0s"),
            ("+5m", "5m0s"),
            ("12h", "12h0m0s"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("1500ms", "1.5s"),
            ("21600ns", "21.6µs"),
            ("3us", "3µs"),
            ("3\u{3bc}s", "3µs"),
            ("1ns", "1ns"),
            ("0.100000000000000000000h", "6m0s"),
            ("9223372036854775807ns", "2562047h47m16.854775807s"),
            ("-9223372036854775808ns", "-2562047h47m16.854775808s"),
            ("0.3333333333333333333h", "20m0s"),
        ] {
            let parsed: GoDuration = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(parsed.to_string(), canonical, "{text}");
        }
    }

    #[test]
    fn refuses_what_go_refuses_in_its_words() {
        for (text, message) in [
            ("", r#"time: invalid duration """#),
            ("60", r#"time: missing unit in duration "60""#),
            ("1d", r#"time: unknown unit "d" in duration "1d""#),
            ("10 m", r#"time: unknown unit " m" in duration "10 m""#),
            ("-", r#"time: invalid duration "-""#),
            (".", r#"time: invalid duration ".""#),
            (".s", r#"time: invalid duration ".s""#),
            ("1h-5m", r#"time: unknown unit "h-" in duration "1h-5m""#),
            ("--5m", r#"time: invalid duration "--5m""#),
            ("1\"", r#"time: unknown unit "\"" in duration "1\"""#),
            ("1\u{7f}", "time: unknown unit \"\u{7f}\" in duration \"1\u{7f}\""),
            ("1é", r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#),
            ("9223372036854775808ns", r#"time: invalid duration "9223372036854775808ns""#),
            ("2562048h", r#"time: invalid duration "2562048h""#),
            ("99999999999999999999h", r#"time: invalid duration "99999999999999999999h""#),
        ] {
            let error = text.parse::<GoDuration>().expect_err(text);
            assert_eq!(error.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn round_trip(nanoseconds: i64) {
            let duration = GoDuration::from_nanoseconds(nanoseconds);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn never_panics(text: String) {
            let _ = text.parse::<GoDuration>();
        }

        #[test]
        fn near_misses_never_panic(text in "[-+]?([0-9]{0,20}(\\.[0-9]{0,22})?(ns|us|µs|ms|s|m|h|d)?){0,4}") {
            if let Ok(duration) = text.parse::<GoDuration>() {
                prop_assert_eq!(duration.to_string().parse(), Ok(duration));
            }
        }
    }
}
