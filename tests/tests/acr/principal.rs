//! The node's identity as a service principal, and `azure.json` as it is found on nodes.

use pullpass_tests::fakes::azure::{ClientCertificate, Identity, Service};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, IMAGE, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_secret_goes_to_entra_and_nowhere_else),
        Trial::of(a_certificate_signs_an_assertion),
        Trial::of(a_token_file_is_an_assertion),
        Trial::of(the_kubelet_gets_the_secret_where_the_operator_says_so),
        Trial::of(options_name_the_node_whatever_the_file_says),
        Trial::of(azure_json_in_every_form),
        Trial::of(azure_json_that_is_none),
        Trial::of(two_identities_at_once_are_none),
        Trial::of(a_principal_needs_all_of_its_parts),
        Trial::of(files_that_cannot_be_read_are_named),
    ]
}

const SECRET: &str = "Qx8~the-secret_of.contoso/+=&%";

fn application(cloud: &Cloud<'_>) -> Identity {
    cloud.allow(Identity::application(&cloud.tenant, "node").client_secret(SECRET))
}

fn a_secret_goes_to_entra_and_nowhere_else(world: &World) {
    let cloud = Cloud::new(world);
    let node = application(&cloud);
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": SECRET,
    });
    let by_file = cloud.plugin().arg(cloud.azure_json(&fields));
    // An editor leaves a line break at the end.
    let secret = cloud.file("secret", format!("{SECRET}\n"));
    let by_option = cloud
        .plugin()
        .arg(format!("--tenant-id={}", cloud.tenant.id))
        .arg(format!("--client-id={}", node.client_id))
        .arg("--client-secret-file")
        .arg(secret);
    for plugin in [by_file, by_option] {
        cloud.logs_in_as(&node, plugin.clone(), &request(IMAGE));
        let run = cloud.run(plugin, &request(IMAGE));
        assert!(!String::from_utf8(run.stdout).unwrap().contains(SECRET));
        let calls = cloud.azure.calls();
        let last: Vec<Service> = calls.iter().rev().take(2).map(|call| call.service).collect();
        assert_eq!(last, [Service::Exchange, Service::Entra]);
        assert_eq!(calls.last().unwrap().field("tenant"), Some(&*cloud.tenant.id));
    }
    for call in cloud.azure.calls_to(Service::Entra) {
        assert_eq!(call.path, format!("/{}/oauth2/v2.0/token", cloud.tenant.id));
        assert_eq!(call.field("grant_type"), Some("client_credentials"));
        assert_eq!(call.field("scope"), Some("https://containerregistry.azure.net/.default"));
    }
}

fn a_certificate_signs_an_assertion(world: &World) {
    let cloud = Cloud::new(world);
    let certificate = ClientCertificate::generate();
    let node = Identity::application(&cloud.tenant, "node").certificate(&certificate);
    let node = cloud.allow(node);
    let (key, public) = (certificate.key_pem(), certificate.certificate_pem());
    for pem in [format!("{public}{key}"), format!("{key}{public}")] {
        let file = cloud.file("node.pem", pem);
        let fields = json!({
            "tenantId": cloud.tenant.id,
            "aadClientId": node.client_id,
            "aadClientCertPath": file,
        });
        cloud.logs_in_as(&node, cloud.plugin().arg(cloud.azure_json(&fields)), &request(IMAGE));
        let plugin = cloud
            .plugin()
            .env("AZURE_TENANT_ID", &cloud.tenant.id)
            .env("AZURE_CLIENT_ID", &node.client_id)
            .arg("--client-certificate")
            .arg(file);
        cloud.logs_in_as(&node, plugin, &request(IMAGE));
    }
    // A certificate for other registries's, and one that is over.
    for other in [ClientCertificate::generate(), ClientCertificate::expired()] {
        let file = cloud.file("other.pem", other.key_pem() + &other.certificate_pem());
        let plugin = cloud
            .plugin()
            .arg(format!("--tenant-id={}", cloud.tenant.id))
            .arg(format!("--client-id={}", node.client_id))
            .arg("--client-certificate")
            .arg(file);
        cloud.fails(
            plugin,
            &request(IMAGE),
            3,
            &["AADSTS700027", "or the certificate of the application"],
        );
    }
}

