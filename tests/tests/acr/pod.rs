//! The pod's identity: its token for an application that trusts it.

use pullpass_tests::fakes::azure::{Cloud as AzureCloud, Identity, Service, Tenant};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{AUDIENCE, CLIENT_ID, Cloud, IMAGE, REGISTRY, SUBJECT, TENANT_ID};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::of(the_annotations_name_application_and_tenant),
        Trial::of(the_operator_names_what_no_annotation_does),
        Trial::of(an_application_of_another_tenant),
        Trial::of(a_token_that_the_application_does_not_trust_is_refused),
        Trial::of(a_token_that_is_none_is_refused_here),
        Trial::of(a_pod_without_annotations_never_becomes_the_node),
        Trial::of(a_pod_that_entra_refuses_never_becomes_the_node),
        Trial::of(a_token_in_an_old_version_of_the_protocol_is_refused),
        Trial::of(without_a_token_the_node_pulls),
        Trial::of(without_a_token_as_the_operator_says),
        Trial::of(a_mirrored_image_is_the_nodes_whatever_the_token),
        Trial::of(an_image_of_the_mirror_itself_is_the_pods),
    ];
    let clouds = [
        (AzureCloud::public(), None, "contoso.azurecr.io"),
        (AzureCloud::government(), Some("AzureUSGovernment"), "contoso.azurecr.us"),
        (AzureCloud::china(), Some("AzureChinaCloud"), "contoso.azurecr.cn"),
    ];
    for (cloud, name, registry) in clouds {
        let title = format!("pod::in_the_cloud_of::{registry}");
        trials.push(Trial::new(title, move |world| {
            in_the_cloud(world, &cloud, name, registry);
        }));
    }
    trials
}

fn in_the_cloud(world: &World, azure: &AzureCloud, name: Option<&str>, registry: &str) {
    let cloud = Cloud::of(world, azure.clone(), registry);
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let request = cloud.pod_request(&format!("{registry}/team/app"), &ids);
    let plugin = || match name {
        Some(name) => cloud.plugin().arg(format!("--cloud={name}")),
        None => cloud.plugin(),
    };
    let (key, login) = cloud.login(plugin(), &request);
    assert_eq!((&*key, &*login.client_id), (registry, &*pod.client_id));
    let asked = cloud.azure.calls_to(Service::Entra);
    assert!(asked.iter().all(|call| call.host == azure.authorities[0]), "{asked:?}");
    // Another cloud's audience is not what the application trusts.
    let token = cloud.issuer.token("api://AzureADTokenExchangeElsewhere").build();
    let request = pod_request(&format!("{registry}/team/app"), &token, &ids);
    let says = format!(
        "or set `tokenAttributes.serviceAccountTokenAudience` to `{}`, which Entra expects",
        azure.federation_audience
    );
    cloud.fails(plugin(), &request, 3, &["AADSTS700212", &says]);
}

fn the_annotations_name_application_and_tenant(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    cloud.logs_in_as(&pod, cloud.plugin_as_node(), &cloud.request_of(&pod));
    let calls = cloud.azure.calls();
    let services: Vec<Service> = calls.iter().map(|call| call.service).collect();
    assert_eq!(services, [Service::Entra, Service::Exchange, Service::Entra, Service::Exchange]);
    let (entra, exchange) = (&calls[0], &calls[1]);
    assert_eq!(entra.path, format!("/{}/oauth2/v2.0/token", pod.tenant));
    assert_eq!(entra.subject.as_deref(), Some(SUBJECT));
    assert_eq!(entra.field("client_id"), Some(&*pod.client_id));
    assert_eq!(entra.field("scope"), Some("https://containerregistry.azure.net/.default"));
    assert_eq!(exchange.field("tenant"), Some(&*pod.tenant));
    assert_eq!(exchange.field("service"), Some(REGISTRY));
}

fn the_operator_names_what_no_annotation_does(world: &World) {
    let cloud = Cloud::new(world);
    let (pod, other) = (cloud.pod(), cloud.pod());
    let file = cloud.azure_json(&json!({"tenantId": cloud.tenant.id}));
    let client = [(CLIENT_ID, &*pod.client_id)];
    // The client by annotation, the tenant by file, option, variable.
    for plugin in [
        cloud.plugin().arg(&file),
        cloud.plugin().arg("--tenant-id").arg(&cloud.tenant.id),
        cloud.plugin().env("AZURE_TENANT_ID", &cloud.tenant.id),
        cloud.plugin().arg("--tenant-id").arg(&cloud.tenant.domain),
    ] {
        cloud.logs_in_as(&pod, plugin, &cloud.pod_request(IMAGE, &client));
    }
    let plugin = || cloud.plugin().arg(&file).arg("--pod-client-id").arg(&other.client_id);
    cloud.logs_in_as(&other, plugin(), &cloud.pod_request(IMAGE, &[]));
    cloud.logs_in_as(&pod, plugin(), &cloud.pod_request(IMAGE, &client));
    // The node's own principal is not the pods'.
    let plugin = cloud.plugin().arg(&file).env("AZURE_CLIENT_ID", &other.client_id);
    let says = ["annotation `kubernetes.azure.com/acr-client-id` is missing", "--pod-client-id"];
    cloud.fails(plugin, &cloud.pod_request(IMAGE, &[]), 4, &says);
}

