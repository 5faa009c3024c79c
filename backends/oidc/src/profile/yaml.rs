//! Strict YAML: an unknown field is an error. An error names the field and what it takes, and never
//! repeats its value, which may be a secret.

use pullpass::{Error, one_line};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use serde_saphyr::Error as YamlError;
use serde_saphyr::options::AliasLimits;

use super::example::find_example;

/// The most values in a file, also those that an alias repeats.
const MAX_VALUES: usize = 50_000;

/// The longest that all texts of a file are together, in bytes, also those that an alias repeats.
const MAX_TEXT: usize = 1024 * 1024;

/// The deepest that lists and mappings are nested.
const MAX_DEPTH: usize = 32;

/// Reads strict YAML, of which JSON is a part.
///
/// # Errors
/// Config, when the text is not YAML, has more in it than a configuration may have, or a field is
/// missing, unknown or of another type: with line and column, and an example as the hint.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: MAX_VALUES,
            max_total_scalar_bytes: MAX_TEXT,
            max_recorded_anchor_events: MAX_VALUES,
            max_recorded_anchor_bytes: MAX_TEXT,
            max_depth: MAX_DEPTH,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: {
            let mut limits = AliasLimits::default();
            limits.max_total_replayed_events = MAX_VALUES;
            limits
        },
    };
    let mut field = String::new();
    let parsed = serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            field = name_field(error.path());
            error.into_inner()
        })
    });
    parsed.map_err(|error| describe(&error, &field))
}

/// The field's name from the profile on, such as `exchange.steps[0].url`; empty for the whole file.
fn name_field(path: &Path) -> String {
    let segments: Vec<&Segment> = path.iter().collect();
    let segments = match segments.as_slice() {
        // `Spanned` adds a `value`. The line says which profile it is.
        [_, Segment::Seq { .. }, Segment::Map { key }, inner @ ..]
            if key == "value" && !inner.is_empty() =>
        {
            inner
        }
        [list, index @ Segment::Seq { .. }, Segment::Map { key }] if key == "value" => {
            return format!("{list}[{index}]");
        }
        all => all,
    };
    let mut name = String::new();
    for segment in segments {
        match segment {
            Segment::Seq { index } => name.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(key);
            }
            Segment::Unknown => {}
        }
    }
    name
}

fn describe(error: &YamlError, field: &str) -> Error {
    let place = match error.location() {
        Some(at) => format!("line {}, column {}: ", at.line(), at.column()),
        None => String::new(),
    };
    let is_too_large = is_too_large(error);
    let error = Error::config(format!("{place}{}", one_line(&say_what_is_wrong(error, field))));
    match find_example(field) {
        Some(example) if !is_too_large => {
            let name = field.rsplit('.').next().unwrap_or(field);
            // The example of an item is the whole list.
            let name = name.split('[').next().unwrap_or(name);
            error.with_hint(format!("write it as in `{name}: {example}`"))
        }
        _ => error,
    }
}

fn is_too_large(error: &YamlError) -> bool {
    matches!(
        error.without_snippet(),
        YamlError::Budget { .. }
            | YamlError::AliasReplayLimitExceeded { .. }
            | YamlError::AliasReplayStackDepthExceeded { .. }
            | YamlError::AliasReplayCounterOverflow { .. }
    )
}

fn say_what_is_wrong(error: &YamlError, field: &str) -> String {
    let subject = match field {
        "" => "the file".to_owned(),
        field => format!("`{field}`"),
    };
    let parent = match field {
        "" => String::new(),
        field => format!(" in `{field}`"),
    };
    let list = |names: &[&'static str]| {
        names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    };
    match error.without_snippet() {
        _ if is_too_large(error) => format!(
            "the file has more than {MAX_VALUES} values, {MAX_TEXT} bytes of text or {MAX_DEPTH} \
             levels (an alias counts as what it repeats); keep only the profiles that this node \
             uses"
        ),
        YamlError::AliasError { error, .. } => say_what_is_wrong(error, field),
        YamlError::SerdeUnknownField { field: unknown, expected, .. } => {
            // The path ends with the unknown field itself.
            let parent = match field.strip_suffix(unknown.as_str()) {
                None => parent,
                Some("") => String::new(),
                Some(above) => format!(" in `{}`", above.trim_end_matches('.')),
            };
            format!("unknown field `{unknown}`{parent}, expected one of {}", list(expected))
        }
        YamlError::SerdeMissingField { field: missing, .. } => {
            format!("missing field `{missing}`{parent}")
        }
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            format!("two fields are named `{key}`{parent}")
        }
        YamlError::DuplicateMappingKey { key: None, .. } => {
            format!("two fields have the same name{parent}")
        }
        YamlError::SerdeUnknownVariant { expected, .. } => {
            format!("{subject} must be one of {}", list(expected))
        }
        YamlError::Unexpected { expected, .. } => {
            format!("{subject} must be {}", name_form(expected))
        }
        YamlError::SerdeInvalidType { expected, .. }
        | YamlError::SerdeInvalidValue { expected, .. }
        | YamlError::SerdeInvalidLength { expected, .. } => {
            format!("{subject} must be {}", name_form(expected))
        }
        YamlError::InvalidScalar { ty, .. } => format!("{subject} must be {}", name_form(ty)),
        YamlError::InvalidBooleanStrict { .. } => format!("{subject} must be `true` or `false`"),
        YamlError::NullIntoString { .. } => format!("{subject} has no value"),
        YamlError::Eof { .. } => format!("{subject} is not complete"),
        // The parser's own words, or those of a field's type.
        YamlError::Message { msg, .. } | YamlError::ExternalMessage { msg, .. } => match field {
            "" => msg.clone(),
            _ => format!("{subject}: {msg}"),
        },
        YamlError::MultipleDocuments { .. } => "the file has more than one document".to_owned(),
        YamlError::UnknownAnchor { .. } => "an alias (`*name`) has no anchor (`&name`); put \
             quotes around a value that begins with `*`"
            .to_owned(),
        _ => format!("{subject} cannot be read"),
    }
}

