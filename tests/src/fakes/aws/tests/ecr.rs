//! ECR and ECR Public.

use std::pin::pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;

const HOST: &str = "api.ecr.us-west-2.amazonaws.com";
const PUBLIC: &str = "api.ecr-public.us-east-1.amazonaws.com";

fn decoded(token: &Value) -> String {
    String::from_utf8(STANDARD.decode(token.as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_signed_call_gets_a_login_that_is_remembered() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let by_name = Api::named(&aws, HOST);
    let by_address = Api::at(&aws, Service::Ecr, "us-west-2");
    for api in [&by_name, &by_address] {
        let answer = api.token_call("{}").signed(&keys).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let json = answer.json();
        let data = &json["authorizationData"][0];
        assert_eq!(data["proxyEndpoint"], "https://123456789012.dkr.ecr.us-west-2.amazonaws.com");
        let hours = (data["expiresAt"].as_f64().unwrap() - aws.precise_now()) / 3600.0;
        assert!((11.9..=12.0).contains(&hours), "{hours}");
        let login = decoded(&data["authorizationToken"]);
        let (name, password) = login.split_once(':').unwrap();
        let login = aws.accepts(name, password).unwrap();
        assert_eq!((name, &login.principal), ("AWS", &user("ci")));
        assert_eq!((login.region.as_str(), login.account.as_str()), ("us-west-2", ACCOUNT));
        assert_eq!(aws.password_of(&user("ci")).as_deref(), Some(password));
        assert!(aws.accepts("aws", password).is_none() && aws.accepts("AWS", "x").is_none());
        let secrets = aws.secrets();
        for secret in [password, data["authorizationToken"].as_str().unwrap()] {
            assert!(secrets.iter().any(|(_, known)| known == secret));
        }
    }
    let calls = aws.calls_to(Service::Ecr);
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[0].host, HOST);
    assert_eq!(calls[1].host, by_address.server.authority());
    for call in calls {
        assert_eq!(call.principal, Some(user("ci")));
        assert_eq!(call.region.as_deref(), Some("us-west-2"));
        assert_eq!((call.status, call.error), (Some(200), None));
    }
    assert_eq!(aws.count(Service::Ecr, "GetAuthorizationToken"), 2);
}

#[tokio::test]
async fn a_run_may_show_the_password_in_its_place_and_no_other_secret() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    Api::named(&aws, HOST).token_call("{}").signed(&keys).await;
    let password = aws.password_of(&user("ci")).unwrap();
    let run = |stderr: &str, username: &str| PluginRun {
        code: Some(0),
        stdout: json!({"auth": {"r.io": {"username": username, "password": password}}})
            .to_string()
            .into_bytes(),
        stderr: stderr.to_owned(),
        duration: Duration::ZERO,
    };
    assert_eq!(aws.leaks(&run(&keys.access_key_id, "AWS")), Vec::<String>::new());
    assert_eq!(aws.leaks(&run("", &password)), [format!("password of {}", user("ci"))]);
    for secret in [&password, &keys.secret_access_key, &STANDARD.encode(format!("AWS:{password}"))]
    {
        assert!(!aws.leaks(&run(secret, "AWS")).is_empty());
    }
}

#[tokio::test]
async fn a_login_ends_with_its_time() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let api = Api::named(&aws, HOST);
    api.token_call("{}").signed(&keys).await;
    let password = aws.password_of(&user("ci")).unwrap();
    assert!(aws.accepts("AWS", &password).is_some());
    aws.set_clock_offset(43_210);
    assert!(aws.accepts("AWS", &password).is_none());
}

