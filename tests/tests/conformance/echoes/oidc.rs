//! OIDC: the form, the header or the JSON that a profile sends, and each form of refusal that
//! servers of the field have.

use std::fs;

use pullpass_tests::fakes::echo::{self, Echo};
use pullpass_tests::fixtures::requests::pod_request;
use pullpass_tests::world::World;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Build, Place, issuer};

pub(super) const PLACES: &[(&str, Build)] = &[
    ("oidc_oauth", |world| form(world, oauth)),
    ("oidc_errors", |world| form(world, errors)),
    ("oidc_detail", |world| form(world, detail)),
    ("oidc_message", |world| form(world, message)),
    ("oidc_status", |world| form(world, status)),
    ("oidc_text", |world| form(world, text)),
    ("oidc_page", |world| form(world, page)),
    ("oidc_client_secret", client_secret),
    ("oidc_basic", basic),
    ("oidc_json", in_json),
];

const PLUGIN: &str = "oidc-credential-provider";
const REGISTRY: &str = "registry.example";
const IMAGE: &str = "registry.example/team/app";
const AUDIENCE: &str = "exchange.example";
const ENDPOINT: &str = "https://sts.example/token";

fn oauth(code: &str, description: &str) -> (u16, &'static str, String) {
    let body = json!({"error": code, "error_description": description});
    (400, "application/json", body.to_string())
}

fn errors(code: &str, message: &str) -> (u16, &'static str, String) {
    let body = json!({"errors": [{"code": code, "message": message}, message]});
    (403, "application/json", body.to_string())
}

fn detail(code: &str, message: &str) -> (u16, &'static str, String) {
    (401, "application/json", json!({"detail": message, "title": code}).to_string())
}

fn message(code: &str, message: &str) -> (u16, &'static str, String) {
    (403, "application/json", json!({"code": code, "message": message}).to_string())
}

fn status(code: &str, message: &str) -> (u16, &'static str, String) {
    let body = json!({"error": {"code": 403, "message": message, "status": code}});
    (403, "application/json", body.to_string())
}

fn text(code: &str, message: &str) -> (u16, &'static str, String) {
    (400, "text/plain", [code, message].join(": "))
}

fn page(code: &str, message: &str) -> (u16, &'static str, String) {
    (403, "text/html", format!("<!doctype html><title>{code}</title><h1>{message}</h1>"))
}

/// A pod with a token, and a profile with this exchange; `files` are put next to it, as
/// `FOLDER/NAME` in the profile.
fn place(world: &World, echo: Echo, exchange: &Value, files: &[(&str, &str)]) -> Place {
    let issuer = issuer(world);
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let profile = json!({
        "name": "test",
        "registries": [REGISTRY],
        "serviceAccountToken": {"audience": AUDIENCE},
        "exchange": exchange,
    });
    let file = json!({
        "apiVersion": "pullpass.dev/v1alpha1",
        "kind": "OIDCExchangeConfig",
        "profiles": [profile],
    });
    let text = file.to_string().replace("FOLDER", folder.path().to_str().unwrap());
    let path = folder.path().join("oidc.yaml");
    fs::write(&path, text).unwrap();
    let server = world.https("sts.example", echo.router());
    let token = issuer.token(AUDIENCE).build();
    Place {
        plugin: world.plugin(PLUGIN).arg("--config").arg(path),
        request: pod_request(IMAGE, &token, &[]),
        echo,
        _held: vec![Box::new(server), Box::new(issuer), Box::new(folder)],
    }
}

fn form(world: &World, refusal: echo::Refusal) -> Place {
    let exchange = json!({"type": "tokenExchange", "endpoint": ENDPOINT});
    place(world, Echo::new(echo::Place::Form("subject_token"), refusal), &exchange, &[])
}

fn client_secret(world: &World) -> Place {
    let client = json!({"method": "post", "clientId": "me", "secretFile": "FOLDER/secret"});
    let exchange = json!({"type": "tokenExchange", "endpoint": ENDPOINT, "clientAuth": client});
    let echo = Echo::new(echo::Place::Form("client_secret"), oauth);
    place(world, echo, &exchange, &[("secret", "Qx8~T7.hPz_4vJ2-nL9wRkEo1uYb6sGd3mCfAi0q")])
}

fn basic(world: &World) -> Place {
    let basic = json!({"user": "corp+puller", "password": "${sa.token}"});
    let step = json!({"url": ENDPOINT, "auth": {"basic": basic}});
    let exchange = json!({"type": "http", "steps": [step]});
    place(world, Echo::new(echo::Place::Password, oauth), &exchange, &[])
}

fn in_json(world: &World) -> Place {
    let step = json!({"url": ENDPOINT, "json": {"jwt": "${sa.token}", "role": "web"}});
    let exchange = json!({"type": "http", "steps": [step]});
    place(world, Echo::new(echo::Place::Json("jwt"), errors), &exchange, &[])
}
