//! Identity providers before a registry of one's own: Dex, Keycloak in two ways, Entra.

use pullpass_tests::fakes::vendors::{
    Client, Dex, Dialect, Entra, KeycloakClientAssertion, KeycloakJwtGrant, Vendor,
};
use pullpass_tests::world::{Trial, World};

use crate::check::Life;
use crate::ground::{CONFIG, DENIED, Ground, IMAGE, Pull, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(dex_knows_its_client_and_its_connector),
        Trial::of(keycloaks_client_may_want_a_scope),
        Trial::of(keycloak_takes_a_grant_once),
        Trial::of(entras_other_refusals),
    ]
}

const SECRET: &str = "a secret/of the+client";
const DEX: &str = "dex.corp.example:5556";
const DEX_ISSUER: &str = "https://dex.corp.example:5556/dex";
const SSO: &str = "sso.corp.example:8443";
const REALM: &str = "https://sso.corp.example:8443/realms/corp";

fn client() -> Client {
    Client::Basic { id: "node".to_owned(), secret: SECRET.to_owned() }
}

/// With the file of a client's secret.
fn confidential<'g>(ground: &'g Ground<'_>, pull: Pull<'g>, secret: &str) -> Pull<'g> {
    let file = ground.file("secret", &format!("{secret}\n"));
    let pull = pull.set("registry", REGISTRY).set("clientId", "node");
    pull.set("secretFile", file.to_str().unwrap())
}

fn at_dex<'g>(ground: &'g Ground<'_>, connector: &str) -> (Vendor, Pull<'g>) {
    let dialect = Dialect::Dex(Dex::new(client(), "k8s"));
    let vendor = ground.vendor(DEX, dialect, DEX_ISSUER);
    let pull = ground.pull("dex", IMAGE, DEX_ISSUER).set("issuer", DEX_ISSUER);
    (vendor, confidential(ground, pull.set("connector", connector), SECRET))
}

pub(crate) fn dex(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_dex(&ground, "k8s");
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let cached = pull.cached_seconds();
    assert!((86_090..=86_100).contains(&cached), "a day less five minutes, not {cached} s");
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), (DEX, "/dex/token"));
    assert_eq!(call.field("connector_id"), Some("k8s"));
    assert_eq!(call.field("scope"), Some("openid"));
    assert_eq!(call.authorization.as_deref(), Some("Basic"));
    let pull = pull.set("requestedTokenType", "id_token").set("username", "dex");
    pull.logs_in(&vendor, REGISTRY, "dex", Life::Until);

    let says =
        ["with status 401", "caused by: access_denied", "hint: check that the server trusts"];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn dex_knows_its_client_and_its_connector(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_dex(&ground, "other");
    let says = ["caused by: invalid_request: Requested connector does not exist."];
    pull.clone().is_refused(&vendor, DENIED, &says);
    ground.file("secret", "another secret");
    let says = [
        "with status 401",
        "caused by: invalid_client: Invalid client credentials.",
        "hint: check `exchange.clientAuth`",
    ];
    pull.is_refused(&vendor, CONFIG, &says);
}

fn at_keycloak<'g>(ground: &'g Ground<'_>) -> (Vendor, Pull<'g>) {
    let dialect = KeycloakClientAssertion::new("corp", "puller");
    let vendor = ground.vendor(SSO, Dialect::KeycloakClientAssertion(dialect), "");
    assert_eq!(vendor.audience(), REALM);
    let pull = ground.pull("keycloak", IMAGE, REALM).set("issuer", REALM);
    (vendor, pull.set("registry", REGISTRY))
}

