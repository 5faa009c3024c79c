//! Keycloak, the whole server, with two ways in for a pod's token: as an assertion for an access
//! token (RFC 7523 section 2.1, Keycloak's "JWT authorization grant"), and as a client's proof of
//! who it is (section 2.2, "federated client authentication", the identity provider `kubernetes`).
//!
//! Not its business: RFC 8693. Its token exchange takes only tokens of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::judges::server::JudgeServer;
use crate::judges::{Answer, Cluster, pinned_judge, without_settings};
use crate::jwt::random_text;
use crate::tls::plain_client;

/// The one realm.
pub const REALM: &str = "registry";
/// The client that presents an assertion, by its secret.
pub const GRANT_CLIENT: &str = "puller";
/// The secret of [`GRANT_CLIENT`].
pub const GRANT_SECRET: &str = "the secret of the client `puller`";
/// The client that is the service account `demo/web`: it has no known secret.
pub const POD_CLIENT: &str = "web";
/// How long the realm's access tokens live, in seconds: Keycloak's own choice.
pub const LIFETIME: u32 = 300;

/// The only service account that the realm knows.
const SUBJECT: &str = "system:serviceaccount:demo:web";
/// Who administers it until it ends.
const ADMINISTRATOR: &str = "judge";

/// A running server; gone when dropped.
pub struct Keycloak {
    server: JudgeServer,
    url: String,
}

impl Keycloak {
    /// Starts it on a free port of 127.0.0.1 over plain HTTP, which takes it a quarter of a minute.
    /// With a name (`https://sso.example`) it calls itself that, and the caller puts it there. It does
    /// not use an audience of the cluster: a token must be for the realm, see [`Keycloak::issuer`].
    ///
    /// `None` if the judge is missing and that was allowed.
    pub fn start(cluster: &Cluster, name: Option<&str>) -> Option<Self> {
        let jar = pinned_judge("PULLPASS_JUDGE_KEYCLOAK", "keycloak")?;
        let home = jar.ancestors().nth(2).expect("it is in `lib` of Keycloak's folder");
        let (folder, secret) = (TempDir::new().unwrap(), random_text(16));
        let mut command = java(home, &jar, folder.path());
        command.args(["start", "--optimized", "--http-enabled=true", "--cache=local"]);
        command.args(["--http-host=127.0.0.1", "--http-port=0", "--log-level=info"]);
        match name {
            Some(name) => command.arg(format!("--hostname={name}")),
            None => command.arg("--hostname-strict=false"),
        };
        if let Some(ca) = &cluster.ca {
            command.arg(format!("--truststore-paths={}", ca.display()));
        }
        command.env("KC_BOOTSTRAP_ADMIN_CLIENT_ID", ADMINISTRATOR);
        command.env("KC_BOOTSTRAP_ADMIN_CLIENT_SECRET", &secret);
        let server = JudgeServer::start(command, folder, "Listening on: http://");
        let own = format!("http://{}", server.address());
        let keycloak = Self { url: name.map_or_else(|| own.clone(), str::to_owned), server };
        keycloak.create_realm(&own, &secret, cluster);
        Some(keycloak)
    }

    /// The realm's issuer, which the `aud` of a pod's token must be. An assertion may also be for
    /// the token endpoint, a proof may not.
    pub fn issuer(&self) -> String {
        format!("{}/realms/{REALM}", self.url)
    }

    /// The realm's token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/protocol/openid-connect/token", self.issuer())
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it wrote to its log, the reason of every refusal among it.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// By its administration interface, at its own address.
    fn create_realm(&self, own: &str, secret: &str, cluster: &Cluster) {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", ADMINISTRATOR),
            ("client_secret", secret),
        ];
        let login = format!("{own}/realms/master/protocol/openid-connect/token");
        let token = Answer::to(plain_client().post(login).form(&fields)).access_token();
        let request = plain_client().post(format!("{own}/admin/realms"));
        let answer = Answer::to(request.bearer_auth(token).json(&realm(cluster)));
        assert_eq!(answer.status, 201, "{}\n{}", answer.text, self.log());
    }
}