/// The exchange gets the tenant that the token is from, not the node's.
fn an_application_of_another_tenant(world: &World) {
    let cloud = Cloud::new(world);
    let home = cloud.azure.add_tenant(Tenant::new(AzureCloud::public()));
    let pod = Identity::application(&home, "web").installed_in(&cloud.tenant);
    let pod = cloud.allow(pod.federated(cloud.federation("demo", "web")));
    let node = cloud.azure_json(&json!({"tenantId": home.id}));
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*cloud.tenant.id)];
    cloud.logs_in_as(&pod, cloud.plugin().arg(&node), &cloud.pod_request(IMAGE, &ids));
    let calls = cloud.azure.calls_to(Service::Exchange);
    assert!(calls.iter().all(|call| call.field("tenant") == Some(&*cloud.tenant.id)));
    // At home its token is in order, and opens no registry of another tenant's.
    let says =
        ["401 UNAUTHORIZED", "assign the role AcrPull on `contoso.azurecr.io` to the identity"];
    cloud.fails(cloud.plugin(), &cloud.request_of(&pod), 3, &says);
}

fn a_token_that_the_application_does_not_trust_is_refused(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    let token = || cloud.issuer.token(AUDIENCE);
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    for (token, code, says) in [
        (token().issued_by("https://other.example").build(), "AADSTS700211", "exactly: issuer"),
        (cloud.issuer.token("other.example").build(), "AADSTS700212", "audience `other.example`"),
        (
            token().service_account("demo", "other").build(),
            "AADSTS700213",
            "subject `system:serviceaccount:demo:other`",
        ),
        (token().service_account("demo", "WEB").build(), "AADSTS7002138", "exactly: issuer"),
        (token().forged().build(), "AADSTS50013", "cannot verify the signature"),
        (token().signed_by_stranger().build(), "AADSTS7000272", "cannot verify the signature"),
    ] {
        let run = cloud.run(cloud.plugin(), &pod_request(IMAGE, &token, &ids));
        checks::fails(&run, 3, &[code, says, "(correlation ID "]);
        let error = format!(
            "no credentials for `{IMAGE}`: Entra at `login.microsoftonline.com` refused the pod \
             as application `{}` of tenant `{}`: HTTP 401 {code} invalid_client",
            pod.client_id, pod.tenant
        );
        assert_eq!(run.error(), error);
    }
    assert_eq!(cloud.count(Service::Exchange), 0);
    assert_eq!(cloud.count(Service::Entra), 12, "two runs each, one call each");
}

fn a_token_that_is_none_is_refused_here(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    let before = world.attempts();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    for (token, code, says) in [
        (cloud.issuer.token(AUDIENCE).expired().build(), 4, "the service account token expired"),
        (
            cloud.issuer.token("https://kubernetes.default.svc").build(),
            4,
            "the Kubernetes API server may accept the service account token",
        ),
        (cloud.issuer.token(cloud.issuer.url()).build(), 4, "is not sent to another server"),
        ("DEADBEEF=".to_owned(), 6, "`serviceAccountToken` is not a signed JWT"),
        (String::new(), 6, "`serviceAccountToken`"),
    ] {
        cloud.fails(cloud.plugin(), &pod_request(IMAGE, &token, &ids), code, &[says]);
    }
    assert_eq!(world.attempts(), before);
}