/// The form that the parser expects, in words.
fn name_form(expected: &str) -> &str {
    match expected {
        "mapping start" | "map" | "a map" => "a mapping (`{name: value}`)",
        "sequence start" | "a sequence" => "a list (`[value, value]`)",
        "string scalar" | "string" | "a string" => "a string",
        "boolean" | "a boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "an integer" => "a whole number, not negative",
        // Of serde's own words only those of a derived type begin like this.
        _ if expected.starts_with("struct ") => "a mapping (`{name: value}`)",
        _ => expected,
    }
}

#[cfg(test)]
mod tests {
    use super::super::raw::RawProfile;
    use super::*;

    fn error(text: &str) -> Error {
        parse::<RawProfile>(text).err().unwrap_or_else(|| panic!("{text} is taken"))
    }

    #[test]
    fn an_error_names_the_field_and_its_form_and_not_the_value() {
        for (text, expected, hint) in [
            (
                "serviceAccountToken: hunter2",
                "`serviceAccountToken` must be a mapping",
                "{audience: ",
            ),
            ("exchange: hunter2", "`exchange` must be a mapping", "{type: "),
            ("registries: hunter2", "`registries` must be a list", "[registry.example]"),
            ("variables: {hunter2: a}", "`variables` must be a list", "[{name: "),
            ("http: {retries: hunter2}", "`http.retries` must be a whole number", "retries: 3"),
            ("http: {retries: -1}", "`http.retries` must be a whole number", "retries: 3"),
            ("http: {timeout: hunter2}", "`http.timeout`: must be a duration", "timeout: 20s"),
            ("http: {allowLoopbackHttp: hunter2}", "must be `true` or `false`", ": true"),
            ("http: {proxy: 'ftp://u:hunter2@a'}", "`http.proxy`: must be `inherit`", "proxy: "),
            ("exchange: {type: hunter2}", "`exchange.type` must be one of `passthrough`", "type: "),
            (
                "exchange: {endpoint: [hunter2]}",
                "`exchange.endpoint` must be a string",
                "endpoint: ",
            ),
            (
                "exchange: {scope: {hunter2: a}}",
                "`exchange.scope` must be a string or a list",
                "scope",
            ),
            (
                "exchange: {steps: [{url: a, expect: [hunter2]}]}",
                "steps[0].expect[0]` must be",
                "200",
            ),
            ("exchange: {steps: [{url: 'a${hunter2'}]}", "`exchange.steps[0].url`: `${`", "url: "),
            ("response: {margin: hunter2}", "`response.margin`: must be a duration", "margin: 5m"),
            ("response: {username: [hunter2]}", "`response.username` must be a name", "username: "),
            ("response: {expiry: {default: hunter2}}", "`response.expiry.default`: must be", "1h"),
            ("onRefused: hunter2", "`onRefused` must be one of `fail`, `empty`", "onRefused: "),
        ] {
            let rendered = error(text).render();
            assert!(rendered.contains(expected), "{text}: {rendered}");
            assert!(rendered.contains("line 1, column "), "{text}: {rendered}");
            assert!(rendered.contains("\nhint: write it as in `"), "{text}: {rendered}");
            assert!(rendered.contains(hint), "{text}: {rendered}");
            assert!(!rendered.contains("hunter2"), "{text}: {rendered}");
        }
    }

    #[test]
    fn what_has_too_much_in_it_is_refused_soon() {
        let start = std::time::Instant::now();
        let list = |count: usize, item: &str| vec![item; count].join(",");
        let bomb: String = (1..9)
            .map(|at| format!("  a{at}: &a{at} [{}]\n", list(10, &format!("*a{}", at - 1))))
            .collect();
        for text in [
            format!("registries: [{}]", list(60_000, "a")),
            format!("name: &a {}\nregistries: [{}]", "x".repeat(100_000), list(60, "*a")),
            format!("name: &a x\nregistries: [{}]", list(60_000, "*a")),
            format!("exchange:\n a0: &a0 x\n{bomb}").replace("\n  a", "\n a"),
            format!("name: {}x{}", "[".repeat(200), "]".repeat(200)),
            format!("name: {}", "[".repeat(200_000)),
        ] {
            let rendered = error(&text).render();
            assert!(rendered.contains("line ") && rendered.len() < 900, "{rendered}");
        }
        let rendered = error(&format!("registries: [{}]", list(60_000, "a"))).render();
        assert!(rendered.contains("the file has more than 50000 values"), "{rendered}");
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn a_missing_field_is_named_with_its_parent() {
        let rendered = error("exchange: {discovery: {form: openid}}").render();
        assert!(rendered.contains("missing field `issuer` in `exchange.discovery`"), "{rendered}");
    }
}
