//! moto: an independent AWS. Its ECR, IAM and STS check signatures with the code of AWS's own
//! Python SDK, session tokens, and permissions.
//!
//! It does not cover: ECR Public, the web identity token of `AssumeRoleWithWebIdentity`, and
//! expiry: the logins of its ECR expired in 2015. Its refusals are XML where the real ECR answers
//! JSON.

use std::net::SocketAddr;
use std::process::Command;
use std::thread;

use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Builder;
use url::form_urlencoded;

use crate::judges::server::JudgeServer;
use crate::judges::{pinned_judge, without_settings};
use crate::tls::plain_client;

/// The account that everything is in.
pub const ACCOUNT: &str = "123456789012";

/// The day of every signature that is made here; nothing checks whether it is today.
const DAY: &str = "20260101";

/// A running server; gone when dropped.
pub struct Moto {
    server: JudgeServer,
    url: String,
}

/// An access key, as a user or an assumed role has it.
#[derive(Clone)]
pub struct AccessKey {
    /// The access key id.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The session token, for an assumed role.
    pub session_token: Option<String>,
}

impl Moto {
    /// Starts it on a free port of 127.0.0.1, with nothing in it and nothing checked. `None` if the
    /// judge is missing and that was allowed.
    pub fn start() -> Option<Self> {
        let mut command = Command::new(pinned_judge("PULLPASS_JUDGE_MOTO", "moto_server")?);
        command.args(["--host", "127.0.0.1", "--port", "0"]);
        without_settings(&mut command, &["AWS_", "MOTO_", "PYTHON", "INITIAL_NO_AUTH"]);
        let folder = TempDir::new().unwrap();
        let server = JudgeServer::start(command, folder, "Running on http://");
        let moto = Self { url: format!("http://{}", server.address()), server };
        // It listens; now it answers as well.
        moto.reset();
        Some(moto)
    }

    /// `http://127.0.0.1:<port>`, the endpoint of every service.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens, to give it a real name.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Its log: a line per request, with method, path and status.
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Creates a role that anyone may assume and that may do `actions`, such as
    /// `ecr:GetAuthorizationToken`; returns its ARN.
    pub fn role(&self, name: &str, actions: &[&str]) -> String {
        let trust = policy(json!({
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole*",
        }));
        let fields = [("RoleName", name), ("AssumeRolePolicyDocument", &trust)];
        let role = self.iam("CreateRole", &fields);
        self.iam(
            "PutRolePolicy",
            &[("RoleName", name), ("PolicyName", "inline"), ("PolicyDocument", &allow(actions))],
        );
        element(&role, "Arn")
    }

    /// Creates a user who may do `actions`; returns a key.
    pub fn user(&self, name: &str, actions: &[&str]) -> AccessKey {
        self.iam("CreateUser", &[("UserName", name)]);
        self.iam(
            "PutUserPolicy",
            &[("UserName", name), ("PolicyName", "inline"), ("PolicyDocument", &allow(actions))],
        );
        let key = self.iam("CreateAccessKey", &[("UserName", name)]);
        AccessKey {
            id: element(&key, "AccessKeyId"),
            secret: element(&key, "SecretAccessKey"),
            session_token: None,
        }
    }

    /// Assumes a role: a key as a metadata service or an agent hands it out.
    pub fn session(&self, role_arn: &str) -> AccessKey {
        let answer = self.call(
            "sts",
            "2011-06-15",
            "AssumeRoleWithWebIdentity",
            &[
                ("RoleArn", role_arn),
                ("RoleSessionName", "judge"),
                ("WebIdentityToken", "not looked at"),
            ],
        );
        AccessKey {
            id: element(&answer, "AccessKeyId"),
            secret: element(&answer, "SecretAccessKey"),
            session_token: Some(element(&answer, "SessionToken")),
        }
    }

    /// Lets the next `calls` calls pass, then checks signature and permission of every one. A call
    /// of `AssumeRoleWithWebIdentity`, which has no signature, must be among the calls that pass.
    /// Set everything up before.
    pub fn require_auth_after(&self, calls: u32) {
        self.admin("reset-auth", &calls.to_string());
    }

