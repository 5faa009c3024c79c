use serde_json::json;

use super::*;
use crate::fakes::google::{Expires, TokenAnswer};
use crate::jwt;

fn exchange(provider: &Provider, token: &str) -> Vec<(String, String)> {
    [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("subject_token", token),
        ("scope", CLOUD_PLATFORM),
        ("audience", &provider.audience()),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn url(server: &Server) -> String {
    format!("{}/v1/token", server.url())
}

async fn post(server: &Server, form: &[(String, String)]) -> (u16, Value) {
    answer(plain_client().post(url(server)).form(form)).await
}

/// What an exchange says to a token.
async fn verdict(fixture: &Fixture, provider: &Provider, token: &str) -> (u16, String, String) {
    let server = serve(fixture.google.sts(GOOGLE));
    let (status, body) = post(&server, &exchange(provider, token)).await;
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("error"), text("error_description"))
}

#[tokio::test]
async fn a_form_and_json_in_two_spellings_are_the_same() {
    let fixture = Fixture::new();
    let server = serve(fixture.google.sts(GOOGLE));
    let token = fixture.issuer.token(&fixture.provider.token_audience()).build();
    let form = exchange(&fixture.provider, &token);
    let snake: Value = form.iter().cloned().map(|(name, value)| (name, json!(value))).collect();
    let camel = json!({
        "grantType": form[0].1, "requestedTokenType": form[1].1, "subjectTokenType": form[2].1,
        "subjectToken": token, "scope": CLOUD_PLATFORM, "audience": fixture.provider.audience(),
    });
    let client = plain_client();
    let mut tokens = Vec::new();
    for request in [
        client.post(url(&server)).form(&form),
        client.post(url(&server)).json(&snake),
        client.post(url(&server)).json(&camel),
    ] {
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["token_type"]), (200, &"Bearer".into()), "{body}");
        assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        assert!((3590..=3599).contains(&body["expires_in"].as_i64().unwrap()), "{body}");
        tokens.push(body["access_token"].as_str().unwrap().to_owned());
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 3, "each is minted anew");
    let principal = format!(
        "principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools/\
         clusters/subject/system:serviceaccount:demo:web"
    );
    assert_eq!(fixture.provider.principal("demo", "web"), principal);
    for (minted, call) in fixture.google.tokens().iter().zip(fixture.google.calls()) {
        assert_eq!((&minted.principal, &minted.universe[..]), (&principal, GOOGLE));
        assert_eq!(call.principal.as_ref(), Some(&principal));
        assert_eq!(call.subject.as_deref(), Some("system:serviceaccount:demo:web"));
        assert_eq!(call.field("scope"), Some(CLOUD_PLATFORM));
    }
    let calls = format!("{:?}", fixture.google.calls());
    assert!(!calls.contains(&token) && !calls.contains(&tokens[0]), "{calls}");
}

#[tokio::test]
async fn a_cluster_in_googles_own_pool_is_somebody_else() {
    let fixture = Fixture::new();
    let cluster = Provider::cluster(NUMBER, "contoso", fixture.issuer.url());
    let cluster = fixture.google.add_provider(cluster);
    let audience = format!("identitynamespace:contoso.svc.id.goog:{}", fixture.issuer.url());
    assert_eq!(cluster.audience(), audience);
    let token = |audience: &str| fixture.issuer.token(audience).build();
    assert_eq!(verdict(&fixture, &cluster, &token("contoso.svc.id.goog")).await.0, 200);
    let principal = fixture.google.tokens().pop().unwrap().principal;
    assert_eq!(
        principal,
        format!(
            "principal://iam.googleapis.com/projects/{NUMBER}/locations/global/\
             workloadIdentityPools/contoso.svc.id.goog/subject/ns/demo/sa/web"
        )
    );
    assert_eq!(cluster.principal("demo", "web"), principal);
    for other in ["https://contoso.svc.id.goog", "fabrikam.svc.id.goog", &audience] {
        assert_eq!(verdict(&fixture, &cluster, &token(other)).await.1, "invalid_grant", "{other}");
    }
}

