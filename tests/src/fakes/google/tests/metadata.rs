use super::*;
use crate::fakes::google::{Expires, Machine, TOKEN_PATH, TokenAnswer};

fn get(server: &Server, path: &str) -> RequestBuilder {
    plain_client().get(format!("{}{path}", server.url())).header("metadata-flavor", "Google")
}

#[tokio::test]
async fn the_machines_account_has_a_token_and_each_call_its_own() {
    let google = Google::new(plain_client());
    let server = serve(google.metadata(Machine::of(NODE)));
    let (status, first) = answer(get(&server, TOKEN_PATH)).await;
    assert_eq!((status, &first["token_type"]), (200, &"Bearer".into()), "{first}");
    assert_eq!(first["expires_in"], 3599);
    let answer_in = TokenAnswer { expires: Expires::In(301), padding: 0 };
    google.set_token_answer(Service::Metadata, answer_in);
    let response = get(&server, TOKEN_PATH).send().await.unwrap();
    let headers = response.headers().clone();
    assert_eq!(headers["metadata-flavor"], "Google");
    assert_eq!(headers["server"], "Metadata Server for VM");
    let second: Value = response.json().await.unwrap();
    assert_eq!(second["expires_in"], 301);
    assert_ne!(first["access_token"], second["access_token"]);
    for token in [&first, &second] {
        let token = google.accepts("oauth2accesstoken", token["access_token"].as_str().unwrap());
        assert_eq!(token.unwrap().principal, format!("serviceAccount:{NODE}"));
    }
    let value = second["access_token"].as_str().unwrap();
    assert_eq!(google.accepts("_json_key", value), None);
    assert_eq!(google.accepts("_token", &format!("{value}x")), None);
    google.set_clock_offset(302);
    assert_eq!(google.accepts("_token", value), None, "it is over");
    assert_eq!(google.paths(Service::Metadata), [TOKEN_PATH, TOKEN_PATH]);
    assert!(!format!("{:?}", google.calls()).contains(value));
}

#[tokio::test]
async fn what_else_it_knows_is_counted_too() {
    let google = Google::new(plain_client());
    let machine = Machine::of(NODE).project("shop").scopes(&["a", "b"]);
    let server = serve(google.metadata(machine.clone()));
    let elsewhere = serve(google.metadata(machine.universe("s3nsapis.fr")));
    let account = "/computeMetadata/v1/instance/service-accounts/default";
    let (email, scopes) = (format!("{account}/email"), format!("{account}/scopes"));
    let universe = "/computeMetadata/v1/universe/universe-domain";
    for (server, path, status, body) in [
        (&server, email.as_str(), 200, Some(NODE)),
        (&server, &scopes, 200, Some("a\nb\n")),
        (&server, "/computeMetadata/v1/project/project-id", 200, Some("shop")),
        (&elsewhere, universe, 200, Some("s3nsapis.fr")),
        (&server, universe, 404, None),
        (&server, "/computeMetadata/v1/instance/id", 404, None),
        (&server, "/", 404, None),
    ] {
        let (found, text) = answer(get(server, path)).await;
        assert_eq!(found, status, "{path}");
        assert!(body.is_none_or(|body| text == body), "{text}");
        assert_eq!(google.paths(Service::Metadata).pop().as_deref(), Some(path));
    }
    assert_eq!(google.count(Service::Metadata), 7);
    assert!(google.tokens().is_empty());
}

#[tokio::test]
async fn what_a_real_one_refuses_is_refused() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let server = serve(google.metadata(Machine::of(NODE)));
    let none = serve(google.metadata(Machine::without_account()));
    let url = format!("{}{TOKEN_PATH}", server.url());
    let client = plain_client();
    let good = || client.get(&url).header("metadata-flavor", "Google");
    for (request, status, reason) in [
        (client.get(&url), 403, "no `Metadata-Flavor`"),
        (client.get(&url).header("metadata-flavor", "google"), 403, "no `Metadata-Flavor`"),
        (good().header("x-forwarded-for", "10.0.0.1"), 403, "proxied"),
        (client.post(&url).header("metadata-flavor", "Google"), 405, "not a GET"),
        (get(&none, TOKEN_PATH), 404, "no such path"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()["metadata-flavor"], "Google");
        assert!(response.text().await.unwrap().starts_with("<!DOCTYPE html>"));
        assert_eq!(fixture.reason(), reason);
    }
    assert!(google.tokens().is_empty());
    let stranger = serve(google.metadata(Machine::of(NODE).without_flavor()));
    let response = get(&stranger, TOKEN_PATH).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("metadata-flavor"));
}
