//! The instance metadata service of EC2, version 2 only, as with `HttpTokens=required` (Amazon EC2
//! User Guide, "Use the Instance Metadata Service").

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use serde_json::json;

use super::call::Call;
use super::endpoint::Service;
use super::error::AwsError;
use super::front::text;
use super::iam::Credentials;
use super::{Aws, clock};
use crate::fakes::canned::Answer;
use crate::jwt;

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aws-ec2-metadata-token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials";
/// The longest life of a token, in seconds.
const LONGEST: i64 = 21_600;

/// An instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The instance's role, by its ARN, or `None`.
    pub role: Option<String>,
    /// Where it runs.
    pub region: String,
    /// What the service says of the role's credentials.
    pub credentials: RoleCredentials,
}

/// The state of an instance's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleCredentials {
    /// Good for so many seconds; below zero they are over.
    For(i64),
    /// EC2 may not assume the role.
    Unauthorized,
}

impl Instance {
    /// With a role whose credentials are good for six hours.
    pub fn new(role: &str, region: &str) -> Self {
        let credentials = RoleCredentials::For(LONGEST);
        Self { role: Some(role.to_owned()), region: region.to_owned(), credentials }
    }

    /// Without a role.
    pub fn without_role(region: &str) -> Self {
        let credentials = RoleCredentials::For(LONGEST);
        Self { role: None, region: region.to_owned(), credentials }
    }
}

struct Imds {
    aws: Aws,
    instance: Instance,
    id: String,
    /// Tokens and their ends.
    tokens: Mutex<HashMap<String, i64>>,
    /// The same until they are over, as the real ones.
    current: Mutex<Option<Credentials>>,
}

pub(super) fn router(aws: Aws, instance: Instance) -> Router {
    let id = jwt::random_uuid().replace('-', "");
    let imds = Imds {
        aws,
        instance,
        id: format!("i-0{}", &id[..16]),
        tokens: Mutex::default(),
        current: Mutex::default(),
    };
    Router::new().fallback(answer).with_state(Arc::new(imds))
}

async fn answer(
    State(imds): State<Arc<Imds>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let aws = &imds.aws;
    let id = aws.log().record(call(Service::Imds, &method, &uri, &headers));
    let answer = match aws.log().canned(Service::Imds).await {
        Some(answer) => answer,
        None => imds.answer(&method, uri.path(), &headers).unwrap_or_else(|status| {
            let (content_type, body) = AwsError::new(status, "", "").render(Service::Imds, "");
            Answer::new(status, content_type, body)
        }),
    };
    aws.log().update(id, |call| call.status = Some(answer.status));
    answer.dressed(aws.now(), vec![("server", "EC2ws".to_owned())])
}

/// What is remembered of a request that has no operation and no region.
pub(super) fn call(service: Service, method: &Method, uri: &Uri, headers: &HeaderMap) -> Call {
    Call {
        service,
        operation: format!("{method} {}", uri.path()),
        method: method.to_string(),
        host: text(headers, "host").unwrap_or_default().to_owned(),
        region: None,
        authorization: headers.contains_key("authorization"),
        principal: None,
        subject: None,
        user_agent: text(headers, "user-agent").map(str::to_owned),
        fields: Vec::new(),
        status: None,
        error: None,
    }
}

impl Imds {
    /// The answer, or the status of a refusal.
    fn answer(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<Answer, u16> {
        match (method, path) {
            (&Method::PUT, "/latest/api/token") => self.token(headers),
            (&Method::GET, _) => {
                self.check(headers)?;
                self.read(path)
            }
            _ => Err(405),
        }
    }

    fn token(&self, headers: &HeaderMap) -> Result<Answer, u16> {
        // A request through a proxy gets no token.
        if headers.contains_key("x-forwarded-for") {
            return Err(403);
        }
        let seconds = text(headers, TTL).and_then(|text| text.parse().ok()).unwrap_or(0);
        if !(1..=LONGEST).contains(&seconds) {
            return Err(400);
        }
        let token = format!("{}==", jwt::random_text(40));
        self.aws.log().add_secret("metadata token".to_owned(), &token);
        self.tokens.lock().unwrap().insert(token.clone(), self.aws.now() + seconds);
        Ok(plain("text/plain", token).with_header(TTL, &seconds.to_string()))
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), u16> {
        let token = text(headers, TOKEN).ok_or(401_u16)?;
        let expires = self.tokens.lock().unwrap().get(token).copied().ok_or(401_u16)?;
        if expires > self.aws.now() { Ok(()) } else { Err(401) }
    }

    fn read(&self, path: &str) -> Result<Answer, u16> {
        if path == "/latest/meta-data/placement/region" {
            return Ok(plain("text/plain", self.instance.region.clone()));
        }
        let arn = self.instance.role.as_deref().ok_or(404_u16)?;
        let role = self.aws.role(arn).ok_or(404_u16)?;
        match path.strip_prefix(ROLES).ok_or(404_u16)? {
            "" | "/" => Ok(plain("text/plain", role.arn.name)),
            name if name.strip_prefix('/') == Some(&role.arn.name) => {
                Ok(plain("text/plain", self.credentials(arn)))
            }
            _ => Err(404),
        }
    }

    fn credentials(&self, role: &str) -> String {
        let now = self.aws.now();
        let updated = clock::rfc3339(now);
        let RoleCredentials::For(seconds) = self.instance.credentials else {
            let document = json!({
                "Code": "AssumeRoleUnauthorizedAccess",
                "Message": format!("EC2 cannot assume the role {role}."),
                "LastUpdated": updated,
            });
            return format!("{document:#}");
        };
        let mut current = self.current.lock().unwrap();
        if current.as_ref().is_none_or(|known| known.expires.is_none_or(|end| end <= now)) {
            *current = Some(self.aws.session(role, &self.id, seconds));
        }
        let known = current.as_ref().expect("just made");
        let document = json!({
            "Code": "Success",
            "LastUpdated": updated,
            "Type": "AWS-HMAC",
            "AccessKeyId": known.access_key_id,
            "SecretAccessKey": known.secret_access_key,
            "Token": known.session_token,
            "Expiration": clock::rfc3339(known.expires.unwrap_or_default()),
        });
        format!("{document:#}")
    }
}

fn plain(content_type: &str, body: String) -> Answer {
    Answer::new(200, content_type, body)
}
