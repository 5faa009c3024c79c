//! Which hosts are registries, of which cloud, and under which key the login goes back.

use pullpass_tests::fakes::azure::{Cloud as AzureCloud, Identity, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{CLIENT_ID, Cloud, IMAGE, REGISTRY, TENANT_ID};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::of(every_name_of_a_cloud),
        Trial::of(a_cloud_that_nobody_knows),
        Trial::of(a_registry_of_another_cloud_is_refused),
        Trial::of(the_key_is_the_host_as_it_was_sent),
        Trial::of(another_port_of_a_registrys_host_gets_no_login),
        Trial::of(a_regional_login_server),
        Trial::of(a_data_endpoint_needs_no_login),
        Trial::of(a_stranger_gets_no_credentials_and_nobody_is_asked),
        Trial::of(an_image_that_is_none_is_refused),
    ];
    for (cloud, name, registry) in [
        (AzureCloud::public(), "AzureCloud", "contoso.azurecr.io"),
        (AzureCloud::public(), "AzureCloud", "contoso-a1b2c3d4e5f6g7h8.azurecr.io"),
        (AzureCloud::government(), "AzureUSGovernment", "contoso.azurecr.us"),
        (AzureCloud::china(), "AzureChinaCloud", "contoso.azurecr.cn"),
    ] {
        let title = format!("hosts::the_node_pulls_from::{registry}");
        trials.push(Trial::new(title, move |world| {
            let mut cloud = Cloud::of(world, cloud.clone(), registry);
            let node = cloud.node();
            let request = request(&format!("{registry}/team/app"));
            let plugin = cloud.plugin_as_node().arg(format!("--cloud={name}"));
            let (key, login) = cloud.login(plugin, &request);
            assert_eq!((&*key, &*login.client_id), (registry, &*node.client_id));
        }));
    }
    trials
}

const SECRET: &str = "Qx8~the-secret_of.contoso";

/// A service principal of the cloud's tenant that may pull, and what `azure.json` says of it.
pub(crate) fn principal(cloud: &Cloud<'_>) -> (Identity, serde_json::Value) {
    let node = Identity::application(&cloud.tenant, "node").client_secret(SECRET);
    let node = cloud.allow(node);
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": SECRET,
    });
    (node, fields)
}

fn every_name_of_a_cloud(world: &World) {
    for (azure, names) in [
        (AzureCloud::public(), &["AzureCloud", "AzurePublicCloud", "AZUREPUBLICCLOUD", ""][..]),
        (AzureCloud::government(), &["AzureUSGovernment", "azureusgovernmentcloud"]),
        (AzureCloud::china(), &["AzureChinaCloud"]),
    ] {
        let registry = format!("contoso.{}", azure.registry_suffix);
        let cloud = Cloud::of(world, azure, &registry);
        let (node, mut fields) = principal(&cloud);
        for name in names {
            fields["cloud"] = (*name).into();
            let mut plugin = cloud.plugin().arg(cloud.azure_json(&fields));
            if !name.is_empty() {
                // Left by another program; the operator's setting takes precedence.
                plugin = plugin.env("AZURE_AUTHORITY_HOST", "https://login.evil.example");
            }
            let (_, login) = cloud.login(plugin, &request(&format!("{registry}/team/app")));
            assert_eq!(login.client_id, node.client_id, "{name}");
            let entra = cloud.azure.calls_to(Service::Entra).pop().unwrap();
            assert_eq!(entra.host, cloud.tenant.cloud.authorities[0], "{name}");
        }
    }
}

fn a_cloud_that_nobody_knows(world: &World) {
    let cloud = Cloud::new(world);
    let (_, mut fields) = principal(&cloud);
    fields["cloud"] = "AzureGermanCloud".into();
    let before = world.attempts();
    let says = ["`--cloud` (or `cloud` in `azure.json`) is not known", "`--authority-host`"];
    cloud.fails(cloud.plugin().arg(cloud.azure_json(&fields)), &request(IMAGE), 2, &says);
    assert_eq!(world.attempts(), before);
}

/// An identity is of one cloud, and what it shows stays there.
fn a_registry_of_another_cloud_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let before = world.attempts();
    for (name, registry) in [
        ("AzureCloud", "contoso.azurecr.us"),
        ("AzureCloud", "contoso.azurecr.cn"),
        ("AzureUSGovernment", "contoso.azurecr.io"),
        ("AzureChinaCloud", "contoso.eastus.geo.azurecr.io"),
    ] {
        let image = format!("{registry}/team/app");
        for request in [request(&image), cloud.pod_request(&image, &ids)] {
            let plugin = cloud.plugin_as_node().arg(format!("--cloud={name}"));
            let says = format!("`{registry}` is a registry of another cloud");
            cloud.fails(plugin, &request, 2, &[&says, "`--cloud`"]);
        }
    }
    assert_eq!(world.attempts(), before);
}

