//! The test cases of cloud-provider-azure's `acr-credential-provider`, row by row, and what differs
//! on purpose. Rows that are elsewhere:
//!
//! | the Go tree's rows | here |
//! |---|---|
//! | flags of identity bindings | `binding::flags_that_do_not_fit_are_refused` |
//! | the challenge, and its header's parser | `backends/acr/src/challenge.rs`, `faults::here` |
//! | the exchange's 404 | `faults::Exchange::not_found` |
//! | images and login servers | `backends/acr/src/registry.rs`, `hosts`, and below |
//! | mirrors | `backends/acr/src/mirror.rs`, `pod`, `defects::d8…`, and below |
//! | tokens of identity bindings | `binding` |
//! | annotations | `pod::a_pod_without_annotations_never_becomes_the_node` |

use pullpass_tests::fakes::azure::{Canned, Identity, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{CLIENT_ID, Cloud, IMAGE, REGISTRY, TENANT_ID};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_wire),
        Trial::of(login_servers),
        Trial::of(configurations),
        Trial::of(the_choice_of_identity),
        Trial::of(identity_bindings_without_a_token),
        Trial::of(the_anonymous_key),
        Trial::of(a_service_principal),
    ]
}

const NULL_GUID: &str = "00000000-0000-0000-0000-000000000000";

fn keys(run: &PluginRun) -> Vec<String> {
    run.response()["auth"].as_object().unwrap().keys().cloned().collect()
}

fn the_wire(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let token = json!({"refresh_token": "token"});
    cloud.azure.always(Service::Exchange, Some(Canned::json(200, &token)));
    let run = cloud.run(cloud.plugin_as_node(), &request(IMAGE));
    // Differs: a token that does not say when it ends is not kept.
    let expected = format!(
        "{{\"kind\":\"CredentialProviderResponse\",\
         \"apiVersion\":\"credentialprovider.kubelet.k8s.io/v1\",\"cacheKeyType\":\"Registry\",\
         \"cacheDuration\":\"0s\",\
         \"auth\":{{\"{REGISTRY}\":{{\"username\":\"{NULL_GUID}\",\"password\":\"token\"}}}}}}\n"
    );
    assert_eq!(String::from_utf8(run.stdout).unwrap(), expected);
    for (field, value) in
        [("kind", "CredentialProviderFoo"), ("apiVersion", "foo.k8s.io/v1"), ("image", "")]
    {
        let mut request = request(IMAGE);
        request[field] = value.into();
        let run = cloud.run(cloud.plugin_as_node(), &request);
        assert_eq!(run.code, Some(6), "{field}");
        // Differs: the error is one line, and no usage follows it.
        assert!(run.stderr.lines().count() <= 3 && !run.stderr.contains("Usage"), "{}", run.stderr);
    }
}

/// The images of the peer's table, of which none exists: what is asked is told by who is missing.
fn login_servers(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let plugin =
        || cloud.plugin_as_node().arg("--registry-suffix=.azurecr.my.cloud").arg("--timeout=2s");
    for (image, server) in [
        ("invalidImage", None),
        ("docker.io/library/busybox:latest", None),
        ("docker/foo.azurecr.io/bar/image:version", None),
        ("foo.azurecr.io/bar/image:version", Some("foo.azurecr.io")),
        // Differs: that cloud was closed in 2021.
        ("foo.azurecr.de/bar/image:version", None),
        ("foo.azurecr.my.cloud/bar/image:version", Some("foo.azurecr.my.cloud")),
        ("foo.azurecr.io/foo.azurecr.cn/bar/image:version", Some("foo.azurecr.io")),
        ("foo.azurecr.io", Some("foo.azurecr.io")),
        ("foo.azurecr.io.example/bar/image:version", None),
        ("foo.azurecr.io.azurecr.cn/bar/image:version", None),
        ("foo-azurecr-io.azurecr.cn/bar/image:version", None),
    ] {
        let run = cloud.run_once(&plugin(), &request(image));
        match server {
            None => assert_eq!(keys(&run), Vec::<String>::new(), "{image}"),
            Some(server) => {
                assert_eq!(run.code, Some(7), "{image}: {}", run.stderr);
                assert!(run.error().contains(&format!("the registry `{server}`")), "{image}");
            }
        }
    }
    // Differs: a registry of another cloud than the node's is a mistake, and said to be one.
    for host in ["foo.azurecr.cn", "foo.azurecr.us"] {
        let run = cloud.run_once(&plugin(), &request(&format!("{host}/bar/image:version")));
        assert_eq!(run.code, Some(2), "{host}: {}", run.stderr);
    }
}

