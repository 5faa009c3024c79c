//! Identity providers for an operator's own registry: Dex, Keycloak in two ways, Entra.

use pullpass_tests::fakes::vendors::{
    Client, Dex, Dialect, Entra, KeycloakClientAssertion, KeycloakJwtGrant, Vendor,
};
use pullpass_tests::world::{Trial, World};

use crate::check::Life;
use crate::fixture::{CONFIG, DENIED, Fixture, IMAGE, Pull, REGISTRY};

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
fn confidential<'g>(fixture: &'g Fixture<'_>, pull: Pull<'g>, secret: &str) -> Pull<'g> {
    let file = fixture.file("secret", &format!("{secret}\n"));
    let pull = pull.set("registry", REGISTRY).set("clientId", "node");
    pull.set("secretFile", file.to_str().unwrap())
}

fn at_dex<'g>(fixture: &'g Fixture<'_>, connector: &str) -> (Vendor, Pull<'g>) {
    let dialect = Dialect::Dex(Dex::new(client(), "k8s"));
    let vendor = fixture.vendor(DEX, dialect, DEX_ISSUER);
    let pull = fixture.pull("dex", IMAGE, DEX_ISSUER).set("issuer", DEX_ISSUER);
    (vendor, confidential(fixture, pull.set("connector", connector), SECRET))
}

pub(crate) fn dex(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_dex(&fixture, "k8s");
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

    let says = ["HTTP 401 access_denied", "hint: check that the server trusts"];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn dex_knows_its_client_and_its_connector(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_dex(&fixture, "other");
    let says = ["invalid_request", "says: Requested connector does not exist."];
    pull.clone().is_refused(&vendor, DENIED, &says);
    fixture.file("secret", "another secret");
    let says = [
        "HTTP 401 invalid_client",
        "says: Invalid client credentials.",
        "hint: check `exchange.clientAuth`",
    ];
    pull.is_refused(&vendor, CONFIG, &says);
}

fn at_keycloak<'g>(fixture: &'g Fixture<'_>) -> (Vendor, Pull<'g>) {
    let dialect = KeycloakClientAssertion::new("corp", "puller");
    let vendor = fixture.vendor(SSO, Dialect::KeycloakClientAssertion(dialect), "");
    assert_eq!(vendor.audience(), REALM);
    let pull = fixture.pull("keycloak", IMAGE, REALM).set("issuer", REALM);
    (vendor, pull.set("registry", REGISTRY))
}

pub(crate) fn keycloak(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_keycloak(&fixture);
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
        "HTTP 401 invalid_client",
        "says: Invalid client or Invalid client credentials",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn keycloaks_client_may_want_a_scope(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_keycloak(&fixture);
    let pull = pull.set("scope", "registry pull").set("username", "keycloak");
    pull.logs_in(&vendor, REGISTRY, "keycloak", Life::Until);
    assert_eq!(vendor.last_call().field("scope"), Some("registry pull"));
}

fn at_keycloaks_grant<'g>(
    fixture: &'g Fixture<'_>,
    change: impl FnOnce(&mut KeycloakJwtGrant),
) -> (Vendor, Pull<'g>) {
    let mut dialect = KeycloakJwtGrant::new("corp", client());
    change(&mut dialect);
    let vendor = fixture.vendor(SSO, Dialect::KeycloakJwtGrant(dialect), "");
    let pull = fixture.pull("keycloak-grant", IMAGE, REALM).set("issuer", REALM);
    (vendor, confidential(fixture, pull, SECRET))
}

pub(crate) fn keycloak_grant(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_keycloaks_grant(&fixture, |_| {});
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let call = vendor.last_call();
    assert_eq!(call.path, "/realms/corp/protocol/openid-connect/token");
    assert_eq!(call.field_names(), ["grant_type", "assertion"]);
    assert_eq!(call.authorization.as_deref(), Some("Basic"));

    let says = [
        "HTTP 400 invalid_grant",
        "says: Invalid JWT assertion",
        "hint: check that the server trusts",
    ];
    pull.clone().by_a_stranger().is_refused(&vendor, DENIED, &says);
    // Keycloak's own limit, five minutes, is raised by its administrator or it takes none.
    let says = ["invalid_grant", "says: Token expiration is too far in the future"];
    pull.with_lifetime(7200).is_refused(&vendor, DENIED, &says);
}

/// The kubelet may offer the same token again, and Keycloak says that it has seen it.
fn keycloak_takes_a_grant_once(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_keycloaks_grant(&fixture, |_| {});
    let token = fixture.issuer.token(REALM).build();
    let pull = pull.with_token(token);
    assert_eq!(pull.run_from_file().code, Some(0));
    let says = ["invalid_grant", "says: Token reuse detected"];
    let before = vendor.count();
    pull.is_refused(&vendor, DENIED, &says);
    assert_eq!(vendor.count() - before, 4, "once for each of four runs, and not again");
}

const TENANT: &str = "6babcaad-604b-40ac-a9d7-9fd97c0b779f";
const ENTRA_AUDIENCE: &str = "api://AzureADTokenExchange";

fn at_entra<'g>(fixture: &'g Fixture<'_>, client_id: &str, scope: &str) -> (Vendor, Pull<'g>) {
    let dialect = Dialect::Entra(Entra::new(TENANT, "app-1", "api://registry/.default"));
    let vendor = fixture.vendor("login.microsoftonline.com", dialect, ENTRA_AUDIENCE);
    let pull = fixture.pull("entra", IMAGE, ENTRA_AUDIENCE).set("registry", REGISTRY);
    (vendor, pull.set("tenant", TENANT).set("clientId", client_id).set("scope", scope))
}

pub(crate) fn entra(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_entra(&fixture, "app-1", "api://registry/.default");
    pull.logs_in(&vendor, REGISTRY, "token", Life::Until);
    let call = vendor.last_call();
    assert_eq!(call.host, "login.microsoftonline.com");
    assert_eq!(call.path, format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(call.field("grant_type"), Some("client_credentials"));

    let says = [
        "HTTP 401 invalid_client",
        "says: AADSTS700213: No matching federated identity record found for \
         presented assertion subject.",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn entras_other_refusals(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = at_entra(&fixture, "app-2", "api://registry/.default");
    let says = ["unauthorized_client", "says: AADSTS700016: Application was not found"];
    pull.is_refused(&vendor, DENIED, &says);
    let pull = fixture.pull("entra", IMAGE, ENTRA_AUDIENCE).set("registry", REGISTRY);
    let pull = pull.set("tenant", TENANT).set("clientId", "app-1").set("scope", "api://other");
    let says = ["invalid_scope", "says: AADSTS70011", "hint: check `exchange`"];
    pull.is_refused(&vendor, CONFIG, &says);
}
