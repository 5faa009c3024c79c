//! Custom clouds: where Entra is, and how registries end.

use axum::routing::get;
use axum::{Json, Router};
use pullpass_tests::fakes::azure::Cloud as AzureCloud;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{CLIENT_ID, Cloud, TENANT_ID};
use crate::hosts::principal;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_custom_cloud_by_options),
        Trial::of(a_custom_cloud_on_a_port_of_its_own),
        Trial::of(a_custom_cloud_by_its_description),
        Trial::of(a_custom_cloud_by_its_resource_manager),
        Trial::of(a_resource_manager_that_is_no_help),
    ]
}

const AUTHORITY: &str = "login.my.cloud";
const CUSTOM: &str = "contoso.azurecr.my.cloud";

fn custom(world: &World) -> Cloud<'_> {
    Cloud::of(world, AzureCloud::custom(AUTHORITY, "azurecr.my.cloud"), CUSTOM)
}

fn a_custom_cloud_by_options(world: &World) {
    let cloud = custom(world);
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let request = cloud.pod_request(&format!("{CUSTOM}/team/app"), &ids);
    let suffix = "--registry-suffix=azurecr.my.cloud";
    let authority = format!("https://{AUTHORITY}/");
    for plugin in [
        cloud.plugin().arg(format!("--authority-host=https://{AUTHORITY}")),
        cloud.plugin().arg("--authority-host").arg(&authority),
        cloud.plugin().env("AZURE_AUTHORITY_HOST", &authority),
    ] {
        let (key, login) = cloud.login(plugin.arg(suffix), &request);
        assert_eq!((&*key, &*login.client_id), (CUSTOM, &*pod.client_id));
    }
    let before = world.attempts();
    for (plugin, says) in [
        (cloud.plugin().arg(suffix).arg("--authority-host=http://login.my.cloud"), "`https://`"),
        (cloud.plugin().arg("--registry-suffix=cloud"), "has no valid registry suffix"),
        (cloud.plugin().arg("--registry-suffix=azurecr..cloud"), "has no valid registry suffix"),
    ] {
        cloud.fails(plugin, &request, 2, &[says]);
    }
    // Without the suffix it is a stranger.
    let run = cloud.run(cloud.plugin(), &request);
    assert_eq!(run.response()["auth"], json!({}));
    assert_eq!(world.attempts(), before);
}

/// The operator names the port with the ending.
fn a_custom_cloud_on_a_port_of_its_own(world: &World) {
    let mut cloud = custom(world);
    cloud.keep(world.https(&format!("{CUSTOM}:8443"), cloud.azure.registries()));
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let plugin = || {
        let plugin = cloud.plugin().arg(format!("--authority-host=https://{AUTHORITY}"));
        plugin.arg("--registry-suffix=azurecr.my.cloud:8443")
    };
    let host = format!("{CUSTOM}:8443");
    let request = cloud.pod_request(&format!("{host}/team/app"), &ids);
    let (key, user, password) = cloud.run(plugin(), &request).login();
    assert_eq!(key, host);
    assert_eq!(cloud.known(CUSTOM, &user, &password).client_id, pod.client_id);
    for other in [CUSTOM.to_owned(), format!("{CUSTOM}:443"), format!("{CUSTOM}:80")] {
        let request = cloud.pod_request(&format!("{other}/team/app"), &ids);
        cloud.fails(plugin(), &request, 2, &["is not the HTTPS port of an ACR registry"]);
    }
}

/// As on Azure Stack Hub.
fn a_custom_cloud_by_its_description(world: &World) {
    let cloud = custom(world);
    let (node, mut fields) = principal(&cloud);
    fields["cloud"] = "AzureStackCloud".into();
    let described = json!({
        "name": "AzureStackCloud",
        "activeDirectoryEndpoint": format!("https://{AUTHORITY}/"),
        "containerRegistryDNSSuffix": "azurecr.my.cloud",
    });
    let description = cloud.file("environment.json", described.to_string());
    let plugin = || cloud.plugin().arg(cloud.azure_json(&fields));
    let request = request(&format!("{CUSTOM}/team/app"));
    let described = plugin().env("AZURE_ENVIRONMENT_FILEPATH", &description);
    let (key, login) = cloud.login(described, &request);
    assert_eq!((&*key, &*login.client_id), (CUSTOM, &*node.client_id));
    let broken = cloud.file("broken.json", "{");
    for file in ["/nowhere/environment.json", broken.to_str().unwrap()] {
        let plugin = plugin().env("AZURE_ENVIRONMENT_FILEPATH", file);
        cloud.fails(plugin, &request, 2, &["`AZURE_ENVIRONMENT_FILEPATH` names the JSON file"]);
    }
}

fn a_custom_cloud_by_its_resource_manager(world: &World) {
    let mut cloud = custom(world);
    let (node, mut fields) = principal(&cloud);
    let other = |name: &str, authority: &str| {
        json!({
            "name": name,
            "authentication": {"loginEndpoint": authority, "audiences": ["https://x"]},
            "suffixes": {"acrLoginServer": "azurecr.my.cloud", "storage": "my.cloud"},
        })
    };
    let metadata = json!([
        other("MyCloud", &format!("https://{AUTHORITY}/")),
        other("Other", "https://login.evil.example/"),
    ]);
    let router = Router::new().route("/metadata/endpoints", get(async || Json(metadata)));
    let server = world.https("management.my.cloud", router);
    cloud.keep(server);
    fields["resourceManagerEndpoint"] = "https://management.my.cloud/".into();
    let request = request(&format!("{CUSTOM}/team/app"));
    for name in [Some("MyCloud"), Some("MYCLOUD"), None] {
        fields["cloud"] = name.into();
        let (key, login) = cloud.login(cloud.plugin().arg(cloud.azure_json(&fields)), &request);
        assert_eq!((&*key, &*login.client_id), (CUSTOM, &*node.client_id), "{name:?}");
    }
    fields["cloud"] = "Third".into();
    let plugin = cloud.plugin().arg(cloud.azure_json(&fields));
    let says =
        ["does not describe the configured cloud", "`resourceManagerEndpoint` in `azure.json`"];
    cloud.fails(plugin, &request, 2, &says);
}

fn a_resource_manager_that_is_no_help(world: &World) {
    let cloud = custom(world);
    let (_, mut fields) = principal(&cloud);
    fields["cloud"] = "MyCloud".into();
    fields["resourceManagerEndpoint"] = "https://management.my.cloud".into();
    let plugin = || cloud.plugin().arg(cloud.azure_json(&fields));
    let request = request(&format!("{CUSTOM}/team/app"));
    for (router, code, says) in [
        (Router::new(), 5, "`https://management.my.cloud/metadata/endpoints` answered 404"),
        (
            Router::new().route("/metadata/endpoints", get(async || Json(json!({"ok": true})))),
            5,
            "JSON of an unexpected shape",
        ),
        (
            Router::new().route("/metadata/endpoints", get(async || "<!doctype html>")),
            5,
            "HTML, not JSON",
        ),
    ] {
        let server = world.https("management.my.cloud", router);
        cloud.fails(plugin(), &request, code, &[says]);
        drop(server);
    }
    cloud.fails(plugin(), &request, 7, &["cannot connect to `https://management.my.cloud/"]);
}
