//! The test cases of cloud-provider-aws's `ecr-credential-provider`, row by row, and what differs
//! on purpose.

use pullpass_tests::fakes::aws::{Canned, Expires, PULL, PULL_PUBLIC, Service, Token, TokenAnswer};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{ACCOUNT, ANNOTATION, Cloud, REGISTRY, role, with_keys};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_wire),
        Trial::of(private_registries),
        Trial::of(public_registries),
        Trial::of(service_accounts),
        Trial::of(cache_durations),
        Trial::of(arguments),
    ]
}

fn cloud(world: &World) -> Cloud<'_> {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("us-east-1");
    cloud
}

fn answering(token: Token, expires: Expires) -> TokenAnswer {
    TokenAnswer { token, expires }
}

fn user_pass() -> Token {
    Token::Text("user:pass".to_owned())
}

fn the_wire(world: &World) {
    let cloud = cloud(world);
    let answer = answering(user_pass(), Expires::Missing);
    cloud.aws.set_token_answer(Service::Ecr, answer);
    let run = cloud.run(cloud.plugin_as_user(), &request(REGISTRY));
    let expected = format!(
        "{{\"kind\":\"CredentialProviderResponse\",\
         \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"cacheKeyType\":\"Registry\",\
         \"cacheDuration\":\"0s\",\
         \"auth\":{{\"{REGISTRY}\":{{\"username\":\"user\",\"password\":\"pass\"}}}}}}\n"
    );
    assert_eq!(String::from_utf8(run.stdout).unwrap(), expected);
    for (field, value) in
        [("kind", "CredentialProviderFoo"), ("apiVersion", "foo.k8s.io/v1"), ("image", "")]
    {
        let mut request = request(REGISTRY);
        request[field] = value.into();
        assert_eq!(cloud.run(cloud.plugin_as_user(), &request).code, Some(6), "{field}");
    }
}

fn private_registries(world: &World) {
    let cloud = cloud(world);
    let answer =
        |token| cloud.aws.set_token_answer(Service::Ecr, answering(token, Expires::Missing));
    answer(user_pass());
    for image in [REGISTRY.to_owned(), format!("{REGISTRY}/public.ecr.aws/foo:latest")] {
        let run = cloud.run(cloud.plugin_as_user(), &request(&image));
        assert_eq!(run.login(), (REGISTRY.to_owned(), "user".to_owned(), "pass".to_owned()));
    }
    // Differs: the Go plugin gives a stranger the token of the default region.
    let run = cloud.run(cloud.plugin_as_user(), &request("registry.k8s.io/foo"));
    assert_eq!(run.code, Some(2));
    for (token, says) in [
        (Token::Empty, "answered without authorization data"),
        (Token::NoData, "answered without authorization data"),
        (Token::Missing, "answered without an authorization token"),
        (Token::Text("foo".to_owned()), "has no user name and password"),
    ] {
        answer(token.clone());
        let run = cloud.run(cloud.plugin_as_user(), &request(REGISTRY));
        assert_eq!(run.code, Some(5), "{token:?}: {}", run.stderr);
        assert!(run.error().contains(says), "{token:?}: {}", run.stderr);
    }
    let refused = Canned::error(Service::Ecr, 400, "InvalidParameterException", "it failed");
    cloud.aws.always(Service::Ecr, Some(refused));
    let run = cloud.run(cloud.plugin_as_user(), &request(REGISTRY));
    assert_eq!(run.code, Some(5), "{}", run.stderr);
    for part in ["ECR in `us-west-2`", "HTTP 400 InvalidParameterException", "it failed"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}

fn public_registries(world: &World) {
    let cloud = cloud(world);
    let keys = cloud.aws.add_user(&format!("arn:aws:iam::{ACCOUNT}:user/public"), &PULL_PUBLIC);
    let plugin = || with_keys(cloud.plugin(), &keys);
    let answer =
        |token| cloud.aws.set_token_answer(Service::EcrPublic, answering(token, Expires::Missing));
    for host in ["public.ecr.aws", "ecr-public.aws.com"] {
        answer(user_pass());
        let run = cloud.run(plugin(), &request(host));
        assert_eq!(run.login(), (host.to_owned(), "user".to_owned(), "pass".to_owned()));
        assert_eq!(run.response()["cacheDuration"], "0s");
        for (token, says) in [
            (Token::NoData, "ECR Public answered without authorization data"),
            (Token::Empty, "ECR Public answered without an authorization token"),
            (Token::Missing, "ECR Public answered without an authorization token"),
            (Token::Text("foo".to_owned()), "has no user name and password"),
        ] {
            answer(token.clone());
            let run = cloud.run(plugin(), &request(host));
            assert_eq!(run.code, Some(5), "{token:?}: {}", run.stderr);
            assert!(run.error().contains(says), "{token:?}: {}", run.stderr);
        }
    }
    let poor = cloud.aws.add_user(&format!("arn:aws:iam::{ACCOUNT}:user/poor"), &PULL);
    let run = cloud.run(with_keys(cloud.plugin(), &poor), &request("public.ecr.aws"));
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("sts:GetServiceBearerToken"), "{}", run.stderr);
}

fn service_accounts(world: &World) {
    let cloud = cloud(world);
    let annotated = cloud.pod_request(REGISTRY, &[(ANNOTATION, &role("pull"))]);
    let (_, principal, _) = cloud.login(cloud.plugin(), &annotated);
    assert!(principal.contains("assumed-role/pull/"), "{principal}");
    // Differs: the Go plugin pulls as the node then, which must be asked for by name.
    let plain = cloud.pod_request(REGISTRY, &[]);
    assert_eq!(cloud.run(cloud.plugin_as_user(), &plain).code, Some(4));
    let (_, principal, _) = cloud.login(cloud.plugin_as_user().arg("--without-role=node"), &plain);
    assert!(principal.ends_with(":user/node"), "{principal}");
    let refused = Canned::error(Service::Sts, 403, "AccessDenied", "injected error");
    cloud.aws.always(Service::Sts, Some(refused));
    let run = cloud.run(cloud.plugin_as_user(), &annotated);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("injected error"), "{}", run.stderr);
}

fn cache_durations(world: &World) {
    let cloud = cloud(world);
    let run = |expires| {
        cloud.aws.set_token_answer(Service::Ecr, answering(user_pass(), expires));
        cloud.run(cloud.plugin_as_user(), &request(REGISTRY))
    };
    assert_eq!(run(Expires::Missing).response()["cacheDuration"], "0s");
    // Differs: the Go plugin caches for half of the time.
    let duration = run(Expires::In(43_200.0)).response()["cacheDuration"].clone();
    let duration = duration.as_str().unwrap();
    assert!(duration.starts_with("11h54m") || duration == "11h55m0s", "{duration}");
    // Differs: the Go plugin leaves the duration out, and the kubelet keeps a dead token.
    let late = run(Expires::Raw(json!(1_420_070_400)));
    assert_eq!(late.code, Some(5), "{}", late.stderr);
    assert!(late.error().contains("AWS sent a token that expired"), "{}", late.stderr);
}

fn arguments(world: &World) {
    let cloud = cloud(world);
    cloud.login(cloud.plugin_as_user().arg("get-credentials"), &request(REGISTRY));
    cloud.login(cloud.plugin_as_user().arg("get-credentials").arg("more"), &request(REGISTRY));
    let run = cloud.run(cloud.plugin_as_user().arg("--v=5"), &request(REGISTRY));
    assert_eq!(run.code, Some(2));
}
