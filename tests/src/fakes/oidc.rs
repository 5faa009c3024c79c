//! An RFC 8693 token exchange server. It takes a pod's token only if signature (through the
//! issuer's published keys), issuer, audience and times hold.

mod options;
#[cfg(test)]
mod tests;

pub use options::{Exchange, ExchangeOptions, ExpiresIn};

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Form as Fields, Json, Router};
use serde_json::{Value, json};

use crate::fakes::form::{self, ClientVerdict, Form};
use crate::fakes::trust::Trust;
use crate::jwt::{self, SigningKey};
use crate::server::{Server, Socket};
use crate::tls::{TestCa, client_for};
use crate::verify::Verifier;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPES: &str = "urn:ietf:params:oauth:token-type:";

/// A running exchange server.
pub struct ExchangeServer {
    server: Server,
    client: reqwest::Client,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    key: SigningKey,
    options: ExchangeOptions,
    exchanges: Mutex<Vec<Exchange>>,
    opaque: Mutex<HashMap<String, Value>>,
}

impl ExchangeServer {
    /// Starts it; with a CA it speaks https.
    pub fn start(options: ExchangeOptions, ca: Option<&TestCa>) -> Self {
        Self::start_at(Socket::bind(ca), options, client_for(ca))
    }

    /// Starts it on that socket; with the client, its own verifiers fetch its keys.
    pub fn start_at(socket: Socket, options: ExchangeOptions, client: reqwest::Client) -> Self {
        assert!(!options.targets.is_empty(), "an exchange server issues tokens for somebody");
        let shared = Arc::new(Shared {
            url: socket.url(),
            key: SigningKey::generate(),
            options,
            exchanges: Mutex::default(),
            opaque: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/.well-known/oauth-authorization-server", get(discovery))
            .route("/jwks", get(jwks))
            .route("/introspect", post(introspect))
            .route("/token", any(token))
            .with_state(Arc::clone(&shared));
        Self { server: socket.serve(router), client, shared }
    }

    /// The `iss` of what it issues.
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// The token endpoint.
    pub fn endpoint(&self) -> String {
        format!("{}/token", self.url())
    }

    /// Every token request so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.exchanges.lock().unwrap().clone()
    }

    /// Everything that clients did wrong so far.
    pub fn violations(&self) -> Vec<String> {
        self.exchanges().into_iter().flat_map(|exchange| exchange.violations).collect()
    }

    /// How a service `target` believes this server's tokens.
    pub fn trust(&self, target: &str) -> Trust {
        if !self.shared.options.opaque {
            return Trust::Jwt(Verifier::new(self.url(), target, self.client.clone()));
        }
        Trust::Introspection {
            url: format!("{}/introspect", self.url()),
            audience: target.to_owned(),
            client: self.client.clone(),
        }
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let url = &shared.url;
    Json(json!({
        "issuer": url,
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/jwks"),
        "introspection_endpoint": format!("{url}/introspect"),
        "grant_types_supported": [GRANT],
        "token_endpoint_auth_methods_supported": [shared.options.client_auth.method()],
    }))
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({"keys": [shared.key.jwk()]}))
}

async fn introspect(
    State(shared): State<Arc<Shared>>,
    Fields(fields): Fields<HashMap<String, String>>,
) -> Json<Value> {
    let token = fields.get("token").map(String::as_str).unwrap_or_default();
    let known = shared.opaque.lock().unwrap().get(token).cloned();
    let alive = known.filter(|claims| claims["exp"].as_i64().is_some_and(|end| end > jwt::now()));
    Json(alive.map_or_else(
        || json!({"active": false}),
        |mut claims| {
            claims["active"] = json!(true);
            claims
        },
    ))
}

async fn token(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (form, mut violations) = Form::read(&method, &uri, &headers, &body);
    let decision = if violations.is_empty() {
        shared.decide(&headers, &form, &mut violations).await
    } else {
        Err(OAuthError::new("invalid_request", violations.join(", ")))
    };
    let (outcome, response) = match decision {
        Ok(grant) => (Ok(grant.subject.clone()), shared.issue(&grant)),
        Err(error) => (Err((error.code.to_owned(), error.reason.clone())), error.into_response()),
    };
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(str::to_owned);
    let exchange = Exchange { form, user_agent, outcome, violations };
    shared.exchanges.lock().unwrap().push(exchange);
    response
}

struct Grant {
    subject: String,
    target: String,
    scope: Option<String>,
}

impl Shared {
    /// Goes through RFC 8693 section 2.1 in the order of the errors' weight.
    async fn decide(
        &self,
        headers: &HeaderMap,
        form: &Form,
        violations: &mut Vec<String>,
    ) -> Result<Grant, OAuthError> {
        let options = &self.options;
        match form::client(&options.client_auth, headers, form) {
            ClientVerdict::Known => {}
            ClientVerdict::Unknown => {
                return Err(OAuthError::new("invalid_client", "unknown client or wrong secret"));
            }
            ClientVerdict::Forbidden(fault) => {
                violations.push(fault.to_owned());
                return Err(OAuthError::new("invalid_request", fault));
            }
        }
        let mut required = |name: &str| {
            form.value(name).ok_or_else(|| {
                violations.push(format!("`{name}` is missing"));
                OAuthError::new("invalid_request", format!("`{name}` is missing"))
            })
        };
        if required("grant_type")? != GRANT {
            return Err(OAuthError::new("unsupported_grant_type", "only token exchange is done"));
        }
        let subject_token = required("subject_token")?;
        let kind = required("subject_token_type")?;
        if kind.strip_prefix(TYPES) != Some(options.subject_token_type) {
            let reason =
                format!("`subject_token_type` must be {TYPES}{}", options.subject_token_type);
            return Err(OAuthError::new("invalid_request", reason));
        }
        if form.value("actor_token").is_some() != form.value("actor_token_type").is_some() {
            violations.push("an actor token and its type go together".to_owned());
            return Err(OAuthError::new("invalid_request", "half an actor token"));
        }
        let wanted = form.value("requested_token_type").unwrap_or(ACCESS_TOKEN);
        if wanted != ACCESS_TOKEN {
            return Err(OAuthError::new("invalid_request", "only access tokens are issued"));
        }
        let claims = options.subjects.verify(subject_token).await.map_err(|refusal| {
            OAuthError::new("invalid_request", format!("the subject token: {refusal}"))
        })?;
        let target = form.value("audience").unwrap_or(&options.targets[0]);
        for audience in form.values("audience").chain(form.values("resource")) {
            if !options.targets.iter().any(|target| target == audience) {
                return Err(OAuthError::new("invalid_target", "no such service"));
            }
        }
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let scope = form.value("scope").map(str::to_owned);
        Ok(Grant { subject, target: target.to_owned(), scope })
    }

