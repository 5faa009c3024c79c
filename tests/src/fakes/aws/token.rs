//! What `GetAuthorizationToken` returns, at ECR and at ECR Public, and whose it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Aws;
use super::endpoint::{Endpoint, Service};
use super::iam::Principal;
use crate::jwt;

/// Twelve hours, in seconds.
const LIFETIME: f64 = 43_200.0;

/// How a service answers a call in order; change what a test is about.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenAnswer {
    /// What is answered.
    pub token: Token,
    /// What it says of its end.
    pub expires: Expires,
}

/// A token in order, or one out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// base64 of `AWS:<password>`.
    Login,
    /// base64 of this text; `foo` has no colon.
    Text(String),
    /// This, which need not be base64.
    Raw(String),
    /// Everything but the token.
    Missing,
    /// ECR: an empty list. ECR Public: an empty object.
    Empty,
    /// No `authorizationData` at all.
    NoData,
}

/// `expiresAt` of an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Expires {
    /// So many seconds after the service's now, below zero before it.
    In(f64),
    /// Left out.
    Missing,
    /// This JSON.
    Raw(Value),
}

impl Default for TokenAnswer {
    fn default() -> Self {
        Self { token: Token::Login, expires: Expires::In(LIFETIME) }
    }
}

/// A login that was handed out.
#[derive(Clone, PartialEq)]
pub struct Login {
    /// ECR or ECR Public.
    pub service: Service,
    /// Who asked: an ARN.
    pub principal: String,
    /// The account that the principal is of.
    pub account: String,
    /// The region of the API that was called, which is the one the password is good for.
    pub region: String,
    /// The name that was called.
    pub host: String,
    /// The registry: the account's in that region, one of `registryIds`, or `public.ecr.aws`.
    pub registry: String,
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
    /// Its end by the service's clock, in seconds of the Unix epoch.
    pub expires: f64,
}

/// The data for one registry, as the answer holds it; what it holds is remembered.
pub(super) fn authorization_data(
    aws: &Aws,
    endpoint: &Endpoint,
    host: &str,
    principal: &Principal,
    registry: &str,
) -> Value {
    let TokenAnswer { token, expires } = aws.token_answer(endpoint.service);
    let lifetime = if let Expires::In(seconds) = expires { seconds } else { LIFETIME };
    // Cut to milliseconds, so that no token lives past its lifetime.
    let ends = ((aws.precise_now() + lifetime) * 1000.0).floor() / 1000.0;
    let text = match &token {
        Token::Text(text) => text.clone(),
        _ => format!("AWS:{}", password(ends)),
    };
    let encoded = match &token {
        Token::Raw(raw) => raw.clone(),
        _ => STANDARD.encode(&text),
    };
    let mut data = Map::new();
    if token == Token::Empty {
        return Value::Object(data);
    }
    if token != Token::Missing {
        let (username, password) = text.split_once(':').unwrap_or(("", &text));
        aws.hand_out(
            Login {
                service: endpoint.service,
                principal: principal.arn.clone(),
                account: principal.account.clone(),
                region: endpoint.region.clone(),
                host: host.to_owned(),
                registry: registry.to_owned(),
                username: username.to_owned(),
                password: password.to_owned(),
                expires: ends,
            },
            &encoded,
        );
        data.insert("authorizationToken".to_owned(), json!(encoded));
    }
    match expires {
        Expires::In(_) => data.insert("expiresAt".to_owned(), json!(ends)),
        Expires::Raw(value) => data.insert("expiresAt".to_owned(), value),
        Expires::Missing => None,
    };
    Value::Object(data)
}

/// Of the size and the make of a real one: base64 of a JSON envelope.
fn password(ends: f64) -> String {
    let envelope = json!({
        "payload": jwt::random_text(900),
        "datakey": jwt::random_text(130),
        "version": "2",
        "type": "DATA_KEY",
        "expiration": ends.floor(),
    });
    STANDARD.encode(envelope.to_string())
}
