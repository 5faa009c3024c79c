//! Image and token are checked before anything leaves the node.

use pullpass_tests::jwt::{self, SigningKey};
use serde_json::json;

use super::*;

/// The kubelet's `matchImages` is wider than the profile.
#[test]
fn an_image_of_another_registry() {
    let server = endpoint();
    let attempt = Attempt::new(token_exchange(&server));
    for image in [
        "evil.example/team/app",
        "reg.example/team/app",
        "reg.example:443/team/app",
        "reg.example:54433/team/app",
        "reg.example.evil.example:5443/team/app",
        "a.reg.example:5443/team/app",
        "evil-reg.example:5443/team/app",
        "evil.example/reg.example:5443/team/app",
    ] {
        attempt.clone().image(image).fails(CONFIG, &["no profile covers the registry"]);
    }
    // The host comes first: of a token for others nothing is said.
    let other = Issuer::start(None).token("other.example").build();
    let run = attempt.clone().token(other).image("evil.example/a").run_with(false);
    assert_eq!(run.code, Some(CONFIG), "{}", run.stderr);
    assert!(!run.stderr.contains("other.example"), "{}", run.stderr);
    assert!(server.requests().is_empty());
    attempt.works(PASSWORD);
}

#[test]
fn a_part_of_a_registry_gives_its_login_to_the_rest() {
    let server = endpoint();
    let attempt = Attempt::new(token_exchange(&server));
    let attempt = attempt.with(json!({"registries": ["reg.example:5443/team"]}));
    for image in ["reg.example:5443/teams/app", "reg.example:5443/other/team", "reg.example:5443/t"]
    {
        attempt.clone().image(image).fails(CONFIG, &["no profile covers the registry"]);
    }
    assert!(server.requests().is_empty());
    let run = attempt.works(PASSWORD);
    assert_eq!(run.login().0, "reg.example:5443/team", "no wider than the profile, with its port");
    assert_eq!(run.response()["cacheKeyType"], "Image");
    attempt
        .with(json!({"response": {"cacheKeyType": "Registry"}}))
        .fails(CONFIG, &["`cacheKeyType: Registry` cannot be used"]);
}

#[test]
fn a_login_is_for_hosts_that_the_profile_is_not_for() {
    let server = endpoint();
    for key in ["evil.example", "*.example", "reg.example", "reg.example:5443.evil.example", "*"] {
        let attempt = Attempt::new(token_exchange(&server));
        attempt.with(json!({"response": {"authKeys": [key]}})).fails(CONFIG, &["authKeys"]);
    }
    for registry in ["*", "*.*", "*.*.*", "*:5443", "reg.*", "r*g.example"] {
        let attempt = Attempt::new(token_exchange(&server));
        attempt.with(json!({"registries": [registry]})).fails(CONFIG, &["is not valid"]);
    }
    assert!(server.requests().is_empty());
}

/// A token with those claims over the usual ones. The signature is not checked here.
fn token_with(claims: &Value) -> String {
    let mut all = Issuer::start(None).token(AUDIENCE).claims();
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    SigningKey::generate().sign(&all)
}

#[test]
fn the_api_servers_token_leaves_the_cluster() {
    let server = endpoint();
    let own = "https://kubernetes.default.svc";
    let attempt = Attempt::new(token_exchange(&server));
    // For the API server as well.
    for other in [own, "https://10.96.0.1", "api", "https://kubernetes.default.svc.cluster.local"] {
        let token = token_with(&json!({"aud": [AUDIENCE, other]}));
        let says = format!(
            "the Kubernetes API server may accept the service account token (audience `{other}`)"
        );
        attempt.clone().token(token).fails(IDENTITY, &[&says]);
    }
    // Only for the API server, and the profile allows it.
    for audience in [own, "https://kubernetes.default.svc.cluster.local"] {
        let token = token_with(&json!({"aud": [audience]}));
        let wanted = json!({"serviceAccountToken": {"audience": audience}});
        let attempt = attempt.clone().token(token).with(wanted);
        attempt.fails(IDENTITY, &["the Kubernetes API server"]);
    }
    // By its default audience, the issuer.
    let issuer = "https://oidc.cluster.example";
    let token = token_with(&json!({"aud": [issuer], "iss": issuer}));
    let attempt_as = attempt.clone().token(token).with(json!({
        "serviceAccountToken": {"audience": issuer},
    }));
    attempt_as.fails(IDENTITY, &["the Kubernetes API server"]);
    assert!(server.requests().is_empty(), "the token was sent");

    // Vault's own way to ask the API server about a token needs it: the profile allows it.
    let allowed = json!({
        "serviceAccountToken": {"audience": issuer, "allowApiServerAudience": true},
    });
    attempt_as.with(allowed).works(PASSWORD);
}

#[test]
fn a_token_of_another_audience_issuer_or_time() {
    let server = endpoint();
    let attempt = Attempt::new(token_exchange(&server));
    let issuer = Issuer::start(None);
    let rows = [
        (issuer.token("other.example").build(), "is for the audience `other.example`"),
        (issuer.token(&AUDIENCE.to_uppercase()).build(), "is for the audience"),
        (issuer.token(&format!("{AUDIENCE}/")).build(), "is for the audience"),
        (issuer.token(AUDIENCE).expired().build(), "expired"),
        (issuer.token(AUDIENCE).lifetime(0).build(), "expired"),
    ];
    for (token, says) in rows {
        attempt.clone().token(token).fails(IDENTITY, &[says]);
    }
    let wanted = json!({"audience": AUDIENCE, "issuer": issuer.url()});
    let strict = attempt.with(json!({"serviceAccountToken": wanted}));
    for other in [format!("{}/", issuer.url()), "https://evil.example".to_owned()] {
        let token = issuer.token(AUDIENCE).issued_by(&other).build();
        let says = format!("is from the issuer `{other}`");
        strict.clone().token(token).fails(IDENTITY, &[&says]);
    }
    assert!(server.requests().is_empty(), "the token was sent");
    strict.token(issuer.token(AUDIENCE).build()).works(PASSWORD);
}

/// What is not a JWT is not sent, not even as an opaque text.
#[test]
fn a_token_that_is_none() {
    let server = endpoint();
    let good = Issuer::start(None).token(AUDIENCE).build();
    let parts: Vec<&str> = good.split('.').collect();
    for token in [
        format!("{}.{}", parts[0], parts[1]),
        format!("{good}.{}", parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.bm90LWpzb24.{}", parts[0], parts[2]),
        jwt::random_text(40),
    ] {
        let attempt = Attempt::new(token_exchange(&server)).token(token);
        let run = attempt.run();
        assert!([Some(IDENTITY), Some(6)].contains(&run.code), "{:?} {}", run.code, run.stderr);
    }
    assert!(server.requests().is_empty());
}
