use proptest::prelude::*;

use super::*;
use crate::profile::template::Sensitivity;

fn scope() -> Scope {
    Scope {
        constants: [("host".to_owned(), "sts.example:8443".to_owned())].into(),
        names: [("org".to_owned(), Sensitivity::Public), ("key".to_owned(), Sensitivity::Secret)]
            .into(),
        ..Scope::default()
    }
}

fn compile(text: &str) -> Result<Address, String> {
    Address::compile("url", text, &[("q".to_owned(), "${org}".to_owned())], true, &scope())
}

#[test]
fn values_fill_segments_and_parameters() {
    let address = compile("https://${host}/openid/${org}/?a=b").unwrap();
    let values = Values::of([("org", "a/b?c=d&e#f %2e")]);
    assert_eq!(
        address.render(&values).unwrap().as_str(),
        "https://sts.example:8443/openid/a%2Fb%3Fc%3Dd%26e%23f%20%252e/?a=b&q=a%2Fb%3Fc%3Dd%26e%23f+%252e"
    );
    assert_eq!(
        address.preview(&Values::default()),
        "https://sts.example:8443/openid/${org}/?a=b&q=${org}"
    );
    for value in ["", ".", ".."] {
        assert!(address.render(&Values::of([("org", value)])).is_err(), "{value}");
    }
}

#[test]
fn scheme_host_and_port_are_the_files() {
    for (text, why) in [
        ("${org}://sts.example/", "must be fixed"),
        ("https://${org}/", "must be fixed"),
        ("https://${org}.example/", "must be fixed"),
        ("https://sts.example:${org}/", "must be fixed"),
        ("https://sts.example${org}/", "must be fixed"),
        ("https://sts.example${org}", "must be fixed"),
        ("https://${org}@sts.example/", "must be fixed"),
        ("https://a:b@sts.example/", "userinfo"),
        ("https://sts.example/#${org}", "fragment"),
        ("http://sts.example/", "must be `https://`"),
        ("ftp://sts.example/", "must be `https://`"),
        ("https://sts.example/${key}", "is a secret"),
        ("https://sts.example/?k=${key}", "is a secret"),
        ("https://sts.example/?${org}=1", "name must be fixed"),
        ("https://sts.example/../x", "`..`"),
        ("https://sts.example/%2E%2e/x", "`..`"),
        ("sts.example", "no URL"),
        ("", "no URL"),
    ] {
        let error = compile(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_value_changes_scheme_host_port_or_the_number_of_segments(value in ".{0,40}") {
        let address = compile("https://${host}/a/${org}/b-${org}/c").unwrap();
        if let Ok(url) = address.render(&Values::of([("org", value.as_str())])) {
            prop_assert_eq!(url.scheme(), "https");
            prop_assert_eq!(host(&url), "sts.example:8443");
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
        if let Ok(address) = compile(&text) {
            let _ = address.render(&Values::of([("org", "x")]));
        }
    }
}
