//! Credentials for containers: ECS, and EKS Pod Identity.

use super::*;
use crate::issuer::Issuer;
use crate::jwt;

const PATH: &str = "/v2/credentials/6a1f2d5c";
const AUDIENCE: &str = "pods.eks.amazonaws.com";

async fn get(server: &Server, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    let mut request = plain_client().get(format!("{}{path}", server.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = Answer::read(request.send().await.unwrap()).await;
    (answer.status, answer.body)
}

fn keys(document: &str) -> (Value, Credentials) {
    let document: Value = serde_json::from_str(document).unwrap();
    let field = |name: &str| document[name].as_str().unwrap().to_owned();
    let keys = Credentials {
        access_key_id: field("AccessKeyId"),
        secret_access_key: field("SecretAccessKey"),
        session_token: Some(field("Token")),
        expires: None,
        principal: String::new(),
    };
    (document, keys)
}

fn with_role(name: &str) -> Aws {
    let aws = Aws::new();
    aws.add_role(Role::new(&role(name)).allow(&PULL));
    aws
}

#[tokio::test]
async fn a_task_gets_its_roles_keys_for_the_exact_token() {
    let aws = with_role("task");
    let token = Some("Basic dGFzazp0b2tlbg==".to_owned());
    let task = EcsTask { path: PATH.to_owned(), token: token.clone(), role: role("task") };
    let server = Socket::bind(None).serve(aws.ecs(task));
    let right = ("authorization", token.as_deref().unwrap());
    let (status, body) = get(&server, PATH, &[right]).await;
    assert_eq!(status, 200);
    let (document, keys) = keys(&body);
    assert_eq!(document["RoleArn"], role("task"));
    let ecr = Api::named(&aws, "api.ecr.us-west-2.amazonaws.com");
    assert_eq!(ecr.token_call("{}").signed(&keys).await.status, 200);

    for headers in [&[][..], &[("authorization", "dGFzazp0b2tlbg==")], &[("authorization", "x")]] {
        assert_eq!(get(&server, PATH, headers).await.0, 401);
    }
    for path in ["/", "/v2/credentials/", "/v2/credentials/other"] {
        let (status, body) = get(&server, path, &[right]).await;
        assert_eq!((status, body.contains("InvalidIdInRequest")), (400, true), "{path}");
    }
    let operation = format!("GET {PATH}");
    assert_eq!(aws.count(Service::Container, &operation), 4);
    assert!(aws.secrets().iter().any(|(_, secret)| Some(secret) == token.as_ref()));
}

#[tokio::test]
async fn a_task_without_a_token_is_known_by_its_path() {
    let aws = with_role("task");
    let task = EcsTask { path: PATH.to_owned(), token: None, role: role("task") };
    let server = Socket::bind(None).serve(aws.ecs(task));
    assert_eq!(get(&server, PATH, &[]).await.0, 200);
    aws.next(Service::Container, Canned::throttled(Service::Container));
    assert_eq!(get(&server, PATH, &[]).await.0, 429);
    assert_eq!(get(&server, PATH, &[]).await.0, 200);
}

struct Node {
    aws: Aws,
    issuer: Issuer,
    server: Server,
}

fn node() -> Node {
    let (aws, issuer) = (with_role("pods"), Issuer::start(None));
    let agent = PodIdentity::new(issuer.verifier(AUDIENCE), "shop", "web", &role("pods"));
    let server = Socket::bind(None).serve(aws.pod_identity(agent));
    Node { aws, issuer, server }
}

impl Node {
    async fn ask(&self, authorization: &str, host: &str) -> (u16, String) {
        let headers = [("authorization", authorization), ("host", host)];
        get(&self.server, "/v1/credentials", &headers).await
    }
}

#[tokio::test]
async fn a_pods_token_gets_the_keys_of_its_association() {
    let node = node();
    let token = node.issuer.token(AUDIENCE).service_account("shop", "web").build();
    for host in ["169.254.170.23", "169.254.170.23:80", "[fd00:ec2::23]", "[fd00:ec2::23]:80"] {
        let (status, body) = node.ask(&token, host).await;
        assert_eq!(status, 200, "{body}");
        let (document, keys) = keys(&body);
        assert_eq!(document["AccountId"], ACCOUNT);
        let ecr = Api::named(&node.aws, "api.ecr.us-west-2.amazonaws.com");
        assert_eq!(ecr.token_call("{}").signed(&keys).await.status, 200);
    }
    let principal = node.aws.logins()[0].principal.clone();
    let prefix = format!("arn:aws:sts::{ACCOUNT}:assumed-role/pods/eks-test-web-");
    assert!(principal.starts_with(&prefix), "{principal}");
    let call = &node.aws.calls_to(Service::Container)[0];
    assert_eq!(call.subject.as_deref(), Some("system:serviceaccount:shop:web"));
}

#[tokio::test]
async fn the_agent_refuses_other_tokens_and_other_addresses() {
    let node = node();
    let web = || node.issuer.token(AUDIENCE).service_account("shop", "web");
    let good = web().build();
    let other_audience = node.issuer.token("sts.amazonaws.com").service_account("shop", "web");
    let cases = [
        (String::new(), 400, "Service account token cannot be empty"),
        ("made up".to_owned(), 400, "cannot be parsed"),
        (format!("Bearer {good}"), 400, "cannot be parsed"),
        (web().expired().build(), 400, "token is expired"),
        (jwt::tampered(&good), 400, "(InvalidTokenException)"),
        (web().signed_by_stranger().build(), 400, "(InvalidTokenException)"),
        (other_audience.build(), 400, "(InvalidTokenException)"),
        (web().service_account("shop", "db").build(), 404, "(ResourceNotFoundException)"),
    ];
    for (token, status, words) in cases {
        let (found, body) = node.ask(&token, "169.254.170.23").await;
        assert_eq!((found, body.contains(words)), (status, true), "{body}");
    }
    let (status, body) = node.ask(&good, "localhost").await;
    assert_eq!((status, body.contains("Called agent through invalid address")), (403, true));
    assert_eq!(get(&node.server, "/", &[("host", "169.254.170.23")]).await.0, 404);
    assert!(node.aws.secrets().is_empty(), "no session was opened");
}
