//! Keycloak: a pod's token as a client's proof, and as a grant that it takes once.

use pullpass_tests::judges::keycloak::{
    GRANT_CLIENT, GRANT_SECRET, Keycloak, LIFETIME, POD_CLIENT, REALM,
};
use pullpass_tests::jwt::tampered;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::fixture::{
    CLIENT_HINT, CONFIG, DENIED, Fixture, IDENTITY, PROTOCOL, Pull, REGISTRY, SSO, TRUST_HINT,
    UNAVAILABLE, kept, text,
};
use crate::front::{Call, Front};

/// One, for it takes long to start.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::of(a_pods_token_is_a_proof_or_a_grant)]
}

fn a_pods_token_is_a_proof_or_a_grant(world: &World) {
    let fixture = Fixture::new(world);
    let name = format!("https://{SSO}");
    let Some(keycloak) = Keycloak::start(&fixture.cluster(""), Some(&name)) else { return };
    let front = Front::start(world, SSO, keycloak.address());
    let judge = Judge { fixture: &fixture, issuer: keycloak.issuer(), front, keycloak };
    judge.a_pods_token_proves_the_client();
    judge.a_pods_token_is_a_grant();
    judge.a_grant_is_taken_once();
    judge.a_grant_is_never_sent_again();
    judge.an_old_token_is_refused();
    judge.what_is_for_others_is_refused();
    judge.a_realm_is_discovered();
}

struct Judge<'g> {
    fixture: &'g Fixture<'g>,
    issuer: String,
    front: Front,
    keycloak: Keycloak,
}

