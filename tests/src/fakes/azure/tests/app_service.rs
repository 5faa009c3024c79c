use super::*;
use crate::fakes::azure::{AppService, Machine};

#[tokio::test]
async fn the_header_opens_and_every_identity_has_a_name() {
    let fixture = Fixture::new();
    let (system, user) = (fixture.system(), fixture.user("node"));
    let service = AppService::new(Machine::new().system(&system).user(&user));
    let secret = service.header.clone();
    let server = serve(fixture.azure.app_service(service));
    let endpoint = AppService::endpoint(server.url());
    let ask = |query: &str, header: &str| {
        let url = format!("{endpoint}?resource={REGISTRIES}{query}");
        plain_client().get(url).header("x-identity-header", header)
    };
    let version = "&api-version=2019-08-01";
    let resource_id = user.resource_id.clone().unwrap();
    for (query, identity) in [
        (String::new(), &system),
        (format!("&client_id={}", user.client_id), &user),
        (format!("&object_id={}", user.object_id), &user),
        (format!("&principal_id={}", user.object_id), &user),
        (format!("&mi_res_id={resource_id}"), &user),
        // Another service's name for it is ignored.
        (format!("&msi_res_id={resource_id}"), &system),
    ] {
        let (status, body) = answer(ask(&format!("{version}{query}"), &secret)).await;
        assert_eq!((status, &body["client_id"]), (200, &identity.client_id.as_str().into()));
        assert!(body["expires_on"].is_string(), "{body}");
    }
    assert_eq!(answer(ask(version, "wrong")).await.0, 401);
    assert_eq!(answer(ask("&api-version=2018-02-01", &secret)).await.0, 400);
    let unassigned = format!("{version}&client_id={}", fixture.user("other").client_id);
    let (status, body) = answer(ask(&unassigned, &secret)).await;
    let message = "No User Assigned or Delegated Managed Identity found for specified \
                   ClientId/ResourceId/PrincipalId.";
    assert_eq!((status, &body["message"]), (400, &message.into()));
    assert!(fixture.azure.secrets().contains(&("identity header".to_owned(), secret)));
}

#[tokio::test]
async fn without_an_identity_of_its_own_an_app_must_name_one() {
    let fixture = Fixture::new();
    let service = AppService::new(Machine::new().user(&fixture.user("node")));
    let secret = service.header.clone();
    let server = serve(fixture.azure.app_service(service));
    let url = format!(
        "{}?api-version=2019-08-01&resource={REGISTRIES}",
        AppService::endpoint(server.url())
    );
    let (status, body) = answer(plain_client().get(url).header("x-identity-header", secret)).await;
    let message = "Unable to load the proper Managed Identity.";
    assert_eq!((status, &body["message"]), (400, &message.into()));
}
