//! ECR answers correctly, but the token is not a login or the expiry is not a time.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pullpass_tests::fakes::aws::{Expires, Service, Token, TokenAnswer};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use super::{PROTOCOL, explains, fails};
use crate::cloud::{Cloud, REGISTRY};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(tokens_that_are_no_login),
        Trial::of(a_login_is_handed_on_as_it_is),
        Trial::of(times_that_cannot_be_read),
        Trial::of(a_token_that_is_over),
        Trial::of(how_long_the_kubelet_may_keep_it),
    ]
}

fn answered(cloud: &Cloud<'_>, token: Token, expires: Expires) -> PluginRun {
    cloud.aws.set_token_answer(Service::Ecr, TokenAnswer { token, expires });
    let plugin = cloud.plugin_as_user().secret("the password", "the-password-of-it");
    cloud.run(plugin, &request(REGISTRY))
}

fn tokens_that_are_no_login(world: &World) {
    let cloud = Cloud::new(world);
    let text = |text: &str| Token::Text(text.to_owned());
    let no_login = "AWS sent a token that is not a login";
    for (token, error, cause) in [
        (Token::NoData, "ECR in `us-west-2` answered without authorization data", ""),
        (Token::Empty, "ECR in `us-west-2` answered without authorization data", ""),
        (Token::Missing, "ECR in `us-west-2` answered without an authorization token", ""),
        (
            Token::Raw(String::new()),
            "ECR in `us-west-2` answered without an authorization token",
            "",
        ),
        (text("the-password-of-it"), "AWS sent a token that has no user name and password", ""),
        (
            Token::Raw("AWS:the-password-of-it".to_owned()),
            "AWS sent a token that is not base64",
            "",
        ),
        (Token::Raw(STANDARD.encode(b"AWS:\xff\xfe")), "AWS sent a token that is not UTF-8", ""),
        (text("AWS:"), no_login, "caused by: this login cannot be used: the password is empty"),
        (text(":the-password-of-it"), no_login, "the user name is empty"),
        (text("AWS:the-password-of-it\n"), no_login, "contains a line break or NUL"),
        (text("A\0WS:the-password-of-it"), no_login, "contains a line break or NUL"),
        (text("AWS\r\n:the-password-of-it"), no_login, "contains a line break or NUL"),
    ] {
        let name = format!("{token:?}");
        let run = answered(&cloud, token, Expires::In(43_200.0));
        fails(&run, REGISTRY, PROTOCOL, error, &[cause, "hint: check for a proxy"], &name);
    }
}

/// Everything after the first colon is the password.
fn a_login_is_handed_on_as_it_is(world: &World) {
    let cloud = Cloud::new(world);
    for (text, user, password) in [
        ("AWS:the-password-of-it", "AWS", "the-password-of-it"),
        ("AWS:the-password-of-it:and more", "AWS", "the-password-of-it:and more"),
        ("somebody:\"the-password-of-it\"\\ü", "somebody", "\"the-password-of-it\"\\ü"),
    ] {
        let run = answered(&cloud, Token::Text(text.to_owned()), Expires::In(43_200.0));
        assert_eq!(run.login(), (REGISTRY.to_owned(), user.to_owned(), password.to_owned()));
    }
}

fn times_that_cannot_be_read(world: &World) {
    let cloud = Cloud::new(world);
    for time in [json!("2030-01-01T00:00:00Z"), json!("1893456000"), json!(true), json!([1])] {
        let name = time.to_string();
        let run = answered(&cloud, Token::Login, Expires::Raw(time));
        let error = "`https://api.ecr.us-west-2.amazonaws.com/` answered 200, but the answer does not come from ECR in `us-west-2`";
        fails(&run, REGISTRY, PROTOCOL, error, &["hint: check for a proxy"], &name);
    }
}

fn a_token_that_is_over(world: &World) {
    let cloud = Cloud::new(world);
    for expires in [
        Expires::In(-1.0),
        Expires::In(-86_400.5),
        Expires::Raw(json!(0)),
        Expires::Raw(json!(-1)),
        Expires::Raw(json!(-1e300)),
        Expires::Raw(json!(1_420_070_400)),
    ] {
        let name = format!("{expires:?}");
        let run = answered(&cloud, Token::Login, expires);
        assert_eq!(run.code, Some(PROTOCOL), "{name}: {}", run.stderr);
        let begins = format!("no credentials for `{REGISTRY}`: AWS sent a token that expired ");
        assert!(run.error().starts_with(&begins), "{name}: {}", run.stderr);
        explains(&run, &["hint: check this node's clock"], &name);
    }
}

fn how_long_the_kubelet_may_keep_it(world: &World) {
    let cloud = Cloud::new(world);
    // The longest is what AWS documents, 12 hours, less the margin.
    for (expires, at_most) in [
        (Expires::In(43_200.0), "11h55m0s"),
        (Expires::In(43_199.75), "11h55m0s"),
        (Expires::In(3600.0), "55m0s"),
        (Expires::In(100.0), "1m30s"),
        (Expires::In(1.5), "1s"),
        (Expires::Missing, "0s"),
        (Expires::Raw(Value::Null), "0s"),
        (Expires::Raw(json!(253_402_300_800_u64)), "11h55m0s"),
        (Expires::Raw(json!(1_893_456_000_000_u64)), "11h55m0s"),
        (Expires::Raw(json!(1e18)), "11h55m0s"),
        (Expires::Raw(json!(1e300)), "11h55m0s"),
    ] {
        let name = format!("{expires:?}");
        let run = answered(&cloud, Token::Login, expires);
        let response = run.response();
        let kept = seconds(response["cacheDuration"].as_str().unwrap());
        let at_most = seconds(at_most);
        assert!(kept <= at_most, "{name}: {kept:?}");
        assert!(kept + Duration::from_secs(30) >= at_most, "{name}: {kept:?}");
    }
}

/// A Go duration in hours, minutes and seconds.
pub(super) fn seconds(text: &str) -> Duration {
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in text.chars() {
        let unit = match c {
            'h' => 3600.0,
            'm' => 60.0,
            's' => 1.0,
            _ => {
                number.push(c);
                continue;
            }
        };
        seconds += unit * number.parse::<f64>().unwrap();
        number.clear();
    }
    assert!(number.is_empty(), "{text}");
    Duration::from_secs_f64(seconds)
}
