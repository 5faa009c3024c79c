//! Any registry: a token exchange by a profile of the operator's.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use pullpass_tests::fakes::vendors::{Canned, Client, Dialect, Grant, OAuth, Settings, Vendor};
use pullpass_tests::fixtures::fake::Fake;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::issuer::Issuer;
use pullpass_tests::jwt;
use pullpass_tests::plugin::{PluginCommand, PluginRun};
use pullpass_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ELSEWHERE, ISSUER};
use crate::ground::{FileInput, Ground, Reply, TokenService};

const PLUGIN: &str = "oidc-credential-provider";
const REGISTRY: &str = "registry.example";
const AUDIENCE: &str = "exchange.example";
const TOKEN: &str = "/token";

struct Exchange {
    vendor: Vendor,
    /// What was put in the place of a password, and when it ends.
    handed_out: RefCell<Vec<(String, i64)>>,
    _folder: TempDir,
}

pub(super) fn ground(world: &World) -> Ground<'_> {
    let issuer = Issuer::start_at(world.https_socket(ISSUER), world.client());
    let dialect = OAuth::new(Client::None { id: None }, Grant::token_exchange());
    let settings = Settings::new(Dialect::OAuth(dialect), &issuer, AUDIENCE);
    let vendor = Vendor::start_at(world.https_socket("sts.example"), settings);
    let folder = TempDir::new().unwrap();
    let file = |name: &str, on_missing: &str| {
        let profile = json!({
            "name": "test",
            "registries": [REGISTRY],
            "serviceAccountToken": {"audience": AUDIENCE, "onMissing": on_missing},
            "exchange": {"type": "tokenExchange", "endpoint": vendor.endpoint()},
        });
        let text = json!({
            "apiVersion": "pullpass.dev/v1alpha1",
            "kind": "OIDCExchangeConfig",
            "profiles": [profile],
        });
        let path = folder.path().join(name);
        fs::write(&path, text.to_string()).unwrap();
        path
    };
    let image = format!("{REGISTRY}/team/app");
    let plugin = world.plugin(PLUGIN).arg("--config");
    let config = FileInput {
        name: "--config",
        plugin: {
            let plugin = plugin.clone();
            Box::new(move |file: &Path| plugin.clone().arg(file))
        },
        request: request(&image),
    };
    let anonymous = plugin.clone().arg(file("anonymous.yaml", "empty"));
    Ground {
        world,
        plugin: plugin.arg(file("oidc.yaml", "fail")),
        registry: REGISTRY,
        audience: AUDIENCE.to_owned(),
        annotations: Vec::new(),
        issuer,
        files: vec![config],
        without_credentials: vec![(anonymous, request(&image))],
        service: Box::new(Exchange { vendor, handed_out: RefCell::default(), _folder: folder }),
    }
}

impl TokenService for Exchange {
    fn run(&self, plugin: &PluginCommand, request: &Value) -> PluginRun {
        Fake::run(&self.vendor, plugin, request)
    }

    fn answer(&self, reply: Reply) {
        let refusal = json!({
            "error": "invalid_grant",
            "error_description": "the subject is not allowed to do that",
        });
        self.vendor.always(
            TOKEN,
            Some(match reply {
                Reply::Refused => Canned::json(400, &refusal),
                Reply::Page => Canned::answer(200, "text/html", "<!doctype html><p>Sign in"),
                Reply::Redirect => Canned::redirect(ELSEWHERE),
                Reply::Unavailable => Canned::unavailable(),
                Reply::Late(delay) => Canned::late(delay),
            }),
        );
    }

    fn set_lifetime(&self, seconds: i64) {
        let password = jwt::random_text(30);
        let answer = json!({"access_token": password, "expires_in": seconds});
        self.handed_out.borrow_mut().push((password, jwt::now() + seconds));
        self.vendor.always(TOKEN, Some(Canned::json(200, &answer)));
    }

    fn end_of(&self, (_, _, password): &(String, String, String)) -> f64 {
        let handed_out = self.handed_out.borrow();
        let canned = handed_out.iter().find(|(known, _)| known == password).map(|(_, end)| *end);
        let passwords = self.vendor.passwords().into_iter();
        let minted = || passwords.rev().find(|known| known.value == *password);
        canned.or_else(|| minted().map(|known| known.expires)).expect("a password of here") as f64
    }
}