pub(crate) fn keycloak(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_keycloak(&ground);
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let cached = pull.cached_seconds();
    assert!((267..=270).contains(&cached), "five minutes less a tenth, not {cached} s");
    let call = vendor.last_call();
    assert_eq!(call.path, "/realms/corp/protocol/openid-connect/token");
    assert_eq!(
        call.field_names(),
        ["grant_type", "client_assertion_type", "client_assertion"],
        "the node has no secret, and the token says whose it is"
    );

    let says = [
        "with status 401",
        "caused by: invalid_client: Invalid client or Invalid client credentials",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn keycloaks_client_may_want_a_scope(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_keycloak(&ground);
    let pull = pull.set("scope", "registry pull").set("username", "keycloak");
    pull.logs_in(&vendor, REGISTRY, "keycloak", Life::Until);
    assert_eq!(vendor.last_call().field("scope"), Some("registry pull"));
}

fn at_keycloaks_grant<'g>(
    ground: &'g Ground<'_>,
    change: impl FnOnce(&mut KeycloakJwtGrant),
) -> (Vendor, Pull<'g>) {
    let mut dialect = KeycloakJwtGrant::new("corp", client());
    change(&mut dialect);
    let vendor = ground.vendor(SSO, Dialect::KeycloakJwtGrant(dialect), "");
    let pull = ground.pull("keycloak-grant", IMAGE, REALM).set("issuer", REALM);
    (vendor, confidential(ground, pull, SECRET))
}

pub(crate) fn keycloak_grant(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_keycloaks_grant(&ground, |_| {});
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let call = vendor.last_call();
    assert_eq!(call.path, "/realms/corp/protocol/openid-connect/token");
    assert_eq!(call.field_names(), ["grant_type", "assertion"]);
    assert_eq!(call.authorization.as_deref(), Some("Basic"));

    let says = [
        "with status 400",
        "caused by: invalid_grant: Invalid JWT assertion",
        "hint: check that the server trusts",
    ];
    pull.clone().by_a_stranger().is_refused(&vendor, DENIED, &says);
    // Keycloak's own limit, five minutes, is raised by its administrator or it takes none.
    let says = ["caused by: invalid_grant: Token expiration is too far in the future"];
    pull.with_lifetime(7200).is_refused(&vendor, DENIED, &says);
}

/// The kubelet may offer the same token again, and Keycloak says that it has seen it.
fn keycloak_takes_a_grant_once(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_keycloaks_grant(&ground, |_| {});
    let token = ground.issuer.token(REALM).build();
    let pull = pull.with_token(token);
    assert_eq!(pull.run_from_file().code, Some(0));
    let says = ["caused by: invalid_grant: Token reuse detected"];
    let before = vendor.count();
    pull.is_refused(&vendor, DENIED, &says);
    assert_eq!(vendor.count() - before, 4, "once for each of four runs, and not again");
}

const TENANT: &str = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
const ENTRA_AUDIENCE: &str = "api://AzureADTokenExchange";

fn at_entra<'g>(ground: &'g Ground<'_>, client_id: &str, scope: &str) -> (Vendor, Pull<'g>) {
    let dialect = Dialect::Entra(Entra::new(TENANT, "app-1", "api://registry/.default"));
    let vendor = ground.vendor("login.microsoftonline.com", dialect, ENTRA_AUDIENCE);
    let pull = ground.pull("entra", IMAGE, ENTRA_AUDIENCE).set("registry", REGISTRY);
    (vendor, pull.set("tenant", TENANT).set("clientId", client_id).set("scope", scope))
}

pub(crate) fn entra(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_entra(&ground, "app-1", "api://registry/.default");
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let call = vendor.last_call();
    assert_eq!(call.host, "login.microsoftonline.com");
    assert_eq!(call.path, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(call.field("grant_type"), Some("client_credentials"));

    let says = [
        "with status 401",
        "caused by: invalid_client: AADSTS700213: No matching federated identity record found for \
         presented assertion subject.",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn entras_other_refusals(world: &World) {
    let ground = Ground::new(world);
    let (vendor, pull) = at_entra(&ground, "app-2", "api://registry/.default");
    let says = ["caused by: unauthorized_client: AADSTS700016: Application was not found"];
    pull.is_refused(&vendor, DENIED, &says);
    let pull = ground.pull("entra", IMAGE, ENTRA_AUDIENCE).set("registry", REGISTRY);
    let pull = pull.set("tenant", TENANT).set("clientId", "app-1").set("scope", "api://other");
    let says = ["caused by: invalid_scope: AADSTS70011", "hint: check `exchange`"];
    pull.is_refused(&vendor, CONFIG, &says);
}