    /// Forgets users, roles and sessions, and checks nothing.
    pub fn reset(&self) {
        self.admin("reset", "");
        self.admin("reset-auth", "inf");
    }

    fn iam(&self, action: &str, fields: &[(&str, &str)]) -> String {
        self.call("iam", "2010-05-08", action, fields)
    }

    /// Sets the scene, while nothing is checked: the signature only names the service.
    fn call(&self, service: &str, version: &str, action: &str, fields: &[(&str, &str)]) -> String {
        let what = [("Action", action), ("Version", version)];
        let fields = what.iter().chain(fields);
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let scope = format!("{DAY}/us-east-1/{service}/aws4_request");
        let authorization = authorization("judge", &scope, "host", "none");
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", &authorization),
        ];
        self.post_or_panic("/", &headers, body)
    }

    /// Calls its own interface. As a form it would not take the body.
    fn admin(&self, path: &str, body: &str) {
        let path = format!("/moto-api/{path}");
        self.post_or_panic(&path, &[("content-type", "text/plain")], body.to_owned());
    }

    fn post_or_panic(&self, path: &str, headers: &[(&str, &str)], body: String) -> String {
        let (status, answer) = self.post(path, headers, body);
        assert_eq!(status, 200, "{answer}\n{}", self.log());
        answer
    }

    /// In a thread of its own: the caller may be inside a runtime, or not.
    fn post(&self, path: &str, headers: &[(&str, &str)], body: String) -> (u16, String) {
        let mut request = plain_client().post(format!("{}{path}", self.url)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let exchange = async {
            let response = request.send().await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        };
        thread::scope(|scope| {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            scope.spawn(move || runtime.block_on(exchange)).join().unwrap()
        })
    }
}

fn authorization(key: &str, scope: &str, headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={headers}, Signature={signature}"
    )
}

/// A policy that allows `actions` on everything.
fn allow(actions: &[&str]) -> String {
    policy(json!({"Effect": "Allow", "Action": actions, "Resource": "*"}))
}

fn policy(statement: serde_json::Value) -> String {
    json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()
}

