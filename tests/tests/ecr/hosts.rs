//! Every kind of registry reaches the API that its host asks for, under its real name.

use std::fs;

use pullpass_tests::fakes::aws::{Endpoint, PULL, PULL_PUBLIC, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{ACCOUNT, ANNOTATION, Cloud, REGION, REGISTRY, role, with_keys};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::of(ecr_public_is_asked_in_its_one_region),
        Trial::of(a_strangers_registry_is_refused_and_nobody_is_asked),
        Trial::of(another_port_of_amazons_is_refused_and_nobody_is_asked),
        Trial::of(a_named_host_gets_the_login_of_its_region),
        Trial::of(switches_ask_for_fips_and_dual_stack),
        Trial::of(ipv4_api_calls_no_dual_stack_endpoint),
        Trial::of(a_named_endpoint_goes_before_the_hosts_own),
        Trial::of(trust_comes_from_the_ca_bundle_variable),
    ];
    for (host, api) in APIS {
        trials.push(Trial::new(format!("hosts::api_of::{host}"), move |world| {
            the_api_of(world, host, api);
        }));
    }
    trials
}

/// A registry of each partition and kind, and the API whose token opens it.
const APIS: [(&str, &str); 10] = [
    ("111122223333.dkr.ecr.us-west-2.amazonaws.com", "api.ecr.us-west-2.amazonaws.com"),
    ("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com", "api.ecr-fips.us-east-1.amazonaws.com"),
    ("111122223333.dkr-ecr.eu-central-1.on.aws", "ecr.eu-central-1.api.aws"),
    ("111122223333.dkr-ecr-fips.us-west-2.on.aws", "ecr-fips.us-west-2.api.aws"),
    ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "api.ecr.cn-north-1.amazonaws.com.cn"),
    (
        "111122223333.dkr-ecr.cn-northwest-1.on.amazonwebservices.com.cn",
        "ecr.cn-northwest-1.api.amazonwebservices.com.cn",
    ),
    ("111122223333.dkr.ecr.us-gov-west-1.amazonaws.com", "api.ecr.us-gov-west-1.amazonaws.com"),
    (
        "111122223333.dkr.ecr-fips.us-gov-east-1.amazonaws.com",
        "api.ecr-fips.us-gov-east-1.amazonaws.com",
    ),
    ("111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu", "api.ecr.eusc-de-east-1.amazonaws.eu"),
    ("111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov", "api.ecr.us-iso-east-1.c2s.ic.gov"),
];

