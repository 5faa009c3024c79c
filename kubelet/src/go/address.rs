//! Whether a text is an IP address, with the errors of Go's `netip.ParseAddr`.

use crate::go::quote::quote;

/// Which family an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

/// Reads an address, with a zone after `%` where it is IPv6.
///
/// # Errors
/// Go's whole message, such as `ParseAddr("x"): unable to parse IP`.
pub(crate) fn parse(text: &[u8]) -> Result<Family, String> {
    match text.iter().find(|byte| matches!(byte, b'.' | b':' | b'%')) {
        Some(b'.') => v4_fields(text, text).map(|()| Family::V4),
        Some(b':') => v6(text).map(|()| Family::V6),
        Some(_) => Err(error(text, "missing IPv6 address")),
        None => Err(error(text, "unable to parse IP")),
    }
}

fn v4_fields(whole: &[u8], fields: &[u8]) -> Result<(), String> {
    let (mut value, mut dots, mut digits) = (0u32, 0, 0);
    for (at, &byte) in fields.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(error(whole, "IPv4 field has octet with leading zero"));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(error(whole, "IPv4 field has value >255"));
                }
            }
            b'.' => {
                if at == 0 || at == fields.len() - 1 || fields[at - 1] == b'.' {
                    let message = "IPv4 field must have at least one digit";
                    return Err(error_at(whole, message, &fields[at..]));
                }
                if dots == 3 {
                    return Err(error(whole, "IPv4 address too long"));
                }
                (value, digits, dots) = (0, 0, dots + 1);
            }
            _ => return Err(error_at(whole, "unexpected character", &fields[at..])),
        }
    }
    if dots < 3 { Err(error(whole, "IPv4 address too short")) } else { Ok(()) }
}

fn v6(whole: &[u8]) -> Result<(), String> {
    let mut rest = whole;
    if let Some(percent) = whole.iter().position(|byte| *byte == b'%') {
        rest = &whole[..percent];
        if percent + 1 == whole.len() {
            return Err(error(whole, "zone must be a non-empty string"));
        }
    }
    let mut ellipsis = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        (ellipsis, rest) = (true, after);
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut filled = 0;
    while filled < 16 {
        let fail = |message| Err(error_at(whole, message, rest));
        let width = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        match width {
            0 => return fail("each colon-separated field must have at least one digit"),
            1..=4 => {}
            _ => return fail("each group must have 4 or less digits"),
        }
        if rest.get(width) == Some(&b'.') {
            if !ellipsis && filled != 12 {
                return fail(
                    "embedded IPv4 address must replace the final 2 fields of the address",
                );
            }
            if filled + 4 > 16 {
                return fail(
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                );
            }
            v4_fields(whole, rest)?;
            (rest, filled) = (&[], filled + 4);
            break;
        }
        filled += 2;
        rest = &rest[width..];
        match rest {
            [] => break,
            [b':'] => {
                return Err(error_at(whole, "colon must be followed by more characters", rest));
            }
            [b':', after @ ..] => rest = after,
            _ => return Err(error_at(whole, "unexpected character, want colon", rest)),
        }
        if let Some(after) = rest.strip_prefix(b":") {
            if ellipsis {
                return Err(error_at(whole, "multiple :: in address", rest));
            }
            (ellipsis, rest) = (true, after);
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return Err(error_at(whole, "trailing garbage after address", rest));
    }
    match (filled < 16, ellipsis) {
        (true, false) => Err(error(whole, "address string too short")),
        (false, true) => Err(error(whole, "the :: must expand to at least one field of zeros")),
        _ => Ok(()),
    }
}

fn error(whole: &[u8], message: &str) -> String {
    format!("ParseAddr({}): {message}", quote(whole))
}

fn error_at(whole: &[u8], message: &str, at: &[u8]) -> String {
    // Go leaves the place out when it is empty.
    if at.is_empty() {
        return error(whole, message);
    }
    format!("{} (at {})", error(whole, message), quote(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_go_does() {
        for text in ["::1", "::", "fd00::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1%eth0"] {
            assert_eq!(parse(text.as_bytes()), Ok(Family::V6), "{text}");
        }
        assert_eq!(parse(b"10.0.0.1"), Ok(Family::V4));
    }

    /// The right column was printed by Go 1.26.8.
    #[test]
    fn an_ipv4_address_ends_an_ipv6_address_only_where_it_fits() {
        for text in ["::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1::2:1.2.3.4", "64:ff9b::10.0.0.1%eth0"] {
            assert_eq!(parse(text.as_bytes()), Ok(Family::V6), "{text}");
        }
        for (text, message) in [
            (
                "1:2:3:4:5:1.2.3.4",
                "embedded IPv4 address must replace the final 2 fields of the address (at \"1.2.3.4\")",
            ),
            (
                "1:2:3:4:5:6:7:1.2.3.4",
                "embedded IPv4 address must replace the final 2 fields of the address (at \"1.2.3.4\")",
            ),
            (
                "::1:2:3:4:5:6:7:1.2.3.4",
                "too many hex fields to fit an embedded IPv4 at the end of the address (at \"1.2.3.4\")",
            ),
            ("::1.2.3", "IPv4 address too short"),
            ("::1.2.3.4.5", "IPv4 address too long"),
            ("::256.0.0.1", "IPv4 field has value >255"),
            ("::01.2.3.4", "IPv4 field has octet with leading zero"),
            ("::1.2.3.4:5", "unexpected character (at \":5\")"),
            ("::1.2.3.x", "unexpected character (at \"x\")"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(format!("ParseAddr(\"{text}\"): {message}")));
        }
    }

    /// The right column was printed by Go 1.26.8.
    #[test]
    fn refuses_in_go_s_words() {
        for (text, message) in [
            ("", r#"ParseAddr(""): unable to parse IP"#),
            ("abc", r#"ParseAddr("abc"): unable to parse IP"#),
            ("%1", r#"ParseAddr("%1"): missing IPv6 address"#),
            ("1.2.3", r#"ParseAddr("1.2.3"): IPv4 address too short"#),
            ("1:2", r#"ParseAddr("1:2"): address string too short"#),
            ("1:", r#"ParseAddr("1:"): colon must be followed by more characters (at ":")"#),
            ("::%", r#"ParseAddr("::%"): zone must be a non-empty string"#),
            ("1.2.3.4%a", r#"ParseAddr("1.2.3.4%a"): unexpected character (at "%a")"#),
            ("1::2::3", r#"ParseAddr("1::2::3"): multiple :: in address (at ":3")"#),
            (
                "1:2:3:4:5:6:7:8:9",
                r#"ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")"#,
            ),
            (
                "::1:2:3:4:5:6:7:8",
                r#"ParseAddr("::1:2:3:4:5:6:7:8"): the :: must expand to at least one field of zeros"#,
            ),
            (
                "1:2:3:4:5:6:7:8::",
                r#"ParseAddr("1:2:3:4:5:6:7:8::"): the :: must expand to at least one field of zeros"#,
            ),
            (
                "12345::",
                r#"ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")"#,
            ),
        ] {
            assert_eq!(parse(text.as_bytes()).expect_err(text), message);
        }
    }
}
