use super::*;
use crate::fakes::azure::Federation;
use crate::jwt;

/// The token endpoint of the fixture's tenant.
fn url(server: &Server, tenant: &str) -> String {
    format!("{}/{tenant}/oauth2/v2.0/token", server.url())
}

fn error(body: &Value) -> (i64, &str) {
    (
        body["error_codes"][0].as_i64().unwrap_or_default(),
        body["error"].as_str().unwrap_or_default(),
    )
}

/// An application with a secret, and the form that asks for its token.
fn with_secret(fixture: &Fixture) -> (Identity, Vec<(&'static str, String)>) {
    let app = Identity::application(&fixture.tenant, "app").client_secret("correct horse battery");
    let app = fixture.azure.add_identity(app);
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", app.client_id.clone()),
        ("client_secret", "correct horse battery".to_owned()),
        ("scope", SCOPE.to_owned()),
    ];
    (app, form)
}

fn borrowed<'a>(form: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    form.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test]
async fn a_client_secret_gives_a_token_with_the_claims_of_a_real_one() {
    let fixture = Fixture::new();
    let (app, form) = with_secret(&fixture);
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    for tenant in [&fixture.tenant.id, &fixture.tenant.domain] {
        let (status, body) = post(&url(&server, tenant), &borrowed(&form)).await;
        assert_eq!((status, &body["token_type"]), (200, &"Bearer".into()), "{body}");
        assert_eq!(body["expires_in"], 3599);
        let (_, claims) = jwt::parts(body["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(claims["aud"], REGISTRIES);
        assert_eq!(claims["tid"], fixture.tenant.id);
        assert_eq!(claims["appid"], app.client_id);
        assert_eq!(claims["oid"], app.object_id);
        assert_eq!(claims["iss"], format!("https://sts.windows.net/{}/", fixture.tenant.id));
    }
    let call = fixture.azure.calls_to(Service::Entra).pop().unwrap();
    assert_eq!(call.client_id, Some(app.client_id));
    assert_eq!(call.field("client_secret"), Some("(secret)"));
    assert!(!format!("{:?}", fixture.azure.calls()).contains("horse"));
}

#[tokio::test]
async fn every_fault_of_a_request_has_its_number() {
    let fixture = Fixture::new();
    let (app, owned) = with_secret(&fixture);
    let over = fixture.azure.add_identity(
        Identity::application(&fixture.tenant, "old").expired_client_secret("of last year's"),
    );
    let elsewhere = fixture.azure.add_tenant(Tenant::new(Cloud::public()));
    let chinese = fixture.azure.add_tenant(Tenant::new(Cloud::china()));
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    let form = borrowed(&owned);
    let good = url(&server, &fixture.tenant.id);
    let old = with(
        &with(&form, "client_id", Some(&over.client_id)),
        "client_secret",
        Some("of last year's"),
    );
    let unknown = jwt::random_uuid();
    let manager = "https://management.azure.com//.default https://graph.microsoft.com/.default";
    let cases = [
        (&good, with(&form, "client_secret", Some("wrong")), 401, 7_000_215, "invalid_client"),
        (&good, old, 401, 7_000_222, "invalid_client"),
        (&good, with(&form, "client_secret", None), 401, 7_000_218, "invalid_client"),
        (&good, with(&form, "client_assertion", Some("x.y.z")), 400, 90100, "invalid_request"),
        (&good, with(&form, "client_id", Some(&unknown)), 400, 700_016, "unauthorized_client"),
        (&good, with(&form, "client_id", None), 400, 900_144, "invalid_request"),
        (&good, with(&form, "grant_type", None), 400, 900_144, "invalid_request"),
        (&good, with(&form, "grant_type", Some("password")), 400, 70003, "unsupported_grant_type"),
        (&good, with(&form, "scope", None), 400, 900_144, "invalid_request"),
        (&good, with(&form, "scope", Some(REGISTRIES)), 400, 1_002_012, "invalid_scope"),
        (&good, with(&form, "scope", Some(manager)), 400, 70011, "invalid_scope"),
        (
            &good,
            with(&form, "scope", Some("https://vault.example/.default")),
            400,
            500_011,
            "invalid_resource",
        ),
        (&url(&server, &elsewhere.id), form.clone(), 400, 700_016, "unauthorized_client"),
        (&url(&server, &unknown), form.clone(), 400, 90002, "invalid_request"),
        (&url(&server, &chinese.id), form.clone(), 400, 90002, "invalid_request"),
        (&url(&server, "a%20b"), form.clone(), 400, 900_023, "invalid_request"),
        (&format!("{good}?api-version=1.0"), form.clone(), 400, 90100, "invalid_request"),
    ];
    for (url, form, status, number, code) in cases {
        let (found, body) = post(url, &form).await;
        assert_eq!((found, error(&body)), (status, (number, code)), "{url} {form:?}");
        let description = body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{number}: ")), "{description}");
        for field in ["trace_id", "timestamp", "error_uri"] {
            assert!(body[field].is_string(), "{body}");
        }
        let call = fixture.azure.calls().pop().unwrap();
        assert_eq!(body["correlation_id"].as_str(), call.correlation_id.as_deref());
        assert!(description.contains(body["correlation_id"].as_str().unwrap()));
    }
    let (status, body) = answer(plain_client().get(&good)).await;
    assert_eq!((status, error(&body).0), (400, 900_561));
    let (status, _) = post(&format!("{}/{}/oauth2/token", server.url(), app.tenant), &form).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn resource_manager_is_a_resource_of_every_cloud_by_its_own_name() {
    for (cloud, resource) in [
        (Cloud::public(), "https://management.azure.com/"),
        (Cloud::public(), "https://management.core.windows.net/"),
        (Cloud::government(), "https://management.usgovcloudapi.net"),
        (Cloud::china(), "https://management.chinacloudapi.cn"),
        (
            Cloud::custom("login.my.cloud", "azurecr.my.cloud"),
            "https://management.azurecr.my.cloud",
        ),
    ] {
        let azure = Azure::new(plain_client());
        let tenant = azure.add_tenant(Tenant::new(cloud.clone()));
        let app = Identity::application(&tenant, "app").client_secret("correct horse");
        let app = azure.add_identity(app);
        let server = serve(azure.entra_of(&cloud));
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.client_id),
            ("client_secret", "correct horse"),
        ];
        for (resource, status) in [
            (resource, 200),
            (REGISTRIES, 200),
            ("https://management.example", 400),
            (
                if cloud == Cloud::public() {
                    "https://management.chinacloudapi.cn"
                } else {
                    "https://management.azure.com"
                },
                400,
            ),
        ] {
            let scope = format!("{resource}/.default");
            let found = post(&url(&server, &tenant.id), &with(&form, "scope", Some(&scope))).await;
            assert_eq!(found.0, status, "{scope} {}", found.1);
        }
    }
}

#[tokio::test]
async fn clouds_are_told_apart_by_their_names() {
    let fixture = Fixture::new();
    let (_, form) = with_secret(&fixture);
    let server = serve(fixture.azure.entra());
    let url = url(&server, &fixture.tenant.id);
    let named = |host: &'static str| {
        answer(plain_client().post(&url).header("host", host).form(&borrowed(&form)))
    };
    assert_eq!(named("login.microsoftonline.com").await.0, 200);
    let (status, body) = named("login.microsoftonline.us").await;
    assert_eq!((status, error(&body).0), (400, 90002));
    let stray = plain_client().post(&url).header("host", "login.evil.example");
    assert_eq!(stray.send().await.unwrap().status(), 421);
    assert_eq!(fixture.azure.strays(), ["login.evil.example"]);
    assert_eq!(fixture.azure.count(Service::Entra), 2);
}

