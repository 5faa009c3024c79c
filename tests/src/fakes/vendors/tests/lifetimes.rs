//! The end of a password, in every vendor's words.

use serde_json::json;

use super::*;
use crate::fakes::clock;
use crate::fakes::vendors::{Broker, Chainguard, Client, Expiry, Grant, OAuth};

/// What an endpoint says under `expires_in`, and the password.
async fn said(expiry: Expiry) -> (Option<Value>, super::super::Password) {
    let oauth = OAuth::new(Client::None { id: None }, Grant::JwtBearer);
    let fixture = Fixture::with(Dialect::OAuth(oauth), |settings| {
        settings.expiry = expiry;
        settings.lifetime = Some(1234);
    });
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = fields(&[("grant_type", grant), ("assertion", &fixture.token())]);
    let (status, body) = answer(fixture.post().form(&form)).await;
    assert_eq!(status, 200, "{body}");
    (body.get("expires_in").cloned(), fixture.vendor.last_password())
}

#[tokio::test]
async fn every_form_says_the_same_second() {
    let (end, password) = said(Expiry::Usual).await;
    assert_eq!((end, password.lifetime), (Some(json!(1234)), 1234));
    assert!((password.expires - 1234 - jwt::now()).abs() <= 2);
    assert_eq!(said(Expiry::Seconds).await.0, Some(json!(1234)));
    assert_eq!(said(Expiry::SecondsText).await.0, Some(json!("1234")));
    let (end, password) = said(Expiry::Epoch).await;
    assert_eq!(end, Some(json!(password.expires)));
    let (end, password) = said(Expiry::EpochMillis).await;
    assert_eq!(end, Some(json!(password.expires * 1000)));
    let (end, password) = said(Expiry::Rfc3339).await;
    assert_eq!(end, Some(json!(clock::rfc3339(password.expires))));
    let (end, password) = said(Expiry::JwtExp).await;
    let (_, claims) = jwt::parts(&password.value).unwrap();
    assert_eq!((end, claims["exp"].as_i64()), (None, Some(password.expires)));
    let (end, password) = said(Expiry::Absent).await;
    assert_eq!((end, jwt::parts(&password.value)), (None, None));
}

#[tokio::test]
async fn vendors_say_it_in_their_own_field() {
    let chainguard = Dialect::Chainguard(Chainguard::new("id"));
    let fixture = Fixture::with(chainguard, |settings| settings.lifetime = Some(77));
    let url = format!("{}?aud=cgr.dev&identity=id", fixture.vendor.endpoint());
    let (_, body) = answer(plain_client().get(url).bearer_auth(fixture.token())).await;
    assert_eq!(body["expiry"], clock::rfc3339(fixture.vendor.last_password().expires));

    let broker = Dialect::Broker(Broker::new("robot", 1));
    let fixture = Fixture::with(broker, |settings| settings.expiry = Expiry::EpochMillis);
    let request = fixture.post().bearer_auth(fixture.token()).json(&json!({"duration": 1}));
    let (_, body) = answer(request).await;
    assert_eq!(body["expires"], fixture.vendor.last_password().expires * 1000);
}

#[tokio::test]
async fn a_password_that_is_over_opens_nothing() {
    for (lifetime, opens) in [(60, true), (-1, false)] {
        let broker = Dialect::Broker(Broker::new("robot", 1));
        let fixture = Fixture::with(broker, |settings| settings.lifetime = Some(lifetime));
        let request = fixture.post().bearer_auth(fixture.token()).json(&json!({"duration": 1}));
        answer(request).await;
        let trust = fixture.vendor.trust();
        let password = fixture.vendor.last_password();
        assert_eq!(trust.subject(&password.value).await.is_ok(), opens);
        assert!(trust.subject("made up").await.is_err());
    }
}
