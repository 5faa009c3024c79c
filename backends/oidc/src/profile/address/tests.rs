use super::*;
use crate::profile::template::{Position, Scope, Sensitivity};

fn compile(text: &str) -> Result<Address, String> {
    let scope = Scope {
        constants: [("host".to_owned(), "sts.example:8443".to_owned())].into(),
        names: [("org".to_owned(), Sensitivity::Public), ("key".to_owned(), Sensitivity::Secret)]
            .into(),
        ..Scope::default()
    };
    let template = Template::parse(text)?.compile(Position::Url, &scope)?;
    Address::new("url", template, Vec::new(), true)
}

#[test]
fn scheme_host_and_port_are_the_files() {
    for (text, why) in [
        ("${org}://sts.example/", "must be fixed"),
        ("https:${org}/", "must be fixed"),
        ("https:/${org}/", "not a URL"),
        ("https://${org}/", "must be fixed"),
        ("https://${org}.example/", "must be fixed"),
        ("https://sts.example:${org}/", "must be fixed"),
        ("https://sts.example${org}/", "must be fixed"),
        ("https://sts.example${org}", "must be fixed"),
        ("https://sts.example${org}?a", "must be fixed"),
        ("https://${org}@sts.example/", "must be fixed"),
        ("https://a:b@sts.example/", "userinfo"),
        ("https://sts.example/#${org}", "fragment"),
        ("https://sts.example/${org}#", "fragment"),
        ("http://sts.example/", "must be `https://`"),
        ("ftp://sts.example/", "must be `https://`"),
        ("https://sts.example/${key}", "is a secret"),
        ("https://sts.example/?k=${key}", "is a secret"),
        ("https://sts.example/?${org}=1", "name must be fixed"),
        ("https://sts.example/../x", "`..`"),
        ("https://sts.example/%2E%2e/x", "`..`"),
        ("https:", "port is empty"),
        ("https://", "not a URL"),
        ("https:///x", "not a URL"),
        ("sts.example", "not a URL"),
        ("", "not a URL"),
    ] {
        let error = compile(text).map(|address| format!("{address:?}")).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}
