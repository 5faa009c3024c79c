//! `idpyoidc`, an OpenID provider of PyPI whose token exchange (RFC 8693) is its own: form, types,
//! targets, scopes, the client's secret. It knows only tokens that it issued; a pod's is entered as
//! one of them once `cryptojwt`, its own library, has verified it (`idpyoidc/server.py`).
//!
//! What it says of lifetimes is not so: `expires_in` is what the pod's token has left, the token
//! that it issues ends after a minute.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use crate::judges::server::JudgeServer;
use crate::judges::{Cluster, pinned_judge, without_settings};

const SERVER: &str = include_str!("idpyoidc/server.py");

/// The one client, which proves itself by its secret: Basic, or in the form.
pub const CLIENT: &str = "puller";
/// The secret of [`CLIENT`].
pub const SECRET: &str = "the-secret-of-puller";
/// The one scope.
pub const SCOPE: &str = "pull";
/// How long its tokens live, in seconds, whatever it says.
pub const LIFETIME: u32 = 60;

/// A running server; gone when dropped.
pub struct Idpyoidc {
    server: JudgeServer,
    url: String,
}

impl Idpyoidc {
    /// Starts it on a free port of 127.0.0.1, over plain HTTP; `audience` and `resource` may be
    /// `target`. With a name (`https://sso.example`) it calls itself that, and the caller puts it
    /// there. `None` if the judge is missing and that was allowed.
    pub fn start(cluster: &Cluster, target: &str, name: Option<&str>) -> Option<Self> {
        let mut command = Command::new(pinned_judge("PULLPASS_JUDGE_IDPYOIDC", "idpyoidc")?);
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("server.py"), SERVER).unwrap();
        let options = json!({
            "issuer": name,
            "clients": {CLIENT: SECRET},
            "scopes": [SCOPE],
            "targets": [target],
            "clusterIssuer": cluster.issuer,
            "clusterAudience": cluster.audience,
            "clusterKeys": cluster.keys(),
            "clusterCa": cluster.ca,
        });
        fs::write(folder.path().join("options.json"), options.to_string()).unwrap();
        command.args(["server.py", "options.json"]);
        without_settings(&mut command, &["PYTHON", "SSL_"]);
        let server = JudgeServer::start(command, folder, "listening on ");
        let own = format!("http://{}", server.address());
        Some(Self { url: name.map_or(own, str::to_owned), server })
    }

    /// Its issuer, without a slash at the end. Its discovery is that of RFC 8414.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token endpoint.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.url)
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it wrote to its log, the reason of every refusal among it.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{Issuer, TokenBuilder};
    use crate::judges::Answer;
    use crate::judges::oidc_provider::TOKEN_EXCHANGE;
    use crate::jwt::{parts, tampered};
    use crate::tls::{TestCa, plain_client};

    const AUDIENCE: &str = "sso.example";
    const TARGET: &str = "registry.example";
    const TYPE: (&str, &str) = ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt");

    fn exchange(server: &Idpyoidc, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("grant_type", TOKEN_EXCHANGE), ("subject_token", token)];
        fields.extend(more);
        let request = plain_client().post(server.token_endpoint()).form(&fields);
        Answer::to(request.basic_auth(CLIENT, Some(SECRET)))
    }

    fn of(status: u16, error: &str) -> (u16, String) {
        (status, error.to_owned())
    }

    #[test]
    fn a_pods_token_is_exchanged_and_a_spoilt_one_is_not() {
        let ca = TestCa::new();
        let issuer = Issuer::start(Some(&ca));
        let cluster = Cluster::of(&issuer, AUDIENCE, Some(&ca.pem_file()));
        let Some(server) = Idpyoidc::start(&cluster, TARGET, None) else { return };
        let good = issuer.token(AUDIENCE).build();
        let answer = exchange(&server, &good, &[TYPE, ("audience", TARGET), ("scope", SCOPE)]);
        let (_, claims) = parts(&answer.access_token()).expect("a JWT");
        assert_eq!((&claims["iss"], &claims["scope"]), (&json!(server.url()), &json!(SCOPE)));
        let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(lifetime, u64::from(LIFETIME));
        let json = answer.json();
        assert!(json["expires_in"].as_u64().unwrap() > 3590, "{json}");
        assert_eq!(json["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");

        let token = |change: fn(TokenBuilder) -> TokenBuilder| change(issuer.token(AUDIENCE));
        let spoilt = [
            issuer.token("other.example").build(),
            tampered(&good),
            token(TokenBuilder::expired).build(),
            token(TokenBuilder::forged).build(),
            token(TokenBuilder::signed_by_stranger).build(),
            token(|token| token.issued_by("https://other.example")).build(),
            token(|token| token.not_before(600)).build(),
            "opaque".to_owned(),
        ];
        for token in spoilt {
            let answer = exchange(&server, &token, &[TYPE]);
            assert_eq!(answer.refusal(), of(400, "invalid_request"), "{:?}", parts(&token));
            assert!(answer.text.contains("Subject token invalid"), "{}", answer.text);
        }
    }

    #[test]
    fn the_form_of_rfc_8693_is_required() {
        let issuer = Issuer::start(None);
        let cluster = Cluster::of(&issuer, AUDIENCE, None);
        let Some(server) = Idpyoidc::start(&cluster, TARGET, None) else { return };
        let good = issuer.token(AUDIENCE).build();
        let access_token = "urn:ietf:params:oauth:token-type:access_token";
        let cases: [(&[(&str, &str)], &str); 8] = [
            (&[], "invalid_request"),
            (&[("subject_token_type", "jwt")], "invalid_request"),
            (&[("subject_token_type", access_token)], "invalid_request"),
            (&[TYPE, ("subject_token", "twice")], "invalid_request"),
            (&[TYPE, ("requested_token_type", TYPE.1)], "invalid_request"),
            (&[TYPE, ("actor_token", &good)], "invalid_request"),
            (&[TYPE, ("audience", "elsewhere.example")], "invalid_target"),
            (&[TYPE, ("scope", "push")], "invalid_scope"),
        ];
        for (more, error) in cases {
            let answer = exchange(&server, &good, more);
            assert_eq!(answer.refusal(), of(400, error), "{more:?} {}", answer.text);
        }
        let accepted: [&[(&str, &str)]; 3] = [
            &[("subject_token_type", "urn:ietf:params:oauth:token-type:id_token")],
            &[TYPE, ("requested_token_type", access_token)],
            &[TYPE, ("resource", TARGET), ("audience", TARGET)],
        ];
        for more in accepted {
            assert!(parts(&exchange(&server, &good, more).access_token()).is_some(), "{more:?}");
        }
        let form = [("grant_type", TOKEN_EXCHANGE), ("subject_token", &good), TYPE];
        let wrong = plain_client().post(server.token_endpoint()).form(&form);
        let wrong = Answer::to(wrong.basic_auth(CLIENT, Some("wrong")));
        assert_eq!(wrong.refusal(), of(401, "invalid_client"));
    }
}
