//! Where a token goes is in the node's file: no annotation, no image and no `http://` changes it.

use serde_json::json;

use super::*;

fn get(url: String) -> Value {
    json!({"type": "http", "steps": [
        {"method": "GET", "url": url, "auth": {"bearer": "${sa.token}"}},
    ]})
}

#[test]
fn an_annotation_chooses_the_host() {
    let (right, evil) = (endpoint(), trap());
    for url in [
        "http://${host}/token",
        "${host}/token",
        "http://127.0.0.1:${host}/token",
        "${host}://127.0.0.1/token",
        "http://${host}@127.0.0.1/token",
        "http://127.0.0.1${host}/token",
    ] {
        let attempt = Attempt::new(get(url.to_owned())).annotated("host", &authority(&evil));
        attempt.fails(CONFIG, &["scheme, host and port must be fixed"]);
    }
    // What may vary is a part of the path or a value, whatever it looks like.
    let evil_at = authority(&evil);
    for (value, sent) in [
        (format!("//{evil_at}/x"), "%2F%2F"),
        (format!("@{evil_at}"), "%40"),
        (format!("\\\\{evil_at}\\x"), "%5C%5C"),
        (format!("http://{evil_at}/"), "http%3A%2F%2F"),
        ("a?audience=evil".to_owned(), "a%3Faudience%3Devil"),
        ("a#fragment".to_owned(), "a%23fragment"),
        ("a%2e%2e%2fb".to_owned(), "a%252e%252e%252fb"),
        ("../../admin".to_owned(), "..%2F..%2Fadmin"),
        ("a\r\nHost: evil".to_owned(), "a%0D%0AHost%3A%20evil"),
        ("${sa.token}".to_owned(), "%24%7Bsa.token%7D"),
    ] {
        let url = format!("{}/robots/${{robot}}/token?tenant=one", right.url());
        Attempt::new(get(url)).annotated("robot", &value).works(PASSWORD);
        let line = first_line(right.requests().last().unwrap());
        let path =
            line.strip_prefix("GET /robots/").and_then(|it| it.split_once("/token?tenant=one "));
        assert!(path.is_some_and(|(path, _)| path.starts_with(sent)), "{value:?}: {line}");
    }
    got_nothing(&evil);
}

#[test]
fn an_annotation_climbs_out_of_the_path() {
    let right = endpoint();
    for value in [".", "..", "%2e%2e", "%2E.", ""] {
        let url = format!("{}/robots/${{robot}}/token", right.url());
        let attempt = Attempt::new(get(url)).annotated("robot", value);
        match value {
            // An escaped dot is escaped once more, and is not a dot then.
            "%2e%2e" | "%2E." => drop(attempt.works(PASSWORD)),
            _ => drop(attempt.fails(IDENTITY, &["in a URL's path is empty, `.` or `..`"])),
        }
    }
    let lines: Vec<String> = right.requests().iter().map(first_line).collect();
    assert!(lines.iter().all(|line| line.starts_with("GET /robots/%252")), "{lines:?}");
}

#[test]
fn an_annotation_adds_a_parameter() {
    let right = endpoint();
    let value = "x&audience=evil&grant_type=evil\",\"audience\":\"evil";
    for section in [
        json!({"type": "tokenExchange", "extra": {"project": "${project}"}}),
        json!({"type": "tokenExchange", "encoding": "json", "extra": {"project": "${project}"}}),
    ] {
        let mut section = section;
        section["endpoint"] = format!("{}/token", right.url()).into();
        Attempt::new(section).annotated("project", value).works(PASSWORD);
        let body = right.requests().pop().unwrap().body;
        let read: Vec<(String, String)> = match serde_json::from_str::<Value>(&body) {
            Ok(Value::Object(fields)) => {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                fields.iter().map(|(name, value)| (name.clone(), text(value))).collect()
            }
            _ => url::form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
        };
        let fields: Vec<&str> = read.iter().map(|(name, _)| &**name).collect();
        assert!(!fields.contains(&"audience"), "{fields:?}");
        assert_eq!(fields.iter().filter(|name| **name == "grant_type").count(), 1);
        assert!(read.contains(&("project".to_owned(), value.to_owned())), "{fields:?}");
    }
    let url = format!("{}/token", right.url());
    let exchange = json!({"type": "http", "steps": [
        {"method": "GET", "url": url, "query": {"project": "${project}", "tenant": "one"},
         "auth": {"bearer": "${sa.token}"}},
    ]});
    Attempt::new(exchange).annotated("project", value).works(PASSWORD);
    let line = first_line(right.requests().last().unwrap());
    let query = line.split(' ').nth(1).unwrap().split_once('?').unwrap().1;
    let names: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!(names.len(), 2, "{line}");
    assert!(names.iter().any(|(name, it)| name == "project" && it == value), "{line}");
}

#[test]
fn an_annotation_stands_in_a_header() {
    let (right, url) = (endpoint(), "${sa.token}");
    for section in [
        json!({"headers": {"X-Project": "${project}"}, "auth": {"bearer": url}}),
        json!({"auth": {"bearer": "${project}"}}),
        json!({"auth": {"basic": {"user": "me", "password": "${project}"}}}),
    ] {
        let mut step = section;
        step["url"] = format!("{}/token", right.url()).into();
        let attempt = Attempt::new(json!({"type": "http", "steps": [step]}));
        let attempt = attempt.annotated("project", "x\r\nX-Evil: 1");
        attempt.fails(CONFIG, &["is not allowed in a header"]);
    }
    assert!(right.requests().is_empty());
}

