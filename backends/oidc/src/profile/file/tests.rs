use pullpass::CacheKey;

use super::*;
use crate::profile::{Exchange, Username};

const HERE: &str = "/etc/pullpass";
const GOOD: &str = "\
apiVersion: pullpass.dev/v1alpha1
kind: OIDCExchangeConfig
profiles:
- name: corp
  registries: [r.io]
  serviceAccountToken: {audience: corp}
  exchange: {type: tokenExchange, endpoint: 'https://sts.example/token'}
";

#[test]
fn a_good_file_loads_as_yaml_and_as_json() {
    assert_eq!(parse(GOOD, HERE.as_ref()).unwrap()[0].name, "corp");
    let json = serde_json::json!({
        "apiVersion": API_VERSION, "kind": KIND,
        "profiles": [{
            "name": "p", "registries": ["r.io"], "serviceAccountToken": {"audience": "a"},
            "exchange": {"type": "passthrough"},
        }],
    });
    assert_eq!(parse(&json.to_string(), HERE.as_ref()).unwrap()[0].name, "p");
}

#[test]
fn a_user_name_stands_alone_or_as_value_or_as_pointer() {
    for (written, expected) in
        [("me", Ok("me")), ("{value: me}", Ok("me")), ("{pointer: /user}", Err("/user"))]
    {
        let text = GOOD.replace("[r.io]", &format!("[r.io]\n  response: {{username: {written}}}"));
        let profiles = parse(&text, HERE.as_ref()).unwrap();
        let found = match &profiles[0].response.username {
            Username::Fixed(name) => Ok(name.as_text().unwrap()),
            Username::Answered { pointer, .. } => Err(pointer.as_ref().unwrap().as_str()),
        };
        assert_eq!(found, expected, "{written}");
    }
}

#[test]
fn relative_paths_start_at_the_file() {
    let text = GOOD.replace("[r.io]", "[r.io]\n  http: {caFile: ca.pem}");
    let profiles = parse(&text, HERE.as_ref()).unwrap();
    let roots = pullpass::Roots::Only { file: "/etc/pullpass/ca.pem".into(), named_by: "caFile" };
    assert_eq!(profiles[0].http.roots, roots);
}

const NO_AUDIENCE: &str = "missing field `serviceAccountToken`: the audience of the pod's token";

#[test]
fn an_exchange_that_sends_the_pods_token_needs_its_audience() {
    let without = GOOD.replace("  serviceAccountToken: {audience: corp}\n", "");
    let endpoint = "endpoint: 'https://sts.example/token'";
    for (exchange, needs_it) in [
        ("{type: passthrough}", true),
        (&*format!("{{type: jwtBearer, {endpoint}}}"), true),
        (&*format!("{{type: clientAssertion, {endpoint}}}"), true),
        ("{type: vault, address: 'https://v.example', role: r, read: kv/a}", true),
        ("{type: http, steps: [{url: 'https://a.example/', form: {t: '${sa.token}'}}]}", true),
        ("{type: http, steps: [{url: 'https://a.example/', form: {t: x}}]}", false),
        ("{type: static, file: login.json}", false),
    ] {
        let text = without.replace(&format!("{{type: tokenExchange, {endpoint}}}"), exchange);
        let text = match exchange.contains("vault") {
            true => format!("{text}  response: {{username: u, password: {{pointer: /a}}}}\n"),
            false => text,
        };
        let error = parse(&text, HERE.as_ref()).err().map(|error| error.render());
        let is_named = error.as_ref().is_some_and(|error| error.contains(NO_AUDIENCE));
        assert_eq!(is_named, needs_it, "{exchange}: {error:?}");
    }
}

