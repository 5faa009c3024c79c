//! The node's identity on an Arc-enabled server: who can read the agent's key may have a token.

use std::fs;

use pullpass_tests::fakes::azure::{
    ArcAgent, Canned, Identity, KeyFile, Machine, Service, UserAssigned,
};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, NO_PROXY_AT_ALL};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_servers_own_identity),
        Trial::of(the_agent_is_found_by_its_program),
        Trial::of(a_user_assigned_identity_that_the_agent_confirms),
        Trial::of(a_token_that_the_agent_does_not_confirm_is_refused),
        Trial::of(an_identity_that_the_server_does_not_have),
        Trial::of(a_key_file_that_is_not_the_agents_is_never_read),
        Trial::of(an_agent_that_answers_oddly),
    ]
}

const TOKENS: &str = "/var/opt/azcmagent/tokens";
const AGENT: &str = "127.0.0.1:40342";
const TOKEN_URL: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";

/// A server with an identity of its own and another one that it was given; both may pull.
struct Site<'w> {
    cloud: Cloud<'w>,
    own: Identity,
    user: Identity,
}

impl<'w> Site<'w> {
    fn new(world: &'w World) -> Self {
        let mut cloud = Cloud::new(world);
        let own = cloud.allow(Identity::system_assigned(&cloud.tenant, "server"));
        let user = cloud.allow(Identity::user_assigned(&cloud.tenant, "pull"));
        let tokens = world.folder(TOKENS);
        let agent = ArcAgent::new(Machine::new().system(&own).user(&user), &tokens);
        let server = world.http(AGENT, cloud.azure.arc(agent));
        cloud.keep(server);
        Self { cloud, own, user }
    }

    /// With the variables that the agent's installer sets.
    fn plugin(&self, identity: &str) -> PluginCommand {
        self.cloud
            .plugin()
            .arg(format!("--managed-identity={identity}"))
            .env("IDENTITY_ENDPOINT", TOKEN_URL)
            .env("IMDS_ENDPOINT", "http://127.0.0.1:40342")
    }
}

fn the_servers_own_identity(world: &World) {
    let site = Site::new(world);
    let plugin = site.plugin("system").env("HTTP_PROXY", NO_PROXY_AT_ALL);
    site.cloud.logs_in_as(&site.own, plugin, &request(IMAGE));
    let calls = site.cloud.azure.calls_to(Service::Arc);
    let authorized: Vec<bool> = calls.iter().map(|call| call.authorization).collect();
    assert_eq!(authorized, [false, true, false, true], "two runs, two calls each");
    assert_eq!(calls[0].field("api-version"), Some("2020-06-01"));
    assert_eq!(site.cloud.count(Service::Imds), 0);
}

/// Without the variables, as the kubelet's environment mostly is.
fn the_agent_is_found_by_its_program(world: &World) {
    let site = Site::new(world);
    fs::write(world.folder("/opt/azcmagent/bin").join("himds"), "").unwrap();
    site.cloud.logs_in_as(&site.own, site.cloud.plugin_as_node(), &request(IMAGE));
}

fn a_user_assigned_identity_that_the_agent_confirms(world: &World) {
    let site = Site::new(world);
    let resource_id = site.user.resource_id.clone().unwrap();
    let object_id = format!("object:{}", site.user.object_id);
    for id in [&site.user.client_id, &object_id, &resource_id] {
        site.cloud.logs_in_as(&site.user, site.plugin(id), &request(IMAGE));
    }
}

/// An old agent returns the server's own identity when another one is requested.
fn a_token_that_the_agent_does_not_confirm_is_refused(world: &World) {
    let site = Site::new(world);
    for (kind, port) in [(UserAssigned::Ignored, 1), (UserAssigned::Confused, 2)] {
        // Another agent beside the first, which is in order.
        let tokens = TOKENS.as_ref();
        let machine = Machine::new().system(&site.own).user(&site.user);
        let agent = ArcAgent::new(machine, tokens).user_assigned(kind);
        let server = world.http(&format!("127.0.0.1:4000{port}"), site.cloud.azure.arc(agent));
        let url = format!("{}/metadata/identity/oauth2/token", server.url());
        let exchanged = site.cloud.count(Service::Exchange);
        let plugin = site.plugin(&site.user.client_id).env("IDENTITY_ENDPOINT", &url);
        let run = site.cloud.fails(plugin, &request(IMAGE), 5, &["hint: an old agent returns"]);
        let says = format!("identity of client ID `{}`", site.user.client_id);
        assert!(run.error().contains("did not confirm that the token is for"), "{}", run.stderr);
        assert!(run.error().contains(&says), "{}", run.stderr);
        assert_eq!(site.cloud.count(Service::Exchange), exchanged);
        let plugin = site.plugin("system").env("IDENTITY_ENDPOINT", &url);
        site.cloud.logs_in_as(&site.own, plugin, &request(IMAGE));
    }
}

