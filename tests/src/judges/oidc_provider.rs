//! `oidc-provider`, the certified OpenID provider of npm: it parses the request, authenticates the
//! client, issues the token and words the error. Token exchange and JWT bearer are grants that it
//! lets us add (`oidc_provider/server.mjs`); whether the cluster's token is good is decided by
//! `jose`.
//!
//! Not its business: the service account's token as a client's assertion. By RFC 7523 a client's
//! assertion is issued by the client itself, and it insists.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::judges::server::JudgeServer;
use crate::judges::{Cluster, pinned_judge, without_settings};
use crate::jwt::SigningKey;

const SERVER: &str = include_str!("oidc_provider/server.mjs");

/// The grant of RFC 8693.
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The grant of RFC 7523.
pub const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What `client_assertion_type` must be.
pub const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A running server; gone when dropped.
pub struct OidcProvider {
    server: JudgeServer,
    url: String,
}

/// What it is like.
pub struct Options {
    /// Whom it believes.
    pub cluster: Cluster,
    /// Its name to the world, if that is not its own address: the `issuer` of its discovery.
    pub issuer: Option<String>,
    /// Its own TLS; without it, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// The clients that it knows, see [`client`].
    pub clients: Vec<Value>,
    /// For whom it issues tokens: what `audience` or `resource` may be.
    pub targets: Vec<String>,
    /// What `scope` may hold.
    pub scopes: Vec<String>,
    /// The target of a request that names none; its token is opaque if this is `None`.
    pub default_target: Option<String>,
    /// Are the tokens for a target opaque, too? Else they are JWTs.
    pub opaque: bool,
    /// How long its tokens live, in seconds.
    pub lifetime: u32,
}

/// PEM files.
pub struct Tls {
    /// The server's certificate.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The CA of the clients that prove themselves by `tls_client_auth`.
    pub client_ca: Option<PathBuf>,
}

impl Options {
    /// No client, one target, one scope, JWTs that live ten minutes.
    pub fn new(cluster: Cluster, target: &str) -> Self {
        Self {
            cluster,
            issuer: None,
            tls: None,
            clients: Vec::new(),
            targets: vec![target.to_owned()],
            scopes: vec!["pull".to_owned()],
            default_target: Some(target.to_owned()),
            opaque: false,
            lifetime: 600,
        }
    }

    /// With one more client.
    pub fn client(mut self, client: Value) -> Self {
        self.clients.push(client);
        self
    }
}

/// A client that proves itself by `method`, with what the method needs: for `none` nothing, for
/// `client_secret_basic` and `client_secret_post` a `client_secret`, for `private_key_jwt` see
/// [`client_with_key`], for `tls_client_auth` a `tls_client_auth_san_dns`.
pub fn client(id: &str, method: &str, proof: &Value) -> Value {
    let mut client = json!({
        "client_id": id,
        "token_endpoint_auth_method": method,
        "grant_types": ["client_credentials", TOKEN_EXCHANGE, JWT_BEARER],
        "response_types": [],
        "redirect_uris": [],
    });
    if method == "none" {
        // Not without a proof: it refuses to know such a client.
        client["grant_types"] = json!([TOKEN_EXCHANGE, JWT_BEARER]);
    }
    for (name, value) in proof.as_object().into_iter().flatten() {
        client[name] = value.clone();
    }
    client
}

/// A client that proves itself by `private_key_jwt` with this key.
pub fn client_with_key(id: &str, key: &SigningKey) -> Value {
    let proof = json!({
        "jwks": {"keys": [key.jwk()]},
        "token_endpoint_auth_signing_alg": "ES256",
    });
    client(id, "private_key_jwt", &proof)
}

impl OidcProvider {
    /// Starts it on a free port of 127.0.0.1. `None` if the judge is missing and that was allowed.
    pub fn start(options: &Options) -> Option<Self> {
        let manifest = pinned_judge("PULLPASS_JUDGE_OIDC_PROVIDER", "oidc-provider")?;
        let folder = TempDir::new().unwrap();
        // Where the script's imports are looked for.
        let modules = manifest.with_file_name("node_modules");
        symlink(modules, folder.path().join("node_modules")).unwrap();
        fs::write(folder.path().join("server.mjs"), SERVER).unwrap();
        let tls = options.tls.as_ref().map(|tls| {
            json!({"certificate": tls.certificate, "key": tls.key, "clientCa": tls.client_ca})
        });
        let text = json!({
            "issuer": options.issuer,
            "tls": tls,
            "clients": options.clients,
            "targets": options.targets,
            "scopes": options.scopes,
            "defaultTarget": options.default_target,
            "opaque": options.opaque,
            "lifetime": options.lifetime,
            "clusterIssuer": options.cluster.issuer,
            "clusterAudience": options.cluster.audience,
            "clusterKeys": options.cluster.keys(),
        });
        fs::write(folder.path().join("options.json"), text.to_string()).unwrap();

        let mut command = Command::new("node");
        command.args(["server.mjs", "options.json"]);
        without_settings(&mut command, &["NODE_", "DEBUG"]);
        if let Some(ca) = &options.cluster.ca {
            command.env("NODE_EXTRA_CA_CERTS", ca);
        }
        let server = JudgeServer::start(command, folder, "listening on ");
        let scheme = if options.tls.is_some() { "https" } else { "http" };
        let own = format!("{scheme}://{}", server.address());
        let url = options.issuer.clone().unwrap_or(own);
        Some(Self { server, url })
    }

    /// Its issuer, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its token endpoint, as its discovery names it.
    pub fn token_endpoint(&self) -> String {
        format!("{}/token", self.url)
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its log: a line per request, with method, path and status, and the body of a refusal.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

#[cfg(test)]
mod tests;