#[test]
fn every_mistake_is_named_with_its_place() {
    for (from, to, expected) in [
        ("v1alpha1", "v9", "`apiVersion` must be `pullpass.dev/v1alpha1`"),
        ("OIDCExchangeConfig", "Other", "`kind` must be `OIDCExchangeConfig`"),
        ("name: corp", "nme: corp", "unknown field `nme`, expected"),
        ("- name: corp", "- name: corp\n  name: corp", "line 5"),
        ("[r.io]", "[]", "`registries` is empty"),
        ("[r.io]", "['*']", "line 5, column 16"),
        ("[r.io]", "[r.io", "line"),
        ("{audience: corp}", "{audience: corp, issuer: }", "line 6"),
        (
            "{audience: corp}",
            "{audience: corp, issuer: ''}",
            "`serviceAccountToken.issuer` is empty",
        ),
        (
            "/token'}",
            "/token', subjectTokenType: JWTT}",
            "`exchange.subjectTokenType` is not a token type",
        ),
        ("/token'}", "/token', audience: ['']}", "`audience` contains an empty string"),
        ("[r.io]", "[r.io]\n  http: {timeout: 0s}", "must be more than 0s"),
        ("[r.io]", "[r.io]\n  http: {retries: 11}", "at most 10"),
        ("audience: corp", "audience: ''", "`serviceAccountToken.audience` is empty"),
        ("{audience: corp}", "{}", "missing field `serviceAccountToken.audience`"),
        ("tokenExchange", "saml", "`exchange.type` must be one of `passthrough`"),
        ("https://sts", "http://sts", "must be `https://`"),
        ("https://sts", "ftp://sts", "must be `https://`"),
        ("https://sts", "https://u:p@sts", "userinfo"),
        ("example/token", "example/token#x", "fragment"),
        ("https://sts.example/token", "http://127.0.0.1/token", "allowLoopbackHttp"),
        ("https://sts.example/token", "token", "not a URL"),
        ("/token'}", "/token', extra: {subject_token: x}}", "cannot set `subject_token`"),
        ("/token'}", "/token', clientAuth: {method: basic}}", "needs `clientId`"),
        ("tokenExchange", "passthrough", "`passthrough` makes no call"),
        (
            "{type: tokenExchange, endpoint: 'https://sts.example/token'}",
            "{type: passthrough}\n  http: {retries: 1}",
            "`passthrough` makes no call",
        ),
        (
            "[r.io]",
            "[r.io/team]\n  response: {cacheKeyType: Registry}",
            "only for a part of that registry",
        ),
        (
            "[r.io]",
            "[r.io]\n  response: {cacheKeyType: Global}",
            "`response.cacheKeyType` must be one of `Image`, `Registry`",
        ),
        (
            "[r.io]",
            "[r.io]\n  response: {margin: 5}",
            "`response.margin`: must be a duration with units",
        ),
        ("[r.io]", "[r.io]\n  response: {margin: -5m}", "cannot be negative"),
        ("[r.io]", "[r.io]\n  response: {password: {pointer: token}}", "starts with `/`"),
        ("[r.io]", "[r.io]\n  response: {username: {value: 'a:b'}}", "contains `:`"),
        ("[r.io]", "[r.io]\n  response: {username: {name: a}}", "unknown field `name`"),
        ("[r.io]", "[r.io]\n  response: {username: [a]}", "a name, `{value: NAME}`"),
        ("[r.io]", "[r.io]\n  http: {proxy: 'socks5://p'}", "`http.proxy`"),
        (
            "[r.io]",
            "[r.io]\n  http: {insecureSkipVerify: true}",
            "unknown field `insecureSkipVerify` in `http`, expected",
        ),
        ("[r.io]", "['https://r.io']", "hint: write it as in `registries: [registry.example]`"),
        (
            "OIDCExchangeConfig",
            "OIDCExchangeConfig\nprofile: []",
            "unknown field `profile`, expected",
        ),
        ("  serviceAccountToken: {audience: corp}\n", "", NO_AUDIENCE),
    ] {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let error = parse(&text, HERE.as_ref()).err().unwrap_or_else(|| panic!("{to}")).render();
        assert!(error.contains(expected), "{to}: {error}");
    }
    let parts = format!(
        "{GOOD}- {{name: team, registries: [r.io/team], serviceAccountToken: {{audience: a}}, exchange: {{type: passthrough}}}}\n"
    );
    let key = |text: &str| parse(text, HERE.as_ref()).map(|profiles| profiles[0].cache_key);
    assert_eq!(key(GOOD).unwrap(), CacheKey::Registry);
    // The login of `corp` must not be remembered for the whole host.
    assert_eq!(key(&parts).unwrap(), CacheKey::Image);
    let asked = parts.replacen("[r.io]", "[r.io]\n  response: {cacheKeyType: Registry}", 1);
    let error = key(&asked).unwrap_err().to_string();
    assert!(error.contains("only for a part"), "{error}");

    let twice = format!("{GOOD}{}", GOOD.split_once("profiles:\n").unwrap().1);
    assert!(
        parse(&twice, HERE.as_ref())
            .err()
            .unwrap()
            .to_string()
            .contains("two profiles are named `corp`")
    );
}

