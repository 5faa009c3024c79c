use std::fs;

use tempfile::TempDir;

use super::*;
use crate::fakes::azure::{ArcAgent, KeyFile, Machine, UserAssigned};

const TOKEN: &str = "/metadata/identity/oauth2/token?api-version=2020-06-01";

fn ask(server: &Server, more: &str) -> RequestBuilder {
    let url = format!("{}{TOKEN}&resource={REGISTRIES}{more}", server.url());
    plain_client().get(url).header("metadata", "true")
}

/// The path that a first request is sent to.
async fn realm(server: &Server, more: &str) -> String {
    let response = ask(server, more).send().await.unwrap();
    assert_eq!(response.status(), 401);
    let challenge = header(&response, "www-authenticate");
    challenge.strip_prefix("Basic realm=").unwrap().to_owned()
}

/// The whole handshake.
async fn handshake(server: &Server, more: &str) -> (u16, Value) {
    let key = fs::read_to_string(realm(server, more).await).unwrap();
    answer(ask(server, more).header("authorization", format!("Basic {key}"))).await
}

#[tokio::test]
async fn who_can_read_the_file_gets_a_token_once() {
    let fixture = Fixture::new();
    let (system, folder) = (fixture.system(), TempDir::new().unwrap());
    let agent = ArcAgent::new(Machine::new().system(&system), folder.path());
    let server = serve(fixture.azure.arc(agent));
    let (status, body) = handshake(&server, "").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(fixture.azure.calls().pop().unwrap().client_id, Some(system.client_id));
    assert!(body.get("client_id").is_none(), "{body}");

    let key = fs::read_to_string(realm(&server, "").await).unwrap();
    let with = |header: String| ask(&server, "").header("authorization", header).send();
    assert_eq!(with("Basic x".to_owned()).await.unwrap().status(), 401);
    assert_eq!(with(format!("Bearer {key}")).await.unwrap().status(), 401);
    assert_eq!(with(format!("Basic {key}")).await.unwrap().status(), 200);
    let again = with(format!("Basic {key}")).await.unwrap();
    assert_eq!(again.status(), 401);
    assert!(header(&again, "www-authenticate").starts_with("Basic realm="));
    assert!(fixture.azure.secrets().contains(&("key of the Arc agent".to_owned(), key)));
}

#[tokio::test]
async fn a_new_agent_says_whose_token_it_is_and_an_old_one_does_not() {
    let fixture = Fixture::new();
    let (system, user, folder) = (fixture.system(), fixture.user("node"), TempDir::new().unwrap());
    let machine = Machine::new().system(&system).user(&user);
    let agent = ArcAgent::new(machine, folder.path());
    let resource_id = user.resource_id.clone().unwrap();
    let by_client = format!("&client_id={}", user.client_id);
    let given_to = |fixture: &Fixture| fixture.azure.calls().pop().unwrap().client_id.unwrap();

    let new = serve(fixture.azure.arc(agent.clone()));
    for (name, value) in [
        ("client_id", &user.client_id),
        ("object_id", &user.object_id),
        ("msi_res_id", &resource_id),
    ] {
        let (status, body) = handshake(&new, &format!("&{name}={value}")).await;
        assert_eq!((status, &body[name]), (200, &value.as_str().into()));
        assert_eq!(given_to(&fixture), user.client_id);
    }
    let (status, body) = handshake(&new, &format!("&mi_res_id={resource_id}")).await;
    assert_eq!((status, body.get("mi_res_id")), (200, None));
    assert_eq!(given_to(&fixture), system.client_id);
    for unknown in [&fixture.user("other").client_id, &system.client_id] {
        assert_eq!(answer(ask(&new, &format!("&client_id={unknown}"))).await.0, 404);
    }

    let old = serve(fixture.azure.arc(agent.clone().user_assigned(UserAssigned::Ignored)));
    let (status, body) = handshake(&old, &by_client).await;
    assert_eq!((status, body.get("client_id")), (200, None));
    assert_eq!(given_to(&fixture), system.client_id);

    let confused = serve(fixture.azure.arc(agent.user_assigned(UserAssigned::Confused)));
    let (_, body) = handshake(&confused, &by_client).await;
    assert!(body["client_id"].is_string() && body["client_id"] != user.client_id.as_str());
}

#[tokio::test]
async fn the_key_can_be_where_no_client_may_look() {
    let fixture = Fixture::new();
    let (folder, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let agent = ArcAgent::new(Machine::new().system(&fixture.system()), folder.path());
    let served = |key_file: KeyFile| {
        let agent = agent.clone().key_file(key_file);
        serve(fixture.azure.arc(agent))
    };
    let missing = realm(&served(KeyFile::Missing), "").await;
    assert!(missing.ends_with(".key") && !fs::exists(missing).unwrap());
    let other = realm(&served(KeyFile::In(elsewhere.path().to_owned())), "").await;
    assert!(other.starts_with(elsewhere.path().to_str().unwrap()) && fs::exists(other).unwrap());
    let text = realm(&served(KeyFile::Ending(".txt".to_owned())), "").await;
    assert!(text.ends_with(".txt") && fs::exists(text).unwrap());
    let long = realm(&served(KeyFile::Long(5000)), "").await;
    assert_eq!(fs::metadata(long).unwrap().len(), 5000);
    assert_eq!(realm(&served(KeyFile::Realm("/etc/shadow".to_owned())), "").await, "/etc/shadow");
}

#[tokio::test]
async fn what_the_agent_refuses_is_refused() {
    let fixture = Fixture::new();
    let folder = TempDir::new().unwrap();
    let agent = ArcAgent::new(Machine::new().system(&fixture.system()), folder.path());
    let server = serve(fixture.azure.arc(agent));
    let at = |path: &str| {
        plain_client().get(format!("{}{path}", server.url())).header("metadata", "true")
    };
    let bare = plain_client().get(format!("{}{TOKEN}&resource={REGISTRIES}", server.url()));
    for (request, status, reason) in [
        (bare, 400, "no `Metadata: true`"),
        (at(TOKEN), 400, "no resource"),
        (at(&format!("/metadata/identity/oauth2/token?resource={REGISTRIES}")), 400, "api-version"),
        (at("/metadata/instance"), 404, "no such page"),
    ] {
        assert_eq!(answer(request).await.0, status);
        assert_eq!(fixture.reason(), reason);
    }
}