fn a_token_file_is_an_assertion(world: &World) {
    let cloud = Cloud::new(world);
    let node = Identity::application(&cloud.tenant, "node");
    let node = cloud.allow(node.federated(cloud.federation("kube-system", "node")));
    let audience = &cloud.tenant.cloud.federation_audience;
    let token = cloud.issuer.token(audience).service_account("kube-system", "node").build();
    let file = cloud.file("token", format!("{token}\n"));
    let plugin = cloud
        .plugin()
        .secret("token of the node", &token)
        .env("AZURE_TENANT_ID", &cloud.tenant.id)
        .env("AZURE_CLIENT_ID", &node.client_id)
        .arg("--token-file")
        .arg(&file);
    cloud.logs_in_as(&node, plugin, &request(IMAGE));
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadFederatedTokenFile": file,
        "useFederatedWorkloadIdentityExtension": true,
    });
    let plugin = cloud.plugin().arg(cloud.azure_json(&fields));
    cloud.logs_in_as(&node, plugin.secret("token of the node", &token), &request(IMAGE));
    let fields = json!({"tenantId": cloud.tenant.id, "aadClientId": node.client_id});
    let plugin = cloud.plugin().arg(cloud.azure_json(&fields));
    let plugin = plugin.secret("token of the node", &token).env("AZURE_FEDERATED_TOKEN_FILE", file);
    cloud.logs_in_as(&node, plugin, &request(IMAGE));
}

fn the_kubelet_gets_the_secret_where_the_operator_says_so(world: &World) {
    let cloud = Cloud::new(world);
    let node = application(&cloud);
    let fields = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": SECRET,
    });
    let plugin = || cloud.plugin().arg(cloud.azure_json(&fields)).arg("--static-service-principal");
    let before = world.attempts();
    let run = cloud.run(plugin(), &request(IMAGE));
    let login = (REGISTRY.to_owned(), node.client_id.clone(), SECRET.to_owned());
    assert_eq!(run.login(), login);
    assert_eq!(run.response()["cacheDuration"], "1h0m0s");
    assert_eq!(world.attempts(), before, "nobody is asked");
    assert!(cloud.azure.accepts(REGISTRY, &node.client_id, SECRET).is_none(), "not minted");
    // A switch that has no effect, or allows more than another one does, is not ignored.
    let says = ["cannot be combined", "`args`"];
    cloud.fails(plugin().arg("--repository-scope"), &request(IMAGE), 2, &says);
    let managed = cloud.plugin_as_node().arg("--static-service-principal");
    cloud.fails(managed, &request(IMAGE), 2, &["needs a service principal with a secret"]);
    // The runtime may show a mirrored image's login to the source.
    let mirrored = plugin().arg(format!("--registry-mirror=docker.io:{REGISTRY}"));
    cloud.fails(mirrored, &request("docker.io/a"), 2, &["cannot be used for a mirrored host"]);
    // Not for a stranger, and not for a cloud that was closed.
    for image in ["docker.io/library/busybox", "contoso.azurecr.de/team/app"] {
        let run = cloud.run(plugin(), &request(image));
        assert_eq!(run.response()["auth"], json!({}), "{image}");
    }
}

fn options_name_the_node_whatever_the_file_says(world: &World) {
    let mut cloud = Cloud::new(world);
    let machine = cloud.node();
    let node = application(&cloud);
    let principal = json!({
        "tenantId": cloud.tenant.id,
        "aadClientId": node.client_id,
        "aadClientSecret": SECRET,
    });
    let plugin = cloud.plugin_as_node().arg(cloud.azure_json(&principal));
    cloud.logs_in_as(&machine, plugin, &request(IMAGE));
    let managed = json!({"tenantId": cloud.tenant.id, "useManagedIdentityExtension": true});
    let plugin = cloud
        .plugin()
        .arg(cloud.azure_json(&managed))
        .arg(format!("--client-id={}", node.client_id))
        .arg("--client-secret-file")
        .arg(cloud.file("secret", SECRET));
    cloud.logs_in_as(&node, plugin, &request(IMAGE));
}

fn azure_json_in_every_form(world: &World) {
    let mut cloud = Cloud::new(world);
    let node = cloud.node();
    let tenant = cloud.tenant.id.clone();
    for text in [
        format!(
            r#"{{"cloud":"AzurePublicCloud","tenantId":"{tenant}","useManagedIdentityExtension":true,"userAssignedIdentityID":"","vmType":"vmss","routeTableName":null}}"#
        ),
        format!(
            "cloud: AzureCloud\ntenantId: {tenant}\nuseManagedIdentityExtension: true\nloadBalancers: [a, {{b: 1}}]\n"
        ),
        format!("\u{feff}{{\"TenantID\":\"{tenant}\",\"USEMANAGEDIDENTITYEXTENSION\":\"true\"}}"),
        format!("# nodes\r\ntenantid: '{tenant}'\r\nusemanagedidentityextension: True\r\n"),
        // Both: the managed identity is used, as in the Go plugin.
        format!(
            r#"{{"tenantId":"{tenant}","aadClientId":"msi","aadClientSecret":"msi","useManagedIdentityExtension":true}}"#
        ),
    ] {
        let plugin = cloud.plugin().arg(cloud.file("azure.json", &text));
        cloud.logs_in_as(&node, plugin, &request(IMAGE));
        let calls = cloud.azure.calls_to(Service::Exchange);
        assert_eq!(calls.last().unwrap().field("tenant"), Some(&*tenant), "{text}");
    }
}

