//! The door of the three signed services: which endpoint a request is for, what is remembered of
//! it, who signed it, and the answer's dress.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::call::Call;
use super::endpoint::{Endpoint, Service};
use super::error::AwsError;
use super::iam::Principal;
use super::sigv4::{Authorization, Refusal, Request, Scope};
use super::{Aws, ecr, ecr_public, sts};
use crate::fakes::canned::Answer;
use crate::jwt;

/// A request, and the endpoint it is for.
pub(super) struct Received {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) endpoint: Endpoint,
    /// What the answer calls the request.
    pub(super) request_id: String,
}

struct Front {
    aws: Aws,
    /// The endpoint whatever the `Host`, where names cannot be had.
    fixed: Option<Endpoint>,
}

/// A service's own answer: content type and body.
pub(super) type Served = Result<(&'static str, String), AwsError>;

pub(super) fn router(aws: Aws, fixed: Option<Endpoint>) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(Front { aws, fixed }))
}

async fn answer(
    State(front): State<Arc<Front>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let aws = &front.aws;
    let host = text(&headers, "host").unwrap_or_default().to_owned();
    let endpoint = front.fixed.clone().or_else(|| Endpoint::parse(&host));
    // Where no service is, a real name would not even resolve.
    let Some(endpoint) = endpoint.filter(|endpoint| aws.exists(endpoint)) else {
        aws.log().stray(&host);
        return (StatusCode::MISDIRECTED_REQUEST, "no such endpoint").into_response();
    };
    let request_id = jwt::random_uuid();
    let received = Received { method, uri, headers, body, endpoint, request_id };
    let service = received.endpoint.service;
    let id = aws.log().record(received.call(&host));
    let canned = match aws.echo_of(service, &received.headers) {
        Some(echo) => echo.answer,
        None => aws.log().canned(service).await,
    };
    let answer = match canned {
        Some(answer) => answer,
        None => {
            let served = match service {
                Service::Sts => sts::answer(aws, &received, id).await,
                Service::EcrPublic => ecr_public::answer(aws, &received, id),
                _ => ecr::answer(aws, &received, id),
            };
            let (status, (content_type, body)) = match served {
                Ok(served) => (200, served),
                Err(error) => {
                    aws.log().update(id, |call| call.error = Some(error.code.clone()));
                    (error.status, error.render(service, &received.request_id))
                }
            };
            Answer::new(status, content_type, body)
                .with_header("x-amzn-requestid", &received.request_id)
        }
    };
    aws.log().update(id, |call| call.status = Some(answer.status));
    answer.dressed(aws.now(), Vec::new())
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The content type without its parameters.
pub(super) fn essence(headers: &HeaderMap) -> &str {
    let content_type = text(headers, "content-type").unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim()
}

impl Received {
    fn call(&self, host: &str) -> Call {
        let (operation, fields) = match self.endpoint.service {
            Service::Sts => sts::described(self),
            _ => described(self),
        };
        Call {
            service: self.endpoint.service,
            operation,
            method: self.method.to_string(),
            host: host.to_owned(),
            region: Some(self.endpoint.region.clone()),
            authorization: self.headers.contains_key(header::AUTHORIZATION),
            principal: None,
            subject: None,
            user_agent: text(&self.headers, "user-agent").map(str::to_owned),
            fields,
            status: None,
            error: None,
        }
    }

    /// Who signed it; their region and partition must be the endpoint's.
    pub(super) fn principal(&self, aws: &Aws, id: usize) -> Result<Principal, AwsError> {
        let service = self.endpoint.service;
        let refused = |refusal: Refusal| refusal.error(service);
        let authorization = Authorization::read(&self.headers).map_err(refused)?;
        let key = aws.key(&authorization.access_key_id);
        let (credentials, principal) = key.ok_or_else(|| refused(Refusal::Unknown))?;
        let request = Request {
            method: self.method.as_str(),
            path: self.uri.path(),
            query: self.uri.query().unwrap_or_default(),
            headers: &self.headers,
            body: &self.body,
        };
        let scope = Scope { region: &self.endpoint.region, service: service.signing_name() };
        authorization.check(&request, &scope, aws.now(), &credentials).map_err(refused)?;
        if principal.partition != self.endpoint.partition() {
            return Err(refused(Refusal::Unknown));
        }
        aws.log().update(id, |call| call.principal = Some(principal.arn.clone()));
        Ok(principal)
    }

    /// The body of the one JSON 1.1 operation `target`, and who sent it.
    pub(super) fn json(
        &self,
        aws: &Aws,
        id: usize,
        target: &str,
    ) -> Result<(Principal, Value), AwsError> {
        let coral = |status: u16, code: &str, message: &str| {
            AwsError::new(status, &format!("com.amazon.coral.service#{code}"), message)
        };
        let json = essence(&self.headers) == "application/x-amz-json-1.1";
        if self.method != Method::POST || self.uri.path() != "/" || !json {
            return Err(coral(404, "UnknownOperationException", ""));
        }
        if text(&self.headers, "x-amz-target") != Some(target) {
            return Err(coral(400, "UnknownOperationException", ""));
        }
        let principal = self.principal(aws, id)?;
        match serde_json::from_slice::<Value>(&self.body) {
            Ok(body) if body.is_object() => Ok((principal, body)),
            _ => Err(coral(400, "SerializationException", "")),
        }
    }
}

/// The operation of a JSON 1.1 request, and its fields.
fn described(received: &Received) -> (String, Vec<(String, String)>) {
    let target = text(&received.headers, "x-amz-target").unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body = serde_json::from_slice::<Value>(&received.body).unwrap_or_default();
    let fields = body.as_object().into_iter().flatten();
    (operation, fields.map(|(name, value)| (name.clone(), value.to_string())).collect())
}
