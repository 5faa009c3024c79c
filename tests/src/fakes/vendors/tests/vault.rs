//! Vault's two steps.

use serde_json::json;

use super::*;
use crate::fakes::vendors::{Engine, Vault};

fn login(fixture: &Fixture, token: &str) -> RequestBuilder {
    fixture.post().json(&json!({"role": "puller", "jwt": token}))
}

fn second(fixture: &Fixture) -> String {
    format!("{}{}", fixture.vendor.url(), fixture.vendor.second_path().unwrap())
}

fn read(fixture: &Fixture, token: &str) -> RequestBuilder {
    plain_client().get(second(fixture)).header("X-Vault-Token", token)
}

async fn logged_in(fixture: &Fixture) -> String {
    let (status, body) = answer(login(fixture, &fixture.token())).await;
    assert_eq!(status, 200, "{body}");
    body["auth"]["client_token"].as_str().unwrap().to_owned()
}

fn errors(body: &Value) -> bool {
    body["errors"].as_array().is_some_and(|all| all.iter().all(Value::is_string))
}

#[tokio::test]
async fn every_engine_gives_its_secret_to_a_token_of_the_login() {
    let artifactory =
        |what: &str| Engine::Artifactory { mount: "artifactory".to_owned(), what: what.to_owned() };
    let harbor = Engine::Harbor { mount: "harbor".to_owned(), role: "puller".to_owned() };
    // The engine, its path, and where user and password are.
    let cases = [
        (
            Engine::kv_v2("secret", "team/registry"),
            "/v1/secret/data/team/registry",
            ["/data/data/username", "/data/data/password"],
        ),
        (Engine::kv_v1("kv", "registry"), "/v1/kv/registry", ["/data/username", "/data/password"]),
        (
            artifactory("token/puller"),
            "/v1/artifactory/token/puller",
            ["/data/username", "/data/access_token"],
        ),
        (
            artifactory("user_token/bob"),
            "/v1/artifactory/user_token/bob",
            ["/data/username", "/data/access_token"],
        ),
        (
            harbor,
            "/v1/harbor/creds/puller",
            ["/data/robot_account_name", "/data/robot_account_secret"],
        ),
    ];
    for (engine, path, [user, secret]) in cases {
        let fixture = Fixture::new(Dialect::Vault(Vault::new("puller", engine)));
        assert_eq!(fixture.vendor.second_path().as_deref(), Some(path));
        let token = logged_in(&fixture).await;
        let (status, body) = answer(read(&fixture, &token)).await;
        assert_eq!(status, 200, "{body}");
        let password = fixture.vendor.last_password();
        assert_eq!(body.pointer(secret), Some(&json!(password.value)), "{path}");
        assert_eq!(body.pointer(user), Some(&json!(password.username)), "{path}");
        assert_eq!(fixture.vendor.violations(), Vec::<String>::new());

        let refused = fixture.refuses(read(&fixture, "hvs.other"), 403).await;
        assert_eq!(refused, json!({"errors": ["permission denied"]}));
        fixture.refuses(plain_client().get(second(&fixture)), 403).await;
        let other = format!("{}/v1/secret/other", fixture.vendor.url());
        let other = plain_client().get(other).header("X-Vault-Token", &token);
        fixture.refuses(other, 403).await;
        let log = format!("{:?}", fixture.vendor.calls());
        assert!(!log.contains(&token) && !log.contains(&password.value));
    }
}

#[tokio::test]
async fn the_login_believes_the_right_token_only() {
    let vault = Vault::new("puller", Engine::kv_v2("secret", "registry"));
    let fixture = Fixture::new(Dialect::Vault(vault));
    let good = fixture.token();
    logged_in(&fixture).await;
    for token in [
        jwt::tampered(&good),
        fixture.issuer.token("other.example").build(),
        fixture.issuer.token(AUDIENCE).expired().build(),
        fixture.issuer.token(AUDIENCE).forged().build(),
        fixture.issuer.token(AUDIENCE).service_account("kube-system", "admin").build(),
    ] {
        let body = fixture.refuses(login(&fixture, &token), 400).await;
        assert!(errors(&body) && body.to_string().contains("error validating token"), "{body}");
    }
    let right = json!({"role": "puller", "jwt": good});
    for (name, value) in [("role", None), ("role", Some(json!("other"))), ("jwt", None)] {
        let wrong = fixture.post().json(&changed(&right, name, value));
        assert!(errors(&fixture.refuses(wrong, 400).await), "{name}");
    }
    fixture.refuses(fixture.post().form(&right), 400).await;
    fixture.refuses(plain_client().get(fixture.vendor.endpoint()), 405).await;
    let elsewhere = fixture.vendor.endpoint().replace("/jwt/", "/kubernetes/");
    fixture.refuses(plain_client().post(elsewhere).json(&right), 403).await;
}

#[tokio::test]
async fn a_namespace_is_needed_in_both_steps() {
    let vault = Vault {
        namespace: Some("team/shop".to_owned()),
        ..Vault::new("puller", Engine::kv_v2("secret", "registry"))
    };
    let fixture = Fixture::new(Dialect::Vault(vault));
    let token = fixture.token();
    fixture.refuses(login(&fixture, &token), 403).await;
    fixture.refuses(login(&fixture, &token).header("X-Vault-Namespace", "team"), 403).await;
    let there = login(&fixture, &token).header("X-Vault-Namespace", "team/shop/");
    let (status, body) = answer(there).await;
    assert_eq!(status, 200, "{body}");
    let token = body["auth"]["client_token"].as_str().unwrap();
    fixture.refuses(read(&fixture, token), 403).await;
    let there = read(&fixture, token).header("X-Vault-Namespace", "team/shop");
    assert_eq!(answer(there).await.0, 200);
    let call = fixture.vendor.last_call();
    assert_eq!(call.header("x-vault-namespace"), Some("team/shop"));
    assert_eq!(call.header("x-vault-token"), Some("(secret)"));

    let plain = Vault::new("puller", Engine::kv_v2("secret", "registry"));
    let fixture = Fixture::new(Dialect::Vault(plain));
    answer(login(&fixture, &fixture.token()).header("X-Vault-Namespace", "team")).await;
    assert_eq!(fixture.vendor.violations(), ["an `x-vault-namespace` header"]);
}

#[tokio::test]
async fn a_token_that_is_revoked_takes_its_leases_along() {
    let harbor = Engine::Harbor { mount: "harbor".to_owned(), role: "puller".to_owned() };
    for (engine, lives) in [(Engine::kv_v2("secret", "registry"), true), (harbor, false)] {
        let fixture = Fixture::new(Dialect::Vault(Vault::new("puller", engine)));
        let token = logged_in(&fixture).await;
        answer(read(&fixture, &token)).await;
        let password = fixture.vendor.last_password().value;
        let trust = fixture.vendor.trust();
        assert!(trust.subject(&password).await.is_ok());
        let url = format!("{}/v1/auth/token/revoke-self", fixture.vendor.url());
        let revoke = || plain_client().post(&url).header("X-Vault-Token", &token);
        assert_eq!(answer(revoke()).await.0, 204);
        fixture.refuses(revoke(), 403).await;
        fixture.refuses(read(&fixture, &token), 403).await;
        assert_eq!(trust.subject(&password).await.is_ok(), lives);
    }
}