fn configurations(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    for text in ["random-config", "{invalid json"] {
        let plugin = cloud.plugin().arg(cloud.file("azure.json", text));
        cloud.fails(plugin, &request(IMAGE), 2, &["azure.json`"]);
    }
    let managed = json!({"tenantId": cloud.tenant.id, "useManagedIdentityExtension": true});
    let plugin = || cloud.plugin().arg(cloud.azure_json(&managed));
    assert_eq!(keys(&cloud.run(plugin(), &request("busybox"))), Vec::<String>::new());
    cloud.logs_in_as(&node, plugin(), &request(IMAGE));
}

fn the_choice_of_identity(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    // The tenant alone, and a token with both annotations.
    let file = cloud.azure_json(&json!({"tenantId": cloud.tenant.id}));
    cloud.logs_in_as(&pod, cloud.plugin().arg(&file), &cloud.request_of(&pod));
    // A map of mirrors does not matter for an image that is on none.
    let plugin = || {
        let plugin = cloud.plugin_as_node();
        plugin.arg(format!("--registry-mirror=mcr.microsoft.com:{REGISTRY}"))
    };
    cloud.logs_in_as(&pod, plugin(), &cloud.request_of(&pod));
    let run = cloud.run(plugin(), &cloud.pod_request("docker.io/library/busybox", &ids));
    assert_eq!(keys(&run), Vec::<String>::new());
    // Differs: an image that is not on an Azure registry is answered, whatever the annotations are.
    let run = cloud.run(plugin(), &cloud.pod_request("docker.io/library/busybox", &[]));
    assert_eq!(keys(&run), Vec::<String>::new());
}

fn identity_bindings_without_a_token(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = || {
        cloud
            .plugin_as_node()
            .arg("--ib-sni-name=api.example.com")
            .arg("--ib-apiserver-ip=10.0.0.1")
            .arg(format!("--registry-mirror=mcr.microsoft.com:{REGISTRY}"))
    };
    // A direct image, and one of the mirror's target.
    for image in ["foo.azurecr.io/bar/image:version", IMAGE] {
        cloud.fails(plugin(), &request(image), 4, &["identity bindings need a service account"]);
    }
    // Differs: the Go plugin fails for images of strangers too.
    let run = cloud.run(plugin(), &request("docker.io/library/busybox"));
    assert_eq!(keys(&run), Vec::<String>::new());
}

/// Differs: the Go plugin adds the key always, here it is asked for.
fn the_anonymous_key(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    assert_eq!(keys(&cloud.run(cloud.plugin_as_node(), &request(IMAGE))), [REGISTRY]);
    let response = cloud.run(cloud.plugin_as_node().arg("--anonymous-key"), &request(IMAGE));
    assert_eq!(keys(&response), ["*.azurecr.*", REGISTRY]);
    let anonymous = &response.response()["auth"]["*.azurecr.*"];
    assert_eq!(*anonymous, json!({"username": "", "password": ""}));
}

/// Differs: the Go plugin returns the secret under four domains of registries, any of which
/// may belong to someone else.
fn a_service_principal(world: &World) {
    let cloud = Cloud::new(world);
    let secret = "bar-the-secret";
    let node = Identity::application(&cloud.tenant, "foo").client_secret(secret);
    let node = cloud.allow(node);
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": secret,
    });
    let plugin = || cloud.plugin().arg(cloud.azure_json(&fields)).secret("secret", secret);
    cloud.logs_in_as(&node, plugin(), &request(IMAGE));
    let run = cloud.run(plugin().arg("--static-service-principal"), &request(IMAGE));
    assert_eq!(run.login(), (REGISTRY.to_owned(), node.client_id, secret.to_owned()));
}
