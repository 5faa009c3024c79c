//! The node's identity: one request of the metadata server.

use std::time::Duration;

use pullpass_tests::fakes::google::{
    CLOUD_PLATFORM, Canned, Machine, Service, TOKEN_PATH, TokenAnswer,
};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, METADATA, NO_PROXY_AT_ALL, NODE, REGISTRY, keys, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(one_request_and_no_other),
        Trial::of(the_metadata_server_is_never_proxied),
        Trial::of(another_metadata_server),
        Trial::of(a_metadata_host_elsewhere_is_refused),
        Trial::of(a_metadata_host_that_is_none),
        Trial::of(the_node_needs_no_trust_in_anybody),
        Trial::of(a_server_that_is_not_ready_is_asked_again),
        Trial::of(a_machine_of_ipv6_alone),
        Trial::of(a_narrow_scope_is_the_registrys_to_judge),
        Trial::of(the_user_name_of_the_go_plugin),
        Trial::of(a_long_token_is_a_password_too),
        Trial::of(requests_in_old_versions_of_the_protocol),
    ]
}

fn one_request_and_no_other(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let run = cloud.run_once(&cloud.plugin(), &request(IMAGE));
    let after = world.attempts();
    assert_eq!(after.connections - before.connections, 1, "one connection");
    assert_eq!(after.datagrams, before.datagrams, "no name service is asked");
    assert_eq!(cloud.google.paths(Service::Metadata), [TOKEN_PATH], "and not the e-mail");
    let response = run.response();
    assert_eq!(response["cacheKeyType"], "Registry");
    assert_eq!(response["apiVersion"], "credentialprovider.kubelet.k8s.io/v1");
    let calls = cloud.google.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let call = &calls[0];
    assert_eq!((&*call.method, &*call.host), ("GET", "metadata.google.internal"));
    assert!(!call.authorization && call.fields.is_empty(), "{call:?}");
    assert!(call.user_agent.as_deref().unwrap().starts_with("pullpass"), "{call:?}");
    let (key, user, password) = run.login();
    assert_eq!((&*key, &*user), (REGISTRY, "oauth2accesstoken"));
    let token = cloud.known(&password);
    assert_eq!(token.principal, member(NODE));
    assert_eq!(token.scopes, [CLOUD_PLATFORM]);
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// Whatever the environment says, in either case of the names.
fn the_metadata_server_is_never_proxied(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    // The name is in the hosts file that Google gives its machines.
    let router = cloud.google.metadata(Machine::of(NODE));
    cloud.keep(world.http("metadata.google.internal", router.clone()));
    cloud.keep(world.http("169.254.169.252:8080", router));
    for names in
        [["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"], ["http_proxy", "https_proxy", "all_proxy"]]
    {
        for host in ["", METADATA, "metadata.google.internal", "169.254.169.252:8080"] {
            let plugin = cloud.plugin().env("GCE_METADATA_HOST", host);
            let plugin = names.iter().fold(plugin, |it, name| it.env(name, NO_PROXY_AT_ALL));
            cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
        }
    }
    assert!(cloud.google.paths(Service::Metadata).iter().all(|path| path == TOKEN_PATH));
    assert_eq!(cloud.count(Service::Metadata), 16, "eight times two runs, one call each");
}

fn another_metadata_server(world: &World) {
    let cloud = Cloud::new(world);
    cloud.google.add_reader(&member(NODE));
    for (place, host) in [
        ("169.254.169.252", "169.254.169.252"),
        ("169.254.169.252:8080", "169.254.169.252:8080"),
        ("127.0.0.1:9988", "127.0.0.1:9988"),
        ("[::1]:9988", "[::1]:9988"),
    ] {
        let server = world.http(place, cloud.google.metadata(Machine::of(NODE)));
        let plugin = cloud.plugin().env("GCE_METADATA_HOST", host);
        cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
        assert_eq!(cloud.google.calls().pop().unwrap().host, host);
        drop(server);
    }
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// Its tokens come over plain HTTP, which is for this machine's own addresses.
fn a_metadata_host_elsewhere_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    let router = cloud.google.metadata(Machine::of(NODE));
    cloud.keep(world.http("metadata.example", router));
    let before = world.attempts();
    for host in ["metadata.example", "metadata.example:8080", "10.0.0.4", "8.8.8.8:80"] {
        let plugin = cloud.plugin().env("GCE_METADATA_HOST", host);
        let says = ["`GCE_METADATA_HOST` is not an address of this machine", "link-local"];
        cloud.fails(plugin, &request(IMAGE), 2, &says);
    }
    assert_eq!(world.attempts(), before);
}

fn a_metadata_host_that_is_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for host in
        ["http://169.254.169.254", "169.254.169.254/x", "user@169.254.169.254", "a b", ":80"]
    {
        let plugin = cloud.plugin().env("GCE_METADATA_HOST", host);
        cloud.fails(plugin, &request(IMAGE), 2, &["`GCE_METADATA_HOST` is not `HOST[:PORT]`"]);
    }
    assert_eq!(world.attempts(), before);
    // What an installer leaves empty is not set.
    let plugin = cloud.plugin().env("GCE_METADATA_HOST", "");
    cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
}