fn the_api_of(world: &World, host: &str, api: &str) {
    let mut cloud = Cloud::new(world);
    let endpoint = Endpoint::parse(api).unwrap();
    let (region, partition) = (&*endpoint.region, endpoint.partition());
    cloud.serve_region(region);
    let keys = cloud.aws.add_user(&format!("arn:{partition}:iam::{ACCOUNT}:user/node"), &PULL);
    let plugin = with_keys(cloud.plugin(), &keys);
    let (key, principal, of_region) = cloud.login(plugin, &request(&format!("{host}/a/b")));
    assert_eq!((&*key, &*principal, &*of_region), (host, &*keys.principal, region));
    let called: Vec<_> = cloud.aws.calls().into_iter().map(|call| call.host).collect();
    assert_eq!(called, [api, api], "two runs, one call each");
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn ecr_public_is_asked_in_its_one_region(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("us-east-1");
    let keys = cloud.aws.add_user(&format!("arn:aws:iam::{ACCOUNT}:user/node"), &PULL_PUBLIC);
    for (host, api) in [
        ("public.ecr.aws", "api.ecr-public.us-east-1.amazonaws.com"),
        ("ecr-public.aws.com", "ecr-public.us-east-1.api.aws"),
    ] {
        let plugin = with_keys(cloud.plugin(), &keys).env("AWS_REGION", "eu-central-1");
        let (key, _, region) = cloud.login(plugin, &request(&format!("{host}/team/app")));
        assert_eq!((&*key, &*region), (host, "us-east-1"));
        assert_eq!(cloud.aws.calls().last().unwrap().host, api);
    }
    // Its tokens do not exist elsewhere, and no server is asked for one.
    let before = world.attempts();
    for (name, value) in [("AWS_REGION", "us-gov-west-1"), ("AWS_USE_FIPS_ENDPOINT", "true")] {
        let plugin = with_keys(cloud.plugin(), &keys).env(name, value);
        let run = cloud.run(plugin, &request("public.ecr.aws/team/app"));
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("hint: remove ECR Public from"), "{}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}

fn a_strangers_registry_is_refused_and_nobody_is_asked(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for host in [
        "registry.k8s.io",
        "docker.io",
        "cache.example.com",
        "111122223333.dkr.ecr.us-west-2.amazonaws.com.evil.example",
        "111122223333.dkr.ecr.us-west-2.amazonaws.lol",
        "public.ecr.aws.evil.example",
    ] {
        let image = format!("{host}/team/app");
        for request in [request(&image), cloud.pod_request(&image, &[(ANNOTATION, &role("pull"))])]
        {
            let run = cloud.run(cloud.plugin_as_user(), &request);
            assert_eq!(run.code, Some(2), "{host}: {}", run.stderr);
            let error =
                format!("no credentials for `{image}`: `{host}` is not a registry of Amazon ECR");
            assert_eq!(run.error(), error);
        }
    }
    assert_eq!(world.attempts(), before);
    assert!(cloud.aws.calls().is_empty());
}

/// Otherwise a server on another port of that name, even over plain HTTP, would get a login.
fn another_port_of_amazons_is_refused_and_nobody_is_asked(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for host in [REGISTRY, "public.ecr.aws", "111122223333.dkr-ecr-fips.us-west-2.on.aws"] {
        for port in [80, 5000, 8443] {
            let image = format!("{host}:{port}/team/app");
            let pod = cloud.pod_request(&image, &[(ANNOTATION, &role("pull"))]);
            for request in [request(&image), pod] {
                let run = cloud.run(cloud.plugin_as_user(), &request);
                assert_eq!(run.code, Some(2), "{image}: {}", run.stderr);
                let error = format!("`{host}:{port}` is not a port of Amazon ECR");
                assert_eq!(run.error(), format!("no credentials for `{image}`: {error}"));
                assert!(run.stderr.contains("hint: Amazon's registries are on port 443 only"));
            }
        }
    }
    assert_eq!(world.attempts(), before);
    let with_port = format!("{REGISTRY}:443");
    let (key, ..) = cloud.login(cloud.plugin_as_user(), &request(&format!("{with_port}/team/app")));
    assert_eq!(key, with_port);
    let named = cloud.plugin_as_user().arg(format!("--host={REGISTRY}:5000={REGION}"));
    let (key, ..) = cloud.login(named, &request(&format!("{REGISTRY}:5000/team/app")));
    assert_eq!(key, format!("{REGISTRY}:5000"));
}

fn a_named_host_gets_the_login_of_its_region(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("eu-west-1");
    let plugin = || {
        cloud
            .plugin_as_user()
            .arg("--host=cache.example.com:5000=eu-west-1")
            .arg("--host")
            .arg(format!("mirror.example={REGISTRY}"))
    };
    let (key, _, region) = cloud.login(plugin(), &request("cache.example.com:5000/team/app"));
    assert_eq!((&*key, &*region), ("cache.example.com:5000", "eu-west-1"));
    let (key, _, region) = cloud.login(plugin(), &request("mirror.example/team/app"));
    assert_eq!((&*key, &*region), ("mirror.example", "us-west-2"));
    let run = cloud.run(plugin(), &request("cache.example.com/team/app"));
    assert_eq!(run.code, Some(2), "another port is another host: {}", run.stderr);
}

fn switches_ask_for_fips_and_dual_stack(world: &World) {
    let cloud = Cloud::new(world);
    for (variables, api) in [
        (&["AWS_USE_FIPS_ENDPOINT"][..], "api.ecr-fips.us-west-2.amazonaws.com"),
        (&["AWS_USE_DUALSTACK_ENDPOINT"], "ecr.us-west-2.api.aws"),
        (&["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"], "ecr-fips.us-west-2.api.aws"),
    ] {
        let plugin =
            variables.iter().fold(cloud.plugin_as_user(), |plugin, name| plugin.env(name, "true"));
        cloud.login(plugin, &request(REGISTRY));
        assert_eq!(cloud.aws.calls().last().unwrap().host, api);
    }
}

fn ipv4_api_calls_no_dual_stack_endpoint(world: &World) {
    let cloud = Cloud::new(world);
    let host = "111122223333.dkr-ecr.us-west-2.on.aws";
    let plugin = cloud.plugin_as_user().arg("--ipv4-api");
    let (key, ..) = cloud.login(plugin, &request(&format!("{host}/a")));
    assert_eq!(key, host);
    assert_eq!(cloud.aws.calls().last().unwrap().host, "api.ecr.us-west-2.amazonaws.com");
}

fn a_named_endpoint_goes_before_the_hosts_own(world: &World) {
    let mut cloud = Cloud::new(world);
    // An interface endpoint of PrivateLink, as a node without private DNS names it.
    let endpoint = Endpoint::new(Service::Ecr, "us-west-2");
    let server =
        world.https("vpce-0a1.api.ecr.us-west-2.vpce.amazonaws.com", cloud.aws.router_at(endpoint));
    let url = server.url().to_owned();
    cloud.keep(server);
    let fips = "111122223333.dkr.ecr-fips.us-west-2.amazonaws.com";
    let folder = tempfile::tempdir().unwrap();
    let profile = folder.path().join("config");
    fs::write(
        &profile,
        format!("[default]\nservices = here\n[services here]\necr =\n  endpoint_url = {url}\n"),
    )
    .unwrap();
    for (name, value) in [
        ("AWS_ENDPOINT_URL_ECR", url.clone()),
        ("AWS_ENDPOINT_URL", url.clone()),
        ("AWS_CONFIG_FILE", profile.display().to_string()),
    ] {
        let plugin = cloud.plugin_as_user().env(name, value);
        let (key, ..) = cloud.login(plugin, &request(&format!("{fips}/a")));
        assert_eq!(key, fips);
        assert_eq!(cloud.aws.calls().last().unwrap().host, url.trim_start_matches("https://"));
    }
    let plugin = cloud
        .plugin_as_user()
        .env("AWS_ENDPOINT_URL_ECR", &url)
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    cloud.login(plugin, &request(REGISTRY));
    assert_eq!(cloud.aws.calls().last().unwrap().host, "api.ecr.us-west-2.amazonaws.com");
}

fn trust_comes_from_the_ca_bundle_variable(world: &World) {
    let cloud = Cloud::new(world);
    let own = world.ca().pem_file();
    let plugin = cloud
        .plugin_as_user()
        .env("SSL_CERT_FILE", TestCa::new().pem_file())
        .env("AWS_CA_BUNDLE", own);
    cloud.login(plugin, &request(REGISTRY));
    let stranger = TestCa::new();
    let run = cloud
        .run(cloud.plugin_as_user().env("AWS_CA_BUNDLE", stranger.pem_file()), &request(REGISTRY));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("`AWS_CA_BUNDLE` sets the CA to trust"), "{}", run.stderr);
    let run =
        cloud.run(cloud.plugin_as_user().env("AWS_CA_BUNDLE", "/nowhere"), &request(REGISTRY));
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("AWS_CA_BUNDLE"), "{}", run.stderr);
}
