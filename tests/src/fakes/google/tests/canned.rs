use super::*;
use crate::fakes::google::{Machine, TOKEN_PATH};

#[tokio::test]
async fn every_service_has_its_own_words_and_they_fail_separately() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let (sts, iam, oauth) =
        (serve(google.sts(GOOGLE)), serve(google.iam_credentials(GOOGLE)), serve(google.oauth()));
    let metadata = serve(google.metadata(Machine::of(NODE)));
    for (service, server, throttled, broken) in [
        (Service::Sts, &sts, "quota_exceeded", "INTERNAL"),
        (Service::IamCredentials, &iam, "RESOURCE_EXHAUSTED", "INTERNAL"),
        (Service::OAuth, &oauth, "rate_limit_exceeded", "internal_failure"),
        (Service::Metadata, &metadata, "<!DOCTYPE html>", "<!DOCTYPE html>"),
    ] {
        google.next(service, Canned::throttled(service).with_header("retry-after", "7"));
        google.next(service, Canned::broken(service));
        google.always(service, Some(Canned::unavailable()));
        let ask = || plain_client().post(server.url());
        let response = ask().send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["retry-after"]),
            (429, &"7".parse().unwrap())
        );
        assert!(response.text().await.unwrap().contains(throttled));
        let (status, body) = answer(ask()).await;
        assert!(status == 500 && body.to_string().contains(broken), "{body}");
        for _ in 0..2 {
            assert_eq!(answer(ask()).await.0, 503);
        }
        assert_eq!(google.count(service), 4);
        google.always(service, None);
    }
    google.next(Service::Sts, Canned::error(Service::Sts, 400, "invalid_grant", "No."));
    let (_, body) = answer(plain_client().post(sts.url())).await;
    assert_eq!(
        (&body["error"], &body["error_description"]),
        (&"invalid_grant".into(), &"No.".into())
    );
    // The metadata server's headers are on whatever it is made to say.
    google.next(Service::Metadata, Canned::status(503));
    let get = plain_client().get(format!("{}{TOKEN_PATH}", metadata.url()));
    assert_eq!(get.send().await.unwrap().headers()["metadata-flavor"], "Google");
}