/// No trust roots are read: a file that is not there would be an error.
fn the_node_needs_no_trust_in_anybody(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let nowhere = |plugin: pullpass_tests::plugin::PluginCommand| {
        plugin.env("SSL_CERT_FILE", "/nowhere/ca.pem").env("SSL_CERT_DIR", "/nowhere")
    };
    cloud.logs_in_as(&member(NODE), nowhere(cloud.plugin()), &request(IMAGE));
    // The pod's way does need them, or the above would prove nothing.
    let plugin = nowhere(cloud.plugin_for_pods());
    cloud.fails(plugin, &cloud.pod_request(&[]), 2, &["/nowhere/ca.pem"]);
    assert_eq!(cloud.count(Service::Sts), 0);
}

fn a_server_that_is_not_ready_is_asked_again(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for canned in [
        vec![Canned::broken(Service::Metadata)],
        vec![Canned::status(503), Canned::status(500), Canned::status(502)],
        vec![Canned::status(408)],
        vec![Canned::throttled(Service::Metadata)],
    ] {
        let (before, failures) = (cloud.count(Service::Metadata), canned.len());
        canned.into_iter().for_each(|canned| cloud.google.next(Service::Metadata, canned));
        let run = cloud.run_once(&cloud.plugin(), &request(IMAGE));
        assert_eq!(keys(&run), [REGISTRY], "{}", run.stderr);
        assert_eq!(cloud.count(Service::Metadata) - before, failures + 1);
    }
    // As long as it says.
    let throttled = Canned::throttled(Service::Metadata).with_header("retry-after", "2");
    cloud.google.next(Service::Metadata, throttled);
    let run = cloud.run_once(&cloud.plugin(), &request(IMAGE));
    assert_eq!(keys(&run), [REGISTRY], "{}", run.stderr);
    assert!(run.duration >= Duration::from_secs(2), "{:?}", run.duration);
    // A rest that outlasts the run is not begun.
    let throttled = Canned::throttled(Service::Metadata).with_header("retry-after", "300");
    cloud.google.next(Service::Metadata, throttled);
    let run = cloud.run_once(&cloud.plugin(), &request(IMAGE));
    checks::fails(&run, 7, &["HTTP 429", "not retried: the server sent `Retry-After: 300"]);
    assert!(run.duration < Duration::from_secs(2), "{:?}", run.duration);
}

fn a_machine_of_ipv6_alone(world: &World) {
    let mut cloud = Cloud::new(world);
    let server = world.http("[fd20:ce::254]:80", cloud.google.metadata(Machine::of(NODE)));
    cloud.keep(server);
    cloud.logs_in_as(&member(NODE), cloud.plugin(), &request(IMAGE));
    assert_eq!(cloud.count(Service::Metadata), 2, "two runs, one call each");
}

/// Scopes are not checked before: the registry's message is clearer.
fn a_narrow_scope_is_the_registrys_to_judge(world: &World) {
    let mut cloud = Cloud::new(world);
    let scope = "https://www.googleapis.com/auth/devstorage.read_only";
    cloud.serve_metadata(Machine::of(NODE).scopes(&[scope]));
    let (_, token) = cloud.login(cloud.plugin(), &request(IMAGE));
    assert_eq!(token.scopes, [scope]);
}

fn the_user_name_of_the_go_plugin(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let (key, user, password) =
        cloud.run(cloud.plugin().arg("--token-username"), &request(IMAGE)).login();
    assert_eq!((&*key, &*user), (REGISTRY, "_token"));
    assert_eq!(cloud.known(&password).principal, member(NODE));
}

fn a_long_token_is_a_password_too(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let answer = TokenAnswer { padding: 9000, ..TokenAnswer::default() };
    cloud.google.set_token_answer(Service::Metadata, answer);
    let (_, token) = cloud.login(cloud.plugin(), &request(IMAGE));
    assert!(token.value.len() > 12_000, "{}", token.value.len());
}

fn requests_in_old_versions_of_the_protocol(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for version in ["v1", "v1beta1", "v1alpha1"] {
        let version = format!("credentialprovider.kubelet.k8s.io/{version}");
        let mut request = request(IMAGE);
        request["apiVersion"] = version.as_str().into();
        let run = cloud.run(cloud.plugin(), &request);
        assert_eq!(run.response()["apiVersion"], version.as_str());
    }
    // Only `v1` has tokens: the pod must not become the node by way of another.
    let mut request = cloud.pod_request(&[]);
    request["apiVersion"] = "credentialprovider.kubelet.k8s.io/v1beta1".into();
    let before = world.attempts();
    let run = cloud.run(cloud.plugin().arg("--without-pool=node"), &request);
    assert_eq!(run.code, Some(6), "{}", run.stderr);
    assert_eq!(world.attempts(), before);
}
