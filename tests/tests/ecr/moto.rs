//! Are our signatures right? moto checks them, with the code of AWS's own Python SDK:
//! signature, session token, and the permission of the signer.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::{IntoResponse as _, Response};
use pullpass_tests::fixtures::checks::{DENIED, PROTOCOL};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::judges::moto::{ACCOUNT, AccessKey, Moto};
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::tls::plain_client;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::PLUGIN;
use crate::cloud::{ANNOTATION, AUDIENCE};

/// The registry of moto's one account.
pub(crate) const REGISTRY: &str = "123456789012.dkr.ecr.us-west-2.amazonaws.com";
/// What opens it, by moto.
pub(crate) const PASSWORD: &str = "123456789012-auth-token";

const ECR: &str = "api.ecr.us-west-2.amazonaws.com";
const STS: &str = "sts.us-west-2.amazonaws.com";
const PULL: &str = "ecr:GetAuthorizationToken";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_users_keys),
        Trial::of(a_sessions_keys),
        Trial::of(a_pods_role),
        Trial::of(a_role_of_the_nodes),
        Trial::of(motos_own_answer_is_of_2015_and_refused),
    ]
}

/// A world in which ECR and STS of a region are moto, under their real names.
pub(crate) struct Judged<'w> {
    world: &'w World,
    pub(crate) moto: Moto,
    _servers: [Server; 2],
}

impl<'w> Judged<'w> {
    /// `None` if the judge is missing and that was allowed.
    pub(crate) fn start(world: &'w World) -> Option<Self> {
        let moto = Moto::start()?;
        let ecr = world.https(ECR, moto_whose_logins_expire_later(&moto));
        Some(Self::with_ecr(world, moto, ecr))
    }

    /// Every byte is moto's.
    fn start_unaltered(world: &'w World) -> Option<Self> {
        let moto = Moto::start()?;
        let ecr = world.https_to(ECR, moto.address());
        Some(Self::with_ecr(world, moto, ecr))
    }

    fn with_ecr(world: &'w World, moto: Moto, ecr: Server) -> Self {
        let sts = world.https_to(STS, moto.address());
        Self { world, moto, _servers: [ecr, sts] }
    }

    fn plugin(&self) -> PluginCommand {
        self.world.plugin(PLUGIN)
    }

    pub(crate) fn plugin_with(&self, key: &AccessKey) -> PluginCommand {
        let plugin = self
            .plugin()
            .env("AWS_ACCESS_KEY_ID", &key.id)
            .env("AWS_SECRET_ACCESS_KEY", &key.secret)
            .secret("the secret key", &key.secret);
        match &key.session_token {
            Some(token) => {
                plugin.env("AWS_SESSION_TOKEN", token).secret("the session token", token)
            }
            None => plugin,
        }
    }

    /// Runs it twice as in other tests. Of each run's calls, moto checks all but the first
    /// `unsigned`.
    pub(crate) fn run(&self, plugin: PluginCommand, request: &Value, unsigned: u32) -> PluginRun {
        let request = request.to_string();
        self.moto.require_auth_after(unsigned);
        let talkative = plugin.run(request.as_bytes());
        self.moto.require_auth_after(unsigned);
        let run = plugin.quiet().run(request.as_bytes());
        assert_eq!(talkative.code, run.code, "{}", self.moto.log());
        run
    }

    fn opens(&self, run: &PluginRun) {
        let login = (REGISTRY.to_owned(), "AWS".to_owned(), PASSWORD.to_owned());
        assert_eq!(run.login(), login, "{}", self.moto.log());
    }
}

/// The front before moto: requests reach moto unchanged, so that moto checks the
/// signature, and moto's answers come back unchanged. One value is replaced: the end of a login,
/// which at moto is always in 2015, is twelve hours from now, as at AWS.
fn moto_whose_logins_expire_later(moto: &Moto) -> Router {
    Router::new().fallback(pass_through).with_state((moto.url().to_owned(), plain_client()))
}

async fn pass_through(
    State((moto, client)): State<(String, reqwest::Client)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // With the `Host` that was signed, which is not moto's address.
    let request = client.request(method, format!("{moto}{uri}")).headers(headers).body(body);
    let answer = request.send().await.unwrap();
    let (status, mut headers) = (answer.status(), answer.headers().clone());
    let body = expiring_later(answer.bytes().await.unwrap());
    // They are of the body as it was; the server writes its own.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    (status, headers, body).into_response()
}

fn expiring_later(body: Bytes) -> Bytes {
    let Ok(mut answer) = serde_json::from_slice::<Value>(&body) else { return body };
    let Some(expires) = answer.pointer_mut("/authorizationData/0/expiresAt") else { return body };
    assert_eq!(*expires, json!(1_420_070_400), "moto has changed: it may need no front");
    let later = SystemTime::now() + Duration::from_secs(12 * 3600);
    *expires = json!(later.duration_since(UNIX_EPOCH).unwrap().as_secs());
    answer.to_string().into()
}

fn refused(run: &PluginRun, who: &str, code: &str, below: &[&str]) {
    assert_eq!(run.code, Some(DENIED), "{}", run.stderr);
    let error =
        format!("no credentials for `{REGISTRY}`: ECR in `us-west-2` refused {who}: {code}");
    assert_eq!(run.error(), error);
    for words in below {
        assert!(run.stderr.contains(words), "`{words}`: {}", run.stderr);
    }
}

