//! The node's identity: managed, on a virtual machine or elsewhere.

use std::time::Duration;

use pullpass_tests::fakes::azure::{AppService, Canned, Identity, Machine, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, IMAGE, NO_PROXY_AT_ALL, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_machines_own_identity),
        Trial::of(a_user_assigned_identity_by_each_of_its_ids),
        Trial::of(imds_that_is_not_ready_is_asked_again),
        Trial::of(imds_that_throttles_is_left_alone_as_long_as_it_says),
        Trial::of(an_identity_that_is_not_assigned_is_asked_for_once),
        Trial::of(one_of_several_identities_must_be_named),
        Trial::of(imds_is_never_proxied),
        Trial::of(app_service),
        Trial::of(app_service_refuses),
        Trial::of(platforms_that_are_not_served_are_named),
        Trial::of(an_id_that_is_none_is_refused),
    ]
}

fn the_machines_own_identity(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let run = cloud.run(cloud.plugin_as_node(), &request(IMAGE));
    let response = run.response();
    assert_eq!(response["cacheKeyType"], "Registry");
    assert_eq!(response["cacheDuration"], "1h0m0s");
    let (key, user, password) = run.login();
    assert_eq!(cloud.known(&key, &user, &password).client_id, node.client_id);
    // Two runs: one call of IMDS and one of the registry each.
    let services: Vec<Service> = cloud.azure.calls().iter().map(|call| call.service).collect();
    assert_eq!(services, [Service::Imds, Service::Exchange, Service::Imds, Service::Exchange]);
    let calls = cloud.azure.calls();
    let (imds, exchange) = (&calls[0], &calls[1]);
    assert_eq!(imds.field("api-version"), Some("2018-02-01"));
    assert_eq!(imds.field("resource"), Some("https://containerregistry.azure.net"));
    assert_eq!(exchange.field("grant_type"), Some("access_token"));
    assert_eq!(exchange.field("service"), Some(REGISTRY));
    assert_eq!(exchange.field("refresh_token"), None);
    assert_eq!(exchange.field("tenant"), None, "no tenant is named");
}

fn a_user_assigned_identity_by_each_of_its_ids(world: &World) {
    let mut cloud = Cloud::new(world);
    let identity = cloud.allow(Identity::user_assigned(&cloud.tenant, "pull"));
    let other = cloud.azure.add_identity(Identity::user_assigned(&cloud.tenant, "other"));
    cloud.serve_imds(Machine::new().user(&other).user(&identity));
    let resource_id = identity.resource_id.clone().unwrap();
    for (option, name, value) in [
        (identity.client_id.clone(), "client_id", &identity.client_id),
        (format!("client:{}", identity.client_id), "client_id", &identity.client_id),
        (format!("object:{}", identity.object_id), "object_id", &identity.object_id),
        (resource_id.clone(), "msi_res_id", &resource_id),
    ] {
        let plugin = cloud.plugin().arg("--managed-identity").arg(&option);
        cloud.logs_in_as(&identity, plugin, &request(IMAGE));
        let calls = cloud.azure.calls_to(Service::Imds);
        assert_eq!(calls.last().unwrap().field(name), Some(&**value), "{option}");
    }
    // In `azure.json`, where the Go plugin does not support object IDs.
    for id in [&identity.client_id, &resource_id.replace("/subscriptions/", "/SUBSCRIPTIONS/")] {
        let file = cloud.azure_json(&json!({
            "tenantId": cloud.tenant.id,
            "useManagedIdentityExtension": true,
            "userAssignedIdentityID": id,
        }));
        cloud.logs_in_as(&identity, cloud.plugin().arg(file), &request(IMAGE));
        let calls = cloud.azure.calls_to(Service::Exchange);
        assert_eq!(calls.last().unwrap().field("tenant"), Some(&*cloud.tenant.id));
    }
}

/// 404, 410 and 500 are what Azure says to repeat, and not within the same second.
fn imds_that_is_not_ready_is_asked_again(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for canned in [
        vec![Canned::status(404), Canned::status(404)],
        vec![Canned::status(410)],
        vec![Canned::broken(Service::Imds)],
    ] {
        let (before, failures) = (cloud.count(Service::Imds), canned.len());
        canned.into_iter().for_each(|canned| cloud.azure.next(Service::Imds, canned));
        let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(cloud.count(Service::Imds) - before, failures + 1);
        let shortest = Duration::from_secs(failures.try_into().unwrap());
        assert!(run.duration >= shortest, "{:?} for {failures} failures", run.duration);
    }
}

fn imds_that_throttles_is_left_alone_as_long_as_it_says(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.azure.next(Service::Imds, Canned::throttled(Service::Imds, 3));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.duration >= Duration::from_secs(3), "{:?}", run.duration);
    assert_eq!(cloud.count(Service::Imds), 2);
    // A rest that outlasts the run is not begun.
    cloud.azure.next(Service::Imds, Canned::throttled(Service::Imds, 300));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    checks::fails(&run, 7, &["HTTP 429", "`Retry-After: 300`"]);
    assert!(run.duration < Duration::from_secs(3), "{:?}", run.duration);
    assert_eq!(cloud.count(Service::Imds), 3);
}