fn profile(more: &str) -> Result<Profile, String> {
    let text = format!(
        "apiVersion: {API_VERSION}\nkind: {KIND}\nprofiles:\n- name: p\n  registries: [r.io]\n{more}"
    );
    let profiles = parse(&text, HERE.as_ref()).map_err(|error| error.render())?;
    Ok(profiles.into_iter().next().unwrap())
}

const TOKEN: &str = "  serviceAccountToken: {audience: a}\n";

fn steps(steps: &str) -> Result<Profile, String> {
    profile(&format!(
        "{TOKEN}  variables:\n  - {{name: org, fromAnnotation: {{key: x/org, pattern: '[a-z]+'}}}}\n  \
         - {{name: key, fromFile: /etc/key}}\n  - {{name: host, value: sts.example}}\n  \
         exchange: {{type: http, hosts: ['${{host}}', two.example], steps: [{steps}]}}\n"
    ))
}

#[test]
fn open_steps_are_held_to_the_rules() {
    for (text, why) in [
        ("", "one to 3"),
        (
            "{url: 'https://a/'}, {url: 'https://a/'}, {url: 'https://a/'}, {url: 'https://a/'}",
            "one to 3",
        ),
        ("{url: 'https://${org}/'}", "must be fixed"),
        ("{url: 'https://a/${sa.token}'}", "is a secret"),
        ("{url: 'https://a/', query: {k: '${key}'}}", "is a secret"),
        ("{url: 'https://a/', headers: {X-Org: '${org}'}}", "is not allowed in a header"),
        ("{url: 'https://a/', headers: {Authorization: x}}", "cannot set `authorization`"),
        ("{url: 'https://a/', headers: {Host: x}}", "cannot set `host`"),
        ("{url: 'https://a/', headers: {'a b': x}}", "not a valid header name"),
        ("{url: 'https://a/', auth: {bearer: '${org}'}}", "is not allowed"),
        ("{url: 'https://a/', auth: {}}", "either `bearer` or `basic`"),
        ("{url: 'https://a/', form: {a: b}, json: {a: b}}", "both `form` and `json`"),
        ("{url: 'https://a/', method: GET, form: {a: b}}", "a GET has no body"),
        ("{url: 'https://a/', method: DELETE}", "`exchange.steps[0].method` must be one of"),
        ("{url: 'https://a/', expect: [302]}", "200 to 299"),
        ("{url: 'https://a/', capture: {org: /x}}", "cannot be a new name"),
        ("{url: 'https://a/', capture: {sa.token: /x}}", "cannot be a new name"),
        ("{url: 'https://a/', capture: {t: x}}", "starts with `/`"),
        ("{url: 'https://a/', form: {t: '${t}'}, capture: {t: /x}}", "not known here"),
        (
            "{url: 'https://a/', capture: {t: /x}}, {url: 'https://b/', auth: {bearer: '${t}'}}",
            "list that host in `exchange.hosts`",
        ),
        (
            "{url: 'https://a/', form: {t: '${sa.token}'}}, {url: 'https://a:8443/', form: {t: '${sa.token}'}}",
            "list that host in `exchange.hosts`",
        ),
        (
            "{url: 'https://a/'}, {url: 'https://b/', form: {t: '${sa.token}'}, capture: {c: /x}}, {url: 'https://a/', form: {c: '${c}'}}",
            "list that host in `exchange.hosts`",
        ),
        ("{url: 'https://a/', auth: {bearer: hunter2}}", "is a secret in the profile file"),
        (
            "{url: 'https://a/', form: {client_secret: hunter2}}",
            "`exchange.steps[0]: client_secret` is a secret in the profile file",
        ),
        ("{url: 'https://a/', query: {apikey: hunter2}}", "is a secret in the profile file"),
        ("{url: 'https://a/?key=hunter2'}", "is a secret in the profile file"),
        (
            "{url: 'https://a/', method: POST, json: {a: [{password: hunter2}]}}",
            "is a secret in the profile file",
        ),
        ("{url: 'https://a\\\\${org}/'}", "backslash"),
        ("{url: 'https://a:/'}", "port is empty"),
        ("{url: 'https://a/${org'}", "line"),
    ] {
        let error = steps(text).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(error.contains(why), "{text}: {error}");
    }
    for text in [
        "{url: 'https://${host}/${org}?a=${org}', form: {t: '${sa.token}', k: '${key}'}}",
        "{url: 'https://a/', capture: {t: /x}}, {url: 'https://two.example/', auth: {bearer: '${t}'}}",
        "{url: 'https://a/', auth: {basic: {user: '${org}', password: '${sa.token}'}}}",
        "{url: 'https://a/', json: {a: ['${org}', {b: 1}], c: true}}",
    ] {
        let found = steps(text).map(|profile| matches!(profile.exchange, Exchange::Custom(_)));
        assert_eq!(found, Ok(true), "{text}");
    }
}

