use std::time::{Duration, Instant};

use serde_json::json;

use super::*;
use crate::fakes::azure::Machine;

#[tokio::test]
async fn canned_answers_come_first_and_services_fail_separately() {
    let fixture = Fixture::new();
    let identity = fixture.puller();
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let token = fixture.azure.access_token(&identity, REGISTRIES, 3600);
    let form =
        [("grant_type", "access_token"), ("service", LOGIN_SERVER), ("access_token", &token)];
    let client = plain_client();
    let exchange = || client.post(format!("{}/oauth2/exchange", server.url())).form(&form).send();
    let azure = &fixture.azure;
    azure.next(Service::Exchange, Canned::throttled(Service::Exchange, 7));
    azure.next(Service::Exchange, Canned::json(200, &json!({})));
    azure.next(Service::Exchange, Canned::denied("10.0.0.1"));
    azure.always(Service::Exchange, Some(Canned::unavailable()));

    let throttled = exchange().await.unwrap();
    assert_eq!((throttled.status().as_u16(), header(&throttled, "retry-after")), (429, "7".into()));
    let body: Value = throttled.json().await.unwrap();
    assert_eq!(body["errors"][0]["code"], "TOOMANYREQUESTS");
    assert_eq!(exchange().await.unwrap().text().await.unwrap(), "{}");
    assert_eq!(exchange().await.unwrap().status(), 403);
    for _ in 0..2 {
        assert_eq!(exchange().await.unwrap().status(), 503);
    }
    let challenge = client.get(format!("{}/v2/", server.url())).send().await.unwrap();
    assert_eq!(challenge.status(), 401);
    azure.always(Service::Exchange, None);
    assert_eq!(exchange().await.unwrap().status(), 200);
    assert_eq!(azure.count(Service::Exchange), 6);
    assert_eq!(azure.calls()[0].status, Some(429));
}

#[tokio::test]
async fn challenges_can_be_of_any_kind() {
    let fixture = Fixture::new();
    fixture.puller();
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let azure = &fixture.azure;
    let foreign =
        r#"Bearer realm="https://evil.example/oauth2/token",service="contoso.azurecr.io""#;
    let unquoted = "Bearer realm=https://contoso.azurecr.io/oauth2/token,service=contoso";
    for challenge in ["Basic", foreign, unquoted] {
        azure.next(Service::Challenge, Canned::challenge(challenge));
    }
    azure.next(Service::Challenge, Canned::challenge("a").with_header("www-authenticate", "b"));
    azure.next(Service::Challenge, Canned::redirect("https://evil.example/v2/"));
    let client = plain_client();
    let ask = || client.get(format!("{}/v2/", server.url())).send();
    for challenge in ["Basic", foreign, unquoted] {
        assert_eq!(header(&ask().await.unwrap(), "www-authenticate"), challenge);
    }
    assert_eq!(ask().await.unwrap().headers().get_all("www-authenticate").iter().count(), 2);
    let redirect = ask().await.unwrap();
    assert_eq!(redirect.status(), 307);
    assert_eq!(header(&redirect, "location"), "https://evil.example/v2/");
}

#[tokio::test]
async fn every_service_has_its_own_words_for_the_same() {
    let fixture = Fixture::new();
    let azure = &fixture.azure;
    let imds = serve(azure.imds(Machine::new().user(&fixture.user("node"))));
    let entra = serve(azure.entra_of(&Cloud::public()));
    let client = plain_client();
    azure.next(Service::Imds, Canned::throttled(Service::Imds, 1));
    azure.next(Service::Imds, Canned::status(410));
    let ask = || client.get(imds.url()).send();
    let body: Value = ask().await.unwrap().json().await.unwrap();
    assert_eq!(body["error_description"], "Temporarily throttled, too many requests");
    assert_eq!(ask().await.unwrap().status(), 410);

    azure.next(Service::Entra, Canned::throttled(Service::Entra, 1));
    azure.next(Service::Entra, Canned::broken(Service::Entra));
    azure.next(Service::Entra, Canned::aadsts(700_213, "No matching record."));
    let ask = || client.post(entra.url()).send();
    assert_eq!(ask().await.unwrap().text().await.unwrap(), "Too Many Requests");
    let broken = ask().await.unwrap();
    assert_eq!(broken.status(), 503);
    assert_eq!(broken.json::<Value>().await.unwrap()["error"], "temporarily_unavailable");
    let refused = ask().await.unwrap();
    assert_eq!(refused.status(), 401);
    let body: Value = refused.json().await.unwrap();
    let description = body["error_description"].as_str().unwrap();
    assert!(description.starts_with("AADSTS700213: No matching record. Trace ID: "));
}

#[tokio::test]
async fn an_answer_can_be_late() {
    let fixture = Fixture::new();
    fixture.puller();
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let delay = Duration::from_millis(300);
    fixture.azure.next(Service::Challenge, Canned::late(delay));
    let started = Instant::now();
    let response = plain_client().get(format!("{}/v2/", server.url())).send().await.unwrap();
    assert_eq!(response.status(), 401);
    assert!(started.elapsed() >= delay);
}