#[tokio::test]
async fn keys_that_do_not_fit_are_refused_as_ecr_does() {
    let aws = Aws::new();
    aws.add_role(Role::new(&role("node")).allow(&PULL));
    let good = aws.add_user(&user("ci"), &PULL);
    let session = aws.session(&role("node"), "i-1", 3600);
    let api = Api::named(&aws, HOST);
    assert_eq!(api.token_call("{}").signed(&session).await.status, 200);

    let answer = api.token_call("{}").unsigned().await;
    assert_eq!(answer.error(), (400, "MissingAuthenticationTokenException".to_owned()));
    let unknown = Credentials { access_key_id: "AKIAUNKNOWN".to_owned(), ..good.clone() };
    let bare = Credentials { session_token: None, ..session.clone() };
    let other = Credentials { session_token: Some("other".to_owned()), ..session.clone() };
    let longer = Credentials { session_token: session.session_token.clone(), ..good.clone() };
    for keys in [unknown, bare, other, longer] {
        let answer = api.token_call("{}").signed(&keys).await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.json(),
            json!({
                "__type": "UnrecognizedClientException",
                "message": "The security token included in the request is invalid.",
            })
        );
    }
    let wrong = Credentials { secret_access_key: "wrong".to_owned(), ..good.clone() };
    let answer = api.token_call("{}").signed(&wrong).await;
    assert_eq!(answer.error(), (400, "InvalidSignatureException".to_owned()));
    let over = aws.session(&role("node"), "i-2", -1);
    let answer = api.token_call("{}").signed(&over).await;
    assert_eq!(answer.error(), (400, "ExpiredTokenException".to_owned()));
    assert!(answer.headers.contains_key("x-amzn-requestid"));

    let last = aws.calls().pop().unwrap();
    assert_eq!(last.error.as_deref(), Some("ExpiredTokenException"));
    assert_eq!((last.principal, last.status), (None, Some(400)));
    assert_eq!(aws.logins().len(), 1);
}

#[tokio::test]
async fn a_signature_for_elsewhere_is_refused() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let api = Api::named(&aws, HOST);
    let elsewhere = api.token_call("{}").region("us-east-1").signed(&keys).await;
    let other = api.token_call("{}").service("sts").signed(&keys).await;
    for answer in [elsewhere, other] {
        assert_eq!(answer.error(), (400, "InvalidSignatureException".to_owned()));
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.starts_with("Credential should be scoped to"), "{message}");
    }
    let answer = api.token_call("{}").arrives_at("ecr.us-west-2.api.aws").signed(&keys).await;
    assert_eq!(answer.error(), (400, "InvalidSignatureException".to_owned()));
    let message = answer.json()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("The request signature we calculated"), "{message}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_the_right_time() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let api = Api::named(&aws, HOST);
    for (offset, words) in [(-1200, "Signature not yet current: "), (1200, "Signature expired: ")] {
        aws.set_clock_offset(offset);
        let answer = api.token_call("{}").signed(&keys).await;
        assert_eq!(answer.error(), (400, "InvalidSignatureException".to_owned()));
        assert!(answer.json()["message"].as_str().unwrap().starts_with(words));
        let date = httpdate::parse_http_date(answer.header("date")).unwrap();
        let date = date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().cast_signed();
        assert!((aws.now() - 30..=aws.now()).contains(&date), "the simulated date");
        assert_eq!(api.token_call("{}").offset(offset).signed(&keys).await.status, 200);
    }
}

#[tokio::test]
async fn a_denial_comes_with_400_in_iams_words() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("poor"), &["ecr:BatchGetImage"]);
    let answer = Api::named(&aws, HOST).token_call("{}").signed(&keys).await;
    assert_eq!(answer.status, 400);
    let message = format!(
        "User: {} is not authorized to perform: ecr:GetAuthorizationToken on resource: * because \
         no identity-based policy allows the ecr:GetAuthorizationToken action",
        user("poor")
    );
    assert_eq!(answer.json(), json!({"__type": "AccessDeniedException", "Message": message}));
}