#[tokio::test]
async fn a_tokens_audience_is_the_provider_or_what_it_allows() {
    let fixture = Fixture::new();
    let own = Provider::new(NUMBER, "clusters", "two", fixture.issuer.url());
    let own = fixture.google.add_provider(own.allowed_audiences(&["sts.contoso.example"]));
    let (default, name) = (&fixture.provider, fixture.provider.audience());
    for (provider, audience, status) in [
        (default, name.clone(), 200),
        (default, format!("https:{name}"), 200),
        (default, name.trim_start_matches("//").to_owned(), 400),
        (default, own.audience(), 400),
        (&own, "sts.contoso.example".to_owned(), 200),
        // The default ones are out then.
        (&own, own.audience(), 400),
        (&own, format!("https:{}", own.audience()), 400),
    ] {
        let token = fixture.issuer.token(&audience).build();
        let (found, error, message) = verdict(&fixture, provider, &token).await;
        assert_eq!(found, status, "{audience}: {message}");
        if status == 400 {
            let expected = format!(
                "The audience in ID Token [{audience}] does not match the expected audience."
            );
            assert_eq!((error, message), ("invalid_grant".to_owned(), expected));
        }
    }
}

#[tokio::test]
async fn every_fault_of_a_request_has_its_error() {
    let fixture = Fixture::new();
    let server = serve(fixture.google.sts(GOOGLE));
    let token = fixture.issuer.token(&fixture.provider.token_audience()).build();
    let form = exchange(&fixture.provider, &token);
    let off = Provider::new(NUMBER, "clusters", "off", fixture.issuer.url()).disabled();
    let off = fixture.google.add_provider(off).audience();
    let abroad = Provider::new(NUMBER, "clusters", "abroad", fixture.issuer.url());
    let abroad = fixture.google.add_provider(abroad.universe("s3nsapis.fr")).audience();
    let name = fixture.provider.audience();
    let (invalid_request, invalid_target) = ("invalid_request", "invalid_target");
    for (field, value, error) in [
        ("grant_type", None, invalid_request),
        ("grant_type", Some("client_credentials"), "unsupported_grant_type"),
        ("requested_token_type", None, invalid_request),
        ("requested_token_type", Some("urn:ietf:params:oauth:token-type:jwt"), invalid_request),
        ("subject_token_type", None, invalid_request),
        ("subject_token_type", Some("jwt"), invalid_request),
        ("subject_token", None, invalid_request),
        ("subject_token", Some("not.a.jwt"), "invalid_grant"),
        ("scope", None, invalid_request),
        ("scope", Some("cloud-platform"), "invalid_scope"),
        ("audience", None, invalid_request),
        ("audience", Some(&*format!("https:{name}")), invalid_request),
        ("audience", Some(&name[2..]), invalid_request),
        ("audience", Some(&name.replace(NUMBER, "contoso")), invalid_request),
        ("audience", Some(&name.replace("//iam.", "//iam.s3ns")), invalid_request),
        ("audience", Some(name.trim_end_matches("/providers/one")), invalid_request),
        ("audience", Some(&name.replace("one", "none")), invalid_target),
        ("audience", Some(&off), invalid_target),
        ("audience", Some(&abroad), invalid_target),
        ("audience", Some("identitynamespace:contoso:https://x.example"), invalid_request),
        (
            "audience",
            Some("identitynamespace:contoso.svc.id.goog:https://x.example"),
            invalid_target,
        ),
    ] {
        let (status, body) = post(&server, &with(&form, field, value)).await;
        assert_eq!((status, &body["error"]), (400, &error.into()), "{field} {value:?} {body}");
        assert!(body["error_description"].is_string());
    }
    let client = plain_client();
    let good = || client.post(url(&server)).form(&form);
    for (request, status) in [
        (good().header("authorization", "Bearer ya29.x"), 400),
        (client.post(format!("{}?alt=json", url(&server))).form(&form), 400),
        (client.post(url(&server)).body("grant_type=x"), 400),
        (client.post(url(&server)).json(&json!([1])), 400),
        (client.get(url(&server)), 404),
        (client.post(format!("{}/token", server.url())).form(&form), 404),
        (good(), 200),
    ] {
        assert_eq!(answer(request).await.0, status);
    }
    assert_eq!(fixture.google.tokens().len(), 1, "only the last one was good");
}