const UNKNOWN: [&str; 2] = [
    "says: The security token included in the request is invalid",
    "hint: AWS does not know these credentials: the key was deleted, the session token is missing",
];
const WRONG: [&str; 2] = [
    "says: The request signature we calculated does not match the signature you provided",
    "hint: the secret key does not belong to this access key, or this node's clock is wrong",
];

fn a_users_keys(world: &World) {
    let Some(judged) = Judged::start(world) else { return };
    let (user, other) = (judged.moto.user("node", &[PULL]), judged.moto.user("other", &["s3:*"]));
    let run = |key: &AccessKey| judged.run(judged.plugin_with(key), &request(REGISTRY), 0);
    judged.opens(&run(&user));

    let wrong = AccessKey { secret: other.secret.clone(), ..user.clone() };
    refused(&run(&wrong), "the node", "HTTP 403 SignatureDoesNotMatch", &WRONG);
    let unknown = AccessKey { id: "AKIAIOSFODNN7EXAMPLE".to_owned(), ..user.clone() };
    refused(&run(&unknown), "the node", "HTTP 403 InvalidClientTokenId", &UNKNOWN);
    let below = [
        "says: User: arn:aws:iam::123456789012:user/other is not authorized to perform: \
         ecr:GetAuthorizationToken",
        "hint: allow ecr:GetAuthorizationToken on `*` in an IAM policy of the node's role",
    ];
    refused(&run(&other), "the node", "HTTP 403 AccessDenied", &below);
}

fn a_sessions_keys(world: &World) {
    let Some(judged) = Judged::start(world) else { return };
    let session = judged.moto.session(&judged.moto.role("node", &[PULL]));
    let other = judged.moto.session(&judged.moto.role("other", &["s3:*"]));
    let run = |key: &AccessKey| judged.run(judged.plugin_with(key), &request(REGISTRY), 0);
    judged.opens(&run(&session));

    let without = AccessKey { session_token: None, ..session.clone() };
    refused(&run(&without), "the node", "HTTP 403 InvalidClientTokenId", &UNKNOWN);
    let swapped = AccessKey { session_token: other.session_token.clone(), ..session.clone() };
    refused(&run(&swapped), "the node", "HTTP 403 InvalidClientTokenId", &UNKNOWN);
    let wrong = AccessKey { secret: other.secret.clone(), ..session };
    refused(&run(&wrong), "the node", "HTTP 403 SignatureDoesNotMatch", &WRONG);
    refused(&run(&other), "the node", "HTTP 403 AccessDenied", &["hint: allow ecr:GetAuth"]);
}

/// The one call without a signature is `AssumeRoleWithWebIdentity`. What it returns is created in
/// the run, and signs the call after it.
fn a_pods_role(world: &World) {
    let Some(judged) = Judged::start(world) else { return };
    let issuer = Issuer::start_at(world.https_socket("oidc.cluster.example"), world.client());
    let token = issuer.token(AUDIENCE).build();
    let run = |role: &str, unsigned: u32| {
        let plugin = judged.plugin().secret("the pod's token", &token);
        judged.run(plugin, &pod_request(REGISTRY, &token, &[(ANNOTATION, role)]), unsigned)
    };
    let pull = judged.moto.role("pull", &[PULL]);
    let powerless = judged.moto.role("powerless", &["s3:*"]);
    judged.opens(&run(&pull, 1));

    let who = format!("the pod as `{powerless}`");
    let below = [
        "says: User: arn:aws:sts::123456789012:assumed-role/powerless/ns=demo,sa=web is not \
         authorized to perform: ecr:GetAuthorizationToken",
        "hint: allow ecr:GetAuthorizationToken on `*` in an IAM policy of `arn:aws:iam::",
    ];
    refused(&run(&powerless, 1), &who, "HTTP 403 AccessDenied", &below);
}

/// Both calls are signed: `AssumeRole` by a user, the other by the session.
fn a_role_of_the_nodes(world: &World) {
    let Some(judged) = Judged::start(world) else { return };
    let user = judged.moto.user("node", &["sts:AssumeRole"]);
    let other = judged.moto.user("other", &[PULL]);
    let role = judged.moto.role("pull", &[PULL]);
    let run = |key: &AccessKey| {
        let plugin = judged.plugin_with(key).arg(format!("--role={ACCOUNT}={role}"));
        judged.run(plugin, &request(REGISTRY), 0)
    };
    judged.opens(&run(&user));

    let wrong = AccessKey { secret: other.secret.clone(), ..user.clone() };
    for (key, code, below) in [
        (&wrong, "SignatureDoesNotMatch", WRONG[1]),
        (&other, "AccessDenied", "hint: allow sts:AssumeRole on `arn:aws:iam::123456789012:role/"),
    ] {
        let run = run(key);
        assert_eq!(run.code, Some(DENIED), "{}", run.stderr);
        let error = format!("STS in `us-west-2` refused the node as `{role}`: HTTP 403 {code}");
        assert_eq!(run.error(), format!("no credentials for `{REGISTRY}`: {error}"));
        assert!(run.stderr.contains(below), "{}", run.stderr);
    }
}

fn motos_own_answer_is_of_2015_and_refused(world: &World) {
    let Some(judged) = Judged::start_unaltered(world) else { return };
    let user = judged.moto.user("node", &[PULL]);
    let run = judged.run(judged.plugin_with(&user), &request(REGISTRY), 0);
    assert_eq!(run.code, Some(PROTOCOL), "{}", run.stderr);
    let expired = format!("no credentials for `{REGISTRY}`: AWS sent a token that expired ");
    assert!(run.error().starts_with(&expired), "{}", run.stderr);
    assert!(run.stderr.contains("hint: check this node's clock"), "{}", run.stderr);
}
