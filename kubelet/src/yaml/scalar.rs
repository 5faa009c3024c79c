//! The scalars of YAML 1.1 as the kubelet's library knows them.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use granit_parser::Tag;

use crate::document::{Fault, Value};
use crate::go::quote::quote;
use crate::yaml::builder::Phase;

/// Go's decoder does not look at the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

pub(super) struct Scalar {
    pub(super) value: Value,
    /// As Go's `%#v` shows it.
    pub(super) shown: String,
    /// What ends the reading, unless something else ends it before.
    pub(super) fault: Option<(Phase, Fault)>,
}

impl Scalar {
    fn text(text: &str) -> Self {
        Self { value: Value::String(text.to_owned()), shown: quote(text), fault: None }
    }
}

/// What a scalar is by its style and its tag, else by its looks.
pub(super) fn resolve(text: &str, plain: bool, tag: Option<&Tag>, at: usize) -> Scalar {
    let tag = tag.map(ToString::to_string);
    let wanted = tag.as_deref().map(|tag| tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag));
    match wanted {
        None if !plain => return Scalar::text(text),
        Some("binary") => return binary(text, at),
        Some(other) if !matches!(other, "null" | "bool" | "int" | "float") => {
            return Scalar::text(text);
        }
        _ => {}
    }
    let (found, mut scalar) = match plain_value(text) {
        Plain::Null => ("null", known(Value::Null, "<nil>".to_owned())),
        Plain::Bool(on) => ("bool", known(Value::Bool(on), on.to_string())),
        Plain::Int(shown) => ("int", known(Value::Number, shown)),
        Plain::Float(number) => ("float", float(number, at)),
        Plain::Text => ("str", Scalar::text(text)),
    };
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found)
        && (found, wanted) != ("int", "float")
    {
        let message = format!("yaml: cannot decode !!{found} `{text}` as a !!{wanted}");
        scalar.fault = Some((Phase::Resolve, Fault::at(message, at)));
    }
    scalar
}

fn known(value: Value, shown: String) -> Scalar {
    Scalar { value, shown, fault: None }
}

/// JSON has no numbers that are not finite.
fn float(number: f64, at: usize) -> Scalar {
    let shown = match number {
        _ if number.is_nan() => "NaN".to_owned(),
        f64::INFINITY => "+Inf".to_owned(),
        f64::NEG_INFINITY => "-Inf".to_owned(),
        _ => number.to_string(),
    };
    let message = format!("json: unsupported value: {shown}");
    let fault = (!number.is_finite()).then(|| (Phase::Write, Fault::at(message, at)));
    Scalar { value: Value::Number, shown, fault }
}

fn binary(text: &str, at: usize) -> Scalar {
    let digits: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    match BASE64.decode(digits) {
        Ok(bytes) => Scalar::text(&String::from_utf8_lossy(&bytes)),
        Err(_) => {
            let message = "yaml: !!binary value contains invalid base64 data";
            Scalar { fault: Some((Phase::Resolve, Fault::at(message, at))), ..Scalar::text(text) }
        }
    }
}

enum Plain {
    Null,
    Bool(bool),
    /// As Go prints it.
    Int(String),
    Float(f64),
    Text,
}

/// The scalars of YAML 1.1 as the kubelet's library knows them.
fn plain_value(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Plain::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Plain::Bool(false);
        }
        ".nan" | ".NaN" | ".NAN" => return Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Plain::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Plain::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => decimal(text).map_or(Plain::Text, Plain::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            let digits = text.replace('_', "");
            match integer(&digits) {
                Some(number) => Plain::Int(number),
                None => decimal(&digits).map_or(Plain::Text, Plain::Float),
            }
        }
        _ => Plain::Text,
    }
}

/// Go's integers with base 0: `0x`, `0o`, `0b` and a leading `0` for octal.
fn integer(text: &str) -> Option<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let value = u64::from_str_radix(body, radix).ok()?;
    if negative {
        return (value <= 1 << 63)
            .then(|| if value == 0 { "0".into() } else { format!("-{value}") });
    }
    // With a plus sign Go reads signed numbers only.
    if text.starts_with('+') && i64::try_from(value).is_err() {
        return None;
    }
    Some(value.to_string())
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let shaped = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    // Go refuses what overflows, and so leaves a text.
    if shaped { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}
