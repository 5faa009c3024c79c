//! navikt's mock-oauth2-server: token exchange (RFC 8693) and JWT bearer (RFC 7523) by the parsers
//! of the Nimbus SDK, which many Java servers are made of.
//!
//! It judges the form of a request and no more. Whose token it is, for whom and until when, it does
//! not look at: it copies the claims of any JWT into a token of its own. Nor does it look at a
//! client's secret; there must be one. An assertion it takes only with a `scope`.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::judges::server::JudgeServer;
use crate::judges::{pinned_judge, without_settings};

/// How long its tokens live, in seconds.
pub const LIFETIME: u32 = 3600;

/// A running server; gone when dropped.
pub struct MockOauth2 {
    server: JudgeServer,
}

impl MockOauth2 {
    /// Starts it on a free port of 127.0.0.1, over plain HTTP. `None` if the judge is missing and
    /// that was allowed.
    pub fn start() -> Option<Self> {
        let jar = pinned_judge("PULLPASS_JUDGE_MOCK_OAUTH2", "mock-oauth2-server")?;
        let folder = TempDir::new().unwrap();
        let mut command = Command::new("java");
        without_settings(&mut command, &["JAVA_", "JDK_", "_JAVA_", "JSON_", "SERVER_", "PORT"]);
        command.args(["-Xmx256m", "-XX:TieredStopAtLevel=1"]);
        // It says where it listens only to who debugs it.
        command.arg("-Dorg.slf4j.simpleLogger.log.no.nav.security.mock.oauth2=debug");
        command.arg("-cp").arg(jar.with_file_name("*"));
        command.arg("no.nav.security.mock.oauth2.StandaloneMockOAuth2ServerKt");
        let config = json!({"interactiveLogin": false, "httpServer": "NettyWrapper"});
        command.env("JSON_CONFIG", config.to_string());
        command.env("SERVER_HOSTNAME", "127.0.0.1").env("SERVER_PORT", "0");
        let server = JudgeServer::start(command, folder, "started server on address=/");
        Some(Self { server })
    }

    /// The issuer, at its own address. Under another name it calls itself by that name, `http`, and
    /// its own port, so its discovery gives an unreachable URL.
    pub fn issuer(&self) -> String {
        format!("http://{}/default", self.server.address())
    }

    /// The token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.issuer())
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::Issuer;
    use crate::judges::Answer;
    use crate::judges::oidc_provider::{JWT_BEARER, TOKEN_EXCHANGE};
    use crate::jwt::{parts, tampered};
    use crate::tls::plain_client;

    const TARGET: &str = "registry.example";

    fn post(server: &MockOauth2, fields: &[(&str, &str)]) -> Answer {
        Answer::to(plain_client().post(server.token_endpoint()).form(fields))
    }

    #[test]
    fn it_exchanges_what_has_the_form_and_looks_no_further() {
        let Some(server) = MockOauth2::start() else { return };
        let issuer = Issuer::start(None);
        let good = issuer.token("sso.example").build();
        let client = [("client_id", "puller"), ("client_secret", "any")];
        let kind = ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");
        let exchange = |token: &str, more: &[(&str, &str)]| {
            let mut fields = vec![("grant_type", TOKEN_EXCHANGE), ("subject_token", token)];
            fields.extend([("audience", TARGET)]);
            fields.extend(more);
            post(&server, &fields)
        };

        let answer = exchange(&good, &[client[0], client[1], kind]);
        let (_, claims) = parts(&answer.access_token()).unwrap();
        assert_eq!((&claims["aud"], &claims["iss"]), (&json!(TARGET), &json!(server.issuer())));
        assert_eq!(claims["sub"], "system:serviceaccount:demo:web");
        let json = answer.json();
        let left = json["expires_in"].as_u64().unwrap();
        assert!((LIFETIME - 2..=LIFETIME).contains(&u32::try_from(left).unwrap()), "{left}");
        assert_eq!(json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
        let bearer = [("grant_type", JWT_BEARER), ("assertion", &good), client[0], client[1]];
        let scope = ("scope", "pull");
        let with_scope = [bearer[0], bearer[1], bearer[2], bearer[3], scope];
        assert!(parts(&post(&server, &with_scope).access_token()).is_some());

        let invalid = (400, "invalid_request".to_owned());
        assert_eq!(post(&server, &bearer).refusal(), invalid, "no scope");
        assert_eq!(exchange(&good, &[kind]).refusal(), invalid, "no client");
        assert_eq!(exchange(&good, &client).refusal(), invalid, "no type");
        let opaque = exchange("opaque", &[client[0], client[1], kind]);
        assert_eq!(opaque.refusal(), (500, "server_error".to_owned()));
        // Or this page would be wrong.
        assert_eq!(exchange(&tampered(&good), &[client[0], client[1], kind]).status, 200);
    }
}
