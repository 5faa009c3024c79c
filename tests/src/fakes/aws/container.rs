//! Credentials for containers: the endpoint of ECS at 169.254.170.2, and the agent of EKS Pod
//! Identity at 169.254.170.23, which answers as `aws/eks-pod-identity-agent` does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use serde_json::json;

use super::endpoint::Service;
use super::error::AwsError;
use super::front::text;
use super::iam::{Credentials, id};
use super::imds::call;
use super::{Aws, clock};
use crate::fakes::canned::Answer;
use crate::jwt;
use crate::verify::{Refusal, Verifier};

/// The life of what is handed out, in seconds.
const LIFETIME: i64 = 21_600;

/// A task of ECS, or anything else that a client finds by `AWS_CONTAINER_CREDENTIALS_*_URI`.
#[derive(Clone, Debug)]
pub struct EcsTask {
    /// The path that serves the credentials.
    pub path: String,
    /// The exact `Authorization` header, if one is wanted.
    pub token: Option<String>,
    /// The task's role, by its ARN.
    pub role: String,
}

/// An agent of EKS Pod Identity, at `/v1/credentials`.
#[derive(Clone)]
pub struct PodIdentity {
    /// Believes the cluster's tokens for the audience `pods.eks.amazonaws.com`.
    pub verifier: Verifier,
    /// A role's ARN by the `sub` of the service account.
    pub associations: HashMap<String, String>,
    /// The addresses under which it may be called; the real one takes only its own two.
    pub hosts: Vec<String>,
}

impl PodIdentity {
    /// On its own addresses, with one association of a service account with a role.
    pub fn new(verifier: Verifier, namespace: &str, service_account: &str, role: &str) -> Self {
        let subject = format!("system:serviceaccount:{namespace}:{service_account}");
        Self {
            verifier,
            associations: HashMap::from([(subject, role.to_owned())]),
            hosts: vec!["169.254.170.23".to_owned(), "fd00:ec2::23".to_owned()],
        }
    }
}

struct Endpoint {
    aws: Aws,
    kind: Kind,
}

enum Kind {
    Ecs(EcsTask),
    PodIdentity(PodIdentity),
}

pub(super) fn ecs(aws: Aws, task: EcsTask) -> Router {
    assert!(aws.role(&task.role).is_some(), "no role `{}` was added", task.role);
    if let Some(token) = &task.token {
        aws.log().add_secret("container authorization token".to_owned(), token);
    }
    Router::new().fallback(answer).with_state(Arc::new(Endpoint { aws, kind: Kind::Ecs(task) }))
}

pub(super) fn pod_identity(aws: Aws, agent: PodIdentity) -> Router {
    for role in agent.associations.values() {
        assert!(aws.role(role).is_some(), "no role `{role}` was added");
    }
    let kind = Kind::PodIdentity(agent);
    Router::new().fallback(answer).with_state(Arc::new(Endpoint { aws, kind }))
}

async fn answer(
    State(endpoint): State<Arc<Endpoint>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let aws = &endpoint.aws;
    let id = aws.log().record(call(Service::Container, &method, &uri, &headers));
    let answer = match aws.log().canned(Service::Container).await {
        Some(answer) => answer,
        None => {
            let served = match &endpoint.kind {
                Kind::Ecs(task) => task_credentials(aws, task, &method, uri.path(), &headers),
                Kind::PodIdentity(agent) => {
                    pod_credentials(aws, agent, &method, uri.path(), &headers, id).await
                }
            };
            let (status, content_type, body) = match served {
                Ok(body) => (200, "application/json", body),
                Err(refusal) => {
                    aws.log().update(id, |call| call.error = Some(refusal.code.clone()));
                    let (content_type, body) = endpoint.kind.render(&refusal);
                    (refusal.status, content_type, body)
                }
            };
            Answer::new(status, content_type, body)
        }
    };
    aws.log().update(id, |call| call.status = Some(answer.status));
    answer.dressed(aws.now(), Vec::new())
}