fn an_identity_that_the_server_does_not_have(world: &World) {
    let site = Site::new(world);
    let stranger = Identity::user_assigned(&site.cloud.tenant, "elsewhere");
    let says = ["the Arc agent refused the node", "HTTP 404", "Identity not found", "assign it"];
    site.cloud.fails(site.plugin(&stranger.client_id), &request(IMAGE), 4, &says);
    assert_eq!(site.cloud.count(Service::Arc), 2, "two runs, one call each");
}

fn a_key_file_that_is_not_the_agents_is_never_read(world: &World) {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("server.key"), "the private key of somebody").unwrap();
    let private = elsewhere.path().join("server.key").display().to_string();
    let site = Site::new(world);
    let up = format!("{TOKENS}/../../../..{private}");
    let link = format!("{TOKENS}/link.key");
    std::os::unix::fs::symlink(&private, &link).unwrap();
    for (port, (key_file, code, says)) in [
        (KeyFile::In(elsewhere.path().to_owned()), 5, "did not name a key file in"),
        (KeyFile::Realm(private), 5, "did not name a key file in"),
        (KeyFile::Realm(up), 5, "did not name a key file in"),
        (KeyFile::Ending(".txt".to_owned()), 5, "did not name a key file in"),
        (KeyFile::Realm(String::new()), 5, "did not name a key file in"),
        (KeyFile::Missing, 2, "No such file"),
        (KeyFile::Long(5000), 5, "the key of the Arc agent is too long"),
    ]
    .into_iter()
    .enumerate()
    {
        let agent = ArcAgent::new(Machine::new().system(&site.own), TOKENS.as_ref());
        let agent = agent.key_file(key_file.clone());
        let server = world.http(&format!("127.0.0.1:500{port}"), site.cloud.azure.arc(agent));
        let url = format!("{}/metadata/identity/oauth2/token", server.url());
        let before = site.cloud.count(Service::Arc);
        let plugin = site.plugin("system").env("IDENTITY_ENDPOINT", &url);
        let plugin = plugin.secret("somebody's key", "the private key of somebody");
        let run = site.cloud.run(plugin, &request(IMAGE));
        assert_eq!(run.code, Some(code), "{key_file:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{key_file:?}: {}", run.stderr);
        let calls = site.cloud.count(Service::Arc) - before;
        assert_eq!(calls, 2, "{key_file:?}: two runs, and no key is sent");
    }
}

fn an_agent_that_answers_oddly(world: &World) {
    let site = Site::new(world);
    let basic = |value: &str| {
        Canned::error(Service::Arc, 401, "unauthorized_client", "Missing")
            .with_header("www-authenticate", value)
    };
    for (canned, code, says) in [
        (Canned::other_json(200), 5, &["the Arc agent answered 200 without a challenge"][..]),
        (Canned::status(401), 5, &["did not name a key file in"]),
        (basic("Bearer realm=/var/opt/azcmagent/tokens/a.key"), 5, &["did not name a key file in"]),
        (basic("Basic"), 5, &["did not name a key file in"]),
        (
            Canned::redirect("http://evil.example/"),
            5,
            &["a redirect; redirects are never followed"],
        ),
        (
            Canned::error(Service::Arc, 403, "access_denied", "the caller may not"),
            3,
            &["the Arc agent refused the node", "HTTP 403 access_denied", "the caller may not"],
        ),
        (Canned::answer(400, "text/html", "<html>"), 5, &["HTTP 400"]),
    ] {
        let before = site.cloud.count(Service::Arc);
        site.cloud.azure.always(Service::Arc, Some(canned));
        site.cloud.fails(site.plugin("system"), &request(IMAGE), code, says);
        assert_eq!(site.cloud.count(Service::Arc) - before, 2, "two runs, one call each");
    }
    // A key that is not taken is not tried for ever.
    site.cloud.azure.always(Service::Arc, None);
    let key = format!("{TOKENS}/a.key");
    fs::write(&key, "not this one").unwrap();
    let refused = basic(&format!("Basic realm={key}"));
    site.cloud.azure.always(Service::Arc, Some(refused));
    let before = site.cloud.count(Service::Arc);
    let says = ["the Arc agent refused the node", "HTTP 401 unauthorized_client"];
    site.cloud.fails(site.plugin("system"), &request(IMAGE), 3, &says);
    assert_eq!(site.cloud.count(Service::Arc) - before, 4, "two runs, two calls each");
}
