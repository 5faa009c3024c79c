//! Values of the wrong type, and texts that are not durations.

use pullpass_go_duration::GoDuration;

use crate::finding::Finding;

/// What to do about a value that does not fit its field.
pub(super) fn type_hint(finding: &Finding) -> String {
    let message = finding.message.as_str();
    let text = finding.location.as_ref().map(|at| at.text()).unwrap_or_default();
    if message.contains("defaultCacheDuration") || message.starts_with("time: ") {
        return duration_hint(text);
    }
    let Some((found, wanted)) = types(message) else {
        return "write a value of the type that this field has".to_owned();
    };
    match (found, wanted) {
        ("bool", "string") => {
            "put quotes around it: YAML reads `true`, `false`, `yes`, `no`, `on` and `off` as \
             booleans, but this field is a string"
                .to_owned()
        }
        ("number", "string") => {
            "put quotes around it: YAML reads it as a number, but this field is a string".to_owned()
        }
        ("string", "bool") => "write `true` or `false` without quotes".to_owned(),
        ("string", wanted) if wanted.starts_with("[]") => {
            "write a list: one line beginning with `- ` for each value, or `[\"...\"]`".to_owned()
        }
        ("object", wanted) if wanted.ends_with("CredentialProvider") => {
            "begin each provider with `- `".to_owned()
        }
        ("object", wanted) if wanted.ends_with("ExecEnvVar") => {
            "write each variable as `- name: NAME`, with `value: \"...\"` on the next line"
                .to_owned()
        }
        ("string", wanted) if wanted.ends_with("ExecEnvVar") => {
            "write the variable as `name: NAME`, with `value: \"...\"` on the next line, not as \
             `NAME=...`"
                .to_owned()
        }
        ("object", wanted) if wanted.starts_with("[]") => {
            "write a list: begin each entry with `- `".to_owned()
        }
        ("object", "string") => {
            "write a string: put quotes around a value that contains `: `, `{` or `}`".to_owned()
        }
        ("array", "string") => "write a single string, not a list".to_owned(),
        (_, wanted) => format!("write {}", describe(wanted)),
    }
}

/// The two types of `json: cannot unmarshal FOUND into Go ... of type WANTED`.
fn types(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("cannot unmarshal ")?;
    let (found, rest) = rest.split_once(' ')?;
    let (_, wanted) = rest.rsplit_once(" of type ")?;
    Some((found, wanted))
}

fn describe(wanted: &str) -> &'static str {
    match wanted {
        "string" => "a string in quotes",
        "bool" => "`true` or `false`",
        _ if wanted.starts_with("[]") => "a list",
        _ => "a mapping, with one line `NAME: VALUE` for each field",
    }
}

/// What to write instead of `text`.
fn duration_hint(text: &str) -> String {
    const FORMS: &str = "durations are written like `10m`, `12h` or `1h30m`";
    match correct(text.trim().trim_matches(['"', '\''])) {
        Some(duration) => format!("write `{duration}`; {FORMS}"),
        None => FORMS.to_owned(),
    }
}

/// The duration that was meant: a number with the unit as people write it.
fn correct(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u32 = text[..digits].parse().ok()?;
    let corrected = match text[digits..].trim().to_lowercase().as_str() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => format!("{number}s"),
        "m" | "min" | "mins" | "minute" | "minutes" => format!("{number}m"),
        "h" | "hr" | "hrs" | "hour" | "hours" => format!("{number}h"),
        "d" | "day" | "days" => format!("{}h", number.checked_mul(24)?),
        "w" | "week" | "weeks" => format!("{}h", number.checked_mul(24 * 7)?),
        _ => return None,
    };
    corrected.parse::<GoDuration>().is_ok().then_some(corrected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, expected) in [
            ("1d", "24h"),
            ("3600", "3600s"),
            ("\"3600\"", "3600s"),
            ("12H", "12h"),
            ("10M", "10m"),
            ("5min", "5m"),
            ("12 h", "12h"),
            ("2 weeks", "336h"),
        ] {
            let hint = duration_hint(text);
            assert!(hint.starts_with(&format!("write `{expected}`; ")), "{text}: {hint}");
        }
        for text in ["", "soon", "1h30", "99999999999", "PT12H"] {
            assert!(duration_hint(text).starts_with("durations are written"), "{text}");
        }
    }
}
