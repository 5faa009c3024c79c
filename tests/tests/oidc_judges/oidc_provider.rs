//! `oidc-provider`: grants, discovery, and its errors. How clients prove themselves is in
//! `clients`.

use pullpass_tests::judges::Answer;
use pullpass_tests::judges::oidc_provider::{OidcProvider, Options, Tls, client};
use pullpass_tests::jwt::tampered;
use pullpass_tests::server::Server;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::fixture::{
    CLIENT_HINT, CONFIG, DENIED, Fixture, IDENTITY, POD, PROTOCOL, Pull, REGISTRY, SSO, TRUST_HINT,
    kept,
};

/// Its issuer.
pub(crate) const NAME: &str = "https://sso.example";
const ENDPOINT: &str = "https://sso.example/token";
/// A name that is its own, too, and not its issuer's.
const ALIAS: &str = "login.example";
/// The client that needs no proof.
const PUBLIC: &str = "public";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pods_token_is_exchanged),
        Trial::of(an_opaque_token_is_the_judges),
        Trial::of(a_pods_token_is_an_assertion),
        Trial::of(its_errors_are_read),
        Trial::of(the_endpoint_is_found_by_discovery),
        Trial::of(the_metadata_of_another_issuer_is_not_believed),
    ]
}

/// The provider under its name, with TLS of its own.
pub(crate) fn start(
    fixture: &Fixture<'_>,
    change: impl FnOnce(Options) -> Options,
) -> Option<(OidcProvider, Server)> {
    let world = fixture.world;
    let files = world.certificate(&[SSO, ALIAS]);
    let client_ca = Some(world.ca().pem_file());
    let options = Options {
        issuer: Some(NAME.to_owned()),
        tls: Some(Tls { certificate: files.certificate, key: files.key, client_ca }),
        ..Options::new(fixture.cluster(SSO), REGISTRY)
    };
    let options = options.client(client(PUBLIC, "none", &Value::Null));
    let provider = OidcProvider::start(&change(options))?;
    let server = world.http_to(&format!("{SSO}:443"), provider.address());
    Some((provider, server))
}

fn public() -> Value {
    json!({"method": "none", "clientId": PUBLIC})
}

/// How often its token endpoint was asked.
pub(crate) fn asked(provider: &OidcProvider) -> usize {
    provider.log().lines().filter(|line| line.starts_with("POST /token ")).count()
}

/// With further fields of `exchange`.
fn exchange<'g>(fixture: &'g Fixture<'_>, more: &Value) -> Pull<'g> {
    let mut exchange =
        json!({"type": "tokenExchange", "endpoint": ENDPOINT, "clientAuth": public()});
    exchange.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    fixture.profile(SSO, &exchange, &Value::Null)
}

fn a_pods_token_is_exchanged(world: &World) {
    let fixture = Fixture::new(world);
    let other = "other.example";
    let Some((provider, _there)) = start(&fixture, |options| Options {
        targets: vec![REGISTRY.to_owned(), other.to_owned()],
        ..options
    }) else {
        return;
    };
    let forms = [
        json!({}),
        json!({"subjectTokenType": "id_token"}),
        json!({"subjectTokenType": "urn:ietf:params:oauth:token-type:access_token"}),
        json!({"requestedTokenType": "access_token", "scope": "pull"}),
        json!({"audience": REGISTRY}),
        json!({"resource": [REGISTRY]}),
    ];
    for form in forms {
        let login = exchange(&fixture, &form).logs_in();
        let claims = login.claims();
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(NAME), &json!(REGISTRY)), "{form}");
        assert_eq!((&claims["client_id"], &claims["subject"]), (&json!(PUBLIC), &json!(POD)));
        assert_eq!(login.username, "token");
        assert!(kept(600).contains(&login.cached), "{:?}", login.cached);
    }
    assert_eq!(exchange(&fixture, &json!({"audience": other})).logs_in().claims()["aud"], other);
    // It refuses any other parameter that occurs twice; these it passes on, and requires one
    // target.
    let twice = exchange(&fixture, &json!({"audience": [REGISTRY, other]}));
    twice.fails(CONFIG, &["invalid_target", "says: one target at a time"]);
    let twice = exchange(&fixture, &json!({"audience": REGISTRY, "resource": other}));
    twice.fails(CONFIG, &["invalid_target", "says: one target at a time"]);
    assert!(!provider.log().contains("server error"), "{}", provider.log());
}

fn an_opaque_token_is_the_judges(world: &World) {
    let fixture = Fixture::new(world);
    let secret = "the secret of who asks";
    let asker = client("asker", "client_secret_basic", &json!({"client_secret": secret}));
    let Some((provider, _there)) =
        start(&fixture, |options| Options { opaque: true, ..options }.client(asker))
    else {
        return;
    };
    let login = exchange(&fixture, &json!({"audience": REGISTRY})).logs_in();
    assert!(!login.password.contains('.'), "a JWT");
    // Nothing but `expires_in` says when it ends.
    assert_eq!(login.cached.as_secs(), 540);
    let request = world.client().post(format!("{NAME}/token/introspection"));
    let request = request.basic_auth("asker", Some("the+secret+of+who+asks"));
    let known = Answer::to(request.form(&[("token", &login.password)])).json();
    assert_eq!(known["active"], true, "{known} {}", provider.log());
    assert_eq!((&known["aud"], &known["client_id"]), (&json!(REGISTRY), &json!(PUBLIC)));
}

