//! Azure Container Registry: by the node's managed identity, and by the pod's application.

use std::any::Any;

use pullpass_tests::fakes::azure::{
    AppService, Azure, Cloud, Federation, Identity, Machine, Registry, Tenant,
};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::server::Socket;
use pullpass_tests::tls::{TestCa, plain_client};
use serde_json::json;

use crate::cases::{Cases, request};

/// A login server is known by how its name ends, and a server on loopback has no name. So this
/// cloud's registries end as the address does.
const LOGIN_SERVER: &str = "127.0.0.1";
const SUFFIX: &str = "0.0.1";

/// Starts the servers and writes the cases.
pub(crate) fn start(cases: &Cases, ca: &TestCa) -> Box<dyn Any> {
    let issuer = Issuer::start(None);
    let azure = Azure::new(plain_client());
    let cloud = Cloud::custom(LOGIN_SERVER, SUFFIX);
    let tenant = azure.add_tenant(Tenant::new(cloud.clone()));
    let machine = azure.add_identity(Identity::system_assigned(&tenant, "node"));
    let federation = Federation::service_account(issuer.url(), "demo", "web", &cloud);
    let application = Identity::application(&tenant, "pull").federated(federation);
    let application = azure.add_identity(application);
    azure.add_registry(Registry::new(LOGIN_SERVER, &tenant).pull(&machine).pull(&application));

    let app = AppService::new(Machine::new().system(&machine));
    let header = app.header.clone();
    let managed = Socket::bind(None).serve(azure.app_service(app));
    let entra = Socket::bind(Some(ca)).serve(azure.entra_of(&cloud));
    let registry = Socket::bind(Some(ca)).serve(azure.registry(LOGIN_SERVER));

    let node = request(&format!("{}/team/app:1", registry.authority()));
    let mut pod = node.clone();
    pod["serviceAccountToken"] = issuer.token(&cloud.federation_audience).build().into();
    pod["serviceAccountAnnotations"] = json!({
        "kubernetes.azure.com/acr-client-id": application.client_id,
        "kubernetes.azure.com/acr-tenant-id": tenant.id,
    });

    let file = json!({"tenantId": tenant.id, "useManagedIdentityExtension": true});
    let file = cases.file("azure.json", &file.to_string());
    let port = registry.url().rsplit(':').next().unwrap_or_default();
    let arguments = [file.display().to_string(), format!("--registry-suffix={SUFFIX}:{port}")];
    // The bare program does not read `azure.json`.
    let tenant = ("AZURE_TENANT_ID", tenant.id);
    let endpoint = ("IDENTITY_ENDPOINT", AppService::endpoint(managed.url()));
    let identity = [tenant.clone(), endpoint, ("IDENTITY_HEADER", header)];
    cases.add("node-tls", &arguments, &identity, &node);
    let authority = ("AZURE_AUTHORITY_HOST", format!("{}/", entra.url()));
    cases.add("pod-tls", &arguments, &[tenant, authority], &pod);
    Box::new((issuer, managed, entra, registry))
}