fn the_key_is_the_host_as_it_was_sent(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    for (image, key) in [
        ("contoso.azurecr.io", "contoso.azurecr.io"),
        ("contoso.azurecr.io:443/team/app", "contoso.azurecr.io:443"),
    ] {
        let (found, login) = cloud.login(cloud.plugin_as_node(), &request(image));
        assert_eq!((&*found, &*login.client_id), (key, &*node.client_id));
        let exchange = cloud.azure.calls_to(Service::Exchange).pop().unwrap();
        assert_eq!(exchange.field("service"), Some(REGISTRY));
    }
    let auth = cloud.run(cloud.plugin_as_node(), &request("Contoso.AzureCR.IO/team/app"));
    assert_eq!(auth.login().0, "Contoso.AzureCR.IO");
}

/// A service of some other kind may be there, and a tunnel to it on this node.
fn another_port_of_a_registrys_host_gets_no_login(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    cloud.keep(world.https("contoso.azurecr.io:8443", cloud.azure.registries()));
    let before = world.attempts();
    for host in ["contoso.azurecr.io:80", "contoso.azurecr.io:8443", "CONTOSO.azurecr.io:5000"] {
        let image = format!("{host}/team/app");
        let says = [
            &*format!("`{host}` is not the HTTPS port of an ACR registry"),
            &*format!("`--registry-mirror {host}:contoso.azurecr.io`"),
        ];
        cloud.fails(cloud.plugin_as_node(), &request(&image), 2, &says);
        cloud.fails(cloud.plugin(), &cloud.pod_request(&image, &ids), 2, &says);
    }
    assert_eq!(world.attempts(), before);
    // Unless the operator says so by name: then the registry itself is asked, on its own port.
    let plugin =
        cloud.plugin_as_node().arg("--registry-mirror=contoso.azurecr.io:8443:contoso.azurecr.io");
    let run = cloud.run(plugin, &request("contoso.azurecr.io:8443/team/app"));
    let auth = run.response()["auth"].as_object().unwrap().clone();
    let keys: Vec<&str> = auth.keys().map(String::as_str).collect();
    assert_eq!(keys, [REGISTRY, "contoso.azurecr.io:8443"]);
    let password = auth["contoso.azurecr.io:8443"]["password"].as_str().unwrap();
    let user = auth["contoso.azurecr.io:8443"]["username"].as_str().unwrap();
    assert_eq!(cloud.known(REGISTRY, user, password).client_id, node.client_id);
    let exchange = cloud.azure.calls_to(Service::Exchange).pop().unwrap();
    assert_eq!(exchange.host, REGISTRY);
}

fn a_regional_login_server(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    cloud.change_registry(|registry| registry.in_region("eastus"));
    let regional = "contoso.eastus.geo.azurecr.io";
    let server = world.https(regional, cloud.azure.registries());
    cloud.keep(server);
    let (key, login) =
        cloud.login(cloud.plugin_as_node(), &request(&format!("{regional}/team/app")));
    assert_eq!((&*key, &*login.client_id), (regional, &*node.client_id));
}

fn a_data_endpoint_needs_no_login(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let image = "contoso.eastus.data.azurecr.io/team/app";
    let says = ["`contoso.eastus.data.azurecr.io` needs no login", "`matchImages`"];
    cloud.fails(cloud.plugin_as_node(), &request(image), 2, &says);
    assert_eq!(world.attempts(), before);
}

/// With every identity at hand, and with a mirror of another host.
fn a_stranger_gets_no_credentials_and_nobody_is_asked(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let before = world.attempts();
    for host in [
        "docker.io",
        "mcr.microsoft.com",
        "azurecr.io",
        "contoso.azurecr.de",
        "contoso.azurecr.io.evil.example",
        "evil.example/contoso.azurecr.io",
        "contoso-azurecr-io.evil.example",
        "contosoazurecr.io",
        "a.b.azurecr.io",
        "contoso.azurecr.io.azurecr.lol",
        "mirrored.example.evil.example",
        "10.0.0.1:5000",
    ] {
        let image = format!("{host}/team/app");
        for request in
            [request(&image), cloud.pod_request(&image, &ids), cloud.pod_request(&image, &[])]
        {
            let plugin = cloud
                .plugin_as_node()
                .arg(format!("--registry-mirror=mirrored.example:{REGISTRY}"))
                .arg("--anonymous-key");
            let response = cloud.run(plugin, &request).response();
            assert_eq!(response["auth"], json!({}), "{host}");
            assert_eq!(response["cacheDuration"], "0s", "{host}");
            assert_eq!(response["cacheKeyType"], "Image", "{host}");
        }
    }
    assert_eq!(world.attempts(), before);
}

fn an_image_that_is_none_is_refused(world: &World) {
    let cloud = Cloud::new(world);
    for image in ["", "contoso.azurecr.io@evil.example/x", "https://contoso.azurecr.io/x", "a b"] {
        assert_eq!(cloud.run(cloud.plugin_as_node(), &request(image)).code, Some(6), "{image}");
    }
}
