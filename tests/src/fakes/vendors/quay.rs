//! Quay: `GET /oauth2/federation/robot/token` with the pod's token as a Basic password, as its own
//! code has it. Newer ones also have an endpoint for RFC 8693, which is not modelled.

use axum::http::Method;
use serde_json::json;

use super::answer::{Served, json_answer};
use super::visit::{Visit, basic};

/// A Quay with one federated robot.
#[derive(Clone, Debug)]
pub struct Quay {
    /// `NAMESPACE+NAME`.
    pub robot: String,
}

impl Quay {
    /// With that robot.
    pub fn new(robot: &str) -> Self {
        Self { robot: robot.to_owned() }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        visit.only(&Method::GET, "/oauth2/federation/robot/token")?;
        visit.without_query();
        if !visit.received.body.is_empty() {
            visit.violation("a body".to_owned());
        }
        let refuse = |message: &str| visit.shape.refuse(401, "", message);
        if !visit.received.headers.contains_key("authorization") {
            return Err(refuse("No auth header"));
        }
        let (robot, token) =
            basic(visit.received).ok_or_else(|| refuse("Invalid basic auth format"))?;
        if !robot.contains('+') {
            return Err(refuse("Invalid robot"));
        }
        if robot != self.robot {
            return Err(refuse(&format!("Could not find robot with username: {robot}")));
        }
        visit.claims(&token).await.map_err(|disbelief| {
            use crate::verify::Refusal as Disbelief;
            let message = match &disbelief {
                Disbelief::Subject => "Token does not match robot".to_owned(),
                Disbelief::Issuer => "issuer not configured for this robot".to_owned(),
                Disbelief::Audience => "Token audience is not allowed for this robot".to_owned(),
                other => format!("Invalid token: {other}"),
            };
            refuse(&message).because(disbelief)
        })?;
        let password = visit.jwt(Some(&self.robot), &self.robot);
        Ok(json_answer(200, &json!({"token": password.value})))
    }
}
