//! Go 1.26's package `net/url`, function `Parse`, for texts that begin with
//! `https://` or `http://`, which is all that the kubelet gives it.

use crate::go::{
    address::{self, Family},
    quote::quote,
};

/// The parts of a URL that the kubelet looks at. Bytes, since percent-decoding can
/// leave bytes that are not UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// Host with port, percent-decoded; an IPv6 address in brackets.
    pub(crate) host: Vec<u8>,
    /// Path, percent-decoded.
    pub(crate) path: Vec<u8>,
    /// Whether there was a user before the host.
    pub(crate) has_user: bool,
    /// Whether a query followed.
    pub(crate) has_query: bool,
    /// Whether a fragment followed.
    pub(crate) has_fragment: bool,
}

impl Url {
    /// # Errors
    /// Go's whole message: `parse "https://...": ...`.
    pub(crate) fn parse(text: &str, colons: Colons) -> Result<Self, String> {
        let (main, fragment) = match text.split_once('#') {
            Some((main, fragment)) => (main, Some(fragment)),
            None => (text, None),
        };
        let url = Self::parse_main(main, fragment.is_some(), colons)
            .map_err(|why| format!("parse {}: {why}", quote(main)))?;
        if let Some(fragment) = fragment {
            unescape(fragment.as_bytes(), Part::Other)
                .map_err(|why| format!("parse {}: {why}", quote(text)))?;
        }
        Ok(url)
    }

    fn parse_main(text: &str, has_fragment: bool, colons: Colons) -> Result<Self, String> {
        if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        let rest = text.split_once("://").map_or(text, |(_scheme, rest)| rest).as_bytes();
        let (rest, has_query) = match rest.iter().position(|byte| *byte == b'?') {
            Some(at) => (&rest[..at], true),
            None => (rest, false),
        };
        let slash = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        let (host, has_user) = match authority.iter().rposition(|byte| *byte == b'@') {
            Some(at) => {
                let host = parse_host(&authority[at + 1..], colons)?;
                check_user(&authority[..at])?;
                (host, true)
            }
            None => (parse_host(authority, colons)?, false),
        };
        let path = unescape(path, Part::Other)?;
        Ok(Self { host, path, has_user, has_query, has_fragment })
    }
}

/// How colons in a host are read: Go's setting `urlstrictcolons`, which has the default
/// of the Go version that the program was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colons {
    /// Go 1.26: the port begins at the first.
    Strict,
    /// Before: at the last.
    Loose,
}

/// Go's `net.SplitHostPort`, or the whole host and no port where that fails: the
/// two parts of [`Url::host`] as the kubelet splits it.
pub(crate) fn split_port(host: &[u8]) -> (&[u8], &[u8]) {
    let whole = (host, &host[host.len()..]);
    let Some(colon) = host.iter().rposition(|byte| *byte == b':') else { return whole };
    let (name, port) = (&host[..colon], &host[colon + 1..]);
    if let Some(inner) = name.strip_prefix(b"[") {
        let Some(end) = inner.iter().position(|byte| *byte == b']') else { return whole };
        let stray = |bytes: &[u8]| bytes.contains(&b'[') || bytes.contains(&b']');
        if end + 2 != colon || inner[..end].contains(&b'[') || stray(port) {
            return whole;
        }
        return (&inner[..end], port);
    }
    if [b':', b'[', b']'].iter().any(|byte| name.contains(byte))
        || port.contains(&b'[')
        || port.contains(&b']')
    {
        return whole;
    }
    (name, port)
}

fn parse_host(host: &[u8], colons: Colons) -> Result<Vec<u8>, String> {
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => return parse_literal(host),
        Some(_) => return Err("invalid IP-literal".to_owned()),
        None => {}
    }
    let is_colon = |byte: &u8| *byte == b':';
    let colon = match colons {
        Colons::Strict => host.iter().position(is_colon),
        Colons::Loose => host.iter().rposition(is_colon),
    };
    if let Some(colon) = colon {
        check_port(&host[colon..])?;
    }
    unescape(host, Part::Host)
}

