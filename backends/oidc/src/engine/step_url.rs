//! The URL of a step.

use url::Url;

use super::values::Values;
use crate::profile::address::{self, Address, form_encode, is_dots};

/// `address` with `values` in.
///
/// # Errors
/// The segment of the path that a value would make empty, `.` or `..`.
pub(crate) fn render(address: &Address, values: &Values) -> Result<Url, String> {
    let mut url = address.origin_url().clone();
    let mut path = String::new();
    for segment in address.segments() {
        let rendered = values.render_encoded(segment, percent_encode);
        if is_dots(&rendered) || rendered.is_empty() && segment.as_text().is_none() {
            return Err(format!("`{segment}` in a URL's path is empty, `.` or `..`"));
        }
        path.push('/');
        path.push_str(&rendered);
    }
    url.set_path(&path);
    let pair = |(name, value): &(String, _)| {
        format!("{name}={}", *values.render_encoded(value, form_encode))
    };
    let query: Vec<String> = address.query().iter().map(pair).collect();
    url.set_query(Some(query.join("&")).filter(|query| !query.is_empty()).as_deref());
    match address::origin(&url) == address.origin() {
        true => Ok(url),
        // Not to be reached: only a path and a query were set.
        false => Err("a value would change the URL's host".to_owned()),
    }
}

/// For people: with those values in that may be printed.
pub(crate) fn preview(address: &Address, values: &Values) -> String {
    let mut text = address.origin();
    for segment in address.segments() {
        text.push('/');
        text.push_str(&values.preview(segment));
    }
    for (at, (name, value)) in address.query().iter().enumerate() {
        let mark = if at == 0 { '?' } else { '&' };
        text.push_str(&format!("{mark}{name}={}", values.preview(value)));
    }
    text
}

/// Everything but unreserved characters (RFC 3986 §2.3).
fn percent_encode(text: &str) -> String {
    let is_unreserved = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.' | b'_' | b'~');
    let encoded = |c: u8| match is_unreserved(c) {
        true => char::from(c).to_string(),
        false => format!("%{c:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::profile::template::{Position, Scope, Sensitivity, Template};

    fn compile(text: &str, query: &[(&str, &str)]) -> Result<Address, String> {
        let scope = Scope {
            constants: [("host".to_owned(), "sts.example:8443".to_owned())].into(),
            names: [("org".to_owned(), Sensitivity::Public)].into(),
            ..Scope::default()
        };
        let template = |text: &str| Template::parse(text)?.compile(Position::Url, &scope);
        let pair = |(name, value): &(&str, &str)| Ok(((*name).to_owned(), template(value)?));
        let query = query.iter().map(pair).collect::<Result<_, String>>()?;
        Address::new("url", template(text)?, query, true)
    }

    #[test]
    fn values_fill_segments_and_parameters() {
        let address = compile("https://${host}/openid/${org}/?a=b", &[("q", "${org}")]).unwrap();
        let values = Values::from_pairs([("org", "a/b?c=d&e#f %2e")]);
        assert_eq!(
            render(&address, &values).unwrap().as_str(),
            "https://sts.example:8443/openid/a%2Fb%3Fc%3Dd%26e%23f%20%252e/?a=b&q=a%2Fb%3Fc%3Dd%26e%23f+%252e"
        );
        assert_eq!(
            preview(&address, &Values::default()),
            "https://sts.example:8443/openid/${org}/?a=b&q=${org}"
        );
        for value in ["", ".", ".."] {
            assert!(render(&address, &Values::from_pairs([("org", value)])).is_err(), "{value}");
        }
        for (text, expected) in [
            ("https://${host}", "https://sts.example:8443/"),
            ("https://${host}?a", "https://sts.example:8443/?a="),
            ("https://${host}//a/?&=&b=c=d", "https://sts.example:8443//a/?=&b=c=d"),
        ] {
            let url = compile(text, &[]).and_then(|it| render(&it, &Values::default())).unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }

    proptest! {
        #[test]
        fn no_value_changes_scheme_host_port_or_the_number_of_segments(value in ".{0,40}") {
            let address = compile("https://${host}/a/${org}/b-${org}/c", &[("q", "${org}")]).unwrap();
            if let Ok(url) = render(&address, &Values::from_pairs([("org", value.as_str())])) {
                prop_assert_eq!(url.scheme(), "https");
                prop_assert_eq!(address::host(&url), "sts.example:8443");
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(url.fragment().is_none());
                let segments: Vec<_> = url.path_segments().unwrap().collect();
                prop_assert_eq!(segments.len(), 4);
                prop_assert_eq!((segments[0], segments[3]), ("a", "c"));
                let pairs: Vec<_> = url.query_pairs().collect();
                prop_assert_eq!(pairs.len(), 1);
                prop_assert_eq!(&pairs[0], &("q".into(), value.as_str().into()));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,60}") {
            if let Ok(address) = compile(&text, &[("q", "${org}")]) {
                let _ = render(&address, &Values::from_pairs([("org", "x")]));
            }
        }
    }
}
