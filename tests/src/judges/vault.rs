//! HashiCorp Vault's core and HTTP interface with the backends `jwt` and `kv`, both versions: a pod
//! logs in with its token and reads the registry's login.

use std::net::SocketAddr;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::judges::server::JudgeServer;
use crate::judges::{Answer, Cluster, pinned_judge, without_settings};
use crate::tls::plain_client;

/// Where pods log in: `/v1/auth/jwt/login`.
pub const MOUNT: &str = "jwt";
/// The role of the service account `demo/web`, and of no other.
pub const ROLE: &str = "puller";
/// What [`ROLE`] may read in version 2 of the backend; the path after `/v1/`.
pub const SECRET: &str = "secret/data/registry";
/// What [`ROLE`] may read in version 1 of the backend; the path after `/v1/`.
pub const SECRET_V1: &str = "kv/registry";
/// How long a login lasts, in seconds.
pub const LIFETIME: u32 = 600;

/// A running server; gone when dropped.
pub struct Vault {
    server: JudgeServer,
    url: String,
    root: String,
}

impl Vault {
    /// Starts it on a free port of 127.0.0.1, over plain HTTP, with a login for a registry in
    /// [`SECRET`] and [`SECRET_V1`], as `username` and `password`. `None` if the judge is missing
    /// and that was allowed.
    pub fn start(cluster: &Cluster, username: &str, password: &str) -> Option<Self> {
        let mut command = Command::new(pinned_judge("PULLPASS_JUDGE_VAULT", "vault")?);
        without_settings(&mut command, &["VAULT_", "BAO_", "GO"]);
        let server = JudgeServer::start(command, TempDir::new().unwrap(), "listening on ");
        let log = server.log();
        let root = log.split_once("the root token is ").expect("a root token").1;
        let root = root.lines().next().unwrap_or_default().to_owned();
        let vault = Self { url: format!("http://{}", server.address()), server, root };
        vault.furnish(cluster, json!({"username": username, "password": password}));
        Some(vault)
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Whether a token that it issued is still good.
    pub fn knows(&self, client_token: &str) -> bool {
        let request = plain_client().get(format!("{}/v1/auth/token/lookup-self", self.url));
        Answer::to(request.header("x-vault-token", client_token)).status == 200
    }

    fn furnish(&self, cluster: &Cluster, login: Value) {
        let ca = cluster.ca.as_ref().map(|file| std::fs::read_to_string(file).unwrap());
        self.write(&format!("sys/auth/{MOUNT}"), &json!({"type": "jwt"}));
        let trust = json!({
            "jwks_url": cluster.keys(), "jwks_ca_pem": ca.unwrap_or_default(),
            "bound_issuer": cluster.issuer,
        });
        self.write(&format!("auth/{MOUNT}/config"), &trust);
        let policy = format!(
            "path \"{SECRET}\" {{ capabilities = [\"read\"] }}\n\
             path \"{SECRET_V1}\" {{ capabilities = [\"read\"] }}\n"
        );
        self.write("sys/policies/acl/pull", &json!({"policy": policy}));
        let role = json!({
            "role_type": "jwt", "user_claim": "sub", "bound_audiences": [cluster.audience],
            "bound_subject": "system:serviceaccount:demo:web",
            "token_policies": ["pull"], "token_ttl": LIFETIME,
        });
        self.write(&format!("auth/{MOUNT}/role/{ROLE}"), &role);
        self.write("sys/mounts/secret", &json!({"type": "kv", "options": {"version": "2"}}));
        self.write("sys/mounts/kv", &json!({"type": "kv", "options": {"version": "1"}}));
        self.write(SECRET_V1, &login);
        self.write(SECRET, &json!({"data": login}));
    }

    fn write(&self, path: &str, body: &Value) {
        let request = plain_client().post(format!("{}/v1/{path}", self.url));
        let answer = Answer::to(request.header("x-vault-token", &self.root).json(body));
        assert!([200, 204].contains(&answer.status), "{path}: {}", answer.text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issuer::{Issuer, TokenBuilder};
    use crate::jwt::tampered;
    use crate::tls::TestCa;

    const AUDIENCE: &str = "vault.example";

    fn login(vault: &Vault, role: &str, token: &str) -> Answer {
        let login = format!("{}/v1/auth/{MOUNT}/login", vault.url());
        Answer::to(plain_client().post(login).json(&json!({"role": role, "jwt": token})))
    }

    fn read(vault: &Vault, path: &str, client_token: &str) -> Answer {
        let request = plain_client().get(format!("{}/v1/{path}", vault.url()));
        Answer::to(request.header("x-vault-token", client_token))
    }

    #[test]
    fn a_pod_reads_its_login_and_a_spoilt_token_does_not_log_in() {
        let ca = TestCa::new();
        let issuer = Issuer::start(Some(&ca));
        let cluster = Cluster::of(&issuer, AUDIENCE, Some(&ca.pem_file()));
        let Some(vault) = Vault::start(&cluster, "robot", "secret") else { return };
        let good = issuer.token(AUDIENCE).build();
        let auth = login(&vault, ROLE, &good).json()["auth"].take();
        assert_eq!(auth["lease_duration"], LIFETIME);
        let token = auth["client_token"].as_str().unwrap();
        let stored = json!({"username": "robot", "password": "secret"});
        assert_eq!(read(&vault, SECRET, token).json()["data"]["data"], stored);
        assert_eq!(read(&vault, SECRET_V1, token).json()["data"], stored);
        assert!(vault.knows(token) && !vault.knows("other"));

        for (path, token) in [("secret/data/other", token), (SECRET, "other"), (SECRET, "")] {
            let answer = read(&vault, path, token);
            assert_eq!(answer.status, 403, "{}", answer.text);
            assert!(answer.json()["errors"].is_array(), "{}", answer.text);
        }
        let token = |change: fn(TokenBuilder) -> TokenBuilder| change(issuer.token(AUDIENCE));
        let spoilt = [
            issuer.token("other.example").build(),
            tampered(&good),
            token(TokenBuilder::expired).build(),
            token(TokenBuilder::forged).build(),
            token(TokenBuilder::signed_by_stranger).build(),
            token(|token| token.issued_by("https://other.example")).build(),
            token(|token| token.service_account("demo", "other")).build(),
            "opaque".to_owned(),
        ];
        for token in spoilt {
            let answer = login(&vault, ROLE, &token);
            assert_eq!(answer.status, 400, "{}", answer.text);
            assert!(answer.json()["errors"].is_array(), "{}", answer.text);
        }
        assert_eq!(login(&vault, "other", &good).status, 400, "another role");
    }
}
