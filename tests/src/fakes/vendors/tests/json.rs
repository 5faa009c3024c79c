//! The vendors that are not asked by a form.

use serde_json::json;

use super::*;
use crate::fakes::vendors::{
    ArtifactKeeper, Artifactory, Broker, Chainguard, Cloudsmith, HarborBridge, Quay,
};

const UUID: &str = "0b8f9a3c-1d2e-4f50-8a6b-7c8d9e0f1a2b";

#[tokio::test]
async fn artifactory_takes_json_with_the_names_of_rfc_8693() {
    let fixture = Fixture::new(Dialect::Artifactory(Artifactory::new("k8s-prod")));
    let body = |token: &str| {
        json!({
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "subject_token": token,
            "provider_name": "k8s-prod",
        })
    };
    let request = |token: &str| fixture.post().json(&body(token));
    let shape = |body: &Value| body["errors"][0]["message"].is_string();
    let right = fixture.judge(request, &[401], shape).await;
    assert_eq!((&right["username"], &right["expires_in"]), (&json!("puller"), &json!(3600)));

    let good = body(&fixture.token());
    for (name, value, status) in [
        ("grant_type", None, 400),
        ("grant_type", Some(json!("password")), 400),
        ("subject_token_type", Some(json!("urn:ietf:params:oauth:token-type:jwt")), 400),
        ("subject_token", None, 400),
        ("provider_name", Some(json!("other")), 404),
        ("provider_name", Some(json!(7)), 400),
        ("project_key", Some(json!("other")), 404),
    ] {
        let wrong = fixture.post().json(&changed(&good, name, value));
        assert!(shape(&fixture.refuses(wrong, status).await), "{name}");
    }
    fixture.refuses(fixture.post().form(&good), 415).await;
    let elsewhere = format!("{}/api/v1/oidc/token", fixture.vendor.url());
    fixture.refuses(plain_client().post(elsewhere).json(&good), 404).await;
    fixture.refuses(plain_client().put(fixture.vendor.endpoint()).json(&good), 405).await;
    assert_eq!(fixture.vendor.violations(), Vec::<String>::new());
    let odd = changed(&good, "shoe_size", Some(json!("44")));
    assert_eq!(answer(fixture.post().json(&odd)).await.0, 200);
    assert_eq!(fixture.vendor.violations(), ["a parameter `shoe_size`"]);
}

#[tokio::test]
async fn artifactory_may_leave_the_user_to_the_token_and_want_a_project() {
    let artifactory = Artifactory {
        project: Some("shop".to_owned()),
        names_user: false,
        ..Artifactory::new("k8s-prod")
    };
    let fixture = Fixture::new(Dialect::Artifactory(artifactory));
    let body = json!({
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        "subject_token": fixture.token(),
        "provider_name": "k8s-prod",
    });
    fixture.refuses(fixture.post().json(&body), 404).await;
    let body = changed(&body, "project_key", Some(json!("shop")));
    let (status, right) = answer(fixture.post().json(&body)).await;
    assert_eq!((status, right.get("username")), (200, None));
    let (_, claims) = jwt::parts(right["access_token"].as_str().unwrap()).unwrap();
    assert!(claims["sub"].as_str().unwrap().ends_with("/users/puller"));
}

#[tokio::test]
async fn quay_takes_the_token_as_the_robots_password() {
    let fixture = Fixture::new(Dialect::Quay(Quay::new("corp+puller")));
    let get = || plain_client().get(fixture.vendor.endpoint());
    let request = |token: &str| get().basic_auth("corp+puller", Some(token));
    let shape = |body: &Value| body["error"].is_string();
    let right = fixture.judge(request, &[401], shape).await;
    assert_eq!(right.as_object().unwrap().len(), 1, "{right}");
    assert_eq!(lifetime_of(&right["token"]), 3600);
    assert_eq!(fixture.vendor.last_call().user.as_deref(), Some("corp+puller"));

    let token = fixture.token();
    assert!(shape(&fixture.refuses(get(), 401).await));
    for wrong in [
        get().bearer_auth(&token),
        get().basic_auth("puller", Some(&token)),
        get().basic_auth("corp+other", Some(&token)),
        get().basic_auth("corp%2Bpuller", Some(&token)),
    ] {
        assert!(shape(&fixture.refuses(wrong, 401).await));
    }
    let posted = fixture.post().basic_auth("corp+puller", Some(&token));
    fixture.refuses(posted, 405).await;
}