#[test]
fn an_annotation_without_a_pattern_or_without_an_end() {
    let right = endpoint();
    let url = format!("{}/${{robot}}", right.url());
    for annotation in [json!({"key": "a/b"}), json!({"key": "a/b", "pattern": "a)|(.*"})] {
        let variables = json!([{"name": "robot", "fromAnnotation": annotation}]);
        let attempt = Attempt::new(get(url.clone())).with(json!({"variables": variables}));
        attempt.says("a/b", "evil").fails(CONFIG, &["is not valid", "line 1, column"]);
    }
    let longest = "a".repeat(256);
    let attempt = Attempt::new(get(url.clone())).annotated("robot", &format!("{longest}a"));
    attempt.fails(IDENTITY, &["does not match the pattern of the variable `robot`"]);
    assert!(right.requests().is_empty());
    Attempt::new(get(url)).annotated("robot", &longest).works(PASSWORD);
}

/// Annotations by which plugins of vendors let a pod choose host, scheme, or no check of TLS.
#[test]
fn the_annotations_of_other_plugins_choose_the_host() {
    let evil = trap();
    let ca = pullpass_tests::tls::TestCa::new();
    let right = Fault::json(200, json!({"token": PASSWORD}).to_string());
    let right = right.start_tls(ca.server_config(&["127.0.0.1"]));
    let at = authority(&right);
    let presets = [
        ("quay", json!([{"name": "host", "value": at}, {"name": "robot", "value": "corp+puller"}])),
        (
            "cloudsmith",
            json!([
                {"name": "api", "value": at}, {"name": "organization", "value": "corp"},
                {"name": "service", "value": "k8s"},
            ]),
        ),
        ("chainguard", json!([{"name": "sts", "value": at}, {"name": "identity", "value": "abc"}])),
    ];
    for (preset, variables) in presets {
        let profile = json!({"preset": preset, "variables": variables});
        let attempt = Attempt::new(json!({})).with(profile);
        let attempt = attempt.with(json!({"http": {"caFile": ca.pem_file()}}));
        let keys = [
            ("quay.io/host-override", authority(&evil)),
            ("quay.io/plain-http", "true".to_owned()),
            ("quay.io/ignore-tls-verify", "true".to_owned()),
            ("quay.io/certificate-file", "/etc/shadow".to_owned()),
            ("cloudsmith.io/api-host", authority(&evil)),
            ("secrets-store.deckhouse.io/addr", evil.url()),
        ];
        let attempt = keys.iter().fold(attempt, |attempt, (key, value)| attempt.says(key, value));
        attempt.works(PASSWORD);
    }
    assert_eq!(right.requests().len(), 3);
    got_nothing(&evil);
}

#[test]
fn an_image_name_chooses_the_host() {
    let (right, evil) = (endpoint(), trap());
    for name in ["image.host", "image.registry", "image.repository"] {
        let attempt = Attempt::new(get(format!("http://${{{name}}}/token")));
        attempt.fails(CONFIG, &["scheme, host and port must be fixed"]);
    }
    // A repository in a path is one part of it.
    let url = format!("{}/scope/${{image.repository}}/token", right.url());
    Attempt::new(get(url)).image("reg.example:5443/a/b/c").works(PASSWORD);
    let line = first_line(right.requests().last().unwrap());
    assert!(line.starts_with("GET /scope/a%2Fb%2Fc/token "), "{line}");
    got_nothing(&evil);
}

#[test]
fn plain_http_beyond_loopback() {
    let (right, evil) = (endpoint(), trap());
    for url in [
        "http://sts.example/token",
        "http://127.0.0.1.evil.example/token",
        "http://localhost.evil.example/token",
        "http://0.0.0.0:80/token",
        "http://169.254.169.254/token",
        "http://[fd00::1]/token",
        "http://10.0.0.1/token",
    ] {
        let attempt = Attempt::new(json!({"type": "tokenExchange", "endpoint": url}));
        attempt.fails(CONFIG, &["must be `https://`: the pod's token goes there"]);
    }
    for url in ["ftp://127.0.0.1/token", "file:///etc/passwd", "unix:///run/x", "//evil/token"] {
        Attempt::new(json!({"type": "tokenExchange", "endpoint": url}))
            .fails(CONFIG, &["endpoint"]);
    }
    // On loopback the profile must allow it.
    let attempt = Attempt::new(token_exchange(&right));
    for unsaid in [json!({"allowLoopbackHttp": false}), json!({})] {
        let attempt = Attempt { more: json!({"http": unsaid}), ..attempt.clone() };
        attempt.fails(CONFIG, &["over `http://` needs `http.allowLoopbackHttp: true`"]);
    }
    assert!(right.requests().is_empty());
    Attempt::new(token_exchange(&right)).works(PASSWORD);
    // Userinfo is taken for the host by people, and a fragment cuts one off.
    let at = authority(&evil);
    for url in [
        format!("http://127.0.0.1:hunter2-hunter2@{at}/token"),
        format!("http://hunter2-hunter2@{at}/token"),
        format!("http://{at}/token#hunter2-hunter2"),
        format!("https://sts.example\\@{at}/hunter2-hunter2"),
    ] {
        let attempt = Attempt::new(json!({"type": "tokenExchange", "endpoint": url}));
        attempt.secret("a password in a URL", "hunter2-hunter2").fails(CONFIG, &["endpoint"]);
    }
    got_nothing(&evil);
}
