use super::*;
use crate::fakes::azure::Machine;
use crate::jwt;

const TOKEN: &str = "/metadata/identity/oauth2/token?api-version=2018-02-01";

/// Asks with the header, for the usual resource.
fn ask(server: &Server, more: &str) -> RequestBuilder {
    let url = format!("{}{TOKEN}&resource={REGISTRIES}{more}", server.url());
    plain_client().get(url).header("metadata", "true")
}

fn refusal(description: &str) -> Value {
    serde_json::json!({"error": "invalid_request", "error_description": description})
}

#[tokio::test]
async fn identities_are_found_by_every_name_of_theirs() {
    let fixture = Fixture::new();
    let (system, user, other) = (fixture.system(), fixture.user("node"), fixture.user("other"));
    let machine = Machine::new().system(&system).user(&user).user(&other);
    let server = serve(fixture.azure.imds(machine));
    let resource_id = user.resource_id.clone().unwrap();
    for (query, identity) in [
        (String::new(), &system),
        (format!("&client_id={}", user.client_id), &user),
        (format!("&client_id={}", user.client_id.to_uppercase()), &user),
        (format!("&object_id={}", other.object_id), &other),
        (format!("&msi_res_id={resource_id}"), &user),
        (format!("&mi_res_id={}", resource_id.to_lowercase()), &user),
    ] {
        let (status, body) = answer(ask(&server, &query)).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["client_id"], identity.client_id);
        let (_, claims) = jwt::parts(body["access_token"].as_str().unwrap()).unwrap();
        assert_eq!((&claims["appid"], &claims["aud"]), (&body["client_id"], &body["resource"]));
        for field in ["expires_in", "expires_on", "token_type"] {
            assert!(body[field].is_string(), "{body}");
        }
        let call = fixture.azure.calls().pop().unwrap();
        assert_eq!(call.client_id.as_ref(), Some(&identity.client_id));
    }
    // The same token until it is over.
    let token = async || answer(ask(&server, "")).await.1["access_token"].clone();
    let first = token().await;
    assert_eq!(token().await, first);
    fixture.azure.set_clock_offset(90_000);
    assert_ne!(token().await, first);
}

#[tokio::test]
async fn one_identity_needs_no_name_and_several_do() {
    let fixture = Fixture::new();
    let (user, other) = (fixture.user("node"), fixture.user("other"));
    let one = serve(fixture.azure.imds(Machine::new().user(&user)));
    assert_eq!(answer(ask(&one, "")).await.1["client_id"], user.client_id);
    let two = serve(fixture.azure.imds(Machine::new().user(&user).user(&other)));
    let several = "Multiple user assigned identities exist, please specify the clientId / \
                   resourceId of the identity in the token request";
    assert_eq!(answer(ask(&two, "")).await, (400, refusal(several)));
    let none = serve(fixture.azure.imds(Machine::new()));
    assert_eq!(answer(ask(&none, "")).await, (400, refusal("Identity not found")));
    let unassigned = format!("&client_id={}", other.client_id);
    assert_eq!(answer(ask(&one, &unassigned)).await, (400, refusal("Identity not found")));
}

#[tokio::test]
async fn what_the_service_refuses_is_refused() {
    let fixture = Fixture::new();
    let user = fixture.user("node");
    let server = serve(fixture.azure.imds(Machine::new().user(&user)));
    let at = |path: &str| {
        plain_client().get(format!("{}{path}", server.url())).header("metadata", "true")
    };
    let good = format!("{TOKEN}&resource={REGISTRIES}");
    let versionless = format!("/metadata/identity/oauth2/token?resource={REGISTRIES}");
    let two = format!("&client_id={}&object_id={}", user.client_id, user.object_id);
    let bare = plain_client().get(format!("{}{good}", server.url()));
    let posted = plain_client().post(format!("{}{good}", server.url())).header("metadata", "true");
    for (request, status, reason) in [
        (bare, 400, "no `Metadata: true`"),
        (at(&good).header("x-forwarded-for", "10.0.0.1"), 400, "proxied"),
        (posted, 405, "not a GET"),
        (at(TOKEN), 400, "no resource"),
        (at(&versionless), 400, "api-version"),
        (at(&format!("{versionless}&api-version=2017-01-01")), 400, "api-version"),
        (ask(&server, &two), 400, "several selectors"),
        (at(&format!("{TOKEN}&resource={SCOPE}")), 400, "unknown resource"),
        (at("/metadata/instance?api-version=2021-02-01"), 404, "no such path"),
    ] {
        assert_eq!(answer(request).await.0, status);
        assert_eq!(fixture.reason(), reason);
    }
}
