//! Keycloak and Entra, where a client authenticates with the pod's token, or in addition to it.

use serde_json::json;

use super::*;
use crate::fakes::vendors::{Client, Entra, KeycloakClientAssertion, KeycloakJwtGrant};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn client() -> Client {
    Client::Post { id: "registry".to_owned(), secret: "a-secret-of-its-own".to_owned() }
}

fn grant(token: &str) -> Fields {
    fields(&[
        ("grant_type", GRANT),
        ("assertion", token),
        ("client_id", "registry"),
        ("client_secret", "a-secret-of-its-own"),
    ])
}

#[tokio::test]
async fn keycloak_takes_a_grant_once_for_the_realms_issuer() {
    let fixture = Fixture::new(Dialect::KeycloakJwtGrant(KeycloakJwtGrant::new("corp", client())));
    assert_eq!(fixture.vendor.audience(), format!("{}/realms/corp", fixture.vendor.url()));
    let shape = |body: &Value| oauth_error(body, "invalid_grant");
    let right = fixture.judge(|token| fixture.post().form(&grant(token)), &[400], shape).await;
    assert_eq!(right["expires_in"], 300);

    let token = fixture.token();
    assert_eq!(answer(fixture.post().form(&grant(&token))).await.0, 200);
    let again = fixture.refuses(fixture.post().form(&grant(&token)), 400).await;
    assert_eq!(again["error_description"], "Token reuse detected");
    let long = fixture.issuer.token(fixture.vendor.audience()).lifetime(3601).build();
    assert!(shape(&fixture.refuses(fixture.post().form(&grant(&long)), 400).await));

    let good = grant(&fixture.token());
    for (name, value, status, code) in [
        ("client_secret", Some("wrong"), 401, "invalid_client"),
        ("client_secret", None, 401, "invalid_client"),
        ("grant_type", Some("client_credentials"), 400, "unsupported_grant_type"),
        ("assertion", None, 400, "invalid_request"),
    ] {
        let wrong = fixture.post().form(&with(&good, name, value));
        let body = fixture.refuses(wrong, status).await;
        assert!(oauth_error(&body, code), "{name}: {body}");
    }
    let other_realm = fixture.vendor.endpoint().replace("/corp/", "/other/");
    fixture.refuses(plain_client().post(other_realm).form(&good), 404).await;
    fixture.refuses(fixture.post().json(&json!({"assertion": "x"})), 400).await;
    let bare: Fields = good.into_iter().filter(|(name, _)| !name.starts_with("client")).collect();
    let basic = fixture.post().basic_auth("registry", Some("a-secret-of-its-own")).form(&bare);
    assert_eq!(answer(basic).await.0, 200);
}

#[tokio::test]
async fn keycloak_takes_a_grant_again_where_it_may() {
    let keycloak = KeycloakJwtGrant { reuse: true, ..KeycloakJwtGrant::new("corp", client()) };
    let fixture = Fixture::new(Dialect::KeycloakJwtGrant(keycloak));
    let form = grant(&fixture.token());
    for _ in 0..2 {
        assert_eq!(answer(fixture.post().form(&form)).await.0, 200);
    }
    let strict =
        KeycloakJwtGrant { longest_assertion: 300, ..KeycloakJwtGrant::new("corp", client()) };
    let fixture = Fixture::new(Dialect::KeycloakJwtGrant(strict));
    fixture.refuses(fixture.post().form(&grant(&fixture.token())), 400).await;
}

#[tokio::test]
async fn keycloak_knows_a_client_by_the_pods_token() {
    let keycloak = KeycloakClientAssertion::new("corp", "puller");
    let fixture = Fixture::new(Dialect::KeycloakClientAssertion(keycloak));
    let form = |token: &str| {
        fields(&[
            ("grant_type", "client_credentials"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", token),
            ("scope", "registry"),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_client");
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[401], shape).await;
    assert_eq!((&right["expires_in"], &right["scope"]), (&json!(300), &json!("registry")));
    let good = form(&fixture.token());
    let named = with(&good, "client_id", Some("puller"));
    assert_eq!(answer(fixture.post().form(&named)).await.0, 200);
    for (name, value, status) in [
        ("client_id", Some("other"), 401),
        ("client_assertion_type", None, 401),
        ("client_assertion_type", Some(GRANT), 401),
        ("client_assertion", None, 401),
        ("grant_type", Some(GRANT), 400),
    ] {
        fixture.refuses(fixture.post().form(&with(&good, name, value)), status).await;
    }
}

#[tokio::test]
async fn entra_knows_an_application_by_the_pods_token() {
    let entra = Entra::new("tenant-1", "app-1", "api://registry/.default");
    let fixture = Fixture::new(Dialect::Entra(entra));
    let form = |token: &str| {
        fields(&[
            ("grant_type", "client_credentials"),
            ("client_id", "app-1"),
            ("scope", "api://registry/.default"),
            ("client_assertion_type", ASSERTION),
            ("client_assertion", token),
        ])
    };
    let shape = |body: &Value| {
        let description = body["error_description"].as_str().unwrap_or_default();
        oauth_error(body, "invalid_client") && description.starts_with("AADSTS")
    };
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[401], shape).await;
    assert_eq!(right["expires_in"], 3599);
    let good = form(&fixture.token());
    for (name, value, status, code) in [
        ("client_id", Some("other"), 400, "unauthorized_client"),
        ("client_id", None, 400, "unauthorized_client"),
        ("scope", None, 400, "invalid_scope"),
        ("scope", Some("api://other/.default"), 400, "invalid_scope"),
        ("client_assertion_type", None, 401, "invalid_client"),
        ("grant_type", Some(GRANT), 400, "unsupported_grant_type"),
    ] {
        let wrong = fixture.post().form(&with(&good, name, value));
        let body = fixture.refuses(wrong, status).await;
        assert!(oauth_error(&body, code), "{name}: {body}");
    }
    let other = fixture.vendor.endpoint().replace("tenant-1", "tenant-2");
    fixture.refuses(plain_client().post(other).form(&good), 404).await;
}
