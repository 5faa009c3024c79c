//! Vault and OpenBao: a login by JWT, then one read with the token that it gave: KV of either
//! version, the Artifactory engine, the Harbor engine. Content types are not checked, as in the
//! real ones; unknown places are `permission denied`, as for any token without a policy. Texts
//! after `error validating token:` are ours where the real ones are not known.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Refusal, Served, json_answer};
use super::visit::{Visit, names, text};
use crate::fakes::canned::Answer;
use crate::jwt;
use crate::verify::Refusal as Disbelief;

/// Seconds that a client's token lives.
const TOKEN_LIFETIME: i64 = 3600;

/// One JWT role, whose policy allows one read.
#[derive(Clone, Debug)]
pub struct Vault {
    /// Where the auth method is: `jwt`.
    pub auth_mount: String,
    /// The role.
    pub role: String,
    /// The namespace of both mounts.
    pub namespace: Option<String>,
    /// What may be read.
    pub engine: Engine,
}

/// What has the secret.
#[derive(Clone, Debug)]
pub enum Engine {
    /// KV version 1: `/v1/MOUNT/PATH`.
    KvV1 {
        /// Where the engine is.
        mount: String,
        /// Where the secret is, with slashes.
        path: String,
        /// Names of the fields of user and password.
        fields: (String, String),
        /// The user.
        user: String,
    },
    /// KV version 2: `/v1/MOUNT/data/PATH`.
    KvV2 {
        /// Where the engine is.
        mount: String,
        /// Where the secret is, with slashes.
        path: String,
        /// Names of the fields of user and password.
        fields: (String, String),
        /// The user.
        user: String,
    },
    /// JFrog's engine: `/v1/MOUNT/token/ROLE`, or `/v1/MOUNT/user_token/USER`.
    Artifactory {
        /// Where the engine is: `artifactory`.
        mount: String,
        /// `token/ROLE` or `user_token/USER`.
        what: String,
    },
    /// The engine for Harbor's robots: `/v1/MOUNT/creds/ROLE`.
    Harbor {
        /// Where the engine is.
        mount: String,
        /// The engine's role.
        role: String,
    },
}

impl Engine {
    /// A secret with the fields `username` and `password`, version 2.
    pub fn kv_v2(mount: &str, path: &str) -> Self {
        let (mount, path) = (mount.to_owned(), path.to_owned());
        let fields = ("username".to_owned(), "password".to_owned());
        Self::KvV2 { mount, path, fields, user: "puller".to_owned() }
    }

    /// The same, version 1.
    pub fn kv_v1(mount: &str, path: &str) -> Self {
        let (mount, path) = (mount.to_owned(), path.to_owned());
        let fields = ("username".to_owned(), "password".to_owned());
        Self::KvV1 { mount, path, fields, user: "puller".to_owned() }
    }

    fn path(&self) -> String {
        match self {
            Self::KvV1 { mount, path, .. } => format!("/v1/{mount}/{path}"),
            Self::KvV2 { mount, path, .. } => format!("/v1/{mount}/data/{path}"),
            Self::Artifactory { mount, what } => format!("/v1/{mount}/{what}"),
            Self::Harbor { mount, role } => format!("/v1/{mount}/creds/{role}"),
        }
    }

    /// Whether what is read belongs to the token, and goes with it.
    fn is_dynamic(&self) -> bool {
        matches!(self, Self::Artifactory { .. } | Self::Harbor { .. })
    }
}

impl Vault {
    /// With the auth method at `jwt`, in no namespace.
    pub fn new(role: &str, engine: Engine) -> Self {
        Self { auth_mount: "jwt".to_owned(), role: role.to_owned(), namespace: None, engine }
    }

    /// The path of the second call.
    pub(super) fn second_path(&self) -> String {
        self.engine.path()
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let (path, method) = (visit.received.path(), &visit.received.method);
        let namespace = visit.received.text("x-vault-namespace").map(|text| text.trim_matches('/'));
        match (&self.namespace, namespace) {
            (None, Some(_)) => visit.violation("an `x-vault-namespace` header".to_owned()),
            (wanted, given) if wanted.as_deref() != given => {
                return Err(denied(visit).because("another namespace"));
            }
            _ => {}
        }
        visit.without_authorization();
        visit.without_query();
        let writes = [Method::POST, Method::PUT].contains(method);
        if path == visit.shared.dialect.path() {
            let served = if writes { self.login(visit).await } else { Err(unsupported(visit)) };
            return served;
        }
        if path == "/v1/auth/token/revoke-self" {
            let token = self.token(visit)?;
            return if writes { Ok(self.revoke(visit, token)) } else { Err(unsupported(visit)) };
        }
        self.token(visit)?;
        if path != self.engine.path() {
            return Err(denied(visit).because("no such path"));
        }
        if method == Method::GET { Ok(self.read(visit)) } else { Err(denied(visit)) }
    }

