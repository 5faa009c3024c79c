//! An `external_account` file as the source of audience, token URL and impersonation.

use pullpass_tests::fakes::google::{CLOUD_PLATFORM, Provider, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{CLUSTER, Cloud, IMAGE, NODE, OPT_IN, PROJECT, PULLER, SERVICE_ACCOUNT, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(as_gcloud_writes_it),
        Trial::of(with_impersonation),
        Trial::of(its_own_urls),
        Trial::of(a_cluster_of_gkes),
        Trial::of(options_go_before_it),
        Trial::of(its_source_is_never_read),
        Trial::of(a_file_of_another_kind_is_refused),
        Trial::of(a_lifetime_that_google_does_not_give),
    ]
}

fn plugin(cloud: &Cloud<'_>, content: &Value) -> pullpass_tests::plugin::PluginCommand {
    cloud.plugin().arg("--credentials").arg(cloud.file("external.json", content.to_string()))
}

fn as_gcloud_writes_it(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let content = cloud.provider.external_account();
    let file = cloud.file("external.json", content.to_string());
    for plugin in [
        cloud.plugin().arg("--credentials").arg(&file),
        cloud.plugin().env("GOOGLE_APPLICATION_CREDENTIALS", &file),
    ] {
        cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!((&*call.host, &*call.path), ("sts.googleapis.com", "/v1/token"));
        assert_eq!(call.field("audience"), content["audience"].as_str());
        assert_eq!(call.field("scope"), Some(CLOUD_PLATFORM));
    }
    // Pods need not opt in, and without a token the node's identity is not used.
    let plugin = cloud.plugin().arg("--credentials").arg(&file);
    cloud.fails(plugin, &request(IMAGE), 4, &["the request has no service account token"]);
    assert_eq!(cloud.count(Service::Metadata), 0);
}

fn with_impersonation(world: &World) {
    let cloud = Cloud::new(world);
    cloud.puller();
    for (seconds, lifetime) in [
        (Value::Null, "3600s"),
        (json!(600), "600s"),
        (json!(2800), "2800s"),
        (json!("900"), "900s"),
    ] {
        let mut content = cloud.provider.external_account_as(PULLER);
        if !seconds.is_null() {
            content["service_account_impersonation"] = json!({"token_lifetime_seconds": seconds});
        }
        let plugin = plugin(&cloud, &content);
        cloud.logs_in_as(&member(PULLER), plugin, &cloud.pod_request(&[]));
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!(call.service, Service::IamCredentials);
        assert_eq!(call.field("lifetime"), Some(lifetime));
    }
}