impl Kind {
    fn render(&self, refusal: &AwsError) -> (&'static str, String) {
        let AwsError { status, code, message } = refusal;
        match self {
            Self::Ecs(_) => {
                let body = json!({"code": code, "message": message, "HTTPErrorCode": status});
                ("application/json", body.to_string())
            }
            Self::PodIdentity(_) => refusal.render(Service::Container, ""),
        }
    }
}

fn task_credentials(
    aws: &Aws,
    task: &EcsTask,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<String, AwsError> {
    let refused = |message: &str| AwsError::new(400, "InvalidIdInRequest", message);
    if method != Method::GET || path != task.path {
        return Err(refused("CredentialsV2Request: Credentials not found"));
    }
    let sent = text(headers, "authorization");
    if task.token.is_some() && sent != task.token.as_deref() {
        return Err(AwsError::new(401, "InvalidToken", "wrong or missing authorization"));
    }
    let credentials = aws.session(&task.role, &jwt::random_uuid().replace('-', ""), LIFETIME);
    let mut document = document(&credentials);
    document["RoleArn"] = json!(task.role);
    Ok(document.to_string())
}

async fn pod_credentials(
    aws: &Aws,
    agent: &PodIdentity,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    call: usize,
) -> Result<String, AwsError> {
    if method != Method::GET || path != "/v1/credentials" {
        return Err(AwsError::new(404, "NotFound", "404 page not found"));
    }
    let host = text(headers, "host").unwrap_or_default();
    if !agent.hosts.iter().any(|known| known == address(host)) {
        let message = format!(
            "Access Denied. Called agent through invalid address, please use either [{}] address \
             not {host}",
            agent.hosts.join(" ")
        );
        return Err(AwsError::new(403, "AccessDenied", message));
    }
    // The token itself, with no scheme before it.
    let token = text(headers, "authorization").unwrap_or_default();
    let bad = |message: &str| AwsError::new(400, "RequestValidationError", message);
    if token.is_empty() {
        return Err(bad("Service account token cannot be empty"));
    }
    if jwt::parts(token).is_none() {
        return Err(bad("Service account token cannot be parsed: token is malformed"));
    }
    let claims = agent.verifier.verify(token).await.map_err(|refusal| match refusal {
        Refusal::Expired => {
            bad("Service account token failed basic claim validations: token has invalid claims: \
             token is expired")
        }
        _ => service(400, "InvalidTokenException", "the token is not valid for this cluster"),
    })?;
    // Only what is bound to a pod.
    let pod = claims["kubernetes.io"]["pod"]["name"]
        .as_str()
        .ok_or_else(|| service(400, "InvalidTokenException", "the token is not bound to a pod"))?;
    let subject = claims["sub"].as_str().unwrap_or_default();
    aws.log().update(call, |call| call.subject = Some(subject.to_owned()));
    let role = agent.associations.get(subject).ok_or_else(|| {
        let message = "No association found for this service account";
        service(404, "ResourceNotFoundException", message)
    })?;
    let credentials = aws.session(role, &format!("eks-test-{pod}-{}", id("")), LIFETIME);
    let mut document = document(&credentials);
    let account = credentials.principal.split(':').nth(4).unwrap_or_default();
    document["AccountId"] = json!(account);
    Ok(document.to_string())
}

/// An error of EKS Auth, in the words in which the agent passes it on.
fn service(status: u16, code: &str, message: &str) -> AwsError {
    let request = jwt::random_uuid();
    AwsError::new(status, code, format!("[{request}]: ({code}): {message}, fault: client"))
}

fn document(credentials: &Credentials) -> serde_json::Value {
    json!({
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "Token": credentials.session_token,
        "Expiration": clock::rfc3339(credentials.expires.unwrap_or_default()),
    })
}

/// A `Host` header without its port and brackets.
fn address(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}
