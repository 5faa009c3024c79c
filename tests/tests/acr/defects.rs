//! What the Go plugin gets wrong, and what happens here instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use pullpass_tests::fakes::azure::{
    Canned, Cloud as AzureCloud, Identity, IdentityBinding, Service, Tenant,
};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::server::Socket;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{CLIENT_ID, Cloud, IMAGE, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(d1_a_token_is_used_whatever_the_node_is),
        Trial::of(d2_the_exchange_gets_the_identitys_tenant),
        Trial::of(d3_a_foreign_realm_is_never_called),
        Trial::of(d4_an_odd_challenge_is_no_panic),
        Trial::of(d5_an_answer_without_a_token_is_an_error),
        Trial::of(d6_what_passes_is_tried_again_within_the_kubelets_patience),
        Trial::of(d7_a_host_is_a_registry_as_a_whole_or_not_at_all),
        Trial::of(d8_a_mirrors_source_is_a_whole_host),
        Trial::of(d9_static_pods_pull_where_pods_have_bindings),
        Trial::of(d10_the_key_is_the_host_that_the_kubelet_looks_up),
        Trial::of(d11_errors_say_who_was_refused_and_no_bodies),
        Trial::of(d12_a_secret_is_for_the_registry_alone_and_regional_hosts_have_keys),
    ]
}

const SECRET: &str = "Qx8~the-secret_of.contoso";

fn d1_a_token_is_used_whatever_the_node_is(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    for fields in [
        json!({"tenantId": cloud.tenant.id, "useManagedIdentityExtension": false}),
        json!({
            "tenantId": cloud.tenant.id,
            "aadClientId": "0f0e",
            "aadClientSecret": SECRET,
            "useManagedIdentityExtension": false,
        }),
    ] {
        let plugin = cloud.plugin().arg(cloud.azure_json(&fields)).secret("secret", SECRET);
        cloud.logs_in_as(&pod, plugin.clone(), &cloud.request_of(&pod));
        if fields["aadClientSecret"].is_string() {
            let plugin = plugin.arg("--static-service-principal");
            cloud.logs_in_as(&pod, plugin, &cloud.request_of(&pod));
        }
    }
}

fn d2_the_exchange_gets_the_identitys_tenant(world: &World) {
    let cloud = Cloud::new(world);
    let nodes = cloud.azure.add_tenant(Tenant::new(AzureCloud::public()));
    let pod = cloud.pod();
    let file = cloud.azure_json(&json!({"tenantId": nodes.id}));
    cloud.logs_in_as(&pod, cloud.plugin().arg(file), &cloud.request_of(&pod));
    for call in cloud.azure.calls_to(Service::Exchange) {
        assert_eq!(call.field("tenant"), Some(&*cloud.tenant.id));
    }
}

/// The challenge is not asked for at all; where an exchange fails it is, and then nothing that it
/// names is called.
fn d3_a_foreign_realm_is_never_called(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let called = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&called);
    let evil = Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::Relaxed);
    });
    cloud.keep(world.https("evil.example", evil));
    let realm = r#"Bearer realm="https://evil.example/oauth2/token",service="contoso.azurecr.io""#;
    cloud.azure.always(Service::Challenge, Some(Canned::challenge(realm)));
    cloud.logs_in_as(&node, cloud.plugin_as_node(), &request(IMAGE));
    assert_eq!(cloud.count(Service::Challenge), 0);
    cloud.azure.always(Service::Exchange, Some(Canned::status(404)));
    let says = ["the challenge points to `evil.example`, which is not the registry"];
    cloud.fails(cloud.plugin_as_node(), &request(IMAGE), 5, &says);
    cloud.azure.always(Service::Challenge, Some(Canned::redirect("https://evil.example/v2/")));
    let says = ["`/v2/`", "a redirect; redirects are never followed"];
    cloud.fails(cloud.plugin_as_node(), &request(IMAGE), 5, &says);
    assert_eq!(called.load(Ordering::Relaxed), 0);
}

