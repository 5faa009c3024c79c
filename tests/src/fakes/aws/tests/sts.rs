//! The calls that STS requires signed: `AssumeRole` and `GetCallerIdentity`.

use super::*;

const HOST: &str = "sts.us-west-2.amazonaws.com";
const VERSION: (&str, &str) = ("Version", "2011-06-15");

fn caller(api: &Api) -> Post<'_> {
    api.form(&[("Action", "GetCallerIdentity"), VERSION])
}

fn assume<'a>(api: &'a Api, role: &str, more: &[(&str, &str)]) -> Post<'a> {
    let mut fields = vec![("Action", "AssumeRole"), VERSION, ("RoleArn", role)];
    fields.push(("RoleSessionName", "session-1"));
    fields.extend(more);
    api.form(&fields)
}

fn keys(answer: &Answer) -> Credentials {
    Credentials {
        access_key_id: answer.element("AccessKeyId").to_owned(),
        secret_access_key: answer.element("SecretAccessKey").to_owned(),
        session_token: Some(answer.element("SessionToken").to_owned()),
        expires: None,
        principal: String::new(),
    }
}

#[tokio::test]
async fn a_trusted_principal_gets_a_session_that_works() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    aws.add_role(Role::new(&role("team/pull")).allow(&PULL).trust(&user("ci")));
    let sts = Api::named(&aws, HOST);
    let answer = assume(&sts, &role("team/pull"), &[]).signed(&ci).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"));
    assert!(answer.body.starts_with("<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/"));
    assert_eq!(answer.element("RequestId"), answer.header("x-amzn-requestid"));
    let session = format!("arn:aws:sts::{ACCOUNT}:assumed-role/pull/session-1");
    assert_eq!(answer.element("Arn"), session);
    let keys = keys(&answer);
    assert!(keys.access_key_id.starts_with("ASIA"));
    let secrets: Vec<_> = aws.secrets().into_iter().map(|(_, secret)| secret).collect();
    assert!(secrets.contains(&keys.secret_access_key));
    assert!(secrets.contains(keys.session_token.as_ref().unwrap()));

    let identity = caller(&sts).signed(&keys).await;
    assert_eq!(identity.element("Arn"), session);
    assert_eq!(identity.element("Account"), ACCOUNT);
    let ecr = Api::named(&aws, "api.ecr.us-west-2.amazonaws.com");
    assert_eq!(ecr.token_call("{}").signed(&keys).await.status, 200);
    assert_eq!(aws.logins()[0].principal, session);

    let calls = aws.calls_to(Service::Sts);
    assert_eq!(calls[0].operation, "AssumeRole");
    assert_eq!(calls[0].principal, Some(user("ci")));
    assert_eq!(calls[0].field("RoleSessionName"), Some("session-1"));
}

#[tokio::test]
async fn an_assumed_roles_session_ends_when_it_says() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    aws.add_role(Role::new(&role("pull")).allow(&PULL).trust(&user("ci")));
    let sts = Api::named(&aws, HOST);
    let answer = assume(&sts, &role("pull"), &[("DurationSeconds", "900")]).signed(&ci).await;
    let latest = clock::rfc3339(aws.now() + 900);
    assert!(answer.element("Expiration") <= latest.as_str());
    assert!(answer.element("Expiration") >= clock::rfc3339(aws.now() + 840).as_str());
    let keys = keys(&answer);
    aws.set_clock_offset(600);
    assert_eq!(caller(&sts).offset(600).signed(&keys).await.status, 200);
    aws.set_clock_offset(1000);
    let answer = caller(&sts).offset(1000).signed(&keys).await;
    let expired = "The security token included in the request is expired";
    assert_eq!(answer.xml_error(), (403, "ExpiredToken", expired));
}

