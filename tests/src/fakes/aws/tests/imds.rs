//! The metadata service.

use reqwest::Method;

use super::*;

const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";
const TOKEN: &str = "x-aws-ec2-metadata-token";
const REGION: &str = "/latest/meta-data/placement/region";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

struct Node {
    aws: Aws,
    server: Server,
}

fn node(instance: impl FnOnce() -> Instance) -> Node {
    let aws = Aws::new();
    aws.add_role(Role::new(&role("team/node")).allow(&PULL));
    let server = Socket::bind(None).serve(aws.imds(instance()));
    Node { aws, server }
}

fn usual() -> Instance {
    Instance::new(&role("team/node"), "eu-central-1")
}

impl Node {
    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.server.url());
        let mut request = plain_client().request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::read(request.send().await.unwrap()).await
    }

    async fn token(&self) -> String {
        let answer = self.call(Method::PUT, "/latest/api/token", &[(TTL, "60")]).await;
        assert_eq!((answer.status, answer.header(TTL)), (200, "60"));
        answer.body
    }

    async fn read(&self, path: &str) -> Answer {
        let token = self.token().await;
        self.call(Method::GET, path, &[(TOKEN, &token)]).await
    }
}

#[tokio::test]
async fn with_a_token_there_are_role_credentials_and_a_region() {
    let node = node(usual);
    assert_eq!(node.read(REGION).await.body, "eu-central-1");
    for path in [ROLES, ROLES.trim_end_matches('/')] {
        assert_eq!(node.read(path).await.body, "node");
    }
    let path = format!("{ROLES}node");
    let answer = node.read(&path).await;
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((&document["Code"], &document["Type"]), (&"Success".into(), &"AWS-HMAC".into()));
    assert!(document["Expiration"].as_str() > document["LastUpdated"].as_str());
    let field = |name: &str| document[name].as_str().unwrap().to_owned();
    let keys = Credentials {
        access_key_id: field("AccessKeyId"),
        secret_access_key: field("SecretAccessKey"),
        session_token: Some(field("Token")),
        expires: None,
        principal: String::new(),
    };
    let ecr = Api::named(&node.aws, "api.ecr.eu-central-1.amazonaws.com");
    assert_eq!(ecr.token_call("{}").signed(&keys).await.status, 200);
    let principal = &node.aws.logins()[0].principal;
    let prefix = format!("arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0");
    assert!(principal.starts_with(&prefix), "{principal}");
    let again: Value = serde_json::from_str(&node.read(&path).await.body).unwrap();
    assert_eq!(again["AccessKeyId"], document["AccessKeyId"], "the same until they are over");

    assert_eq!(node.aws.count(Service::Imds, &format!("GET {REGION}")), 1);
    assert_eq!(node.aws.count(Service::Imds, "PUT /latest/api/token"), 5);
}

#[tokio::test]
async fn a_token_has_a_life_and_is_not_given_through_a_proxy() {
    let node = node(usual);
    let put = async |headers: &[(&str, &str)]| {
        node.call(Method::PUT, "/latest/api/token", headers).await.status
    };
    for ttl in ["0", "21601", "-1", "soon", ""] {
        assert_eq!(put(&[(TTL, ttl)]).await, 400, "{ttl}");
    }
    assert_eq!(put(&[]).await, 400);
    assert_eq!(put(&[(TTL, "21600")]).await, 200);
    assert_eq!(put(&[(TTL, "60"), ("x-forwarded-for", "10.0.0.1")]).await, 403);
    let post = node.call(Method::POST, "/latest/api/token", &[(TTL, "60")]).await;
    assert_eq!(post.status, 405);
}

#[tokio::test]
async fn nothing_is_read_without_a_live_token() {
    let node = node(usual);
    let token = node.token().await;
    for headers in [&[][..], &[(TOKEN, "made up")], &[("authorization", token.as_str())]] {
        assert_eq!(node.call(Method::GET, REGION, headers).await.status, 401);
    }
    assert_eq!(node.call(Method::GET, REGION, &[(TOKEN, &token)]).await.status, 200);
    node.aws.set_clock_offset(90);
    assert_eq!(node.call(Method::GET, REGION, &[(TOKEN, &token)]).await.status, 401);
    assert!(node.aws.secrets().iter().any(|(_, secret)| *secret == token));
}

#[tokio::test]
async fn a_node_without_a_role_has_no_credentials() {
    let node = node(|| Instance::without_role("us-west-2"));
    assert_eq!(node.read(ROLES).await.status, 404);
    assert_eq!(node.read(&format!("{ROLES}node")).await.status, 404);
    assert_eq!(node.read(REGION).await.status, 200);
    let with = self::node(usual);
    for path in ["/latest/meta-data/iam/security-credentials/other", "/latest/", "/"] {
        assert_eq!(with.read(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_role_that_ec2_may_not_assume_is_told_with_200() {
    let node = node(|| Instance { credentials: RoleCredentials::Unauthorized, ..usual() });
    let answer = node.read(&format!("{ROLES}node")).await;
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(document["Code"], "AssumeRoleUnauthorizedAccess");
    assert!(document.get("AccessKeyId").is_none());
}

#[tokio::test]
async fn credentials_can_be_over_already() {
    let node = node(|| Instance { credentials: RoleCredentials::For(-60), ..usual() });
    let answer = node.read(&format!("{ROLES}node")).await;
    let document: Value = serde_json::from_str(&answer.body).unwrap();
    assert!(document["Expiration"].as_str() < document["LastUpdated"].as_str());
}

#[tokio::test]
async fn it_can_be_closed_slow_or_garbled() {
    let node = node(usual);
    node.aws.always(Service::Imds, Some(Canned::error(Service::Imds, 403, "", "")));
    let put = || node.call(Method::PUT, "/latest/api/token", &[(TTL, "60")]);
    assert_eq!(put().await.status, 403);
    node.aws.always(Service::Imds, Some(Canned::answer(200, "text/html", "<p>Sign in")));
    let garbled = put().await;
    assert_eq!((garbled.body.as_str(), garbled.headers.contains_key(TTL)), ("<p>Sign in", false));
    node.aws.always(Service::Imds, Some(Canned::late(Duration::from_millis(100))));
    let started = std::time::Instant::now();
    assert_eq!(put().await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(100));
}