/// A host that begins with `[`: RFC 3986 and, for the zone, RFC 6874.
fn parse_literal(host: &[u8]) -> Result<Vec<u8>, String> {
    let close = host
        .iter()
        .rposition(|byte| *byte == b']')
        .ok_or_else(|| "missing ']' in host".to_owned())?;
    let port = &host[close + 1..];
    check_port(port)?;
    let port = unescape(port, Part::Host)?;
    let name = &host[1..close];
    let mut decoded = match name.windows(3).position(|window| window == b"%25") {
        Some(zone) => {
            let mut decoded = unescape(&name[..zone], Part::Host)?;
            decoded.extend(unescape(&name[zone..], Part::Zone)?);
            decoded
        }
        None => unescape(name, Part::Host)?,
    };
    match address::parse(&decoded) {
        Err(why) => return Err(format!("invalid host: {why}")),
        Ok(Family::V4) => return Err("invalid IP-literal".to_owned()),
        Ok(Family::V6) => {}
    }
    decoded.insert(0, b'[');
    decoded.push(b']');
    decoded.extend(port);
    Ok(decoded)
}

fn check_port(port: &[u8]) -> Result<(), String> {
    let valid = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if valid { Ok(()) } else { Err(format!("invalid port {} after host", quote(port))) }
}

fn check_user(user: &[u8]) -> Result<(), String> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(allowed) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    match user.iter().position(|byte| *byte == b':') {
        Some(colon) => {
            unescape(&user[..colon], Part::Other)?;
            unescape(&user[colon + 1..], Part::Other)?;
        }
        None => {
            unescape(user, Part::Other)?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    Other,
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte != b'%' {
            if part != Part::Other && byte < 0x80 && !is_host_byte(byte) {
                return Err(format!("invalid character {} in host name", quote([byte])));
            }
            decoded.push(byte);
            at += 1;
            continue;
        }
        let escape = &text[at..text.len().min(at + 3)];
        let fault = || format!("invalid URL escape {}", quote(escape));
        let &[_, high, low] = escape else { return Err(fault()) };
        let (Some(high), Some(low)) = (hex(high), hex(low)) else { return Err(fault()) };
        let value = high << 4 | low;
        let percent = value == b'%';
        // In a host only bytes outside ASCII may be escaped (RFC 3986 §3.2.2); a
        // zone may also escape what is allowed there unescaped, and the space.
        let refused = match part {
            Part::Host => high < 8 && !percent,
            Part::Zone => !percent && value != b' ' && !is_host_byte(value),
            Part::Other => false,
        };
        if refused {
            return Err(fault());
        }
        decoded.push(value);
        at += 3;
    }
    Ok(decoded)
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:[]<>\"".contains(&byte)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_ports_as_the_kubelet_does() {
        for (host, name, port) in [
            ("r.io", "r.io", ""),
            ("r.io:80", "r.io", "80"),
            ("r.io:", "r.io", ""),
            ("[::1]:80", "::1", "80"),
            ("[::1]", "[::1]", ""),
            (":80", "", "80"),
            ("", "", ""),
        ] {
            assert_eq!(split_port(host.as_bytes()), (name.as_bytes(), port.as_bytes()), "{host}");
        }
    }

    /// Only bytes that are not ASCII can be escaped in a host (net/url, `unescape`).
    #[test]
    fn an_escape_in_a_host_is_a_byte_of_it() {
        for escaped in ["https://%C3%A9.io", "https://%c3%a9.io"] {
            let url = Url::parse(escaped, Colons::Strict).unwrap();
            assert_eq!(url.host, "\u{e9}.io".as_bytes(), "{escaped}");
        }
        for (text, escape) in
            [("%7f.io", "%7f"), ("%00.io", "%00"), ("a%2Fb.io", "%2F"), ("%20", "%20")]
        {
            let message = format!("parse \"https://{text}\": invalid URL escape \"{escape}\"");
            assert_eq!(
                Url::parse(&format!("https://{text}"), Colons::Strict).unwrap_err(),
                message
            );
        }
    }

    #[test]
    fn refuses_in_go_s_words() {
        for (text, message) in [
            ("%invalid%", r#"parse "https://%invalid%": invalid URL escape "%in""#),
            ("r.io/%zz", r#"parse "https://r.io/%zz": invalid URL escape "%zz""#),
            ("r%41.io", r#"parse "https://r%41.io": invalid URL escape "%41""#),
            ("a\tb", r#"parse "https://a\tb": net/url: invalid control character in URL"#),
            ("u ser@r.io", r#"parse "https://u ser@r.io": net/url: invalid userinfo"#),
            ("[::1", r#"parse "https://[::1": missing ']' in host"#),
            ("[1.2.3.4]", r#"parse "https://[1.2.3.4]": invalid IP-literal"#),
            ("[x]", r#"parse "https://[x]": invalid host: ParseAddr("x"): unable to parse IP"#),
            ("r.io#%z", r#"parse "https://r.io#%z": invalid URL escape "%z""#),
        ] {
            assert_eq!(
                Url::parse(&format!("https://{text}"), Colons::Strict).expect_err(text),
                message
            );
        }
    }
}
