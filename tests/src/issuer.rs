//! A cluster's issuer: it signs tokens like those a kubelet requests for a pod, and publishes
//! discovery and keys as a Kubernetes API server does (Kubernetes page "Managing Service Accounts",
//! "Service account issuer discovery").

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::jwt::{self, SigningKey};
use crate::server::{Server, Socket};
use crate::tls::{TestCa, client_for};
use crate::verify::Verifier;

/// The lifetime that a kubelet asks for, in seconds: it leaves `expirationSeconds` unset.
const LIFETIME: i64 = 3600;

/// A running issuer.
pub struct Issuer {
    key: Arc<SigningKey>,
    client: reqwest::Client,
    server: Server,
}

impl Issuer {
    /// Starts an issuer; with a CA it serves its keys over https.
    pub fn start(ca: Option<&TestCa>) -> Self {
        Self::start_at(Socket::bind(ca), client_for(ca))
    }

    /// Starts an issuer on that socket; with the client, its own verifiers fetch its keys.
    pub fn start_at(socket: Socket, client: reqwest::Client) -> Self {
        let key = Arc::new(SigningKey::generate());
        let url = socket.url();
        let discovery = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/openid/v1/jwks"),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        });
        let jwks = json!({"keys": [key.jwk()]});
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async || Json(discovery)))
            .route("/openid/v1/jwks", get(async || Json(jwks)));
        Self { key, client, server: socket.serve(router) }
    }

    /// The `iss` of its tokens.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// A token for a pod, to be changed before it is signed.
    pub fn token(&self, audience: &str) -> TokenBuilder {
        TokenBuilder {
            key: Arc::clone(&self.key),
            kid: self.key.kid().to_owned(),
            issuer: self.url().to_owned(),
            audience: json!([audience]),
            namespace: "demo".to_owned(),
            service_account: "web".to_owned(),
            issued: 0,
            lifetime: LIFETIME,
        }
    }

    /// Verifies this issuer's tokens through its published keys.
    pub fn verifier(&self, audience: &str) -> Verifier {
        Verifier::new(self.url(), audience, self.client.clone())
    }
}

/// Builds a pod's token. Unchanged, it is valid.
pub struct TokenBuilder {
    key: Arc<SigningKey>,
    kid: String,
    issuer: String,
    audience: Value,
    namespace: String,
    service_account: String,
    issued: i64,
    lifetime: i64,
}

impl TokenBuilder {
    /// For another service account than `demo/web`.
    pub fn service_account(mut self, namespace: &str, name: &str) -> Self {
        self.namespace = namespace.to_owned();
        self.service_account = name.to_owned();
        self
    }

    /// With this `aud`, which the kubelet would not ask for: several, or no list; null leaves it
    /// out.
    pub fn audience(mut self, audience: Value) -> Self {
        self.audience = audience;
        self
    }

    /// Good for so many seconds from now.
    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = seconds;
        self
    }

    /// Issued two hours ago: an hour past its end.
    pub fn expired(mut self) -> Self {
        self.issued = -2 * LIFETIME;
        self
    }

    /// Valid only so many seconds from now.
    pub fn not_before(mut self, seconds: i64) -> Self {
        self.issued = seconds;
        self
    }

    /// Names another issuer, though signed by this one.
    pub fn issued_by(mut self, issuer: &str) -> Self {
        self.issuer = issuer.to_owned();
        self
    }

    /// Signed by a key that this issuer does not publish.
    pub fn signed_by_stranger(mut self) -> Self {
        self.key = Arc::new(SigningKey::generate());
        self.kid = self.key.kid().to_owned();
        self
    }

    /// Signed by another key under the name of this issuer's.
    pub fn forged(mut self) -> Self {
        self.key = Arc::new(SigningKey::generate());
        self
    }

    /// The claims as an API server of 1.30 or later writes them for a token bound to a pod.
    pub fn claims(&self) -> Value {
        let issued = jwt::now() + self.issued;
        let mut claims = json!({
            "aud": self.audience,
            "exp": issued + self.lifetime,
            "iat": issued,
            "iss": self.issuer,
            "jti": jwt::random_uuid(),
            "kubernetes.io": {
                "namespace": self.namespace,
                "node": {"name": "node-1", "uid": jwt::random_uuid()},
                "pod": {
                    "name": format!("{}-6d4f9c7b8-x2x9k", self.service_account),
                    "uid": jwt::random_uuid(),
                },
                "serviceaccount": {"name": self.service_account, "uid": jwt::random_uuid()},
            },
            "nbf": issued,
            "sub": format!("system:serviceaccount:{}:{}", self.namespace, self.service_account),
        });
        if self.audience.is_null() {
            claims.as_object_mut().unwrap().remove("aud");
        }
        claims
    }

    /// Signs it.
    pub fn build(self) -> String {
        let header = json!({"alg": "ES256", "kid": self.kid});
        self.key.sign_with_header(&header, &self.claims())
    }
}