fn a_pod_without_annotations_never_becomes_the_node(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let file = cloud.azure_json(&json!({"useManagedIdentityExtension": true}));
    let before = world.attempts();
    let (client, tenant) = (&*pod.client_id, &*pod.tenant);
    for (annotations, says) in [
        (&[][..], "annotation `kubernetes.azure.com/acr-client-id` is missing on `system:"),
        (&[(CLIENT_ID, client)], "annotation `kubernetes.azure.com/acr-tenant-id` is missing on"),
        (&[(TENANT_ID, tenant)], "annotation `kubernetes.azure.com/acr-client-id` is missing on"),
        (&[(CLIENT_ID, ""), (TENANT_ID, tenant)], "acr-client-id` is empty"),
        (&[(CLIENT_ID, client), (TENANT_ID, "")], "acr-tenant-id` is empty"),
        (&[(CLIENT_ID, "a b"), (TENANT_ID, tenant)], "acr-client-id` is not an ID"),
        (&[(CLIENT_ID, client), (TENANT_ID, "../x")], "acr-tenant-id` is not an ID"),
        (&[(CLIENT_ID, client), (TENANT_ID, "a/b")], "acr-tenant-id` is not an ID"),
    ] {
        let request = cloud.pod_request(IMAGE, annotations);
        for plugin in [cloud.plugin().arg(&file), cloud.plugin_as_node()] {
            cloud.fails(plugin.arg("--without-token=node"), &request, 4, &[says]);
        }
    }
    assert_eq!(world.attempts(), before);
}

fn a_pod_that_entra_refuses_never_becomes_the_node(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.azure.add_identity(Identity::application(&cloud.tenant, "web"));
    let says = ["refused the pod as", "AADSTS70025", SUBJECT, AUDIENCE, cloud.issuer.url()];
    cloud.fails(cloud.plugin_as_node(), &cloud.request_of(&pod), 3, &says);
    assert_eq!(cloud.count(Service::Imds), 0);
    assert_eq!(cloud.count(Service::Exchange), 0);
}

fn a_token_in_an_old_version_of_the_protocol_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let mut request = cloud.request_of(&pod);
    request["apiVersion"] = "credentialprovider.kubelet.k8s.io/v1beta1".into();
    let before = world.attempts();
    assert_eq!(cloud.run(cloud.plugin_as_node(), &request).code, Some(6));
    assert_eq!(world.attempts(), before);
}

fn without_a_token_the_node_pulls(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    cloud.logs_in_as(&node, cloud.plugin_as_node(), &request(IMAGE));
    let says = ["the node has no identity", "`azure.json`", "`tokenAttributes`"];
    cloud.fails(cloud.plugin(), &request(IMAGE), 2, &says);
}

fn without_a_token_as_the_operator_says(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let plugin = |how: &str| cloud.plugin_as_node().arg(format!("--without-token={how}"));
    cloud.logs_in_as(&node, plugin("node"), &request(IMAGE));
    let before = world.attempts();
    let run = cloud.run(plugin("anonymous"), &request(IMAGE));
    assert_eq!(run.response()["auth"], json!({}));
    assert_eq!(run.response()["cacheDuration"], "0s");
    let says = [
        "the request has no service account token, and `--without-token` is `refuse`",
        "`serviceAccountTokenAudience: api://AzureADTokenExchange`",
    ];
    cloud.fails(plugin("refuse"), &request(IMAGE), 4, &says);
    cloud.fails(plugin("sometimes"), &request(IMAGE), 2, &["use `node`, `anonymous` or `refuse`"]);
    assert_eq!(world.attempts(), before);
    // It says nothing of requests that have one.
    let pod = cloud.pod();
    for how in ["anonymous", "refuse"] {
        cloud.logs_in_as(&pod, plugin(how), &cloud.request_of(&pod));
    }
}

fn a_mirrored_image_is_the_nodes_whatever_the_token(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let pod = cloud.pod();
    let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, &*pod.tenant)];
    let plugin = || {
        let plugin = cloud.plugin_as_node();
        plugin.arg(format!(
            "--registry-mirror=mcr.microsoft.com:{REGISTRY},localhost:5000:{REGISTRY}"
        ))
    };
    for (host, image) in
        [("mcr.microsoft.com", "mcr.microsoft.com/pause"), ("localhost:5000", "localhost:5000/a")]
    {
        for request in
            [request(image), cloud.pod_request(image, &ids), cloud.pod_request(image, &[])]
        {
            let response = cloud.run(plugin(), &request).response();
            let auth = response["auth"].as_object().unwrap();
            assert_eq!(auth.keys().collect::<Vec<_>>().len(), 2);
            assert_eq!(auth[host], auth[REGISTRY], "the same login under both hosts");
            let field = |name: &str| auth[host][name].as_str().unwrap();
            let login = cloud.known(REGISTRY, field("username"), field("password"));
            assert_eq!(login.client_id, node.client_id);
        }
    }
    assert_eq!(cloud.count(Service::Entra), 0);
}

fn an_image_of_the_mirror_itself_is_the_pods(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let plugin = cloud.plugin_as_node().arg("-r").arg(format!("mcr.microsoft.com:{REGISTRY}"));
    cloud.logs_in_as(&pod, plugin, &cloud.request_of(&pod));
    assert_eq!(cloud.count(Service::Imds), 0);
}