/// As its own script starts it, without the script, which leaves it running if it is killed.
fn java(home: &Path, jar: &Path, folder: &Path) -> Command {
    let mut command = Command::new("java");
    without_settings(&mut command, &["KC_", "KEYCLOAK_", "JAVA_", "JDK_", "_JAVA_", "QUARKUS_"]);
    command.args(["-Xms64m", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8"]);
    command.arg("-Djava.util.logging.manager=org.jboss.logmanager.LogManager");
    command.arg("-Dpicocli.disable.closures=true");
    // Else it announces itself by an IPv6 form of the address.
    command.arg("-Djava.net.preferIPv4Stack=true");
    command.arg(format!("-Djava.io.tmpdir={}", folder.display()));
    command.arg(format!("-Dkc.home.dir={}", home.display()));
    command.arg(format!("-Djboss.server.config.dir={}", home.join("conf").display()));
    command.arg("-cp").arg(jar).arg("io.quarkus.bootstrap.runner.QuarkusEntryPoint");
    command
}

fn realm(cluster: &Cluster) -> Value {
    let keys = json!({
        "issuer": cluster.issuer, "jwksUrl": cluster.keys(), "useJwksUrl": "true",
        "jwtAuthorizationGrantEnabled": "true",
        // A kubelet's tokens live an hour; five minutes are the default.
        "jwtAuthorizationGrantMaxAllowedAssertionExpiration": "3600",
    });
    json!({
        "realm": REALM,
        "enabled": true,
        "sslRequired": "none",
        "accessTokenLifespan": LIFETIME,
        "identityProviders": [
            {"alias": "cluster", "providerId": "jwt-authorization-grant", "enabled": true,
             "config": keys},
            {"alias": "pods", "providerId": "kubernetes", "enabled": true, "config": keys},
        ],
        "clients": [
            {"clientId": GRANT_CLIENT, "secret": GRANT_SECRET, "enabled": true,
             "publicClient": false, "standardFlowEnabled": false,
             "attributes": {
                 "oauth2.jwt.authorization.grant.enabled": "true",
                 "oauth2.jwt.authorization.grant.idp": "cluster",
             }},
            {"clientId": POD_CLIENT, "enabled": true, "clientAuthenticatorType": "federated-jwt",
             "publicClient": false, "standardFlowEnabled": false, "serviceAccountsEnabled": true,
             "attributes": {
                 "jwt.credential.issuer": "pods",
                 "jwt.credential.sub": SUBJECT,
             }},
        ],
        "users": [{"username": "demo-web", "enabled": true, "federatedIdentities": [
            {"identityProvider": "cluster", "userId": SUBJECT, "userName": SUBJECT},
        ]}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{Issuer, TokenBuilder};
    use crate::judges::oidc_provider::{CLIENT_ASSERTION, JWT_BEARER};
    use crate::jwt::{parts, tampered};

    fn post(keycloak: &Keycloak, fields: &[(&str, &str)]) -> Answer {
        Answer::to(plain_client().post(keycloak.token_endpoint()).form(fields))
    }

    fn grant(keycloak: &Keycloak, token: &str) -> Answer {
        let fields = [
            ("grant_type", JWT_BEARER),
            ("assertion", token),
            ("client_id", GRANT_CLIENT),
            ("client_secret", GRANT_SECRET),
        ];
        post(keycloak, &fields)
    }

    fn as_client(keycloak: &Keycloak, token: &str) -> Answer {
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", CLIENT_ASSERTION),
            ("client_assertion", token),
        ];
        post(keycloak, &fields)
    }

    fn of(status: u16, error: &str) -> (u16, String) {
        (status, error.to_owned())
    }

    /// One test, for it takes long to start.
    #[test]
    fn a_pods_token_is_a_grant_or_a_client_and_a_spoilt_one_is_neither() {
        let issuer = Issuer::start(None);
        let Some(keycloak) = Keycloak::start(&Cluster::of(&issuer, "", None), None) else { return };
        let token = |change: fn(TokenBuilder) -> TokenBuilder| {
            change(issuer.token(&keycloak.issuer())).build()
        };

        let good = token(|token| token);
        for (answer, client) in
            [(grant(&keycloak, &good), GRANT_CLIENT), (as_client(&keycloak, &good), POD_CLIENT)]
        {
            let (_, claims) = parts(&answer.access_token()).expect("a JWT");
            assert_eq!(
                (&claims["iss"], &claims["azp"]),
                (&json!(keycloak.issuer()), &json!(client))
            );
            let left = answer.json()["expires_in"].as_u64().unwrap();
            assert!((LIFETIME - 2..=LIFETIME).contains(&u32::try_from(left).unwrap()), "{left}");
        }
        let again = grant(&keycloak, &good);
        assert_eq!(again.refusal(), of(400, "invalid_grant"));
        assert!(again.text.contains("Token reuse detected"), "{}", again.text);
        assert_eq!(as_client(&keycloak, &good).status, 200, "a proof may be used again");

        let endpoint = || issuer.token(&keycloak.token_endpoint()).build();
        assert_eq!(grant(&keycloak, &endpoint()).status, 200);
        assert_eq!(as_client(&keycloak, &endpoint()).refusal(), of(400, "invalid_client"));

        let spoilt = [
            issuer.token("other.example").build(),
            tampered(&token(|token| token)),
            token(TokenBuilder::expired),
            token(TokenBuilder::forged),
            token(TokenBuilder::signed_by_stranger),
            token(|token| token.service_account("demo", "other")),
            token(|token| token.issued_by("https://other.example")),
        ];
        for token in spoilt {
            let (answer, claims) = (grant(&keycloak, &token), parts(&token));
            assert_eq!(answer.refusal(), of(400, "invalid_grant"), "{claims:?} {}", answer.text);
            let answer = as_client(&keycloak, &token);
            assert_eq!(answer.refusal().1, "invalid_client", "{claims:?} {}", answer.text);
            assert!([400, 401].contains(&answer.status), "{}", answer.status);
        }

        let fields = [
            ("grant_type", JWT_BEARER),
            ("assertion", &token(|token| token)),
            ("client_id", GRANT_CLIENT),
            ("client_secret", "wrong"),
        ];
        let answer = post(&keycloak, &fields);
        assert_eq!(answer.refusal(), of(401, "unauthorized_client"), "{}", answer.text);
    }
}