fn an_identity_that_is_not_assigned_is_asked_for_once(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let stranger = cloud.allow(Identity::user_assigned(&cloud.tenant, "elsewhere"));
    let plugin = cloud.plugin().arg("--managed-identity").arg(&stranger.client_id);
    let run = cloud.fails(
        plugin,
        &request(IMAGE),
        4,
        &["says: Identity not found", "assign it, or select one with `userAssignedIdentityID`"],
    );
    let error = format!(
        "no credentials for `{IMAGE}`: IMDS refused the node as the identity of client ID `{}`: \
         HTTP 400 invalid_request",
        stranger.client_id
    );
    assert_eq!(run.error(), error);
    assert_eq!(cloud.count(Service::Imds), 2, "two runs, one call each");
    assert_eq!(cloud.count(Service::Exchange), 0);
}

fn one_of_several_identities_must_be_named(world: &World) {
    let mut cloud = Cloud::new(world);
    let one = cloud.allow(Identity::user_assigned(&cloud.tenant, "one"));
    let two = cloud.allow(Identity::user_assigned(&cloud.tenant, "two"));
    cloud.serve_imds(Machine::new().user(&one).user(&two));
    let says =
        ["Multiple user assigned identities exist", "several are assigned and none is selected"];
    cloud.fails(cloud.plugin_as_node(), &request(IMAGE), 4, &says);
    let plugin = cloud.plugin().arg("--managed-identity").arg(&two.client_id);
    cloud.logs_in_as(&two, plugin, &request(IMAGE));
}

fn imds_is_never_proxied(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let plugin = cloud
        .plugin_as_node()
        .env("HTTP_PROXY", NO_PROXY_AT_ALL)
        .env("HTTPS_PROXY", NO_PROXY_AT_ALL)
        .env("NO_PROXY", ".azurecr.io");
    cloud.logs_in_as(&node, plugin, &request(IMAGE));
    let proxied = cloud.plugin_as_node().env("HTTPS_PROXY", NO_PROXY_AT_ALL);
    let run = cloud.run_once(&proxied, &request(IMAGE));
    checks::fails(&run, 7, &["cannot get a token from the registry `contoso.azurecr.io`"]);
}

fn app_service(world: &World) {
    let mut cloud = Cloud::new(world);
    let own = cloud.allow(Identity::system_assigned(&cloud.tenant, "app"));
    let user = cloud.allow(Identity::user_assigned(&cloud.tenant, "pull"));
    let service = AppService::new(Machine::new().system(&own).user(&user));
    let header = service.header.clone();
    let server = cloud.world.http("127.0.0.1:41741", cloud.azure.app_service(service));
    let endpoint = AppService::endpoint(server.url());
    cloud.keep(server);
    let resource_id = user.resource_id.clone().unwrap();
    for (option, identity) in [
        ("system".to_owned(), &own),
        (user.client_id.clone(), &user),
        (format!("object:{}", user.object_id), &user),
        (resource_id, &user),
    ] {
        let plugin = cloud
            .plugin()
            .arg(format!("--managed-identity={option}"))
            .env("IDENTITY_ENDPOINT", &endpoint)
            .env("IDENTITY_HEADER", &header)
            .env("HTTP_PROXY", NO_PROXY_AT_ALL);
        cloud.logs_in_as(identity, plugin, &request(IMAGE));
    }
    assert_eq!(cloud.count(Service::Imds), 0);
}

fn app_service_refuses(world: &World) {
    let mut cloud = Cloud::new(world);
    let user = cloud.allow(Identity::user_assigned(&cloud.tenant, "pull"));
    let service = AppService::new(Machine::new().user(&user));
    let header = service.header.clone();
    let server = cloud.world.http("127.0.0.1:41741", cloud.azure.app_service(service));
    let endpoint = AppService::endpoint(server.url());
    cloud.keep(server);
    let plugin = |header: &str| {
        cloud
            .plugin_as_node()
            .env("IDENTITY_ENDPOINT", &endpoint)
            .env("IDENTITY_HEADER", header)
            .secret("another header", "another header")
    };
    let says = ["the App Service identity endpoint refused the node", "HTTP 400"];
    cloud.fails(plugin(&header), &request(IMAGE), 4, &says);
    cloud.fails(plugin("another header"), &request(IMAGE), 3, &["HTTP 401"]);
}

fn platforms_that_are_not_served_are_named(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for (variables, says) in [
        (
            &[("IDENTITY_ENDPOINT", "http://x"), ("IDENTITY_SERVER_THUMBPRINT", "0F")][..],
            &["managed identities of Service Fabric are not supported"][..],
        ),
        (&[("MSI_ENDPOINT", "http://x")], &["Cloud Shell or Azure Machine Learning", "unset it"]),
        (
            &[("IDENTITY_ENDPOINT", "no url"), ("IDENTITY_HEADER", "x")],
            &["`IDENTITY_ENDPOINT` is not a URL"],
        ),
        (
            &[("IDENTITY_ENDPOINT", "http://evil.example"), ("IMDS_ENDPOINT", "http://x")],
            &["`IDENTITY_ENDPOINT` is not on this machine"],
        ),
    ] {
        let plugin = cloud.plugin_as_node();
        let plugin = variables.iter().fold(plugin, |plugin, (name, value)| plugin.env(name, value));
        cloud.fails(plugin, &request(IMAGE), 2, says);
    }
    assert_eq!(world.attempts(), before);
}

fn an_id_that_is_none_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for id in ["", "a b", "a&client_id=b", "object:", "principal:0f0e", "client:a/b"] {
        let plugin = cloud.plugin().arg(format!("--managed-identity={id}"));
        let run = cloud.run(plugin, &request(IMAGE));
        assert_eq!(run.code, Some(2), "{id}: {}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}