#[tokio::test]
async fn a_spoilt_token_is_refused_for_its_own_reason() {
    let fixture = Fixture::new();
    let (issuer, provider) = (&fixture.issuer, &fixture.provider);
    let audience = provider.token_audience();
    let token = || issuer.token(&audience);
    let long = "n".repeat(120);
    let signature = "Unable to verify the ID Token signature.";
    let keys = "Error connecting to the given credential's issuer.";
    for (token, error, words) in [
        (jwt::tampered(&token().build()), "invalid_grant", signature),
        (token().forged().build(), "invalid_grant", signature),
        (token().signed_by_stranger().build(), "invalid_grant", keys),
        (token().issued_by("https://x.example").build(), "invalid_grant", "The issuer in ID Token"),
        (token().expired().build(), "invalid_grant", "is stale to sign-in."),
        (token().not_before(300).build(), "invalid_grant", "is stale to sign-in."),
        (token().lifetime(48 * 3600).build(), "invalid_grant", "is stale to sign-in."),
        (token().service_account(&long, "web").build(), "invalid_request", "127 bytes"),
    ] {
        let (status, found, message) = verdict(&fixture, provider, &token).await;
        assert_eq!((status, &found[..]), (400, error), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let fine = token().lifetime(48 * 3600 - 1).build();
    assert_eq!(verdict(&fixture, provider, &fine).await.0, 200);
    fixture.google.set_clock_offset(3700);
    let message = verdict(&fixture, provider, &token().build()).await.2;
    assert!(message.contains("is stale"), "its own clock counts: {message}");
}

#[tokio::test]
async fn a_condition_rejects_whom_it_is_not_about() {
    let fixture = Fixture::new();
    let provider = Provider::new(NUMBER, "clusters", "shop", fixture.issuer.url());
    let provider = provider.condition(|claims| claims["kubernetes.io"]["namespace"] == "shop");
    let provider = fixture.google.add_provider(provider);
    let token = |namespace: &str| {
        let token = fixture.issuer.token(&provider.token_audience());
        token.service_account(namespace, "web").build()
    };
    let (_, error, message) = verdict(&fixture, &provider, &token("demo")).await;
    assert_eq!(error, "unauthorized_client");
    assert_eq!(message, "The given credential is rejected by the attribute condition.");
    assert_eq!(verdict(&fixture, &provider, &token("shop")).await.0, 200);
}

#[tokio::test]
async fn a_federated_token_ends_with_the_one_it_is_for_unless_a_test_says_otherwise() {
    let fixture = Fixture::new();
    let server = serve(fixture.google.sts(GOOGLE));
    let token = fixture.issuer.token(&fixture.provider.token_audience()).lifetime(600).build();
    let form = exchange(&fixture.provider, &token);
    let expires_in = post(&server, &form).await.1["expires_in"].as_i64().unwrap();
    assert!((590..=600).contains(&expires_in), "{expires_in}");
    let set = |expires: Expires, padding: usize| {
        fixture.google.set_token_answer(Service::Sts, TokenAnswer { expires, padding });
    };
    set(Expires::In(42), 9000);
    let (_, body) = post(&server, &form).await;
    assert_eq!(body["expires_in"], 42);
    assert!(body["access_token"].as_str().unwrap().len() > 12_000);
    set(Expires::Missing, 0);
    assert!(post(&server, &form).await.1.get("expires_in").is_none());
    set(Expires::Raw(json!("soon")), 0);
    assert_eq!(post(&server, &form).await.1["expires_in"], "soon");
}

#[tokio::test]
async fn universes_are_told_apart_by_their_names() {
    let fixture = Fixture::new();
    let abroad = Provider::new(NUMBER, "clusters", "abroad", fixture.issuer.url());
    let abroad = fixture.google.add_provider(abroad.universe("s3nsapis.fr"));
    assert_eq!(
        fixture.google.hosts(),
        [
            "sts.googleapis.com",
            "iamcredentials.googleapis.com",
            "sts.s3nsapis.fr",
            "iamcredentials.s3nsapis.fr",
            "oauth2.googleapis.com"
        ]
    );
    let server = serve(fixture.google.services());
    let token = fixture.issuer.token(&abroad.token_audience()).build();
    let form = exchange(&abroad, &token);
    let at = |host: &'static str| {
        answer(plain_client().post(url(&server)).header("host", host).form(&form))
    };
    assert_eq!(at("sts.s3nsapis.fr").await.0, 200);
    assert_eq!(fixture.google.tokens()[0].universe, "s3nsapis.fr");
    assert_eq!(at("sts.googleapis.com").await.1["error"], "invalid_target");
    for host in ["sts.evil.example", "iam.googleapis.com", "googleapis.com"] {
        assert_eq!(at(host).await.0, 421);
    }
    assert_eq!(
        fixture.google.strays(),
        ["sts.evil.example", "iam.googleapis.com", "googleapis.com"]
    );
    assert_eq!(fixture.google.count(Service::Sts), 2);
    let file = abroad.external_account_as(NODE);
    assert_eq!(file["audience"], abroad.audience());
    assert_eq!(file["token_url"], "https://sts.s3nsapis.fr/v1/token");
    assert!(
        file["service_account_impersonation_url"]
            .as_str()
            .unwrap()
            .starts_with("https://iamcredentials.s3nsapis.fr/v1/projects/-/serviceAccounts/node@")
    );
}
