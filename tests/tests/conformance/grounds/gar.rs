//! Google Artifact Registry: the pod's token at STS, by a workload identity pool.

use std::path::Path;

use pullpass_tests::fakes::google::{Canned, Expires, Google, Provider, Service, TokenAnswer};
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::server::Server;
use pullpass_tests::world::World;
use serde_json::Value;

use super::{ELSEWHERE, ISSUER};
use crate::ground::{FileInput, Ground, Reply, TokenService};

const PLUGIN: &str = "gar-credential-provider";
const REGISTRY: &str = "us-docker.pkg.dev";

struct Cloud {
    google: Google,
    _servers: Vec<Server>,
}

pub(super) fn ground(world: &World) -> Ground<'_> {
    let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
    let google = Google::new(world.client());
    let provider = google.add_provider(Provider::new("123456789012", "edge", "k3s", issuer.url()));
    google.add_reader(&provider.principal("demo", "web"));
    let servers = google.hosts().iter().map(|host| world.https(host, google.services())).collect();
    let image = format!("{REGISTRY}/team/app");
    let plugin = world.plugin(PLUGIN).arg("--workload-identity-provider").arg(provider.name());
    let credentials = FileInput {
        name: "--credentials",
        plugin: {
            let plugin = world.plugin(PLUGIN);
            Box::new(move |file: &Path| plugin.clone().arg("--credentials").arg(file))
        },
        request: request(&image),
    };
    let anonymous = plugin.clone().arg("--without-token=anonymous");
    Ground {
        world,
        plugin,
        registry: REGISTRY,
        audience: provider.token_audience(),
        annotations: Vec::new(),
        issuer,
        service: Box::new(Cloud { google, _servers: servers }),
        files: vec![credentials],
        without_credentials: vec![(anonymous, request(&image))],
    }
}

impl TokenService for Cloud {
    fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run(&self.google, plugin, request)
    }

    fn answer(&self, reply: Reply) {
        let message = "The given credential is rejected by the attribute condition.";
        self.google.always(
            Service::Sts,
            Some(match reply {
                Reply::Refused => Canned::error(Service::Sts, 400, "unauthorized_client", message),
                Reply::Page => Canned::answer(200, "text/html", "<!doctype html><p>Sign in"),
                Reply::Redirect => Canned::redirect(ELSEWHERE),
                Reply::Unavailable => Canned::unavailable(),
                Reply::Late(delay) => Canned::late(delay),
            }),
        );
    }

    fn set_lifetime(&self, seconds: i64) {
        let answer = TokenAnswer { expires: Expires::In(seconds), padding: 0 };
        self.google.set_token_answer(Service::Sts, answer);
    }

    fn end_of(&self, (_, _, password): &(String, String, String)) -> f64 {
        let tokens = self.google.tokens().into_iter();
        let token = tokens.rev().find(|token| token.value == *password);
        token.expect("a token of Google's").expires as f64
    }
}
