//! Chainguard's STS: `/sts/exchange` with the pod's token as the bearer. GET takes a query; POST
//! takes JSON, as its SDK sends it, or a query, as its examples do. It is a gRPC gateway: a form is
//! lost on the way. Texts of refusals are ours.

use axum::http::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Expiry;
use super::answer::{Refusal, Served, json_answer};
use super::visit::Visit;

/// What a registry's token is for.
const REGISTRY: &str = "cgr.dev";
const KNOWN: [&str; 7] =
    ["aud", "cap", "cluster", "identity", "identity_provider", "includeUpstreamToken", "scope"];

/// One assumable identity.
#[derive(Clone, Debug)]
pub struct Chainguard {
    /// Its UIDP.
    pub identity: String,
}

impl Chainguard {
    /// With that identity.
    pub fn new(identity: &str) -> Self {
        Self { identity: identity.to_owned() }
    }

    pub(super) async fn answer(&self, visit: &Visit<'_>) -> Served {
        let refuse = |status, message: &str| visit.shape.refuse(status, "", message);
        if visit.received.path() != "/sts/exchange" {
            return Err(visit.shape.not_found());
        }
        let parameters = parameters(visit)?;
        visit.known(parameters.iter().map(|(name, _)| name.as_str()), &KNOWN);
        let values = |name: &str| -> Vec<&str> {
            let same = parameters.iter().filter(|(key, _)| key == name);
            same.map(|(_, value)| value.as_str()).collect()
        };
        let token = visit.bearer().ok_or_else(|| refuse(401, "missing authorization header"))?;
        if values("aud") != [REGISTRY] {
            return Err(refuse(400, "invalid audience").because("not `aud=cgr.dev`"));
        }
        let claims = visit.claims(token).await.map_err(|disbelief| {
            refuse(401, "unable to verify identity token").because(disbelief)
        })?;
        if values("identity") != [self.identity.as_str()] {
            return Err(refuse(403, "not allowed to assume identity"));
        }
        let sub = claims["sub"].as_str().unwrap_or_default();
        let password = visit.jwt(None, sub);
        // The field is JSON of protobuf: left out when empty.
        let mut answer = json!({"token": password.value});
        visit.say_end(&mut answer, "expiry", Expiry::Rfc3339, &password);
        Ok(json_answer(200, &answer))
    }
}

fn parameters(visit: &Visit<'_>) -> Result<Vec<(String, String)>, Refusal> {
    let received = visit.received;
    let query = || {
        let query = received.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    };
    if received.method == Method::GET || received.method == Method::POST && received.body.is_empty()
    {
        return Ok(query());
    }
    if received.method != Method::POST {
        return Err(visit.shape.wrong_method());
    }
    let mut all = Vec::new();
    for (name, value) in visit.json()? {
        match value {
            Value::Array(list) => {
                let texts = list.iter().filter_map(Value::as_str);
                all.extend(texts.map(|text| (name.clone(), text.to_owned())));
            }
            Value::String(text) => all.push((name, text)),
            other => all.push((name, other.to_string())),
        }
    }
    Ok(all)
}