fn azure_json_that_is_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let hunter = "hunter2-of-the-operator";
    for (text, says) in [
        ("random-config".to_owned(), "azure.json` has no fields"),
        ("{invalid json".to_owned(), "azure.json` is neither JSON (line 1) nor YAML"),
        ("[]".to_owned(), "azure.json` has no fields"),
        (String::new(), "azure.json` has no fields"),
        (format!(r#"{{"aadClientSecret": ["{hunter}"]}}"#), "`aadClientSecret` in"),
        (format!("aadClientSecret: {hunter}\n  x: [\n"), "azure.json` is neither JSON"),
        (r#"{"useManagedIdentityExtension": 1}"#.to_owned(), "is not true or false"),
        ("{}".to_owned(), "the node has no identity"),
    ] {
        let plugin = cloud.plugin().arg(cloud.file("azure.json", &text)).secret("secret", hunter);
        cloud.fails(plugin, &request(IMAGE), 2, &[says, "azure.json`"]);
    }
    for path in ["/nowhere/azure.json", "/etc"] {
        cloud.fails(cloud.plugin().arg(path), &request(IMAGE), 2, &[path, "`azure.json`"]);
    }
    assert_eq!(world.attempts(), before);
}

fn two_identities_at_once_are_none(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for [one, other] in [
        ["managed-identity=system", "client-secret-file=/x"],
        ["managed-identity=system", "client-certificate=/x"],
        ["client-secret-file=/x", "client-certificate=/x"],
        ["client-certificate=/x", "token-file=/x"],
    ] {
        let plugin = cloud.plugin().arg(format!("--{one}")).arg(format!("--{other}"));
        let says = ["cannot be combined", "hint: the node has one identity"];
        cloud.fails(plugin.arg("--client-id=0f0e"), &request(IMAGE), 2, &says);
    }
    assert_eq!(world.attempts(), before);
}

fn a_principal_needs_all_of_its_parts(world: &World) {
    let cloud = Cloud::new(world);
    let secret = cloud.file("secret", SECRET);
    let with_secret = || cloud.plugin().arg("--client-secret-file").arg(&secret);
    let before = world.attempts();
    let says = ["`--client-secret-file` needs `--client-id`"];
    cloud.fails(with_secret(), &request(IMAGE), 2, &says);
    let says = ["the service principal has no tenant", "`tenantId` in `azure.json`"];
    cloud.fails(with_secret().arg("--client-id=0f0e"), &request(IMAGE), 2, &says);
    let plugin = cloud.plugin().arg("--client-id=0f0e").arg("--tenant-id=0f0e");
    cloud.fails(plugin, &request(IMAGE), 2, &["the node has no identity"]);
    assert_eq!(world.attempts(), before);
}

fn files_that_cannot_be_read_are_named(world: &World) {
    let cloud = Cloud::new(world);
    let empty = cloud.file("empty", "\n").display().to_string();
    let key_alone = cloud.file("key.pem", ClientCertificate::generate().key_pem());
    let key_alone = key_alone.display().to_string();
    let before = world.attempts();
    for (option, path, says) in [
        ("client-secret-file", "/nowhere/secret", "a file with the secret only"),
        ("client-secret-file", &empty, "is empty"),
        ("client-certificate", "/nowhere/pem", "both in PEM"),
        ("client-certificate", &empty, "both in PEM"),
        ("client-certificate", &key_alone, "has no certificate"),
        ("token-file", "/nowhere/token", "a token of an issuer that the application trusts"),
        ("token-file", &empty, "is empty"),
    ] {
        let plugin = cloud.plugin().arg("--client-id=0f0e").arg("--tenant-id=0f0e");
        let plugin = plugin.arg(format!("--{option}")).arg(path);
        cloud.fails(plugin, &request(IMAGE), 2, &[path, says]);
    }
    assert_eq!(world.attempts(), before);
}
