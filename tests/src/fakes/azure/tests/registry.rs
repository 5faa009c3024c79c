use serde_json::json;

use super::*;
use crate::fakes::azure::{Expires, TokenAnswer};
use crate::jwt;

const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The fixture's registry, and a form that is in order for `token`.
fn form(token: &str) -> Vec<(&str, &str)> {
    vec![("grant_type", "access_token"), ("service", LOGIN_SERVER), ("access_token", token)]
}

async fn exchange(server: &Server, form: &[(&str, &str)]) -> (u16, Value) {
    post(&format!("{}/oauth2/exchange", server.url()), form).await
}

/// A refresh token that is in order.
async fn refresh_token(fixture: &Fixture, server: &Server, identity: &Identity) -> String {
    let token = fixture.azure.access_token(identity, REGISTRIES, 3600);
    let (status, body) = exchange(server, &form(&token)).await;
    assert_eq!(status, 200, "{body}");
    body["refresh_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn without_a_login_there_is_a_challenge() {
    let fixture = Fixture::new();
    let identity = fixture.puller();
    let registry = Registry::new(LOGIN_SERVER, &fixture.tenant).pull(&identity).in_region("eastus");
    let regional = "contoso.eastus.geo.azurecr.io";
    assert_eq!(registry.login_servers(), [LOGIN_SERVER, regional]);
    fixture.azure.add_registry(registry);
    let server = serve(fixture.azure.registries());
    let client = plain_client();
    let ask = |host: &str| client.get(format!("{}/v2/", server.url())).header("host", host);
    for host in [LOGIN_SERVER, regional] {
        let response = ask(host).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(
            header(&response, "www-authenticate"),
            format!("Bearer realm=\"https://{host}/oauth2/token\",service=\"{host}\"")
        );
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["errors"][0]["code"], "UNAUTHORIZED");
    }
    assert_eq!(ask("evil.example").send().await.unwrap().status(), 421);
    assert_eq!(fixture.azure.strays(), ["evil.example"]);
    assert_eq!(fixture.azure.count(Service::Challenge), 2);
    // With a valid login there is no challenge, with an invalid one there is.
    let fixed = serve(fixture.azure.registry(LOGIN_SERVER));
    let token = refresh_token(&fixture, &fixed, &identity).await;
    let with = |password: &str| ask(LOGIN_SERVER).basic_auth(NULL_GUID, Some(password)).send();
    assert_eq!(with(&token).await.unwrap().status(), 200);
    assert_eq!(with(&token[1..]).await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_access_token_buys_a_refresh_token() {
    let fixture = Fixture::new();
    let identity = fixture.puller();
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let manager = fixture.azure.access_token(&identity, "https://management.azure.com/", 3600);
    let token = fixture.azure.access_token(&identity, REGISTRIES, 3600);
    let peers = [
        ("grant_type", "access_token_refresh_token"),
        ("service", LOGIN_SERVER),
        ("access_token", &token),
        ("refresh_token", &token),
        ("tenant", &fixture.tenant.id),
    ];
    let named = with(&form(&token), "tenant", Some(&fixture.tenant.id));
    for form in [form(&token), named, form(&manager), peers.to_vec()] {
        let (status, body) = exchange(&server, &form).await;
        assert_eq!(status, 200, "{body}");
        let refresh_token = body["refresh_token"].as_str().unwrap();
        let (_, claims) = jwt::parts(refresh_token).unwrap();
        assert_eq!(
            (&claims["aud"], &claims["grant_type"]),
            (&LOGIN_SERVER.into(), &"refresh_token".into())
        );
        assert_eq!(claims["tenant"], fixture.tenant.id);
        let life = claims["exp"].as_i64().unwrap() - jwt::now();
        assert!((10_700..=10_800).contains(&life), "{life}");
        let login = fixture.azure.accepts(LOGIN_SERVER, NULL_GUID, refresh_token).unwrap();
        assert_eq!(login.client_id, identity.client_id);
        assert!(fixture.azure.accepts("other.azurecr.io", NULL_GUID, refresh_token).is_none());
        assert!(fixture.azure.accepts(LOGIN_SERVER, "somebody", refresh_token).is_none());
        assert!(fixture.azure.secrets().iter().any(|(_, secret)| secret == refresh_token));
    }
    let call = fixture.azure.calls_to(Service::Exchange).pop().unwrap();
    assert_eq!(call.field("access_token"), Some("(secret)"));
    assert_eq!(call.field("service"), Some(LOGIN_SERVER));
}

#[tokio::test]
async fn an_exchange_is_refused_for_every_reason_of_its_own() {
    let fixture = Fixture::new();
    let identity = fixture.puller();
    let outsider = fixture.user("outsider");
    let elsewhere = fixture.azure.add_tenant(Tenant::new(Cloud::public()));
    let foreign = fixture.azure.add_identity(Identity::user_assigned(&elsewhere, "foreign"));
    let registry = Registry::new(LOGIN_SERVER, &fixture.tenant).pull(&identity).pull(&foreign);
    fixture.azure.add_registry(registry.clone());
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let token = |identity: &Identity, resource: &str, seconds: i64| {
        fixture.azure.access_token(identity, resource, seconds)
    };
    let good = token(&identity, REGISTRIES, 3600);
    let manager = token(&identity, "https://management.azure.com", 3600);
    let over = token(&identity, REGISTRIES, -10);
    let unknown = token(&identity, "https://vault.azure.net", 3600);
    let (role, tenant) = (token(&outsider, REGISTRIES, 3600), token(&foreign, REGISTRIES, 3600));
    let forged = Azure::new(plain_client());
    forged.add_tenant(fixture.tenant.clone());
    let forged = forged.access_token(&identity, REGISTRIES, 3600);
    let tampered = jwt::tampered(&good);
    for (form, reason) in [
        (form(&over), "the access token is over"),
        (form(&unknown), "the access token is for another service"),
        (form(&role), "the identity has no role here"),
        (form(&tenant), "the identity is in another tenant"),
        (form(&forged), "the access token's signature does not hold"),
        (form(&tampered), "the access token's signature does not hold"),
        (form("opaque"), "the access token is no JWT"),
        (with(&form(&good), "tenant", Some(&elsewhere.id)), "`tenant` is not the access token's"),
    ] {
        let (status, body) = exchange(&server, &form).await;
        assert_eq!((status, fixture.reason().as_str()), (401, reason));
        assert_eq!(body["errors"][0]["code"], "UNAUTHORIZED");
        let correlation = fixture.azure.calls().pop().unwrap().correlation_id.unwrap();
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.ends_with(&format!(" CorrelationId: {correlation}")), "{message}");
    }
    for (name, value, reason) in [
        ("service", Some("other.azurecr.io"), "the service is another registry"),
        ("service", None, "the service is missing"),
        ("grant_type", Some("refresh_token"), "the grant type is not supported"),
        ("grant_type", None, "the grant type is missing"),
        ("grant_type", Some("access_token_refresh_token"), "`refresh_token` is missing"),
        ("access_token", None, "`access_token` is missing"),
        ("tenant", Some(""), "`tenant` is empty"),
    ] {
        let (status, _) = exchange(&server, &with(&form(&good), name, value)).await;
        assert_eq!((status, fixture.reason().as_str()), (400, reason));
    }
    let got = plain_client().get(format!("{}/oauth2/exchange", server.url()));
    assert_eq!(answer(got).await.0, 404);
    // Tokens for Azure Resource Manager, until that is switched off.
    assert_eq!(exchange(&server, &form(&manager)).await.0, 200);
    fixture.azure.add_registry(registry.without_arm_tokens());
    assert_eq!(exchange(&server, &form(&manager)).await.0, 401);
    assert_eq!(exchange(&server, &form(&good)).await.0, 200);
}

#[tokio::test]
async fn a_refresh_token_buys_tokens_for_what_its_holder_may_pull() {
    let fixture = Fixture::new();
    let identity = fixture.user("reader");
    let registry = Registry::new(LOGIN_SERVER, &fixture.tenant);
    fixture.azure.add_registry(registry.pull_from(&identity, &["team/app", "team/db"]));
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let refresh_token = refresh_token(&fixture, &server, &identity).await;
    let url = format!("{}/oauth2/token", server.url());
    let form = [
        ("grant_type", "refresh_token"),
        ("service", LOGIN_SERVER),
        ("scope", "repository:team/app:pull"),
        ("refresh_token", &refresh_token),
    ];
    let (status, body) = post(&url, &form).await;
    assert_eq!(status, 200, "{body}");
    let pull_token = body["access_token"].as_str().unwrap();
    let (_, claims) = jwt::parts(pull_token).unwrap();
    let access = json!([{"type": "repository", "name": "team/app", "actions": ["pull"]}]);
    assert_eq!((&claims["access"], &claims["grant_type"]), (&access, &"access_token".into()));
    let login = fixture.azure.accepts(LOGIN_SERVER, NULL_GUID, pull_token).unwrap();
    assert_eq!(login.repositories, Some(vec!["team/app".to_owned()]));

    let twice = [&form[..], &[("scope", "repository:team/db:pull")]].concat();
    let (_, body) = post(&url, &twice).await;
    let (_, claims) = jwt::parts(body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["access"].as_array().unwrap().len(), 2);

    for (name, value, status) in [
        ("scope", Some("repository:team/secret:pull"), 401),
        ("scope", Some("repository:team/app:push"), 401),
        ("scope", Some("registry:catalog:*"), 401),
        ("scope", Some("team/app"), 400),
        ("scope", Some("repository::pull"), 400),
        ("scope", None, 400),
        ("service", Some("other.azurecr.io"), 400),
        ("grant_type", Some("password"), 400),
        ("refresh_token", Some(&refresh_token[1..]), 401),
        // It pulls, and buys nothing.
        ("refresh_token", Some(pull_token), 401),
        ("refresh_token", None, 400),
    ] {
        let (found, body) = post(&url, &with(&form, name, value)).await;
        assert_eq!(found, status, "{name} {body}");
    }
    fixture.azure.set_clock_offset(20_000);
    assert_eq!(post(&url, &form).await.0, 401);
    assert!(fixture.azure.accepts(LOGIN_SERVER, NULL_GUID, pull_token).is_none());
}

#[tokio::test]
async fn a_runtime_logs_in_by_password_and_a_pull_token_pulls_its_own_only() {
    let fixture = Fixture::new();
    let app = Identity::application(&fixture.tenant, "app").client_secret("correct horse");
    let app = fixture.azure.add_identity(app);
    let identity = fixture.user("puller");
    let registry = Registry::new(LOGIN_SERVER, &fixture.tenant).pull(&identity).pull(&app);
    fixture.azure.add_registry(registry);
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let refresh_token = refresh_token(&fixture, &server, &identity).await;
    let client = plain_client();
    let ask = |user: &str, password: &str, repository: &str| {
        let url = format!(
            "{}/oauth2/token?service={LOGIN_SERVER}&scope=repository:{repository}:pull",
            server.url()
        );
        answer(client.get(url).basic_auth(user, Some(password)))
    };
    let (status, body) = ask(NULL_GUID, &refresh_token, "team/app").await;
    assert_eq!(status, 200, "{body}");
    let pull_token = body["access_token"].as_str().unwrap();
    assert_eq!(ask(NULL_GUID, pull_token, "team/app").await.0, 200);
    assert_eq!(ask(NULL_GUID, pull_token, "team/db").await.0, 401);
    assert_eq!(ask(&app.client_id, "correct horse", "team/db").await.0, 200);
    assert_eq!(ask(&app.client_id, "wrong horse", "team/db").await.0, 401);
    assert_eq!(ask(NULL_GUID, "wrong", "team/db").await.0, 401);
    assert_eq!(ask("", "", "team/db").await.0, 401);
}

#[tokio::test]
async fn tokens_are_as_a_test_wants_them() {
    let fixture = Fixture::new();
    let identity = fixture.puller();
    let server = serve(fixture.azure.registry(LOGIN_SERVER));
    let usual = TokenAnswer::of(Service::Exchange);
    for (expires, exp) in [
        (Expires::Missing, None),
        (Expires::Raw(json!("soon")), Some(json!("soon"))),
        (Expires::Raw(json!(-1.5)), Some(json!(-1.5))),
    ] {
        let answer = TokenAnswer { expires, ..usual.clone() };
        fixture.azure.set_token_answer(Service::Exchange, answer);
        let token = refresh_token(&fixture, &server, &identity).await;
        assert_eq!(jwt::parts(&token).unwrap().1.get("exp"), exp.as_ref());
        assert!(fixture.azure.accepts(LOGIN_SERVER, NULL_GUID, &token).is_some());
    }
    let over = TokenAnswer { expires: Expires::In(-5), padding: 5000 };
    fixture.azure.set_token_answer(Service::Exchange, over);
    let token = refresh_token(&fixture, &server, &identity).await;
    assert!(token.len() > 4096);
    assert!(fixture.azure.accepts(LOGIN_SERVER, NULL_GUID, &token).is_none());
}