fn d4_an_odd_challenge_is_no_panic(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    for challenge in
        ["Basic", "Basic realm=x", "Bearer realm=https://contoso.azurecr.io,service=foo", "Bearer"]
    {
        cloud.azure.always(Service::Exchange, None);
        cloud.azure.always(Service::Challenge, Some(Canned::challenge(challenge)));
        cloud.logs_in_as(&node, cloud.plugin_as_node(), &request(IMAGE));
        cloud.azure.always(Service::Exchange, Some(Canned::status(404)));
        cloud.fails(cloud.plugin_as_node(), &request(IMAGE), 5, &["HTTP 404"]);
    }
}

fn d5_an_answer_without_a_token_is_an_error(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for body in [json!({}), json!({"refresh_token": ""}), json!({"refresh_token": null})] {
        cloud.azure.always(Service::Exchange, Some(Canned::json(200, &body)));
        let says = ["`https://contoso.azurecr.io/oauth2/exchange` answered 200 without a refresh"];
        cloud.fails(cloud.plugin_as_node(), &request(IMAGE), 5, &says);
    }
}

fn d6_what_passes_is_tried_again_within_the_kubelets_patience(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    cloud.azure.next(Service::Imds, Canned::status(404));
    cloud.azure.next(Service::Exchange, Canned::throttled(Service::Exchange, 1));
    cloud.azure.next(Service::Exchange, Canned::unavailable());
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    let (key, user, password) = run.login();
    assert_eq!(cloud.known(&key, &user, &password).client_id, node.client_id);
    assert_eq!((cloud.count(Service::Imds), cloud.count(Service::Exchange)), (2, 3));
    // What does not pass is given up in time.
    cloud.azure.always(Service::Imds, Some(Canned::broken(Service::Imds)));
    let run = cloud.run_once(&cloud.plugin_as_node().arg("--timeout=4s"), &request(IMAGE));
    checks::fails(&run, 7, &["IMDS could not serve the node", "HTTP 500"]);
    assert!(run.duration < Duration::from_secs(6), "{:?}", run.duration);
}

fn d7_a_host_is_a_registry_as_a_whole_or_not_at_all(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for image in [
        "contoso.azurecr.io.evil.example/x",
        "evil.example/contoso.azurecr.io/x",
        "evil.example/contoso.azurecr.my.cloud/x",
        "contoso.azurecr.my.cloud.evil.example/x",
    ] {
        let plugin = cloud.plugin_as_node().arg("--registry-suffix=azurecr.my.cloud");
        assert_eq!(cloud.run(plugin, &request(image)).response()["auth"], json!({}), "{image}");
    }
    assert_eq!(world.attempts(), before);
}

fn d8_a_mirrors_source_is_a_whole_host(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let mirror =
        format!("--registry-mirror=mcr.microsoft.com:{REGISTRY},localhost:5000:{REGISTRY}");
    let plugin = || cloud.plugin_as_node().arg(&mirror);
    let before = world.attempts();
    for image in ["mcr.microsoft.com.evil.example/a", "mcr.microsoft.com:5000/a", "localhost/a"] {
        assert_eq!(cloud.run(plugin(), &request(image)).response()["auth"], json!({}), "{image}");
    }
    assert_eq!(world.attempts(), before);
    for host in ["mcr.microsoft.com", "MCR.microsoft.com", "localhost:5000"] {
        let response = cloud.run(plugin(), &request(&format!("{host}/a"))).response();
        let keys: Vec<&str> =
            response["auth"].as_object().unwrap().keys().map(String::as_str).collect();
        assert!(keys.contains(&host) && keys.contains(&REGISTRY), "{keys:?}");
    }
    // The order never decides: a source is named once.
    let twice = format!("--registry-mirror=a.example:{REGISTRY},A.example:other.azurecr.io");
    let plugin = cloud.plugin_as_node().arg(twice);
    cloud.fails(plugin, &request("a.example/x"), 2, &["repeats a source"]);
}

