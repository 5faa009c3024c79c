//! The vendors that are asked by a form and know no client.

use serde_json::json;

use super::*;
use crate::fakes::vendors::{Client, Dex, DockerHub, GoogleSts, Ibm, Yandex};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Field, its wrong value (or that it is missing), status and error.
type Wrong = (&'static str, Option<&'static str>, u16, &'static str);

/// Every wrong form, and the right one where and as it does not belong.
async fn refuses_all(fixture: &Fixture, good: &Fields, wrong: &[Wrong]) {
    for (name, value, status, code) in wrong {
        let body = fixture.refuses(fixture.post().form(&with(good, name, *value)), *status).await;
        assert!(oauth_error(&body, code) || body["errorCode"].is_string(), "{name}: {body}");
    }
    let mut twice = good.clone();
    twice.push(good[0].clone());
    fixture.refuses(fixture.post().form(&twice), 400).await;
    let object: serde_json::Map<String, Value> =
        good.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    fixture.refuses(fixture.post().json(&object), 400).await;
    let elsewhere = format!("{}/elsewhere", fixture.vendor.url());
    fixture.refuses(plain_client().post(elsewhere).form(good), 404).await;
    fixture.refuses(plain_client().get(fixture.vendor.endpoint()), 405).await;
    assert_eq!(fixture.vendor.violations(), Vec::<String>::new());
    let odd = with(good, "shoe_size", Some("44"));
    assert_eq!(answer(fixture.post().form(&odd)).await.0, 200);
    assert_eq!(fixture.vendor.violations(), ["a parameter `shoe_size`"]);
}

#[tokio::test]
async fn yandex_wants_the_service_account_as_the_audience() {
    let fixture = Fixture::new(Dialect::Yandex(Yandex::new("aje0123456789abcdefg")));
    let form = |token: &str| {
        fields(&[
            ("grant_type", EXCHANGE),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", "aje0123456789abcdefg"),
            ("subject_token", token),
            ("subject_token_type", ID_TOKEN),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_grant");
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[400], shape).await;
    assert_eq!(right["expires_in"], 3600);
    let wrong = [
        ("grant_type", None, 400, "invalid_request"),
        ("grant_type", Some("password"), 400, "unsupported_grant_type"),
        ("requested_token_type", None, 400, "invalid_request"),
        ("audience", None, 400, "invalid_target"),
        ("audience", Some("aje-other"), 400, "invalid_target"),
        ("subject_token_type", Some(JWT), 400, "invalid_request"),
        ("subject_token", None, 400, "invalid_request"),
    ];
    refuses_all(&fixture, &form(&fixture.token()), &wrong).await;
}

#[tokio::test]
async fn docker_hub_gives_what_was_asked_for_and_does_not_say_so() {
    let fixture = Fixture::new(Dialect::DockerHub(DockerHub::new("11111111-2222-4333")));
    let form = |token: &str| {
        fields(&[
            ("grant_type", EXCHANGE),
            ("subject_token_type", ID_TOKEN),
            ("subject_token", token),
            ("connection_id", "11111111-2222-4333"),
            ("expires_in", "900"),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "access_denied");
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[401], shape).await;
    assert_eq!(right.as_object().unwrap().len(), 1, "{right}");
    assert_eq!(fixture.vendor.passwords()[0].lifetime, 900);
    let good = form(&fixture.token());
    let unasked = with(&good, "expires_in", None);
    assert_eq!(answer(fixture.post().form(&unasked)).await.0, 200);
    assert_eq!(fixture.vendor.last_password().lifetime, 300);
    let wrong = [
        ("grant_type", Some("password"), 400, "unsupported_grant_type"),
        ("subject_token_type", Some(JWT), 400, "invalid_request"),
        ("connection_id", None, 400, "invalid_request"),
        ("connection_id", Some("other"), 400, "invalid_request"),
        ("expires_in", Some("299"), 400, "invalid_request"),
        ("expires_in", Some("21601"), 400, "invalid_request"),
        ("expires_in", Some("soon"), 400, "invalid_request"),
    ];
    refuses_all(&fixture, &good, &wrong).await;
}

#[tokio::test]
async fn ibm_wants_a_profile_by_id_or_by_name() {
    for (ibm, name, other) in [
        (Ibm::new("Profile-1"), "profile_id", "profile_name"),
        (Ibm::named("Profile-1"), "profile_name", "profile_id"),
    ] {
        let fixture = Fixture::new(Dialect::Ibm(ibm));
        let form = |token: &str| {
            fields(&[
                ("grant_type", "urn:ibm:params:oauth:grant-type:cr-token"),
                ("cr_token", token),
                (name, "Profile-1"),
            ])
        };
        let shape = |body: &Value| body["errorCode"].is_string();
        let right = fixture.judge(|token| fixture.post().form(&form(token)), &[400], shape).await;
        assert_eq!(right["expires_in"], 3600);
        assert_eq!(right["expiration"], fixture.vendor.passwords()[0].expires);
        let wrong = [
            ("grant_type", Some(EXCHANGE), 400, ""),
            ("cr_token", None, 400, ""),
            (name, None, 400, ""),
            (name, Some("Profile-2"), 400, ""),
            (other, Some("Profile-1"), 400, ""),
        ];
        refuses_all(&fixture, &form(&fixture.token()), &wrong).await;
    }
}

#[tokio::test]
async fn google_takes_a_form_or_json_and_then_gives_a_service_accounts_token() {
    let provider = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/\
                    providers/one";
    let email = "node@contoso.iam.gserviceaccount.com";
    let sts = GoogleSts { service_account: Some(email.to_owned()), ..GoogleSts::new(provider) };
    let fixture = Fixture::new(Dialect::GoogleSts(sts));
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let form = |token: &str| {
        fields(&[
            ("grant_type", EXCHANGE),
            ("audience", provider),
            ("scope", scope),
            ("requested_token_type", ACCESS_TOKEN),
            ("subject_token", token),
            ("subject_token_type", JWT),
        ])
    };
    let shape = |body: &Value| oauth_error(body, "invalid_grant");
    let right = fixture.judge(|token| fixture.post().form(&form(token)), &[400], shape).await;
    assert_eq!(right["expires_in"], 3599);
    let camel = |token: &str| {
        json!({
            "grantType": EXCHANGE,
            "audience": provider,
            "scope": scope,
            "requestedTokenType": ACCESS_TOKEN,
            "subjectToken": token,
            "subjectTokenType": JWT,
        })
    };
    fixture.judge(|token| fixture.post().json(&camel(token)), &[400], shape).await;
    let good = form(&fixture.token());
    fixture.refuses(fixture.post().form(&good).bearer_auth("x"), 400).await;
    for (name, value, code) in [
        ("grant_type", Some("password"), "unsupported_grant_type"),
        ("audience", Some("//iam.googleapis.com/other"), "invalid_target"),
        ("scope", None, "invalid_request"),
        ("scope", Some("email"), "invalid_scope"),
        ("requested_token_type", None, "invalid_request"),
        ("subject_token_type", Some(ACCESS_TOKEN), "invalid_request"),
    ] {
        let body = fixture.refuses(fixture.post().form(&with(&good, name, value)), 400).await;
        assert!(oauth_error(&body, code), "{name}: {body}");
    }

    let federated = right["access_token"].as_str().unwrap();
    let url = format!("{}{}", fixture.vendor.url(), fixture.vendor.second_path().unwrap());
    let ask = || plain_client().post(&url).json(&json!({"scope": [scope], "lifetime": "1200s"}));
    let (status, second) = answer(ask().bearer_auth(federated)).await;
    assert_eq!(status, 200, "{second}");
    let password = fixture.vendor.last_password();
    assert_eq!((&second["accessToken"], password.lifetime), (&json!(password.value), 1200));
    assert!(second["expireTime"].as_str().unwrap().ends_with('Z'), "{second}");
    let refused = fixture.refuses(ask().bearer_auth(fixture.token()), 401).await;
    assert_eq!(refused["error"]["status"], "UNAUTHENTICATED");
    fixture.refuses(ask(), 401).await;
    let bare = plain_client().post(&url).bearer_auth(federated);
    fixture.refuses(bare.json(&json!({"scope": scope})), 400).await;
    let other = url.replace("node@", "other@");
    let other = plain_client().post(other).bearer_auth(federated);
    fixture.refuses(other.json(&json!({"scope": [scope]})), 404).await;
}

#[tokio::test]
async fn dex_wants_a_client_and_a_connector() {
    let (id, secret) = ("node pool".to_owned(), "s:e%c+r&e=t".to_owned());
    let client = Client::Basic { id: id.clone(), secret: secret.clone() };
    let fixture = Fixture::new(Dialect::Dex(Dex::new(client, "cluster")));
    let form = |token: &str| {
        fields(&[
            ("grant_type", EXCHANGE),
            ("subject_token", token),
            ("subject_token_type", ID_TOKEN),
            ("connector_id", "cluster"),
            ("scope", "openid"),
        ])
    };
    // Form-encoded before they are joined.
    let basic = || fixture.post().basic_auth("node+pool", Some("s%3Ae%25c%2Br%26e%3Dt"));
    let shape = |body: &Value| *body == json!({"error": "access_denied"});
    let right = fixture.judge(|token| basic().form(&form(token)), &[401], shape).await;
    assert_eq!(right["expires_in"], 86_400);
    let posted = |token: &str| {
        let form = with(&form(token), "client_id", Some(&id));
        fixture.post().form(&with(&form, "client_secret", Some(&secret)))
    };
    fixture.judge(posted, &[401], shape).await;

    let good = form(&fixture.token());
    let nobody = fixture.refuses(fixture.post().form(&good), 401).await;
    assert!(oauth_error(&nobody, "invalid_client"), "{nobody}");
    let raw = fixture.post().basic_auth(&id, Some(&secret)).form(&good);
    fixture.refuses(raw, 401).await;
    for (name, value, code) in [
        ("grant_type", Some("password"), "unsupported_grant_type"),
        ("subject_token_type", Some(JWT), "request_not_supported"),
        ("subject_token_type", None, "request_not_supported"),
        ("subject_token", None, "invalid_request"),
        ("connector_id", None, "invalid_request"),
        ("connector_id", Some("other"), "invalid_request"),
        ("requested_token_type", Some(JWT), "request_not_supported"),
    ] {
        let body = fixture.refuses(basic().form(&with(&good, name, value)), 400).await;
        assert!(oauth_error(&body, code), "{name}: {body}");
    }
    // The mistake that §2.1 of RFC 8693 invites: Dex has no use for an audience.
    assert_eq!(fixture.vendor.violations(), Vec::<String>::new());
    answer(basic().form(&with(&good, "audience", Some("cluster")))).await;
    assert_eq!(fixture.vendor.violations(), ["a parameter `audience`"]);
}
