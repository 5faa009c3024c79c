//! A registry's token server (distribution specification, "Token Authentication"): it takes Basic
//! credentials, asks [`Trust`] whose password that is, and answers with a short-lived JWT that
//! names the repositories. Debian's `docker-registry` verifies that JWT by its `x5c` header.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::form_urlencoded;

use crate::fakes::form;
use crate::fakes::trust::Trust;
use crate::jwt::{self, SigningKey};
use crate::server::{Server, Socket};
use crate::tls::{TestCa, write_self_signed};

/// Seconds that a registry token lives.
const LIFETIME: i64 = 120;
/// The user who may push.
const OPERATOR: &str = "operator";

/// What the token server lets through.
pub struct TokenOptions {
    /// The registry's name for itself: `service` in challenges, `aud` in tokens.
    pub service: String,
    /// Whose passwords are believed.
    pub trust: Trust,
    /// The user name that must come with them; `None` takes any that is not empty.
    pub username: Option<String>,
    /// The repositories that a believed subject may pull.
    pub repositories: Vec<String>,
}

/// A running token server.
pub struct TokenServer {
    server: Server,
    shared: Arc<Shared>,
    folder: TempDir,
}

/// A request for a registry token: who asked, and the result.
#[derive(Clone, Debug)]
pub struct Login {
    /// The verified subject and the scopes granted, or the reason for a refusal.
    pub outcome: Result<(String, Vec<String>), String>,
}

struct Shared {
    url: String,
    key: SigningKey,
    certificate: String,
    options: TokenOptions,
    operator: String,
    logins: Mutex<Vec<Login>>,
}

impl TokenServer {
    /// Starts it; with a CA it speaks https.
    pub fn start(options: TokenOptions, ca: Option<&TestCa>) -> Self {
        Self::start_at(Socket::bind(ca), options)
    }

    /// Starts it on that socket.
    pub fn start_at(socket: Socket, options: TokenOptions) -> Self {
        let key = SigningKey::generate();
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("token-server.pem");
        let certificate = STANDARD.encode(write_self_signed(&key.certificate_key(), &file));
        let shared = Arc::new(Shared {
            url: socket.url(),
            key,
            certificate,
            options,
            operator: jwt::random_text(24),
            logins: Mutex::default(),
        });
        // GET only: clients that try the OAuth form first take 405 as the sign to fall back.
        let router = Router::new().route("/token", get(token)).with_state(Arc::clone(&shared));
        Self { server: socket.serve(router), shared, folder }
    }

    /// The `realm` of a registry's challenge.
    pub fn realm(&self) -> String {
        format!("{}/token", self.server.url())
    }

    /// The `iss` of its tokens.
    pub fn issuer(&self) -> &str {
        &self.shared.url
    }

    /// The `aud` of its tokens.
    pub fn service(&self) -> &str {
        &self.shared.options.service
    }

    /// The certificate of its signing key, for `rootcertbundle`.
    pub fn certificate_file(&self) -> PathBuf {
        self.folder.path().join("token-server.pem")
    }

    /// User and password that may push anything.
    pub fn operator(&self) -> (String, String) {
        (OPERATOR.to_owned(), self.shared.operator.clone())
    }

    /// Every login so far, the operator's included.
    pub fn logins(&self) -> Vec<Login> {
        self.shared.logins.lock().unwrap().clone()
    }

    /// What a registry needs to check a token.
    pub fn verifier(&self) -> RegistryTokens {
        RegistryTokens {
            public_point: self.shared.key.public_point().to_vec(),
            issuer: self.issuer().to_owned(),
            service: self.service().to_owned(),
        }
    }
}

/// A registry's half: it knows the token server's key and trusts no other.
#[derive(Clone)]
pub struct RegistryTokens {
    public_point: Vec<u8>,
    issuer: String,
    service: String,
}

impl RegistryTokens {
    /// The claims of a bearer token that holds.
    pub fn verify(&self, token: &str) -> Option<Value> {
        if !jwt::signed_by(token, &self.public_point) {
            return None;
        }
        let (_, claims) = jwt::parts(token)?;
        let fits = claims["iss"] == self.issuer.as_str()
            && claims["aud"] == self.service.as_str()
            && claims["exp"].as_i64().is_some_and(|end| end > jwt::now());
        fits.then_some(claims)
    }
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let values = |name: &'static str| {
        query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let outcome = match values("service").next() {
        Some(service) if service != shared.options.service => Err("another service".to_owned()),
        _ => shared.subject(&headers).await,
    };
    let outcome = outcome.map(|subject| {
        let access: Vec<Value> = values("scope")
            .flat_map(str::split_whitespace)
            .filter_map(|scope| shared.grant(&subject, scope))
            .collect();
        (subject, access)
    });
    let response = match &outcome {
        Ok((subject, access)) => shared.issue(subject, access),
        Err(reason) => {
            let body = json!({"errors": [{"code": "UNAUTHORIZED", "message": reason}]});
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"registry token server\"")];
            (StatusCode::UNAUTHORIZED, challenge, Json(body)).into_response()
        }
    };
    let outcome = outcome.map(|(subject, access)| {
        let scopes = access.iter().filter_map(|item| item["name"].as_str().map(str::to_owned));
        (subject, scopes.collect())
    });
    shared.logins.lock().unwrap().push(Login { outcome });
    response
}

impl Shared {
    async fn subject(&self, headers: &HeaderMap) -> Result<String, String> {
        let (user, password) = form::basic(headers).ok_or("no credentials")?;
        if user == OPERATOR && password == self.operator {
            return Ok(OPERATOR.to_owned());
        }
        let expected = self.options.username.as_ref().is_none_or(|name| *name == user);
        if user.is_empty() || !expected {
            return Err("the user name is not the one agreed".to_owned());
        }
        self.options.trust.subject(&password).await
    }

    /// The part of `repository:<name>:<actions>` that the subject may have.
    fn grant(&self, subject: &str, scope: &str) -> Option<Value> {
        let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
        let operator = subject == OPERATOR;
        if !operator && !self.options.repositories.iter().any(|repository| repository == name) {
            return None;
        }
        let actions: Vec<&str> =
            actions.split(',').filter(|action| operator || *action == "pull").collect();
        Some(json!({"type": "repository", "name": name, "actions": actions}))
    }

    fn issue(&self, subject: &str, access: &[Value]) -> Response {
        let now = jwt::now();
        let header = json!({
            "typ": "JWT", "alg": "ES256", "kid": self.key.kid(), "x5c": [self.certificate],
        });
        let claims = json!({
            "iss": self.url,
            "sub": subject,
            "aud": self.options.service,
            "iat": now,
            "nbf": now - 10,
            "exp": now + LIFETIME,
            "jti": jwt::random_uuid(),
            "access": access,
        });
        let token = self.key.sign_with_header(&header, &claims);
        let body = json!({"token": token, "access_token": token, "expires_in": LIFETIME});
        Json(body).into_response()
    }
}