#[test]
fn types_take_their_own_fields_alone() {
    for (text, why) in [
        (
            "  exchange: {type: static, file: f, endpoint: 'https://a/'}\n",
            "cannot be used with the type",
        ),
        ("  exchange: {type: static}\n", "needs `exchange.file`"),
        ("  exchange: {type: static, file: f}\n  onRefused: empty\n", "makes no call"),
        (
            "  exchange: {type: vault, address: 'https://v', role: r, read: x}\n",
            "serviceAccountToken",
        ),
        ("  exchange: {type: jwtBearer, endpoint: 'https://a/'}\n", "serviceAccountToken"),
        ("  exchange: {}\n", "missing field `exchange.type`"),
        ("  preset: nothing\n", "no preset has this name"),
        (
            "  preset: quay\n  variables: [{name: audiance, value: a}]\n",
            "variable `audiance` is not used by this profile",
        ),
    ] {
        let error = profile(text).err().unwrap_or_else(|| panic!("{text} is taken"));
        assert!(error.contains(why), "{text}: {error}");
        assert!(error.contains("line 4, column"), "{error}");
    }
    for (exchange, why) in [
        ("{type: vault, role: r, read: x}", "needs `exchange.address`"),
        ("{type: vault, address: 'https://v', read: x}", "needs `exchange.role`"),
        ("{type: vault, address: 'https://v', role: r}", "needs `exchange.read`"),
        ("{type: tokenExchange}", "needs `endpoint`, or `discovery`"),
        (
            "{type: tokenExchange, endpoint: 'https://a/', discovery: {issuer: 'https://a'}}",
            "cannot be combined",
        ),
        ("{type: jwtBearer, endpoint: 'https://a/', audience: x}", "cannot be used with the type"),
        (
            "{type: tokenExchange, endpoint: 'https://a/', clientAuth: {method: mtls, clientId: c}}",
            "needs `http.clientCertFile`",
        ),
        (
            "{type: tokenExchange, endpoint: 'https://a/', clientAuth: {method: privateKeyJwt, clientId: c}}",
            "needs `clientId` and `keyFile`",
        ),
        (
            "{type: clientAssertion, endpoint: 'https://a/', clientAuth: {method: basic, clientId: c, secretFile: f}}",
            "the client authenticates by the pod's token",
        ),
    ] {
        let error = profile(&format!("{TOKEN}  exchange: {exchange}\n")).err().unwrap();
        assert!(error.contains(why), "{exchange}: {error}");
    }
    assert!(profile("  exchange: {type: static, file: f}\n").is_ok());
}

