use super::*;
use crate::fakes::azure::IdentityBinding;

const NAME: &str = "cluster.ests.aks.example";

#[tokio::test]
async fn a_bound_identity_goes_to_those_whom_rbac_lets() {
    let fixture = Fixture::new();
    let (bound, other) = (fixture.user("bound"), fixture.user("other"));
    let verifier = fixture.issuer.verifier(IdentityBinding::AUDIENCE);
    let binding = IdentityBinding::new(NAME, verifier).allow(&bound, "demo", "web");
    let server = serve(fixture.azure.identity_binding(binding));
    let token = |audience: &str| fixture.issuer.token(audience);
    let good = token(IdentityBinding::AUDIENCE).build();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &bound.client_id),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &good),
        ("scope", SCOPE),
    ];
    let client = plain_client();
    let ask = |path: &str, form: &[(&str, &str)]| {
        answer(client.post(format!("{}{path}", server.url())).header("host", NAME).form(form))
    };
    for path in ["/", &format!("/{}/oauth2/v2.0/token", fixture.tenant.id)] {
        let (status, body) = ask(path, &form).await;
        assert_eq!(status, 200, "{body}");
        assert!(body["access_token"].is_string() && body["expires_in"].is_number());
        let call = fixture.azure.calls().pop().unwrap();
        assert_eq!(call.client_id.as_ref(), Some(&bound.client_id));
        assert_eq!(call.subject.as_deref(), Some("system:serviceaccount:demo:web"));
    }
    let stranger = token(IdentityBinding::AUDIENCE).service_account("demo", "db").build();
    let federated = token("api://AzureADTokenExchange").build();
    let over = token(IdentityBinding::AUDIENCE).expired().build();
    let forged = token(IdentityBinding::AUDIENCE).forged().build();
    for (name, value, status) in [
        ("client_assertion", stranger.as_str(), 403),
        ("client_assertion", &federated, 401),
        ("client_assertion", &over, 401),
        ("client_assertion", &forged, 401),
        ("client_id", &other.client_id, 403),
        ("scope", REGISTRIES, 400),
        ("scope", "https://vault.example/.default", 400),
        ("grant_type", "password", 400),
        ("client_assertion_type", "jwt", 400),
    ] {
        let (found, body) = ask("/", &with(&form, name, Some(value))).await;
        assert_eq!(found, status, "{name} {body}");
    }
    let missing = ["client_assertion", "client_assertion_type", "client_id", "scope"];
    for name in missing {
        assert_eq!(ask("/", &with(&form, name, None)).await.0, 400, "{name}");
    }
    assert_eq!(ask("/token", &form).await.0, 404);
    let wrong = client.post(server.url()).header("host", "api.example").form(&form);
    assert_eq!(wrong.send().await.unwrap().status(), 421);
}
