//! Brokers before Harbor: the workload identity bridge by its own code, and one like gawsoftpl's,
//! of which only the client's code is public.

use axum::http::Method;
use serde_json::{Map, json};

use super::Expiry;
use super::answer::{Served, json_answer};
use super::visit::{Visit, names, text};
use crate::verify::Refusal as Disbelief;

/// The Harbor workload identity bridge.
#[derive(Clone, Debug)]
pub struct HarborBridge {
    /// The robot's name.
    pub robot: String,
    /// What it advises the kubelet.
    pub cache_key_type: String,
    /// Whether clients need a certificate.
    pub mtls: bool,
}

impl HarborBridge {
    /// Without client certificates.
    pub fn new(robot: &str) -> Self {
        let cache_key_type = "Registry".to_owned();
        Self { robot: robot.to_owned(), cache_key_type, mtls: false }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, message: &str| visit.shape.refuse(status, "", message);
        // It asks for the method first.
        if visit.received.method != Method::POST {
            return Err(refuse(405, "method not allowed"));
        }
        if visit.received.path() != "/v1/credentials" {
            return Err(refuse(404, "404 page not found"));
        }
        visit.without_query();
        let token = visit.bearer().ok_or_else(|| refuse(401, "missing Bearer credential"))?;
        // The body is for its log: it may be missing, but not be broken. The type is not checked.
        let body = if visit.received.body.is_empty() {
            Map::new()
        } else {
            serde_json::from_slice(&visit.received.body)
                .map_err(|_| refuse(400, "invalid JSON body"))?
        };
        visit.known(names(&body), &["image"]);
        if text(&body, "image").is_none() || visit.received.essence() != "application/json" {
            visit.violation("no JSON body with an `image`".to_owned());
        }
        visit.claims(token).await.map_err(|disbelief| {
            let refusal = match disbelief {
                Disbelief::Audience | Disbelief::Subject => {
                    let message = "no matching HarborAccess for the requesting service account and \
                                   audience";
                    refuse(403, message)
                }
                _ => refuse(401, "invalid token"),
            };
            refusal.because(disbelief)
        })?;
        let password = visit.opaque(Some(&self.robot));
        let mut answer = json!({
            "username": self.robot,
            "password": password.value,
            "cache_key_type": self.cache_key_type,
        });
        visit.say_end(&mut answer, "expires_in", Expiry::Seconds, &password);
        Ok(json_answer(200, &answer))
    }
}

/// A broker that is asked for a password of a certain duration. The real one's refusals are not
/// known; that `expires` is in seconds of the epoch is as Harbor has it.
#[derive(Clone, Debug)]
pub struct Broker {
    /// The path of its URL.
    pub path: String,
    /// The user that the answer names; the real one may leave it empty.
    pub user: String,
    /// The `duration` that requests must have, in the unit that its administrator chose.
    pub duration: i64,
}

impl Broker {
    /// At `/`, for a robot, asked for that duration.
    pub fn new(user: &str, duration: i64) -> Self {
        Self { path: "/".to_owned(), user: user.to_owned(), duration }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, message: &str| visit.shape.refuse(status, "", message);
        visit.only(&Method::POST, &self.path)?;
        let token = visit.bearer().ok_or_else(|| refuse(401, "missing bearer token"))?;
        let body = visit.json()?;
        visit.known(names(&body), &["duration"]);
        // Its client sends a number, and Go decodes no text into one.
        if body.get("duration").and_then(serde_json::Value::as_i64) != Some(self.duration) {
            return Err(refuse(400, "invalid duration"));
        }
        visit
            .claims(token)
            .await
            .map_err(|disbelief| refuse(401, "invalid token").because(disbelief))?;
        let password = visit.opaque(Some(&self.user));
        let mut answer = json!({
            "username": self.user,
            "secret": password.value,
            "revoke_code": "not-used-by-anybody",
            "id": 42,
        });
        visit.say_end(&mut answer, "expires", Expiry::Epoch, &password);
        Ok(json_answer(200, &answer))
    }
}