#[test]
fn a_login_stays_within_its_registries() {
    let keys = |keys: &str| {
        let more =
            format!("{TOKEN}  exchange: {{type: passthrough}}\n  response: {{authKeys: {keys}}}\n");
        profile(&more).map(|profile| profile.auth_keys)
    };
    assert_eq!(keys("['${image.registry}', r.io]"), Ok(vec!["r.io".to_owned()]));
    assert!(keys("[other.io]").unwrap_err().contains("not covered by `registries`"));
    assert!(keys("['${sa.namespace}.io']").unwrap_err().contains("must have a fixed value"));
}

#[test]
fn a_login_by_repository_is_not_kept_for_the_registry() {
    let key = |more: &str| {
        profile(&format!("{TOKEN}  exchange: {{type: http, steps: [{{url: 'https://a/', form: {{i: '${{image.repository}}'}}}}]}}\n{more}"))
            .map(|profile| profile.cache_key)
    };
    assert_eq!(key(""), Ok(CacheKey::Image));
    let error = key("  response: {cacheKeyType: Registry}\n").unwrap_err();
    assert!(error.contains("depends on the image's repository"), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_file_panics(text in "\\PC{0,200}") {
        let _ = parse(&text, HERE.as_ref());
    }

    #[test]
    fn no_damage_to_a_good_file_panics(at in 0..GOOD.len(), with in "\\PC{0,3}") {
        let mut text = GOOD.to_owned();
        text.replace_range(at..at + 1, &with);
        let _ = parse(&text, HERE.as_ref());
    }
}

#[test]
fn a_file_has_no_more_profiles_registries_or_values_than_it_may() {
    let start = std::time::Instant::now();
    let head = "apiVersion: pullpass.dev/v1alpha1\nkind: OIDCExchangeConfig\nprofiles:\n";
    let profile = |name: usize, registries: &str, more: &str| {
        format!(
            "- name: p{name}\n  registries: [{registries}]\n  \
             serviceAccountToken: {{audience: a}}\n  \
             exchange: {{type: tokenExchange, endpoint: https://sts.example/t{more}}}\n"
        )
    };
    let profiles = |count: usize| -> String {
        (0..count).map(|at| profile(at, &format!("r{at}.example/a"), "")).collect()
    };
    let registries = |count: usize| {
        let list: Vec<String> = (0..count).map(|at| format!("r{at}.example/a")).collect();
        profile(0, &list.join(","), "")
    };
    let variable = |times: usize| {
        let scope = format!(", scope: '{}'", "${v}".repeat(times));
        let value = "x".repeat(1000);
        format!("{}  variables: [{{name: v, value: {value}}}]\n", profile(0, "r.example", &scope))
    };
    for (text, expected) in [
        (profiles(1001), "has more than 1000 profiles"),
        (registries(2001), "has more than 2000 registries"),
        (variable(66), "put more than 65536 bytes into this profile"),
        (variable(5000), "put more than 65536 bytes into this profile"),
    ] {
        let error = parse(&format!("{head}{text}"), HERE.as_ref()).err().unwrap().render();
        assert!(error.contains(expected), "{error}");
    }
    for text in [profiles(1000), registries(2000), variable(65)] {
        let parsed = parse(&format!("{head}{text}"), HERE.as_ref());
        assert!(parsed.is_ok(), "{:?}", parsed.err().map(|error| error.render()));
    }
    // Generous, for a debug build on a busy machine.
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}