fn d9_static_pods_pull_where_pods_have_bindings(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let plugin = || {
        let plugin = cloud.plugin_as_node().arg("--ib-sni-name=api.example");
        plugin.arg("--ib-apiserver-ip=10.0.0.1")
    };
    let says = ["`--without-token=node` lets them pull as the node"];
    cloud.fails(plugin(), &request(IMAGE), 4, &says);
    cloud.logs_in_as(&node, plugin().arg("--without-token=node"), &request(IMAGE));
    let run = cloud.run(plugin().arg("--without-token=anonymous"), &request(IMAGE));
    assert_eq!(run.response()["auth"], json!({}));
}

fn d10_the_key_is_the_host_that_the_kubelet_looks_up(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for host in ["CONTOSO.azurecr.io", "contoso.azurecr.io:443"] {
        let run = cloud.run(cloud.plugin_as_node(), &request(&format!("{host}/team/app")));
        assert_eq!(run.login().0, host);
    }
}

/// The API server's answer repeats what it was sent.
fn d11_errors_say_who_was_refused_and_no_bodies(world: &World) {
    let mut cloud = Cloud::new(world);
    let pod = cloud.allow(Identity::user_assigned(&cloud.tenant, "web"));
    let verifier = cloud.issuer.verifier(IdentityBinding::AUDIENCE);
    let name = "0f0e.ests.aks";
    let socket =
        Socket::bind_as(name, (world.address_of("10.0.0.1"), 443).into(), Some(world.ca()));
    let binding = IdentityBinding::new(name, verifier);
    let server = socket.serve(cloud.azure.identity_binding(binding));
    cloud.keep(server);
    let token = cloud.issuer.token(IdentityBinding::AUDIENCE).build();
    let request = pod_request(IMAGE, &token, &[(CLIENT_ID, &pod.client_id)]);
    let body = format!("client_assertion={token}&client_id=0f0e");
    for canned in [
        Canned::answer(500, "text/plain", body.clone()),
        Canned::error(Service::IdentityBinding, 400, "invalid_request", &body),
        Canned::answer(403, "text/plain", body),
    ] {
        cloud.azure.always(Service::IdentityBinding, Some(canned));
        let plugin = cloud
            .plugin()
            .arg(format!("--ib-sni-name={name}"))
            .arg("--ib-apiserver-ip=10.0.0.1")
            .arg("--ib-ca-file")
            .arg(world.ca().pem_file());
        let run = cloud.run_once(&plugin, &request);
        let who = format!("the pod as identity `{}` bound at `{name}`", pod.client_id);
        assert!(run.error().contains(&who), "{}", run.stderr);
        assert!(!run.stderr.contains("client_assertion"), "{}", run.stderr);
        let says = format!("`{REGISTRY}` for {who}");
        assert!(run.stderr.contains(&says), "the log does not say it: {}", run.stderr);
    }
}

fn d12_a_secret_is_for_the_registry_alone_and_regional_hosts_have_keys(world: &World) {
    let cloud = Cloud::new(world);
    let node = Identity::application(&cloud.tenant, "node").client_secret(SECRET);
    let node = cloud.azure.add_identity(node);
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": SECRET,
    });
    let plugin = || cloud.plugin().arg(cloud.azure_json(&fields)).arg("--static-service-principal");
    for host in [REGISTRY, "contoso.eastus.geo.azurecr.io"] {
        let run = cloud.run(plugin(), &request(&format!("{host}/team/app")));
        assert_eq!(run.login(), (host.to_owned(), node.client_id.clone(), SECRET.to_owned()));
    }
    let run = cloud.run(plugin(), &request("contoso.azurecr.de/team/app"));
    assert_eq!(run.response()["auth"], json!({}));
}