#[tokio::test]
async fn cloudsmith_answers_with_200_or_201() {
    for created in [false, true] {
        let cloudsmith = Cloudsmith { created, ..Cloudsmith::new("corp", "k8s") };
        let fixture = Fixture::new(Dialect::Cloudsmith(cloudsmith));
        let body = |token: &str| json!({"oidc_token": token, "service_slug": "k8s"});
        let shape = |body: &Value| body["detail"].is_string();
        let right = fixture.judge(|token| fixture.post().json(&body(token)), &[401], shape).await;
        assert_eq!(fixture.vendor.calls()[0].status, Some(if created { 201 } else { 200 }));
        assert_eq!(lifetime_of(&right["token"]), 3600);

        let good = body(&fixture.token());
        fixture.refuses(fixture.post().json(&changed(&good, "service_slug", None)), 400).await;
        let other = changed(&good, "service_slug", Some(json!("other")));
        assert!(shape(&fixture.refuses(fixture.post().json(&other), 404).await));
        fixture.refuses(fixture.post().json(&changed(&good, "oidc_token", None)), 400).await;
        fixture.refuses(fixture.post().form(&good), 415).await;
        let endpoint = fixture.vendor.endpoint();
        let without_slash = endpoint.trim_end_matches('/');
        fixture.refuses(plain_client().post(without_slash).json(&good), 404).await;
        fixture.refuses(plain_client().get(&endpoint), 405).await;
    }
}

#[tokio::test]
async fn chainguard_takes_a_query_or_json_but_no_form() {
    let fixture = Fixture::new(Dialect::Chainguard(Chainguard::new("org/identity")));
    let query = "?aud=cgr.dev&identity=org%2Fidentity";
    let url = |query: &str| format!("{}{query}", fixture.vendor.endpoint());
    let shape = |body: &Value| body["code"].is_u64() && body["message"].is_string();
    let by_get = |token: &str| plain_client().get(url(query)).bearer_auth(token);
    let right = fixture.judge(by_get, &[401], shape).await;
    assert!(right["expiry"].as_str().unwrap().ends_with('Z'), "{right}");
    let by_post = |token: &str| plain_client().post(url(query)).bearer_auth(token);
    fixture.judge(by_post, &[401], shape).await;
    let body = json!({"aud": ["cgr.dev"], "identity": "org/identity"});
    let by_json = |token: &str| fixture.post().json(&body).bearer_auth(token);
    fixture.judge(by_json, &[401], shape).await;

    let token = fixture.token();
    let get = |query: &str| plain_client().get(url(query)).bearer_auth(&token);
    for (query, status) in [
        ("", 400),
        ("?aud=cgr.dev", 403),
        ("?aud=other&identity=org%2Fidentity", 400),
        ("?aud=cgr.dev&aud=other&identity=org%2Fidentity", 400),
        ("?aud=cgr.dev&identity=org", 403),
    ] {
        assert!(shape(&fixture.refuses(get(query), status).await), "{query}");
    }
    fixture.refuses(plain_client().get(url(query)), 401).await;
    let form = fields(&[("aud", "cgr.dev"), ("identity", "org/identity")]);
    fixture.refuses(fixture.post().form(&form).bearer_auth(&token), 415).await;
    let elsewhere = format!("{}/sts/exchanges{query}", fixture.vendor.url());
    fixture.refuses(plain_client().get(elsewhere).bearer_auth(&token), 404).await;
}