    async fn login(&self, visit: &Visit<'_>) -> Served {
        let refuse = |message: &str| visit.shape.refuse(400, "", message);
        if visit.received.essence() != "application/json" {
            visit.violation(format!("the content type `{}`", visit.received.essence()));
        }
        let body = serde_json::from_slice::<Map<String, Value>>(&visit.received.body)
            .map_err(|_| refuse("failed to parse JSON input: invalid character"))?;
        visit.known(names(&body), &["role", "jwt"]);
        let role = text(&body, "role").ok_or_else(|| refuse("missing role"))?;
        let token = text(&body, "jwt").ok_or_else(|| refuse("missing token"))?;
        if role != self.role {
            return Err(refuse(&format!("role \"{role}\" could not be found")));
        }
        visit.claims(token).await.map_err(|disbelief| {
            let what = match &disbelief {
                Disbelief::Audience => "invalid audience (aud) claim: audience claim does not \
                                        match any expected audience"
                    .to_owned(),
                Disbelief::Issuer => "invalid issuer (iss) claim".to_owned(),
                Disbelief::Subject => "invalid subject (sub) claim".to_owned(),
                other => other.to_string(),
            };
            refuse(&format!("error validating token: {what}")).because(disbelief)
        })?;
        let token = format!("hvs.{}", jwt::random_text(32));
        visit.secret("a Vault token", &token);
        visit.shared.spent.lock().unwrap().insert(token.clone());
        let auth = json!({
            "client_token": token,
            "accessor": jwt::random_text(18),
            "policies": ["default", self.role],
            "token_policies": ["default", self.role],
            "metadata": {"role": self.role},
            "lease_duration": TOKEN_LIFETIME,
            "renewable": true,
            "entity_id": jwt::random_uuid(),
            "token_type": "service",
            "orphan": true,
        });
        Ok(envelope("", 0, &Value::Null, &auth))
    }

    /// The token that comes with every other call.
    fn token<'v>(&self, visit: &'v Visit<'_>) -> Result<&'v str, Refusal> {
        let token = visit.received.text("x-vault-token").unwrap_or_default();
        let known = visit.shared.spent.lock().unwrap().contains(token);
        if known { Ok(token) } else { Err(denied(visit).because("no such X-Vault-Token")) }
    }

    fn read(&self, visit: &Visit<'_>) -> Answer {
        let lifetime = visit.shared.lifetime;
        let lease = |id: &str| format!("{id}/{}", jwt::random_text(18));
        match &self.engine {
            Engine::KvV1 { fields, user, .. } => {
                let password = visit.opaque(Some(user));
                let data = json!({&fields.0: user, &fields.1: password.value});
                envelope("", 2_764_800, &data, &Value::Null)
            }
            Engine::KvV2 { fields, user, .. } => {
                let password = visit.opaque(Some(user));
                let data = json!({
                    "data": {&fields.0: user, &fields.1: password.value},
                    "metadata": {
                        "created_time": "2026-11-01T08:00:00.000000000Z",
                        "custom_metadata": null,
                        "deletion_time": "",
                        "destroyed": false,
                        "version": 3,
                    },
                });
                envelope("", 0, &data, &Value::Null)
            }
            Engine::Artifactory { what, .. } => {
                let user = format!("v-{}", what.replace('/', "-"));
                let password = visit.jwt(Some(&user), &format!("jfac@1/users/{user}"));
                let mut data = json!({
                    "access_token": password.value,
                    "scope": "applied-permissions/groups:readers",
                    "token_id": jwt::random_uuid(),
                    "username": user,
                });
                visit.say_end(&mut data, "expires_in", super::Expiry::Seconds, &password);
                envelope(&lease(&self.engine.path()), lifetime, &data, &Value::Null)
            }
            Engine::Harbor { role, .. } => {
                let robot = format!("robot$vault.{role}.{}", jwt::now());
                let password = visit.opaque(Some(&robot));
                let data = json!({
                    "robot_account_id": 42,
                    "robot_account_name": robot,
                    "robot_account_secret": password.value,
                    "robot_account_auth_token": "not-for-us",
                });
                envelope(&lease(&self.engine.path()), lifetime, &data, &Value::Null)
            }
        }
    }

    /// A token takes what was leased by it along; here, all that was leased.
    fn revoke(&self, visit: &Visit<'_>, token: &str) -> Answer {
        visit.shared.spent.lock().unwrap().remove(token);
        if self.engine.is_dynamic() {
            let mut passwords = visit.shared.passwords.lock().unwrap();
            passwords.iter_mut().for_each(|password| password.revoked = true);
        }
        Answer::new(204, "application/json", "")
    }
}

/// What is around every answer.
fn envelope(lease_id: &str, lease_duration: i64, data: &Value, auth: &Value) -> Answer {
    let body = json!({
        "request_id": jwt::random_uuid(),
        "lease_id": lease_id,
        "renewable": !lease_id.is_empty(),
        "lease_duration": lease_duration,
        "data": data,
        "wrap_info": null,
        "warnings": null,
        "auth": auth,
    });
    json_answer(200, &body)
}

fn denied(visit: &Visit<'_>) -> Refusal {
    visit.shape.refuse(403, "", "permission denied")
}

fn unsupported(visit: &Visit<'_>) -> Refusal {
    visit.shape.refuse(405, "", "unsupported operation")
}
