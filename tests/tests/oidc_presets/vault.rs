//! Vault and OpenBao: a login, and one read with what it gave.

use pullpass_tests::fakes::vendors::{Canned, Dialect, Engine, Vault, Vendor};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::check::Life;
use crate::fixture::{CONFIG, DENIED, Fixture, IMAGE, Pull, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_namespace_and_a_mount_of_ones_own),
        Trial::of(a_policy_may_not_let_it_be_read),
        Trial::of(fields_of_other_names),
    ]
}

const PLACE: &str = "vault.corp.example:8200";
const AUDIENCE: &str = "vault";

fn start<'g>(
    fixture: &'g Fixture<'_>,
    preset: &'static str,
    vault: Vault,
    path: &str,
) -> (Vendor, Pull<'g>) {
    let vendor = fixture.vendor(PLACE, Dialect::Vault(vault), AUDIENCE);
    let pull = fixture.pull(preset, IMAGE, AUDIENCE).set("audience", AUDIENCE);
    let pull = pull.set("address", "https://vault.corp.example:8200").set("role", "puller");
    (vendor, pull.set("registry", REGISTRY).set("path", path))
}

fn check(world: &World, preset: &'static str, engine: Engine, path: &str, life: Life) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = start(&fixture, preset, Vault::new("puller", engine), path);
    pull.logs_in_as_named(&vendor, REGISTRY, life);
    let paths = vendor.paths();
    assert_eq!(paths.len(), 2 * 4, "two calls for each of four runs");
    assert_eq!(paths[..2], ["/v1/auth/jwt/login".to_owned(), format!("/v1/{path}")]);
    let call = vendor.last_call();
    assert_eq!((&*call.method, call.header("x-vault-token")), ("GET", Some("(secret)")));

    // Vault says 400 where it does not know who asks.
    let says = [
        "v1/auth/jwt/login` refused the token exchange: HTTP 400",
        "says: error validating token:",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

pub(crate) fn kv(world: &World) {
    let engine = Engine::kv_v2("kv", "registry/puller");
    check(world, "vault-kv", engine, "kv/data/registry/puller", Life::Unsaid);
}

pub(crate) fn kv1(world: &World) {
    let engine = Engine::kv_v1("secret", "registry/puller");
    check(world, "vault-kv1", engine, "secret/registry/puller", Life::Unsaid);
}

pub(crate) fn artifactory(world: &World) {
    let engine =
        Engine::Artifactory { mount: "artifactory".to_owned(), what: "token/puller".to_owned() };
    check(world, "vault-artifactory", engine, "artifactory/token/puller", Life::Until);
}

pub(crate) fn harbor(world: &World) {
    let engine = Engine::Harbor { mount: "harbor".to_owned(), role: "puller".to_owned() };
    check(world, "vault-harbor", engine, "harbor/creds/puller", Life::Seconds);
}

fn a_namespace_and_a_mount_of_ones_own(world: &World) {
    let fixture = Fixture::new(world);
    let vault = Vault {
        auth_mount: "k8s/prod".to_owned(),
        namespace: Some("team/web".to_owned()),
        ..Vault::new("puller", Engine::kv_v2("kv", "registry"))
    };
    let (vendor, pull) = start(&fixture, "vault-kv", vault, "kv/data/registry");
    let pull = pull.set("mount", "k8s/prod");
    let named = pull.clone().set("namespace", "team/web");
    named.logs_in_as_named(&vendor, REGISTRY, Life::Unsaid);
    assert_eq!(vendor.paths()[..2], ["/v1/auth/k8s/prod/login", "/v1/kv/data/registry"]);
    for call in vendor.calls() {
        assert_eq!(call.header("x-vault-namespace"), Some("team/web"), "{}", call.path);
    }
    pull.is_refused(&vendor, DENIED, &["HTTP 403", "says: permission denied"]);
}

/// The login works, and what is asked for then is not for it.
fn a_policy_may_not_let_it_be_read(world: &World) {
    let fixture = Fixture::new(world);
    let vault = Vault::new("puller", Engine::kv_v2("kv", "registry"));
    let (vendor, pull) = start(&fixture, "vault-kv", vault, "kv/data/other");
    let says = ["v1/kv/data/other` refused", "HTTP 403", "says: permission denied"];
    pull.is_refused(&vendor, DENIED, &says);
    // A secret that was deleted is a 404 with what is left of it.
    let body = json!({"data": {"data": null, "metadata": {"destroyed": true}}});
    vendor.always("/v1/kv/data/other", Some(Canned::json(404, &body)));
    pull.fails_after_a_call(&vendor, CONFIG, &["HTTP 404", "`exchange.read`"]);
}

fn fields_of_other_names(world: &World) {
    let fixture = Fixture::new(world);
    let engine = Engine::KvV2 {
        mount: "kv".to_owned(),
        path: "registry".to_owned(),
        fields: ("login".to_owned(), "secret".to_owned()),
        user: "puller".to_owned(),
    };
    let (vendor, pull) =
        start(&fixture, "vault-kv", Vault::new("puller", engine), "kv/data/registry");
    pull.fails_after_a_call(&vendor, 5, &["without a string at `/data/data/password`"]);
    let pull = pull.over(json!({"response": {
        "username": {"pointer": "/data/data/login"},
        "password": {"pointer": "/data/data/secret"},
        "expiry": {"format": "fixed", "default": "10m"},
    }}));
    pull.logs_in_for(&vendor, REGISTRY, "puller", 540);
}