fn a_pods_token_is_an_assertion(world: &World) {
    let fixture = Fixture::new(world);
    let Some((provider, _there)) = start(&fixture, |options| options) else { return };
    let bearer = |more: &Value| {
        let mut exchange =
            json!({"type": "jwtBearer", "endpoint": ENDPOINT, "clientAuth": public()});
        exchange.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        fixture.profile(SSO, &exchange, &Value::Null)
    };
    for form in [json!({}), json!({"scope": "pull"})] {
        let login = bearer(&form).logs_in();
        let claims = login.claims();
        assert_eq!((&claims["aud"], &claims["subject"]), (&json!(REGISTRY), &json!(POD)));
        assert_eq!(claims["scope"], form["scope"]);
        assert!(kept(600).contains(&login.cached), "{:?}", login.cached);
    }
    let spoilt = tampered(&fixture.issuer.token(SSO).build());
    let before = asked(&provider);
    let says = [
        "`https://sso.example/token` refused the token exchange: HTTP 400 invalid_grant",
        // It says no more than that.
        "says: grant request is invalid",
        TRUST_HINT,
    ];
    bearer(&json!({})).with_token(&spoilt).fails(DENIED, &says);
    assert_eq!(asked(&provider) - before, 2, "once for each of two runs");
    let says = [" invalid_scope", "hint: check `exchange`"];
    bearer(&json!({"scope": "push"})).fails(CONFIG, &says);
}

fn its_errors_are_read(world: &World) {
    let fixture = Fixture::new(world);
    let Some((provider, _there)) = start(&fixture, |options| options) else { return };
    let good = exchange(&fixture, &json!({}));
    let token = || fixture.issuer.token(SSO);
    let invalid = "says: subject_token: ";
    for (token, why) in [
        (tampered(&token().build()), "signature verification failed"),
        (token().signed_by_stranger().build(), "no applicable key found in the JSON Web Key Set"),
        (token().issued_by("https://other.example").build(), "unexpected \"iss\" claim value"),
    ] {
        let says = ["HTTP 400 invalid_request", &format!("{invalid}{why}"), TRUST_HINT];
        good.clone().with_token(&token).fails(DENIED, &says);
    }
    // What the plugin sees by itself does not get there.
    let before = asked(&provider);
    good.clone().with_token(&token().expired().build()).is_not_sent(IDENTITY, &["token expired"]);
    let other = fixture.issuer.token("other.example").build();
    good.with_token(&other).is_not_sent(IDENTITY, &["audience `other.example`"]);
    assert_eq!(asked(&provider), before);

    let target = ["HTTP 400 invalid_target", "hint: check `exchange`: audience, resource, scope"];
    exchange(&fixture, &json!({"audience": "elsewhere.example"})).fails(CONFIG, &target);
    exchange(&fixture, &json!({"resource": "elsewhere.example"})).fails(CONFIG, &target);
    let scope = ["invalid_scope", "says: requested scope is not allowed", target[1]];
    exchange(&fixture, &json!({"scope": "push"})).fails(CONFIG, &scope);
    let kind = ["invalid_request", "says: subject_token_type is not supported"];
    exchange(&fixture, &json!({"subjectTokenType": "saml2"})).fails(DENIED, &kind);
    let kind = ["invalid_request", "says: requested_token_type is not supported"];
    exchange(&fixture, &json!({"requestedTokenType": "id_token"})).fails(DENIED, &kind);

    let nobody = json!({"method": "none", "clientId": "nobody"});
    let says = [" invalid_client", CLIENT_HINT];
    exchange(&fixture, &json!({"clientAuth": nobody})).fails(CONFIG, &says);
    let says = ["invalid_request", "says: no client authentication mechanism provided"];
    exchange(&fixture, &json!({"clientAuth": {"method": "none"}})).fails(DENIED, &says);
    let says = ["`https://sso.example/tokens`", "hint: check the path of `exchange.endpoint`"];
    exchange(&fixture, &json!({"endpoint": format!("{NAME}/tokens")})).fails(CONFIG, &says);
    assert!(!provider.log().contains("server error"), "{}", provider.log());
}

fn discovering<'g>(fixture: &'g Fixture<'_>, discovery: &Value) -> Pull<'g> {
    let exchange = json!({"type": "tokenExchange", "discovery": discovery, "clientAuth": public()});
    fixture.profile(SSO, &exchange, &Value::Null)
}

fn the_endpoint_is_found_by_discovery(world: &World) {
    let fixture = Fixture::new(world);
    let Some((provider, _there)) = start(&fixture, |options| options) else { return };
    for discovery in [json!({"issuer": NAME}), json!({"issuer": NAME, "form": "openid"})] {
        let claims = discovering(&fixture, &discovery).logs_in().claims();
        assert_eq!((&claims["iss"], &claims["subject"]), (&json!(NAME), &json!(POD)));
    }
    let found = provider.log().matches("GET /.well-known/openid-configuration 200").count();
    assert_eq!((found, asked(&provider)), (4, 4), "{}", provider.log());
}

fn the_metadata_of_another_issuer_is_not_believed(world: &World) {
    let fixture = Fixture::new(world);
    let Some((provider, _there)) = start(&fixture, |options| options) else { return };
    let _alias = world.http_to(&format!("{ALIAS}:443"), provider.address());
    // A slash more, and another name that leads to the same server.
    for issuer in [format!("{NAME}/"), format!("https://{ALIAS}")] {
        let says = [
            "/.well-known/openid-configuration` names another issuer than",
            &format!("`{issuer}`"),
            "hint: set `exchange.discovery.issuer` to exactly the `issuer` in that metadata",
        ];
        discovering(&fixture, &json!({"issuer": issuer})).fails(PROTOCOL, &says);
    }
    let says = ["HTTP 404", "hint: check `exchange.discovery`"];
    discovering(&fixture, &json!({"issuer": format!("{NAME}/realm")})).fails(PROTOCOL, &says);
    assert_eq!(asked(&provider), 0, "the token was sent");
}
