//! What a test puts in the place of the vendor's own answer, and what is remembered.

use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::fakes::vendors::{Canned, Cloudsmith, Quay};
use crate::server::Socket;
use crate::tls::TestCa;

fn cloudsmith() -> Fixture {
    Fixture::new(Dialect::Cloudsmith(Cloudsmith::new("corp", "k8s")))
}

fn right(fixture: &Fixture) -> RequestBuilder {
    let body = json!({"oidc_token": fixture.token(), "service_slug": "k8s"});
    fixture.post().json(&body)
}

#[tokio::test]
async fn an_answer_is_put_before_one_path_and_no_other() {
    let fixture = cloudsmith();
    let path = fixture.vendor.path();
    fixture.vendor.next("/elsewhere", Canned::status(418));
    fixture.vendor.next(&path, Canned::answer(502, "text/html", "<h1>Bad gateway"));
    let response = right(&fixture).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (502, &"text/html".parse().unwrap())
    );
    assert_eq!(response.text().await.unwrap(), "<h1>Bad gateway");
    assert_eq!(answer(right(&fixture)).await.0, 200);

    fixture.vendor.always(&path, Some(Canned::json(200, &json!({"token": ""}))));
    for _ in 0..2 {
        assert_eq!(answer(right(&fixture)).await, (200, json!({"token": ""})));
    }
    fixture.vendor.always(&path, None);
    fixture.vendor.next(&path, Canned::late(Duration::from_millis(300)));
    let started = Instant::now();
    assert_eq!(answer(right(&fixture)).await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert_eq!(fixture.vendor.passwords().len(), 2, "canned answers hand out nothing");
}

#[tokio::test]
async fn a_throttled_call_says_when_to_come_again_in_the_vendors_shape() {
    let fixture = cloudsmith();
    fixture.vendor.throttle(7);
    let response = right(&fixture).send().await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers()["retry-after"], "7");
    assert!(response.json::<Value>().await.unwrap()["detail"].is_string());
    assert_eq!(answer(right(&fixture)).await.0, 200);
}

#[tokio::test]
async fn the_log_has_names_and_values_but_no_secret() {
    let fixture = cloudsmith();
    let request = right(&fixture).header("Cookie", "a=b").basic_auth("someone", Some("else"));
    assert_eq!(answer(request).await.0, 200);
    assert_eq!(fixture.vendor.count(), 1);
    assert_eq!(fixture.vendor.paths(), ["/openid/corp/"]);
    let call = fixture.vendor.last_call();
    assert_eq!((call.method.as_str(), call.content_type.as_str()), ("POST", "application/json"));
    assert_eq!(call.host, fixture.vendor.authority());
    assert_eq!(call.field_names(), ["oidc_token", "service_slug"]);
    assert_eq!(call.field("oidc_token"), Some("(secret)"));
    assert_eq!(call.field("service_slug"), Some("k8s"));
    assert_eq!(call.authorization.as_deref(), Some("Basic"));
    assert_eq!(call.violations, ["a `cookie` header", "an `authorization` header"]);
    let password = fixture.vendor.last_password().value;
    let secrets = fixture.vendor.secrets();
    assert!(secrets.iter().any(|(_, secret)| *secret == password));
}

#[tokio::test]
async fn it_speaks_https_and_may_be_at_two_places() {
    let ca = TestCa::new();
    let issuer = Issuer::start(None);
    let settings = Settings::new(Dialect::Quay(Quay::new("corp+puller")), &issuer, AUDIENCE);
    let vendor = Vendor::start(settings, Some(&ca));
    let second = vendor.also_at(Socket::bind(Some(&ca)));
    assert!(plain_client().get(vendor.endpoint()).send().await.is_err(), "nobody trusts the CA");
    for url in [vendor.url(), second.url()] {
        assert!(url.starts_with("https://"));
        let request = ca.client().get(format!("{url}{}", vendor.path()));
        let request = request.basic_auth("corp+puller", Some(issuer.token(AUDIENCE).build()));
        assert_eq!(answer(request).await.0, 200);
    }
    assert_eq!(vendor.passwords().len(), 2);
}
