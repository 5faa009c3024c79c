use serde_json::json;

use super::*;
use crate::fakes::clock;
use crate::fakes::google::{Expires, Machine, ServiceAccount, TOKEN_PATH, TokenAnswer};

const PULLER: &str = "puller@contoso.iam.gserviceaccount.com";

fn url(server: &Server, email: &str) -> String {
    format!("{}/v1/projects/-/serviceAccounts/{email}:generateAccessToken", server.url())
}

fn body() -> Value {
    json!({"scope": [CLOUD_PLATFORM], "lifetime": "3600s"})
}

#[tokio::test]
async fn a_bearer_takes_the_token_of_an_account_that_it_may_impersonate() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let pod = fixture.provider.principal("demo", "web");
    let node = ServiceAccount::new(NODE).principal();
    let account = ServiceAccount::new(PULLER).impersonated_by(&pod).impersonated_by(&node);
    google.add_service_account(account.clone());
    let server = serve(google.iam_credentials(GOOGLE));
    let metadata = serve(google.metadata(Machine::of(NODE)));
    let asked = plain_client().get(format!("{}{TOKEN_PATH}", metadata.url()));
    let (_, nodes) = answer(asked.header("metadata-flavor", "Google")).await;
    let nodes = nodes["access_token"].as_str().unwrap().to_owned();
    for bearer in [google.mint(&pod, &[CLOUD_PLATFORM], 3600), nodes] {
        let post = |body: Value| {
            answer(plain_client().post(url(&server, PULLER)).bearer_auth(&bearer).json(&body))
        };
        let before = google.now();
        let (status, minted) = post(body()).await;
        assert_eq!(status, 200, "{minted}");
        let ends = [0, 1, 2, 3].map(|late| clock::rfc3339(before + 3600 + late));
        let expires = minted["expireTime"].as_str().unwrap().to_owned();
        assert!(ends.contains(&expires), "{expires}");
        let token = google.accepts("oauth2accesstoken", minted["accessToken"].as_str().unwrap());
        let token = token.unwrap();
        assert_eq!(
            (token.principal, token.minted_by),
            (account.principal(), Service::IamCredentials)
        );
        let call = google.calls_to(Service::IamCredentials).pop().unwrap();
        assert_eq!(call.principal, Some(account.principal()));
        assert_eq!(call.field("lifetime"), Some("3600s"));
        // Its lifetime is an hour unless it says so, and its end what a test says.
        assert_eq!(post(json!({"scope": [CLOUD_PLATFORM]})).await.0, 200);
    }
    let bearer = google.mint(&pod, &["https://www.googleapis.com/auth/iam"], 3600);
    let answer_in = TokenAnswer { expires: Expires::Raw(json!("tomorrow")), padding: 0 };
    google.set_token_answer(Service::IamCredentials, answer_in);
    let request = plain_client().post(url(&server, PULLER)).bearer_auth(&bearer).json(&body());
    assert_eq!(answer(request).await.1["expireTime"], "tomorrow");
    assert!(!format!("{:?}", google.calls()).contains(&bearer));
}

#[tokio::test]
async fn who_is_nobody_or_may_not_is_refused() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let pod = fixture.provider.principal("demo", "web");
    let other = fixture.provider.principal("demo", "db");
    google.add_service_account(ServiceAccount::new(PULLER).impersonated_by(&pod));
    let server = serve(google.iam_credentials(GOOGLE));
    let abroad = serve(google.iam_credentials("s3nsapis.fr"));
    let good = google.mint(&pod, &[CLOUD_PLATFORM], 3600);
    let over = google.mint(&pod, &[CLOUD_PLATFORM], -1);
    let narrow = google.mint(&pod, &["https://www.googleapis.com/auth/devstorage.read_only"], 3600);
    let others = google.mint(&other, &[CLOUD_PLATFORM], 3600);
    let (unauthenticated, denied) = ((401, "UNAUTHENTICATED"), (403, "PERMISSION_DENIED"));
    let post = |url: String| plain_client().post(url).json(&body());
    let at = url(&server, PULLER);
    for (request, (status, code), reason) in [
        (post(at.clone()), unauthenticated, "no bearer"),
        (post(at.clone()).basic_auth("a", Some(&good)), unauthenticated, "no bearer"),
        (post(at.clone()).bearer_auth("ya29.d.guessed"), unauthenticated, "unknown token"),
        (post(at.clone()).bearer_auth(&over), unauthenticated, "a token that is over"),
        (
            post(url(&abroad, PULLER)).bearer_auth(&good),
            unauthenticated,
            "another universe's token",
        ),
        (post(at.clone()).bearer_auth(&narrow), denied, "scopes"),
        (post(at.clone()).bearer_auth(&others), denied, "PERMISSION_DENIED"),
        (post(url(&server, NODE)).bearer_auth(&good), denied, "PERMISSION_DENIED"),
    ] {
        let (found, body) = answer(request).await;
        assert_eq!((found, &body["error"]["status"]), (status, &code.into()), "{body}");
        assert_eq!(body["error"]["code"], status);
        assert_eq!(fixture.reason(), reason);
        if reason == "PERMISSION_DENIED" {
            assert_eq!(
                body["error"]["message"],
                "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not \
                 exist)."
            );
            assert_eq!(body["error"]["details"][0]["reason"], "IAM_PERMISSION_DENIED");
        }
    }
    assert_eq!(google.tokens().len(), 4, "those of this test, and none by IAM");
    let client = plain_client();
    assert_eq!(answer(client.get(&at).bearer_auth(&good)).await.0, 404);
    let elsewhere = at.replace("/-/", "/contoso/");
    assert_eq!(answer(post(elsewhere).bearer_auth(&good)).await.0, 404);
}

#[tokio::test]
async fn what_is_asked_for_must_be_in_order() {
    let fixture = Fixture::new();
    let google = &fixture.google;
    let pod = fixture.provider.principal("demo", "web");
    google.add_service_account(ServiceAccount::new(PULLER).impersonated_by(&pod));
    let server = serve(google.iam_credentials(GOOGLE));
    let bearer = google.mint(&pod, &[CLOUD_PLATFORM], 3600);
    let request = || plain_client().post(url(&server, PULLER)).bearer_auth(&bearer);
    let lifetime = |text: &str| json!({"scope": [CLOUD_PLATFORM], "lifetime": text});
    for (body, status, words) in [
        (lifetime("3601s"), 400, "more than 1 hour"),
        (lifetime("0s"), 400, "larger then zero"),
        (lifetime("1h"), 400, "Illegal duration"),
        (json!({"scope": [CLOUD_PLATFORM], "lifetime": 3600}), 400, "Illegal duration"),
        (json!({"lifetime": "3600s"}), 400, "invalid argument"),
        (json!({"scope": ["cloud-platform"]}), 400, "invalid argument"),
        (json!({"scope": [1]}), 400, "no string"),
        (json!({"scope": [CLOUD_PLATFORM], "scopes": []}), 400, "Unknown name"),
        (json!([]), 400, "Not an object"),
        (lifetime("600s"), 200, ""),
    ] {
        let (found, answer) = answer(request().json(&body)).await;
        assert_eq!(found, status, "{body}: {answer}");
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(words), "{message}");
    }
    let (status, body) = answer(request().form(&[("scope", CLOUD_PLATFORM)])).await;
    assert_eq!((status, &body["error"]["status"]), (400, &"INVALID_ARGUMENT".into()));
}