impl Judge<'_> {
    fn set(&self) -> Vec<(&str, &str)> {
        vec![("issuer", &self.issuer), ("registry", REGISTRY)]
    }

    /// The preset without a secret.
    fn proof(&self) -> Pull<'_> {
        self.fixture.preset("keycloak", &self.issuer, &self.set())
    }

    /// The preset whose client has one.
    fn grant(&self, secret: &str) -> Pull<'_> {
        let file = text(&self.fixture.file("secret", &format!("{secret}\n")));
        let mut set = self.set();
        set.extend([("clientId", GRANT_CLIENT), ("secretFile", &file)]);
        let pull = self.fixture.preset("keycloak-grant", &self.issuer, &set);
        pull.keeping("the client's secret", secret)
    }

    /// The preset's answer is a token of the realm's for that client, kept for as long as it lives.
    fn logs_in(&self, pull: &Pull<'_>, client: &str) -> Vec<Call> {
        let ((), calls) = self.front.calls_of(|| {
            for run in [pull.run(true), pull.run(false)] {
                self.front.assert_no_leak(&run);
                let login = pull.login_of(&run);
                let claims = login.claims();
                assert_eq!((&claims["iss"], &claims["azp"]), (&json!(self.issuer), &json!(client)));
                assert_eq!(login.username, "token");
                assert!(kept(LIFETIME.into()).contains(&login.cached), "{:?}", login.cached);
            }
        });
        let path = format!("/realms/{REALM}/protocol/openid-connect/token");
        assert!(calls.iter().all(|call| call.status == 200 && call.path == path));
        assert_eq!(calls.len(), 2);
        calls
    }

    fn a_pods_token_proves_the_client(&self) {
        for call in self.logs_in(&self.proof(), POD_CLIENT) {
            let names = ["grant_type", "client_assertion_type", "client_assertion"];
            assert_eq!(call.names(), names);
            assert_eq!(call.authorization, None);
        }
        // A proof may be used again.
        let token = self.fixture.issuer.token(&self.issuer).build();
        self.logs_in(&self.proof().with_token(&token), POD_CLIENT);
    }

    fn a_pods_token_is_a_grant(&self) {
        for call in self.logs_in(&self.grant(GRANT_SECRET), GRANT_CLIENT) {
            assert_eq!(call.names(), ["grant_type", "assertion"]);
            assert_eq!(call.authorization.as_deref(), Some("Basic"));
        }
    }

    fn a_grant_is_taken_once(&self) {
        let token = self.fixture.issuer.token(&self.issuer).build();
        let pull = self.grant(GRANT_SECRET).with_token(&token);
        assert_eq!(pull.run(false).code, Some(0));
        let says = [
            "refused the token exchange: HTTP 400 invalid_grant",
            "says: Token reuse detected",
            "hint: ",
        ];
        let ((), calls) = self.front.calls_of(|| pull.fails(DENIED, &says));
        assert_eq!(calls.len(), 2, "once for each of two runs");
        assert_eq!(self.keycloak.log().matches("Token reuse detected").count(), 2);
    }

    /// Keycloak has taken it, and the answer was lost on the way: what a gateway's 502 looks like.
    fn a_grant_is_never_sent_again(&self) {
        self.front.loses_answers(true);
        let lost = ["HTTP 502", "the kubelet tries the pull again later"];
        let (token, reused) = (self.fixture.issuer.token(&self.issuer).build(), "Token reuse");
        let before = self.keycloak.log().matches(reused).count();
        let pull = self.grant(GRANT_SECRET).with_token(&token);
        let (run, calls) = self.front.calls_of(|| pull.run(true));
        assert_eq!(run.code, Some(UNAVAILABLE), "{}", run.stderr);
        assert!(lost.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
        assert_eq!(calls.iter().map(|call| call.status).collect::<Vec<_>>(), [200]);
        assert_eq!(self.keycloak.log().matches(reused).count(), before);
        // A proof is not used up, and is tried again.
        let (run, calls) = self.front.calls_of(|| self.proof().run(true));
        assert_eq!(run.code, Some(UNAVAILABLE), "{}", run.stderr);
        assert!(calls.len() > 1 && calls.iter().all(|call| call.status == 200));
        self.front.loses_answers(false);
    }

    /// How long a token lives is not what the realm limits, but how old it may be.
    fn an_old_token_is_refused(&self) {
        let aged = |age: i64| {
            let token = self.fixture.issuer.token(&self.issuer).not_before(-age);
            token.lifetime(2 * 3600).build()
        };
        let grant = |age: i64| self.grant(GRANT_SECRET).with_token(&aged(age));
        let proof = |age: i64| self.proof().with_token(&aged(age));
        for pull in [grant(0), grant(3500), proof(0), proof(3500)] {
            assert_eq!(pull.run(false).code, Some(0));
        }
        let says = "Token was issued too far in the past to be used now";
        grant(3700).fails(DENIED, &[" invalid_grant", &format!("says: {says}")]);
        proof(3700).fails(DENIED, &[" invalid_client", &format!("says: {says}")]);
    }

    fn what_is_for_others_is_refused(&self) {
        let ((), calls) = self.front.calls_of(|| {
            let says = ["HTTP 401 unauthorized_client", CLIENT_HINT];
            self.grant("another secret").fails(CONFIG, &says);
            let spoilt = || tampered(&self.fixture.issuer.token(&self.issuer).build());
            let grant = ["HTTP 400 invalid_grant", TRUST_HINT];
            let proof = [" invalid_client", TRUST_HINT];
            self.grant(GRANT_SECRET).with_token(&spoilt()).fails(DENIED, &grant);
            self.proof().with_token(&spoilt()).fails(DENIED, &proof);
            self.grant(GRANT_SECRET).by_a_stranger().fails(DENIED, &grant);
            self.proof().by_a_stranger().fails(DENIED, &proof);
            // The profile and the cluster agree on an audience that is not the realm.
            let variables = [("issuer", self.issuer.as_str()), ("registry", REGISTRY)];
            let variables = variables.map(|(name, value)| json!({"name": name, "value": value}));
            let profile = json!({
                "name": "other",
                "preset": "keycloak",
                "variables": variables,
                "serviceAccountToken": {"audience": "other.example"},
            });
            self.fixture.config("other.example", &profile).fails(DENIED, &proof);
            let file = self.fixture.file("secret", GRANT_SECRET);
            let auth = json!({"method": "basic", "clientId": GRANT_CLIENT, "secretFile": file});
            let endpoint = self.keycloak.token_endpoint();
            let bearer = json!({"type": "jwtBearer", "endpoint": endpoint, "clientAuth": auth});
            self.fixture.profile("other.example", &bearer, &Value::Null).fails(DENIED, &grant);
        });
        assert_eq!(calls.len(), 14, "each of seven, twice, and none again");
        // Else it is the plugin that sees it.
        let other = self.fixture.issuer.token("other.example").build();
        let says = ["audience `other.example`"];
        self.proof().with_token(&other).is_not_sent(IDENTITY, &says);
        self.grant(GRANT_SECRET).with_token(&other).is_not_sent(IDENTITY, &says);
    }

    fn a_realm_is_discovered(&self) {
        let found = |issuer: &str| {
            let exchange = json!({"type": "clientAssertion", "discovery": {"issuer": issuer}});
            self.fixture.profile(&self.issuer, &exchange, &Value::Null)
        };
        let (login, calls) = self.front.calls_of(|| found(&self.issuer).logs_in());
        assert_eq!(login.claims()["azp"], POD_CLIENT);
        let metadata = format!("/realms/{REALM}/.well-known/openid-configuration");
        let token = format!("/realms/{REALM}/protocol/openid-connect/token");
        let paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
        assert_eq!(paths, [&metadata, &token, &metadata, &token]);
        let ((), calls) = self.front.calls_of(|| {
            found(&format!("https://{SSO}/realms/other")).fails(PROTOCOL, &["HTTP 404"]);
            let says = ["names another issuer than"];
            found(&format!("{}/", self.issuer)).fails(PROTOCOL, &says);
        });
        assert!(calls.iter().all(|call| call.method == "GET"), "the token was sent");
    }
}
