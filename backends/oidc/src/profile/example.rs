//! An example of each field's value, for the hint of an error about it.

/// Fields of a profile; `[]` is any item of a list.
const EXAMPLES: &[(&str, &str)] = &[
    ("registries", "[registry.example]"),
    ("registries[]", "[registry.example]"),
    ("serviceAccountToken", "{audience: registry.example}"),
    ("serviceAccountToken.audience", "registry.example"),
    ("serviceAccountToken.issuer", "https://issuer.example"),
    ("serviceAccountToken.onMissing", "fail"),
    ("serviceAccountToken.allowApiServerAudience", "true"),
    ("variables", "[{name: team, value: blue}]"),
    ("variables[]", "[{name: team, value: blue}]"),
    ("variables[].value", "blue"),
    ("variables[].fromAnnotation", "{key: registry.example/team, pattern: '[a-z]+'}"),
    ("variables[].fromAnnotation.pattern", "'[a-z]+'"),
    ("variables[].fromImage", "{part: repository, pattern: '([a-z]+)/.*'}"),
    ("variables[].fromImage.part", "repository"),
    ("variables[].fromImage.pattern", "'([a-z]+)/.*'"),
    ("variables[].fromFile", "client-secret"),
    ("exchange", "{type: tokenExchange, endpoint: 'https://sts.example/token'}"),
    ("exchange.type", "tokenExchange"),
    ("exchange.endpoint", "https://sts.example/token"),
    ("exchange.discovery", "{issuer: 'https://issuer.example'}"),
    ("exchange.discovery.issuer", "https://issuer.example"),
    ("exchange.discovery.form", "openid"),
    ("exchange.clientAuth", "{method: basic, clientId: puller, secretFile: client-secret}"),
    ("exchange.clientAuth.method", "basic"),
    ("exchange.clientAuth.algorithm", "RS256"),
    ("exchange.scope", "pull"),
    ("exchange.extra", "{connector_id: kubernetes}"),
    ("exchange.encoding", "form"),
    ("exchange.audience", "registry.example"),
    ("exchange.resource", "https://registry.example"),
    ("exchange.hosts", "[sts.example]"),
    ("exchange.file", "login.json"),
    ("exchange.steps", "[{url: 'https://sts.example/token', form: {token: '${sa.token}'}}]"),
    ("exchange.steps[]", "[{url: 'https://sts.example/token', form: {token: '${sa.token}'}}]"),
    ("exchange.steps[].method", "POST"),
    ("exchange.steps[].url", "https://sts.example/token"),
    ("exchange.steps[].query", "{service: registry.example}"),
    ("exchange.steps[].headers", "{Accept: application/json}"),
    ("exchange.steps[].auth", "{bearer: '${sa.token}'}"),
    ("exchange.steps[].auth.basic", "{user: puller, password: '${sa.token}'}"),
    ("exchange.steps[].form", "{token: '${sa.token}'}"),
    ("exchange.steps[].json", "{token: '${sa.token}'}"),
    ("exchange.steps[].expect", "[200, 201]"),
    ("exchange.steps[].expect[]", "[200, 201]"),
    ("exchange.steps[].capture", "{session: /token}"),
    ("exchange.steps[].once", "true"),
    ("response", "{username: puller, password: {pointer: /access_token}}"),
    ("response.username", "puller"),
    ("response.username.pointer", "/username"),
    ("response.username.pattern", "'[a-z]+'"),
    ("response.password", "{pointer: /access_token}"),
    ("response.password.pointer", "/access_token"),
    ("response.expiry", "{pointer: /expires_in, format: seconds}"),
    ("response.expiry.pointer", "/expires_in"),
    ("response.expiry.format", "seconds"),
    ("response.expiry.default", "1h"),
    ("response.margin", "5m"),
    ("response.maxCacheDuration", "12h"),
    ("response.cacheKeyType", "Image"),
    ("response.authKeys", "[mirror.example]"),
    ("onRefused", "fail"),
    ("http", "{caFile: ca.pem, timeout: 20s}"),
    ("http.caFile", "ca.pem"),
    ("http.clientCertFile", "client.pem"),
    ("http.clientKeyFile", "client-key.pem"),
    ("http.allowLoopbackHttp", "true"),
    ("http.connectTimeout", "5s"),
    ("http.timeout", "20s"),
    ("http.retries", "3"),
    ("http.proxy", "http://proxy.example:3128"),
];

/// An example for the field of this name, such as `exchange.steps[0].url`.
pub(super) fn find_example(field: &str) -> Option<&'static str> {
    let mut general = String::new();
    for part in field.split_inclusive('[') {
        // After a `[`, the index ends at the `]`.
        let part = part.find(']').map_or(part, |end| &part[end..]);
        general.push_str(part);
    }
    EXAMPLES.iter().find(|(known, _)| *known == general).map(|(_, example)| *example)
}

#[cfg(test)]
mod tests {
    use super::super::raw::RawProfile;
    use super::super::yaml;
    use super::*;

    #[test]
    fn every_example_can_be_written_into_a_profile() {
        for (field, example) in EXAMPLES.iter().filter(|(field, _)| !field.ends_with("[]")) {
            let mut text = (*example).to_owned();
            for name in field.rsplit('.') {
                text = match (name.strip_suffix("[]"), text) {
                    (Some("variables"), text) => format!("variables: [{{name: a, {text}}}]"),
                    (Some("steps"), text) if text.starts_with("url: ") => {
                        format!("steps: [{{{text}}}]")
                    }
                    (Some("steps"), text) => format!("steps: [{{url: 'https://a/', {text}}}]"),
                    (_, text) => {
                        match (text.contains(": ") && !text.starts_with(['{', '[', '\'']), name) {
                            (true, "fromAnnotation") => format!("{name}: {{key: a, {text}}}"),
                            (true, "clientAuth") if !text.starts_with("method") => {
                                format!("{name}: {{method: none, {text}}}")
                            }
                            (true, "discovery") if !text.starts_with("issuer") => {
                                format!("{name}: {{issuer: a, {text}}}")
                            }
                            (true, "fromImage") if !text.starts_with("pattern") => {
                                format!("{name}: {{pattern: a, {text}}}")
                            }
                            (true, _) => format!("{name}: {{{text}}}"),
                            (false, _) => format!("{name}: {text}"),
                        }
                    }
                };
            }
            let parsed = yaml::parse::<RawProfile>(&text);
            assert!(parsed.is_ok(), "{field}: {text}: {:?}", parsed.err().map(|it| it.render()));
        }
    }

    #[test]
    fn the_index_of_a_list_does_not_matter() {
        assert_eq!(find_example("exchange.steps[12].expect[3]"), Some("[200, 201]"));
        assert_eq!(find_example("exchange.nothing"), None);
    }
}