/// The text of the first XML element of that name. Nothing that is read here needs unescaping.
fn element(xml: &str, name: &str) -> String {
    let text = xml.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    let text = text.and_then(|rest| rest.split_once(&format!("</{name}>"))).map(|(text, _)| text);
    text.unwrap_or_else(|| panic!("no `{name}` in {xml}")).to_owned()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use ring::hmac::{HMAC_SHA256, Key, sign};
    use serde_json::Value;

    use super::*;
    use crate::image::digest;

    const ACTION: &str = "ecr:GetAuthorizationToken";
    const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    const BODY: &str = "{}";

    /// Signature version 4, only as far as this one request needs it.
    fn signature(moto: &Moto, key: &AccessKey, headers: &[(&str, &str)], scope: &str) -> String {
        let host = moto.address().to_string();
        let (names, lines) = signed(&host, headers);
        let hash = digest(BODY.as_bytes());
        let request = format!("POST\n/\n\n{lines}\n{names}\n{}", &hash["sha256:".len()..]);
        let hash = digest(request.as_bytes());
        let hash = &hash["sha256:".len()..];
        let text = format!("AWS4-HMAC-SHA256\n{DAY}T000000Z\n{scope}\n{hash}");
        let first = format!("AWS4{}", key.secret).into_bytes();
        let last = scope.split('/').chain([text.as_str()]).fold(first, |secret, part| {
            sign(&Key::new(HMAC_SHA256, &secret), part.as_bytes()).as_ref().to_vec()
        });
        last.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The names and the lines of the signed headers, in their order.
    fn signed(host: &str, headers: &[(&str, &str)]) -> (String, String) {
        let mut all = vec![("host", host)];
        all.extend(headers);
        all.sort_unstable();
        let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        (names.join(";"), all.iter().map(|(name, value)| format!("{name}:{value}\n")).collect())
    }

    /// Asks for a login; `Err` is the error code of a refusal.
    fn login(moto: &Moto, key: &AccessKey) -> Result<String, String> {
        let date = format!("{DAY}T000000Z");
        let mut headers = vec![("x-amz-date", date.as_str()), ("x-amz-target", TARGET)];
        if let Some(token) = &key.session_token {
            headers.push(("x-amz-security-token", token));
        }
        let scope = format!("{DAY}/us-west-2/ecr/aws4_request");
        let names = signed("", &headers).0;
        let signature = signature(moto, key, &headers, &scope);
        let authorization = authorization(&key.id, &scope, &names, &signature);
        headers.push(("authorization", &authorization));
        headers.push(("content-type", "application/x-amz-json-1.1"));
        let (status, body) = moto.post("/", &headers, BODY.to_owned());
        if status != 200 {
            assert_eq!(status, 403, "{body}");
            return Err(element(&body, "Code"));
        }
        let body: Value = serde_json::from_str(&body).unwrap();
        let token = body["authorizationData"][0]["authorizationToken"].as_str().unwrap();
        Ok(String::from_utf8(STANDARD.decode(token).unwrap()).unwrap())
    }

    fn granted() -> Result<String, String> {
        Ok(format!("AWS:{ACCOUNT}-auth-token"))
    }

    fn refused(code: &str) -> Result<String, String> {
        Err(code.to_owned())
    }

    fn spoilt(secret: &str) -> String {
        format!("{secret}x")
    }

    #[test]
    fn a_users_key_opens_and_a_spoilt_one_does_not() {
        let Some(moto) = Moto::start() else { return };
        let user = moto.user("builder", &[ACTION]);
        let other = moto.user("other", &["ecr:DescribeImages"]);
        let wrong = AccessKey { secret: spoilt(&user.secret), ..user.clone() };
        let unknown = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..user.clone() };
        assert_eq!(login(&moto, &wrong), granted(), "nothing is checked yet");

        moto.require_auth_after(0);
        assert_eq!(login(&moto, &user), granted());
        assert_eq!(login(&moto, &wrong), refused("SignatureDoesNotMatch"));
        assert_eq!(login(&moto, &unknown), refused("InvalidClientTokenId"));
        assert_eq!(login(&moto, &other), refused("AccessDenied"));
        let session_token = Some("of somebody else".to_owned());
        let with_token = AccessKey { session_token, ..user.clone() };
        assert_eq!(login(&moto, &with_token), refused("InvalidClientTokenId"));

        moto.reset();
        assert_eq!(login(&moto, &wrong), granted());
        moto.require_auth_after(0);
        assert_eq!(login(&moto, &user), refused("InvalidClientTokenId"), "users are gone");
    }

    #[test]
    fn a_session_needs_its_token_and_the_roles_permission() {
        let Some(moto) = Moto::start() else { return };
        let arn = moto.role("pull", &[ACTION]);
        assert_eq!(arn, format!("arn:aws:iam::{ACCOUNT}:role/pull"));
        let session = moto.session(&arn);
        let powerless = moto.session(&moto.role("powerless", &["ecr:DescribeImages"]));
        let without = AccessKey { session_token: None, ..session.clone() };
        let swapped =
            AccessKey { session_token: powerless.session_token.clone(), ..session.clone() };
        let wrong = AccessKey { secret: spoilt(&session.secret), ..session.clone() };

        moto.require_auth_after(0);
        assert_eq!(login(&moto, &session), granted());
        assert_eq!(login(&moto, &without), refused("InvalidClientTokenId"));
        assert_eq!(login(&moto, &swapped), refused("InvalidClientTokenId"));
        assert_eq!(login(&moto, &wrong), refused("SignatureDoesNotMatch"));
        assert_eq!(login(&moto, &powerless), refused("AccessDenied"));
    }

    #[tokio::test]
    async fn checking_begins_after_so_many_calls_and_a_runtime_is_no_obstacle() {
        let Some(moto) = Moto::start() else { return };
        let arn = moto.role("pull", &[ACTION]);
        moto.require_auth_after(1);
        let session = moto.session(&arn);
        assert_eq!(login(&moto, &session), granted());
        let wrong = AccessKey { secret: spoilt(&session.secret), ..session };
        assert_eq!(login(&moto, &wrong), refused("SignatureDoesNotMatch"));
    }
}