#[tokio::test]
async fn keys_that_do_not_fit_are_refused_as_sts_does() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    let sts = Api::named(&aws, HOST);
    let codes = async |answer: Answer| {
        let (status, code, _) = answer.xml_error();
        (status, code.to_owned())
    };
    let code = |status: u16, code: &str| (status, code.to_owned());
    let answer = caller(&sts).unsigned().await;
    assert_eq!(answer.element("RequestId"), answer.header("x-amzn-requestid"));
    assert_eq!(codes(answer).await, code(403, "MissingAuthenticationToken"));
    let unknown = Credentials { access_key_id: "AKIAUNKNOWN".to_owned(), ..ci.clone() };
    let answer = caller(&sts).signed(&unknown).await;
    assert_eq!(codes(answer).await, code(403, "InvalidClientTokenId"));
    let wrong = Credentials { secret_access_key: "wrong".to_owned(), ..ci.clone() };
    let answer = caller(&sts).signed(&wrong).await;
    assert_eq!(codes(answer).await, code(403, "SignatureDoesNotMatch"));
    let answer = caller(&sts).region("us-east-1").signed(&ci).await;
    assert_eq!(codes(answer).await, code(403, "SignatureDoesNotMatch"));
    assert_eq!(caller(&sts).signed(&ci).await.element("Arn"), user("ci"));
}

#[tokio::test]
async fn a_stranger_and_a_role_that_is_not_there_look_alike() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &["sts:AssumeRole"]);
    aws.add_role(Role::new(&role("closed")).trust(&user("other")));
    let sts = Api::named(&aws, HOST);
    for name in ["closed", "absent"] {
        let answer = assume(&sts, &role(name), &[]).signed(&ci).await;
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            user("ci"),
            role(name)
        );
        assert_eq!(answer.xml_error(), (403, "AccessDenied", message.as_str()));
    }
}

#[tokio::test]
async fn what_a_session_may_ask_for_has_limits() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    let pull = role("pull");
    aws.add_role(Role::new(&pull).allow(&PULL).trust(&user("ci")).trust(&pull).max_session(7200));
    let sts = Api::named(&aws, HOST);
    let two_hours = ("DurationSeconds", "7200");
    let first = assume(&sts, &pull, &[two_hours]).signed(&ci).await;
    assert_eq!(first.status, 200);
    let chained = assume(&sts, &pull, &[two_hours]).signed(&keys(&first)).await;
    assert!(chained.xml_error().2.contains("1 hour session limit for roles assumed by role chain"));
    assert_eq!(assume(&sts, &pull, &[]).signed(&keys(&first)).await.status, 200);

    let big = format!("{{\"Statement\": \"{}\"}}", "x".repeat(3000));
    let cases = [
        (("DurationSeconds", "7201"), "ValidationError"),
        (("DurationSeconds", "899"), "ValidationError"),
        (("DurationSeconds", "43201"), "ValidationError"),
        (("DurationSeconds", "soon"), "ValidationError"),
        (("Policy", "{"), "MalformedPolicyDocument"),
        (("Policy", "{}"), "MalformedPolicyDocument"),
        (("Policy", r#"{"Statement": {"Effect": "Deny"}}"#), "MalformedPolicyDocument"),
        (("Policy", big.as_str()), "PackedPolicyTooLarge"),
    ];
    for (field, code) in cases {
        let answer = assume(&sts, &pull, &[field]).signed(&ci).await;
        let (status, found, _) = answer.xml_error();
        assert_eq!((status, found), (400, code), "{field:?}");
    }
}

#[tokio::test]
async fn a_session_policy_leaves_what_both_allow() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    aws.add_role(Role::new(&role("pull")).allow(&PULL).trust(&user("ci")));
    let (sts, ecr) = (Api::named(&aws, HOST), Api::named(&aws, "api.ecr.us-west-2.amazonaws.com"));
    for (action, status) in [("ecr:Get*", 200), ("ecr:BatchGetImage", 400)] {
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
        });
        let policy = policy.to_string();
        let answer = assume(&sts, &role("pull"), &[("Policy", &policy)]).signed(&ci).await;
        assert_eq!(ecr.token_call("{}").signed(&keys(&answer)).await.status, status, "{action}");
    }
}

#[tokio::test]
async fn an_operation_needs_its_version() {
    let aws = Aws::new();
    let ci = aws.add_user(&user("ci"), &[]);
    let sts = Api::named(&aws, HOST);
    let answer = sts.form(&[("Action", "GetCallerIdentity")]).signed(&ci).await;
    let message = "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED";
    assert_eq!(answer.xml_error(), (400, "InvalidAction", message));
    let answer = sts.form(&[("Action", "GetSessionToken"), VERSION]).signed(&ci).await;
    assert_eq!(answer.xml_error().1, "InvalidAction");
    let json = sts.post(&[("content-type", "application/json")], "{}").signed(&ci).await;
    assert_eq!(json.xml_error().1, "InvalidAction");
}