#[tokio::test]
async fn artifact_keeper_never_outlives_the_token() {
    let fixture = Fixture::new(Dialect::ArtifactKeeper(ArtifactKeeper::new(UUID)));
    let body = json!({"provider_id": UUID});
    let request = |token: &str| fixture.post().bearer_auth(token).json(&body);
    let shape = |body: &Value| body["code"].is_string() && body["message"].is_string();
    let right = fixture.judge(request, &[401], shape).await;
    assert_eq!(
        (&right["username"], &right["expires_in"]),
        (&json!("ci-abc123456789"), &json!(900))
    );
    let short = fixture.issuer.token(AUDIENCE).lifetime(600).build();
    let (_, capped) = answer(request(&short)).await;
    assert!((599..=600).contains(&capped["expires_in"].as_i64().unwrap()), "{capped}");

    let token = fixture.token();
    let post = || fixture.post().bearer_auth(&token);
    assert!(shape(&fixture.refuses(post().json(&json!({})), 400).await));
    fixture.refuses(post(), 415).await;
    fixture.refuses(post().json(&json!({"provider_id": "other"})), 404).await;
    fixture.refuses(fixture.post().json(&body), 401).await;
    fixture.refuses(fixture.post().basic_auth("ci", Some(&token)).json(&body), 401).await;

    let keeper = ArtifactKeeper { provider_required: false, ..ArtifactKeeper::new(UUID) };
    let newer = Fixture::new(Dialect::ArtifactKeeper(keeper));
    newer.judge(|token| newer.post().bearer_auth(token), &[401], shape).await;
}

#[tokio::test]
async fn the_harbor_bridge_speaks_lines_of_text_when_it_refuses() {
    let fixture = Fixture::new(Dialect::HarborBridge(HarborBridge::new("robot$puller")));
    let body = json!({"image": "harbor.example/team/app"});
    let request = |token: &str| fixture.post().bearer_auth(token).json(&body);
    let right = fixture.judge(request, &[401, 403], Value::is_string).await;
    assert_eq!(right["username"], "robot$puller");
    assert_eq!(
        (&right["expires_in"], &right["cache_key_type"]),
        (&json!(3600), &json!("Registry"))
    );

    let other = fixture.issuer.token("other.example").build();
    let refused = fixture.refuses(request(&other), 403).await;
    assert!(refused.as_str().unwrap().starts_with("no matching HarborAccess"), "{refused}");
    assert_eq!(
        fixture.refuses(fixture.post().json(&body), 401).await,
        "missing Bearer credential\n"
    );
    let token = fixture.token();
    fixture.refuses(fixture.post().bearer_auth(&token).body("image=x"), 400).await;
    fixture.refuses(plain_client().get(fixture.vendor.endpoint()), 405).await;
    let elsewhere = format!("{}/v2/credentials", fixture.vendor.url());
    fixture.refuses(plain_client().post(elsewhere).bearer_auth(&token).json(&body), 404).await;
}

#[tokio::test]
async fn the_broker_wants_its_duration_as_a_number() {
    let fixture = Fixture::new(Dialect::Broker(Broker::new("robot$broker", 1)));
    let body = json!({"duration": 1});
    let request = |token: &str| fixture.post().bearer_auth(token).json(&body);
    let right = fixture.judge(request, &[401], Value::is_string).await;
    assert_eq!(right["username"], "robot$broker");
    assert_eq!(right["expires"], fixture.vendor.passwords()[0].expires);
    let token = fixture.token();
    for wrong in [json!({}), json!({"duration": "1"}), json!({"duration": 2})] {
        fixture.refuses(fixture.post().bearer_auth(&token).json(&wrong), 400).await;
    }
    fixture.refuses(fixture.post().bearer_auth(&token).form(&body), 415).await;
}
