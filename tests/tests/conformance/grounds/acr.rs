//! Azure Container Registry: the pod's application by Entra, then the registry.

use pullpass_tests::fakes::azure::{
    Azure, Canned, Cloud as AzureCloud, Expires, Federation, Identity, Registry, Service, Tenant,
    TokenAnswer,
};
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::Value;

use super::{ELSEWHERE, ISSUER};
use crate::ground::{FileInput, Ground, Reply, TokenService};

const PLUGIN: &str = "acr-credential-provider";
const REGISTRY: &str = "contoso.azurecr.io";

struct Cloud {
    azure: Azure,
    _servers: Vec<Server>,
}

pub(super) fn ground(world: &World) -> Ground<'_> {
    let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
    let azure = Azure::new(world.client());
    let tenant = azure.add_tenant(Tenant::new(AzureCloud::public()));
    let trusted = Federation::service_account(issuer.url(), "demo", "web", &tenant.cloud);
    let pod = azure.add_identity(Identity::application(&tenant, "web").federated(trusted));
    azure.add_registry(Registry::new(REGISTRY, &tenant).pull(&pod));
    let mut servers: Vec<Server> =
        tenant.cloud.authorities.iter().map(|host| world.https(host, azure.entra())).collect();
    servers.push(world.https(REGISTRY, azure.registries()));
    let image = format!("{REGISTRY}/team/app");
    let cloud_config = FileInput {
        name: "the cloud provider's configuration",
        plugin: {
            let plugin = world.plugin(PLUGIN);
            Box::new(move |file| plugin.clone().arg(file))
        },
        request: request(&image),
    };
    let anonymous = world.plugin(PLUGIN).arg("--without-token=anonymous");
    Ground {
        world,
        plugin: world.plugin(PLUGIN),
        registry: REGISTRY,
        audience: tenant.cloud.federation_audience.clone(),
        annotations: vec![
            ("kubernetes.azure.com/acr-client-id", pod.client_id),
            ("kubernetes.azure.com/acr-tenant-id", pod.tenant),
        ],
        issuer,
        service: Box::new(Cloud { azure, _servers: servers }),
        files: vec![cloud_config],
        without_credentials: vec![(anonymous, request(&image))],
    }
}

impl TokenService for Cloud {
    fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run(&self.azure, plugin, request)
    }

    fn answer(&self, reply: Reply) {
        self.azure.always(
            Service::Entra,
            Some(match reply {
                Reply::Refused => Canned::aadsts(700_213, "No matching federated identity record"),
                Reply::Page => Canned::answer(200, "text/html", "<!doctype html><p>Sign in"),
                Reply::Redirect => Canned::redirect(ELSEWHERE),
                Reply::Unavailable => Canned::unavailable(),
                Reply::Late(delay) => Canned::late(delay),
            }),
        );
    }

    fn set_lifetime(&self, seconds: i64) {
        let answer = TokenAnswer { expires: Expires::In(seconds), padding: 0 };
        self.azure.set_token_answer(Service::Exchange, answer);
    }

    fn end_of(&self, (_, _, password): &(String, String, String)) -> f64 {
        let logins = self.azure.logins().into_iter();
        let login = logins.rev().find(|login| login.password == *password);
        login.expect("a login of this registry's").expires as f64
    }
}