#[tokio::test]
async fn only_the_one_json_operation_is_there() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &["*"]);
    let api = Api::named(&aws, HOST);
    let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    let json = "application/x-amz-json-1.1";
    let unknown = "com.amazon.coral.service#UnknownOperationException".to_owned();
    let serialization = "com.amazon.coral.service#SerializationException".to_owned();
    let cases = [
        ("application/json", target, "{}", (404, unknown.clone())),
        ("application/x-amz-json-1.0", target, "{}", (404, unknown.clone())),
        (json, "SpencerFrontendService.GetAuthorizationToken", "{}", (400, unknown.clone())),
        (json, "GetAuthorizationToken", "{}", (400, unknown)),
        (json, target, "", (400, serialization.clone())),
        (json, target, "[]", (400, serialization.clone())),
        (json, target, r#"{"registryIds": "123456789012"}"#, (400, serialization.clone())),
        (json, target, r#"{"registryIds": [123456789012]}"#, (400, serialization)),
        (
            json,
            target,
            r#"{"registryIds": ["12345"]}"#,
            (400, "InvalidParameterException".to_owned()),
        ),
        (json, target, r#"{"registryIds": []}"#, (400, "InvalidParameterException".to_owned())),
    ];
    for (content_type, target, body, error) in cases {
        let headers = [("content-type", content_type), ("x-amz-target", target)];
        let answer = api.post(&headers, body).signed(&keys).await;
        assert_eq!(answer.error(), error, "{content_type} {target} {body}");
    }
    let body = r#"{"registryIds": ["111111111111", "222222222222"]}"#;
    let answer = api.token_call(body).signed(&keys).await.json();
    let list = answer["authorizationData"].as_array().unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list[1]["proxyEndpoint"], "https://222222222222.dkr.ecr.us-west-2.amazonaws.com");
    let call = aws.calls().pop().unwrap();
    assert_eq!(call.field("registryIds"), Some(r#"["111111111111","222222222222"]"#));
}

#[tokio::test]
async fn odd_answers_are_as_they_were_asked_for() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &[PULL[0], PULL_PUBLIC[0], PULL_PUBLIC[1]]);
    let (ecr, public) = (Api::named(&aws, HOST), Api::named(&aws, PUBLIC));
    let private = async |token: Token, expires: Expires| {
        aws.set_token_answer(Service::Ecr, TokenAnswer { token, expires });
        ecr.token_call("{}").signed(&keys).await.json()
    };
    let missing = || Expires::Missing;
    assert_eq!(private(Token::NoData, missing()).await, json!({}));
    assert_eq!(private(Token::Empty, missing()).await, json!({"authorizationData": []}));
    let data = private(Token::Missing, missing()).await["authorizationData"][0].clone();
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["proxyEndpoint"]);
    let data = private(Token::Text("foo".to_owned()), missing()).await;
    assert_eq!(decoded(&data["authorizationData"][0]["authorizationToken"]), "foo");
    let data = private(Token::Raw("***".to_owned()), Expires::Raw(json!("soon"))).await;
    assert_eq!(data["authorizationData"][0]["authorizationToken"], "***");
    assert_eq!(data["authorizationData"][0]["expiresAt"], "soon");
    let data = private(Token::Login, Expires::In(-60.0)).await;
    assert!(data["authorizationData"][0]["expiresAt"].as_f64().unwrap() < aws.precise_now());

    aws.set_token_answer(
        Service::EcrPublic,
        TokenAnswer { token: Token::Empty, expires: missing() },
    );
    let answer = public.token_call("{}").signed(&keys).await.json();
    assert_eq!(answer, json!({"authorizationData": {}}));
    assert!(aws.secrets().iter().all(|(_, secret)| secret.len() >= 8));
}

#[tokio::test]
async fn ecr_public_wants_both_permissions_of_the_first_partition_in_us_east_1() {
    let aws = Aws::new();
    let full = aws.add_user(&user("full"), &PULL_PUBLIC);
    let public = Api::named(&aws, PUBLIC);
    let answer = public.token_call("{}").signed(&full).await;
    let data = answer.json()["authorizationData"].clone();
    let keys: Vec<_> = data.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["authorizationToken", "expiresAt"]);
    let login = decoded(&data["authorizationToken"]);
    let login = aws.accepts("AWS", login.strip_prefix("AWS:").unwrap()).unwrap();
    assert_eq!((login.service, login.registry.as_str()), (Service::EcrPublic, "public.ecr.aws"));

    for (index, missing) in PULL_PUBLIC.iter().rev().enumerate() {
        let half = aws.add_user(&user(&format!("half-{index}")), &PULL_PUBLIC[index..][..1]);
        let answer = public.token_call("{}").signed(&half).await;
        assert_eq!(answer.error(), (400, "AccessDeniedException".to_owned()));
        let message = answer.json()["Message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("perform: {missing} on resource")), "{message}");
    }
    let other = aws.add_user("arn:aws-us-gov:iam::123456789012:user/gov", &["*"]);
    let answer = public.token_call("{}").signed(&other).await;
    assert_eq!(answer.error(), (400, "UnrecognizedClientException".to_owned()));
    let west = Api::named(&aws, "api.ecr-public.us-west-2.amazonaws.com");
    let answer = west.token_call("{}").signed(&full).await;
    assert_eq!(answer.error(), (400, "UnsupportedCommandException".to_owned()));
    assert_eq!(aws.logins().len(), 1);
}

