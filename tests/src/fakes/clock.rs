//! Times as clouds write them, in seconds of the Unix epoch: RFC 3339 in answers, and
//! `20150830T123600Z` in signatures of AWS. Proleptic Gregorian calendar, UTC.

const DAY: i64 = 86_400;

/// `20150830T123600Z`.
pub(super) fn amz(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let (hour, minute, second) = clock(seconds.rem_euclid(DAY));
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `2015-08-30T12:36:00Z`.
pub(super) fn rfc3339(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let (hour, minute, second) = clock(seconds.rem_euclid(DAY));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Reads `20150830T123600Z`; `None` for anything else.
pub(super) fn from_amz(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z')?.replacen('T', "", 1);
    let shaped = text.len() == 16 && text.as_bytes()[8] == b'T';
    if !shaped || digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let days = days(year, month, day);
    let exists = civil(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    exists.then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

fn clock(seconds: i64) -> (i64, i64, i64) {
    (seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Days since 1970-01-01 of a date. A year begins in March here, so that the leap day comes last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The date of a day since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_written_and_read() {
        // By `date -u -d @N +%Y%m%dT%H%M%SZ`.
        let known = [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (951_868_799, "20000229T235959Z"),
            (1_440_938_160, "20150830T123600Z"),
            (1_709_210_096, "20240229T123456Z"),
            (4_107_542_400, "21000301T000000Z"),
        ];
        for (seconds, text) in known {
            assert_eq!(amz(seconds), text);
            assert_eq!(from_amz(text), Some(seconds), "{text}");
        }
        assert_eq!(rfc3339(1_440_938_160), "2015-08-30T12:36:00Z");
    }

    #[test]
    fn every_day_of_two_centuries_is_read_back() {
        for day in 0..73_000 {
            assert_eq!(from_amz(&amz(day * DAY + 1)), Some(day * DAY + 1));
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830123600Z",
            "2015083T1123600Z",
            "20150230T123600Z",
            "20151330T123600Z",
            "20150830T246060Z",
            "2015-8-3T123600Z",
            "+0150830T123600Z",
        ] {
            assert_eq!(from_amz(text), None, "{text}");
        }
    }
}