/// Under names of the operator's own.
fn its_own_urls(world: &World) {
    let mut cloud = Cloud::unserved(world);
    cloud.puller();
    let (sts, iam) =
        (cloud.google.sts("googleapis.com"), cloud.google.iam_credentials("googleapis.com"));
    cloud.keep(world.https("sts.contoso.example:8443", sts));
    cloud.keep(world.https("iam.contoso.example", iam));
    let mut content = cloud.provider.external_account();
    content["token_url"] = json!("https://sts.contoso.example:8443/v1/token");
    content["service_account_impersonation_url"] = json!(format!(
        "https://iam.contoso.example/v1/projects/-/serviceAccounts/{PULLER}:generateAccessToken"
    ));
    cloud.logs_in_as(&member(PULLER), plugin(&cloud, &content), &cloud.pod_request(&[]));
    let hosts: Vec<String> = cloud.google.calls().into_iter().map(|call| call.host).collect();
    let (sts, iam) = ("sts.contoso.example:8443", "iam.contoso.example");
    assert_eq!(hosts, [sts, iam, sts, iam]);
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn a_cluster_of_gkes(world: &World) {
    let mut cloud = Cloud::new(world);
    let cluster = cloud.cluster();
    let content = cluster.external_account();
    let audience = content["audience"].as_str().unwrap().to_owned();
    assert_eq!(audience, format!("identitynamespace:{PROJECT}.svc.id.goog:{CLUSTER}"));
    // With the annotation or without.
    for annotations in [&[][..], &[(OPT_IN, "false")], &[(OPT_IN, "true")]] {
        let request = cloud.gke_request(annotations);
        cloud.logs_in_as(&cluster.principal("demo", "web"), plugin(&cloud, &content), &request);
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!(call.field("audience"), Some(&*audience));
    }
}

fn options_go_before_it(world: &World) {
    let mut cloud = Cloud::unserved(world);
    cloud.puller();
    let (sts, iam) =
        (cloud.google.sts("googleapis.com"), cloud.google.iam_credentials("googleapis.com"));
    cloud.keep(world.https("sts.contoso.example", sts));
    cloud.keep(world.https("iam.contoso.example", iam));
    let content = cloud.provider.external_account_as(NODE);
    let plugin = || {
        plugin(&cloud, &content)
            .arg("--sts-url=https://sts.contoso.example/v1/token")
            .arg("--iam-credentials-url=https://iam.contoso.example")
    };
    // Annotation, option, file.
    let by_option = plugin().arg(format!("--service-account={PULLER}"));
    cloud.logs_in_as(&member(PULLER), by_option, &cloud.pod_request(&[]));
    let annotated = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    cloud.logs_in_as(&member(PULLER), plugin(), &annotated);
    let run = cloud.run(plugin(), &cloud.pod_request(&[]));
    checks::fails(&run, 3, &[&format!("as `{NODE}`: HTTP 403 PERMISSION_DENIED")]);
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// The token is the request's.
fn its_source_is_never_read(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.unknown_names();
    for source in [
        json!({"file": "/nowhere/token"}),
        json!({"file": "/nowhere/token", "format": {"type": "json"}}),
        json!({}),
        Value::Null,
    ] {
        let mut content = cloud.provider.external_account();
        content["credential_source"] = source;
        cloud.logs_in_as(&cloud.principal(), plugin(&cloud, &content), &cloud.pod_request(&[]));
    }
    let mut content = cloud.provider.external_account();
    content["subject_token_type"] = json!("urn:ietf:params:oauth:token-type:id_token");
    cloud.logs_in_as(&cloud.principal(), plugin(&cloud, &content), &cloud.pod_request(&[]));
    assert_eq!(world.unknown_names(), before);
    assert!(cloud.google.calls().iter().all(|call| call.service == Service::Sts));
}

/// It is for another program's identity: a pod's token is not sent in its place, nor is anything
/// of it run or asked.
fn a_file_of_another_kind_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let ran = cloud.file("ran", "");
    let script = format!("#!/bin/sh\necho ran >> {}\n", ran.display());
    let script = cloud.file("source.sh", script);
    let aws = "urn:ietf:params:aws:token-type:aws4_request";
    let jwt = "urn:ietf:params:oauth:token-type:jwt";
    for (source, kind, says) in [
        (
            json!({"environment_id": "aws1", "regional_cred_verification_url": "https://x.example"}),
            aws,
            "its `credential_source` is an AWS identity (`environment_id`), not a pod's token",
        ),
        (
            json!({"executable": {"command": script, "timeout_millis": 5000}}),
            jwt,
            "its `credential_source` is a program (`executable`), not a pod's token",
        ),
        (
            json!({"url": "http://169.254.169.254/source", "headers": {"Metadata-Flavor": "Google"}}),
            jwt,
            "its `credential_source` is a server (`url`), not a pod's token",
        ),
        (
            json!({"certificate": {"use_default_certificate_config": true}}),
            "urn:ietf:params:oauth:token-type:mtls",
            "its `credential_source` is a `certificate`, not a pod's token",
        ),
        (json!({"file": "/nowhere/saml"}), aws, "its `subject_token_type` is not that of a pod's"),
    ] {
        let mut content = cloud.provider.external_account();
        content["credential_source"] = source;
        content["subject_token_type"] = kind.into();
        let plugin =
            || plugin(&cloud, &content).env("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", "1");
        for request in [cloud.pod_request(&[]), request(IMAGE)] {
            let says = [says, "for an OIDC provider"];
            cloud.fails(plugin(), &request, 2, &says);
            cloud.fails(plugin().arg("--without-token=node"), &request, 2, &says);
        }
    }
    assert_eq!(std::fs::read_to_string(ran).unwrap(), "");
    assert_eq!(world.attempts(), before);
}

fn a_lifetime_that_google_does_not_give(world: &World) {
    let cloud = Cloud::new(world);
    cloud.puller();
    let mut content = cloud.provider.external_account_as(PULLER);
    content["service_account_impersonation"] = json!({"token_lifetime_seconds": 43_200});
    let says = ["HTTP 400 INVALID_ARGUMENT", "more than 1 hour", "check `token_lifetime_seconds`"];
    cloud.fails(plugin(&cloud, &content), &cloud.pod_request(&[]), 2, &says);
    let call = cloud.google.calls().pop().unwrap();
    assert_eq!(call.field("lifetime"), Some("43200s"));
    // The fake does not only accept our provider: another cluster's is refused.
    let other = Provider::new("99", "other", "other", "https://other.example");
    let other = cloud.google.add_provider(other);
    let says = ["invalid_grant", "does not match the expected one"];
    cloud.fails(plugin(&cloud, &other.external_account()), &cloud.pod_request(&[]), 3, &says);
}