/// An application that is federated with the fixture's cluster, and the form without the assertion.
fn federated(fixture: &Fixture, cloud: &Cloud) -> (Identity, Vec<(&'static str, String)>) {
    let federation = Federation::service_account(fixture.issuer.url(), "demo", "web", cloud);
    let app = Identity::application(&fixture.tenant, "app").federated(federation);
    let app = fixture.azure.add_identity(app);
    let form = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("client_id", app.client_id.clone()),
        ("client_assertion_type", JWT_BEARER.to_owned()),
        ("scope", SCOPE.to_owned()),
    ];
    (app, form)
}

#[tokio::test]
async fn a_pods_token_stands_for_an_identity_that_is_federated_with_it() {
    let audiences = [
        (Cloud::public(), "api://AzureADTokenExchange"),
        (Cloud::government(), "api://AzureADTokenExchangeUSGov"),
        (Cloud::china(), "api://AzureADTokenExchangeChina"),
    ];
    for (cloud, audience) in audiences {
        let mut fixture = Fixture::new();
        fixture.tenant = fixture.azure.add_tenant(Tenant::new(cloud.clone()));
        let (app, form) = federated(&fixture, &cloud);
        let server = serve(fixture.azure.entra_of(&cloud));
        let token = fixture.issuer.token(audience).build();
        let form = with(&borrowed(&form), "client_assertion", Some(&token));
        let (status, body) = post(&url(&server, &fixture.tenant.id), &form).await;
        assert_eq!(status, 200, "{body}");
        let call = fixture.azure.calls().pop().unwrap();
        assert_eq!(call.subject.as_deref(), Some("system:serviceaccount:demo:web"));
        assert_eq!(call.client_id, Some(app.client_id));
        assert!(!format!("{call:?}").contains(&token));
    }
}