    fn issue(&self, grant: &Grant) -> Response {
        let now = jwt::now();
        let claims = json!({
            "iss": self.url,
            "sub": grant.subject,
            "aud": grant.target,
            "iat": now.min(now + self.options.lifetime),
            "exp": now + self.options.lifetime,
            "jti": jwt::random_uuid(),
        });
        let access_token = if self.options.opaque {
            let token = jwt::random_text(32);
            self.opaque.lock().unwrap().insert(token.clone(), claims);
            token
        } else {
            self.key.sign(&claims)
        };
        let mut answer = json!({
            "access_token": access_token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
        });
        match self.options.expires_in {
            ExpiresIn::Number => answer["expires_in"] = json!(self.options.lifetime),
            ExpiresIn::Text => answer["expires_in"] = json!(self.options.lifetime.to_string()),
            ExpiresIn::Absent => {}
        }
        if let Some(scope) = &grant.scope {
            answer["scope"] = json!(scope);
        }
        (NOT_STORED, Json(answer)).into_response()
    }
}

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const NOT_STORED: [(header::HeaderName, &str); 2] =
    [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];

/// RFC 6749 section 5.2, RFC 8693 section 2.2.2.
struct OAuthError {
    code: &'static str,
    reason: String,
}

impl OAuthError {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = Json(json!({"error": self.code, "error_description": self.reason}));
        if self.code == "invalid_client" {
            let challenge = [(header::WWW_AUTHENTICATE, "Basic realm=\"token exchange\"")];
            return (StatusCode::UNAUTHORIZED, challenge, NOT_STORED, body).into_response();
        }
        (StatusCode::BAD_REQUEST, NOT_STORED, body).into_response()
    }
}
