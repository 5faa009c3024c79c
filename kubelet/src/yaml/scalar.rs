//! The scalars of YAML 1.1 as the kubelet's library knows them.

use std::rc::Rc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

use crate::document::Fault;
use crate::go::quote::quote;
use crate::yaml::timestamp;

/// Go's decoder ignores the bits that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What a scalar is in Go.
#[derive(Clone, Debug)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// As Go prints it.
    Int(String),
    /// An integer that only `uint64` holds.
    Uint(u64),
    Float(f64),
    Text(Rc<str>),
}

impl Scalar {
    /// The type of a scalar by its tag, or else by its form.
    ///
    /// # Errors
    /// When the tag and the form contradict each other.
    pub(super) fn resolve(
        text: &Rc<str>,
        tag: &[u8],
        is_implicit: bool,
        at: usize,
    ) -> Result<Self, Fault> {
        let as_text = || Self::Text(Rc::clone(text));
        let wanted = match tag {
            b"" if !is_implicit => return Ok(as_text()),
            b"" => "",
            b"tag:yaml.org,2002:bool" => "bool",
            b"tag:yaml.org,2002:int" => "int",
            b"tag:yaml.org,2002:float" => "float",
            b"tag:yaml.org,2002:null" => "null",
            b"tag:yaml.org,2002:timestamp" => "timestamp",
            b"tag:yaml.org,2002:binary" => return decode_binary(text, at),
            _ => return Ok(as_text()),
        };
        let takes_timestamps = matches!(wanted, "" | "timestamp");
        let (found, scalar) = if takes_timestamps && timestamp::is_timestamp(text) {
            ("timestamp", as_text())
        } else {
            Self::of_looks(text)
        };
        if wanted.is_empty() || wanted == found {
            return Ok(scalar);
        }
        if let (Self::Int(digits), "float") = (&scalar, wanted) {
            return Ok(Self::Float(digits.parse().unwrap_or_default()));
        }
        // The kubelet quotes the text, which may be a password.
        let message = format!("yaml: cannot decode !!{found} `...` as a !!{wanted}");
        Err(Fault { verbatim: false, ..Fault::at(message, at) })
    }

    /// What a plain text is, and the name of that type.
    fn of_looks(text: &Rc<str>) -> (&'static str, Self) {
        match &**text {
            "" | "~" | "null" | "Null" | "NULL" => return ("null", Self::Null),
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                return ("bool", Self::Bool(true));
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off"
            | "OFF" => return ("bool", Self::Bool(false)),
            ".nan" | ".NaN" | ".NAN" => return ("float", Self::Float(f64::NAN)),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
                return ("float", Self::Float(f64::INFINITY));
            }
            "-.inf" | "-.Inf" | "-.INF" => return ("float", Self::Float(f64::NEG_INFINITY)),
            // Only as a key, and there it is found earlier.
            "<<" => return ("merge", Self::Text(Rc::clone(text))),
            _ => {}
        }
        let number = match text.as_bytes().first() {
            Some(b'.') => decimal(text).map(|value| ("float", Self::Float(value))),
            Some(b'+' | b'-' | b'0'..=b'9') => {
                let digits = text.replace('_', "");
                integer(&digits)
                    .map(|number| ("int", number))
                    .or_else(|| decimal(&digits).map(|value| ("float", Self::Float(value))))
            }
            _ => None,
        };
        number.unwrap_or_else(|| ("str", Self::Text(Rc::clone(text))))
    }

    /// The text that it becomes as a key of JSON.
    pub(super) fn as_key(&self) -> Option<Rc<str>> {
        match self {
            Self::Text(text) => Some(Rc::clone(text)),
            Self::Bool(on) => Some(if *on { "true" } else { "false" }.into()),
            Self::Int(digits) => Some(digits.as_str().into()),
            Self::Float(value) if value.is_nan() => Some(".nan".into()),
            Self::Float(f64::INFINITY) => Some(".inf".into()),
            Self::Float(f64::NEG_INFINITY) => Some("-.inf".into()),
            #[expect(clippy::cast_possible_truncation, reason = "the library prints 32 bits")]
            Self::Float(value) => Some(general(&format!("{:e}", *value as f32)).into()),
            Self::Null | Self::Uint(_) => None,
        }
    }

    /// As Go's `%#v` shows it.
    pub(super) fn display(&self) -> String {
        match self {
            Self::Null => "<nil>".to_owned(),
            Self::Bool(on) => on.to_string(),
            Self::Int(digits) => digits.clone(),
            Self::Uint(value) => format!("{value:#x}"),
            Self::Float(value) if value.is_finite() => general(&format!("{value:e}")),
            Self::Float(value) => not_finite(*value).to_owned(),
            Self::Text(text) => quote(&**text),
        }
    }
}

/// As Go prints a number that JSON cannot hold.
pub(super) fn not_finite(value: f64) -> &'static str {
    match value {
        f64::INFINITY => "+Inf",
        f64::NEG_INFINITY => "-Inf",
        _ => "NaN",
    }
}

/// Go's verb `%g`, from the shortest digits with an exponent, such as `1.5e3`.
fn general(scientific: &str) -> String {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    if !(-4..6).contains(&exponent) {
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{mark}{:02}", exponent.abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    if exponent < 0 {
        format!("{sign}0.{}{digits}", zeros(-exponent - 1))
    } else if digits.len() <= point {
        let missing = i32::try_from(point - digits.len()).unwrap_or(0);
        format!("{sign}{digits}{}", zeros(missing))
    } else {
        format!("{sign}{}.{}", &digits[..point], &digits[point..])
    }
}

fn decode_binary(text: &str, at: usize) -> Result<Scalar, Fault> {
    let digits: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64
        .decode(digits)
        .map_err(|_| Fault::at("yaml: !!binary value contains invalid base64 data", at))?;
    Ok(Scalar::Text(String::from_utf8_lossy(&bytes).into()))
}

/// Go's integers with base 0: `0x`, `0o`, `0b` and a leading `0` for octal.
fn integer(text: &str) -> Option<Scalar> {
    let (is_negative, digits) = match text.strip_prefix('-') {
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
    if is_negative {
        let digits = if value == 0 { "0".to_owned() } else { format!("-{value}") };
        return (value <= 1 << 63).then_some(Scalar::Int(digits));
    }
    if i64::try_from(value).is_ok() {
        return Some(Scalar::Int(value.to_string()));
    }
    // With a plus sign Go reads signed numbers only.
    (!text.starts_with('+')).then_some(Scalar::Uint(value))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_shaped = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    // Go refuses what overflows, and so leaves a text.
    if is_shaped { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}