#[tokio::test]
async fn a_pods_token_is_refused_for_every_reason_of_its_own() {
    let fixture = Fixture::new();
    let (_, form) = federated(&fixture, &Cloud::public());
    let lonely = fixture.azure.add_identity(Identity::application(&fixture.tenant, "lonely"));
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    let url = url(&server, &fixture.tenant.id);
    let form = borrowed(&form);
    let audience = "api://AzureADTokenExchange";
    let token = || fixture.issuer.token(audience);
    let good = token().build();
    let stranger = Issuer::start(None);
    let cases = [
        (fixture.issuer.token("api://AKSIdentityBinding").build(), 401, 700_212),
        (token().service_account("demo", "other").build(), 401, 700_213),
        (token().service_account("demo", "WEB").build(), 401, 7_002_138),
        (stranger.token(audience).build(), 401, 700_211),
        (token().expired().build(), 401, 700_024),
        (token().not_before(600).build(), 401, 700_024),
        (token().forged().build(), 401, 50013),
        (token().signed_by_stranger().build(), 401, 7_000_272),
        (format!("{}x", &good[..good.len() - 9]), 401, 50013),
        ("no token".to_owned(), 400, 50027),
    ];
    for (token, status, number) in cases {
        let (found, body) = post(&url, &with(&form, "client_assertion", Some(&token))).await;
        assert_eq!((found, error(&body).0), (status, number), "{body}");
    }
    let form = with(&form, "client_assertion", Some(&good));
    let (_, body) = post(&url, &with(&form, "client_id", Some(&lonely.client_id))).await;
    assert_eq!(error(&body).0, 70025);
    let (_, body) = post(&url, &with(&form, "client_assertion_type", Some("jwt"))).await;
    assert_eq!(error(&body).0, 90100);
    assert_eq!(post(&url, &form).await.0, 200);
    // Keys that cannot be fetched are the issuer's fault.
    drop(fixture.issuer);
    let (_, body) = post(&url, &form).await;
    assert_eq!(error(&body).0, 90061);
}

#[tokio::test]
async fn a_moved_clock_ends_assertions_too() {
    let fixture = Fixture::new();
    let (_, form) = federated(&fixture, &Cloud::public());
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    let token = fixture.issuer.token("api://AzureADTokenExchange").build();
    let form = with(&borrowed(&form), "client_assertion", Some(&token));
    fixture.azure.set_clock_offset(7200);
    let (_, body) = post(&url(&server, &fixture.tenant.id), &form).await;
    assert_eq!(error(&body).0, 700_024);
}

#[tokio::test]
async fn an_application_is_known_where_it_is_installed() {
    let fixture = Fixture::new();
    let other = fixture.azure.add_tenant(Tenant::new(Cloud::public()));
    let app = Identity::application(&fixture.tenant, "app").client_secret("correct horse");
    let app = fixture.azure.add_identity(app.installed_in(&other));
    let server = serve(fixture.azure.entra_of(&Cloud::public()));
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &app.client_id),
        ("client_secret", "correct horse"),
        ("scope", SCOPE),
    ];
    let (_, body) = post(&url(&server, &other.id), &form).await;
    let (_, claims) = jwt::parts(body["access_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["tid"], other.id);
    assert_ne!(claims["oid"], app.object_id);
}