#[tokio::test]
async fn keys_work_in_their_own_partition_and_in_enabled_regions() {
    let aws = Aws::new();
    let cn = aws.add_user("arn:aws-cn:iam::123456789012:user/cn", &PULL);
    let api = Api::named(&aws, "ecr.cn-north-1.api.amazonwebservices.com.cn");
    let answer = api.token_call("{}").signed(&cn).await.json();
    let registry = "https://123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn";
    assert_eq!(answer["authorizationData"][0]["proxyEndpoint"], registry);
    let unknown = (400, "UnrecognizedClientException".to_owned());
    assert_eq!(Api::named(&aws, HOST).token_call("{}").signed(&cn).await.error(), unknown);
    aws.disable_region("cn-north-1");
    assert_eq!(api.token_call("{}").signed(&cn).await.error(), unknown);
}

#[tokio::test]
async fn what_does_not_exist_cannot_be_called_and_has_no_name() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let fips = "api.ecr-fips.eu-central-1.amazonaws.com";
    let api = Api::named(&aws, fips);
    assert_eq!(api.token_call("{}").signed(&keys).await.status, 421);
    assert_eq!((aws.strays(), aws.calls().len()), (vec![fips.to_owned()], 0));
    let names = |region: &str| -> Vec<String> {
        aws.endpoints(region).iter().map(Endpoint::host).collect()
    };
    assert_eq!(
        names("eu-central-1"),
        [
            "api.ecr.eu-central-1.amazonaws.com",
            "ecr.eu-central-1.api.aws",
            "sts.eu-central-1.amazonaws.com",
            "sts.eu-central-1.api.aws",
        ]
    );
    assert!(names("us-east-1").contains(&PUBLIC.to_owned()));
    aws.set_fips("eu-central-1", true);
    assert!(names("eu-central-1").contains(&fips.to_owned()));
    assert_eq!(api.token_call("{}").signed(&keys).await.status, 200);
    aws.set_fips("eu-central-1", false);
    assert_eq!(api.token_call("{}").signed(&keys).await.status, 421);
}

#[tokio::test]
async fn canned_answers_come_first_one_by_one_and_then_for_ever() {
    let aws = Aws::new();
    let keys = aws.add_user(&user("ci"), &PULL);
    let api = Api::named(&aws, HOST);
    aws.next(Service::Ecr, Canned::throttled(Service::Ecr).with_header("retry-after", "1"));
    aws.next(Service::Ecr, Canned::unavailable());
    aws.next(Service::Sts, Canned::throttled(Service::Sts));
    let first = api.token_call("{}").signed(&keys).await;
    assert_eq!(first.json(), json!({"__type": "ThrottlingException", "message": "Rate exceeded"}));
    assert_eq!((first.status, first.header("retry-after")), (400, "1"));
    let second = api.token_call("{}").signed(&keys).await;
    assert_eq!((second.status, second.header("content-type")), (503, "text/html"));
    assert_eq!(api.token_call("{}").signed(&keys).await.status, 200);
    aws.always(Service::Ecr, Some(Canned::other_json(200)));
    for _ in 0..2 {
        assert_eq!(api.token_call("{}").signed(&keys).await.body, r#"{"ok":true}"#);
    }
    aws.always(Service::Ecr, None);
    aws.next(Service::Ecr, Canned::late(Duration::from_millis(200)));
    let started = std::time::Instant::now();
    assert_eq!(api.token_call("{}").signed(&keys).await.status, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
    let statuses: Vec<_> = aws.calls().iter().map(|call| call.status.unwrap()).collect();
    assert_eq!(statuses, [400, 503, 200, 200, 200, 200]);
}

#[tokio::test]
async fn a_client_that_does_not_wait_is_remembered_all_the_same() {
    let aws = Aws::new();
    let api = Api::named(&aws, HOST);
    aws.next(Service::Ecr, Canned::throttled(Service::Ecr).after(Duration::from_secs(60)));
    {
        let call = pin!(api.token_call("{}").unsigned());
        let arrived = pin!(async {
            while aws.calls().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        // The call is given up as soon as it has arrived.
        tokio::select! {
            _ = call => panic!("it was answered"),
            () = arrived => {}
        }
    }
    let calls = aws.calls();
    assert_eq!((calls.len(), calls[0].status), (1, None));
}
