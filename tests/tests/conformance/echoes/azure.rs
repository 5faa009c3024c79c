//! ACR: Entra for a pod's assertion and a principal's secret, the registry for what Entra gave.

use std::fs;

use pullpass_tests::fakes::azure::{Azure, Cloud, Federation, Identity, Registry, Tenant};
use pullpass_tests::fakes::echo::{self, Echo};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::world::World;
use serde_json::json;
use tempfile::TempDir;

use super::{Build, Place, issuer};

pub(super) const PLACES: &[(&str, Build)] = &[
    ("acr_assertion", assertion),
    ("acr_client_secret", client_secret),
    ("acr_access_token", access_token),
];

const PLUGIN: &str = "acr-credential-provider";
const REGISTRY: &str = "contoso.azurecr.io";
const IMAGE: &str = "contoso.azurecr.io/team/app";

fn entra(code: &str, description: &str) -> (u16, &'static str, String) {
    let body = json!({
        "error": code,
        "error_description": description,
        "error_codes": [700_213],
        "trace_id": code,
        "correlation_id": description,
    });
    (400, "application/json", body.to_string())
}

fn registry(code: &str, message: &str) -> (u16, &'static str, String) {
    let body = json!({"errors": [{"code": code, "message": message, "detail": message}]});
    (401, "application/json", body.to_string())
}

fn assertion(world: &World) -> Place {
    let issuer = issuer(world);
    let tenant = Tenant::new(Cloud::public());
    let token = issuer.token(&tenant.cloud.federation_audience).build();
    let echo = Echo::new(echo::Place::Form("client_assertion"), entra);
    let server = world.https(&tenant.cloud.authorities[0], echo.router());
    let annotations = [
        ("kubernetes.azure.com/acr-client-id", "a1b2c3d4-0000-4444-8888-123456789abc"),
        ("kubernetes.azure.com/acr-tenant-id", &*tenant.id),
    ];
    Place {
        plugin: world.plugin(PLUGIN),
        request: pod_request(IMAGE, &token, &annotations),
        echo,
        _held: vec![Box::new(server), Box::new(issuer)],
    }
}

fn client_secret(world: &World) -> Place {
    let tenant = Tenant::new(Cloud::public());
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("azure.json");
    let fields = json!({
        "tenantId": tenant.id,
        "aadClientId": "a1b2c3d4-0000-4444-8888-123456789abc",
        "aadClientSecret": "Qx8~T7.hPz_4vJ2-nL9wRkEo1uYb6sGd3mCfAi0q",
    });
    fs::write(&file, fields.to_string()).unwrap();
    let echo = Echo::new(echo::Place::Form("client_secret"), entra);
    let server = world.https(&tenant.cloud.authorities[0], echo.router());
    Place {
        plugin: world.plugin(PLUGIN).arg(file),
        request: request(IMAGE),
        echo,
        _held: vec![Box::new(server), Box::new(folder)],
    }
}

fn access_token(world: &World) -> Place {
    let issuer = issuer(world);
    let azure = Azure::new(world.client());
    let tenant = azure.add_tenant(Tenant::new(Cloud::public()));
    let trusted = Federation::service_account(issuer.url(), "demo", "web", &tenant.cloud);
    let pod = azure.add_identity(Identity::application(&tenant, "web").federated(trusted));
    azure.add_registry(Registry::new(REGISTRY, &tenant).pull(&pod));
    let entra = world.https(&tenant.cloud.authorities[0], azure.entra());
    let echo = Echo::new(echo::Place::Form("access_token"), registry);
    let server = world.https(REGISTRY, echo.router());
    let token = issuer.token(&tenant.cloud.federation_audience).build();
    let annotations = [
        ("kubernetes.azure.com/acr-client-id", &*pod.client_id),
        ("kubernetes.azure.com/acr-tenant-id", &*pod.tenant),
    ];
    Place {
        plugin: world.plugin(PLUGIN),
        request: pod_request(IMAGE, &token, &annotations),
        echo,
        _held: vec![Box::new(server), Box::new(entra), Box::new(issuer)],
    }
}
