//! The pod's identity: its token for a provider that trusts the cluster.

use pullpass_tests::fakes::google::{CLOUD_PLATFORM, Provider, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{
    Cloud, IMAGE, NO_PROXY_AT_ALL, NODE, NUMBER, OPT_IN, REGISTRY, SUBJECT, member,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pool_of_ones_own),
        Trial::of(a_provider_by_each_of_its_names),
        Trial::of(audiences_that_a_provider_allows),
        Trial::of(a_token_of_somebody_elses_is_refused),
        Trial::of(a_token_that_is_none_is_refused_here),
        Trial::of(a_pool_of_gkes),
        Trial::of(sts_under_another_name),
        Trial::of(calls_go_through_the_proxy_but_for_the_metadata_server),
    ]
}

fn a_pool_of_ones_own(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let request = cloud.pod_request(&[]);
    let run = cloud.run_once(&cloud.plugin_for_pods(), &request);
    // One by the plugin, and two by STS, for the issuer's keys.
    let connections = world.attempts().connections - before.connections;
    assert!((2..=3).contains(&connections), "{connections}");
    assert_eq!(run.response()["cacheKeyType"], "Registry");
    let (key, user, password) = run.login();
    assert_eq!((&*key, &*user), (REGISTRY, "oauth2accesstoken"));
    let token = cloud.known(&password);
    assert_eq!(token.principal, cloud.principal());
    assert_eq!(
        token.principal,
        "principal://iam.googleapis.com/projects/123456789012/locations/global/\
         workloadIdentityPools/edge/subject/system:serviceaccount:demo:web"
    );
    assert_eq!(token.scopes, [CLOUD_PLATFORM]);
    let calls = cloud.google.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let call = &calls[0];
    assert_eq!((&*call.method, &*call.host), ("POST", "sts.googleapis.com"));
    assert_eq!(call.path, "/v1/token");
    assert_eq!(call.content_type, "application/x-www-form-urlencoded");
    assert_eq!(call.subject.as_deref(), Some(SUBJECT));
    assert!(!call.authorization, "STS may refuse it");
    let mut fields = call.fields.clone();
    fields.sort();
    let urn = "urn:ietf:params:oauth:";
    let expected = [
        ("audience", cloud.provider.audience()),
        ("grant_type", format!("{urn}grant-type:token-exchange")),
        ("requested_token_type", format!("{urn}token-type:access_token")),
        ("scope", CLOUD_PLATFORM.to_owned()),
        ("subject_token", "(secret)".to_owned()),
        ("subject_token_type", format!("{urn}token-type:jwt")),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value)));
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn a_provider_by_each_of_its_names(world: &World) {
    let cloud = Cloud::new(world);
    let name = cloud.provider.name();
    for name in [
        name.clone(),
        format!("//iam.googleapis.com/{name}"),
        format!("https://iam.googleapis.com/{name}"),
    ] {
        let plugin = cloud.plugin().arg(format!("--workload-identity-provider={name}"));
        cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!(call.field("audience"), Some(&*cloud.provider.audience()), "{name}");
    }
    let before = world.attempts();
    for (wrong, says) in [
        (name.replace(NUMBER, "contoso"), "has the project's ID where its number must be"),
        (name.replace("global", "us-east1"), "is not the resource name of a provider"),
        (name.replace("/providers/k3s", ""), "is not the resource name of a provider"),
        (name.replace("edge", ""), "has no valid pool or provider ID"),
        (format!("//iam.example.com/{name}"), "is not the resource name of a provider"),
        (format!("http://iam.googleapis.com/{name}"), "is not the resource name of a provider"),
    ] {
        let plugin = cloud.plugin().arg(format!("--workload-identity-provider={wrong}"));
        let says = [&format!("`--workload-identity-provider` {says}"), "the project's number"];
        cloud.fails(plugin, &cloud.pod_request(&[]), 2, &says);
    }
    assert_eq!(world.attempts(), before);
}

/// A provider takes its own name, with or without the scheme; or what its operator lists.
fn audiences_that_a_provider_allows(world: &World) {
    let cloud = Cloud::new(world);
    let ask = |audience: &str| {
        let token = cloud.issuer.token(audience).build();
        pod_request(IMAGE, &token, &[])
    };
    let own = cloud.provider.audience();
    for audience in [format!("https:{own}"), own.clone()] {
        cloud.logs_in_as(&cloud.principal(), cloud.plugin_for_pods(), &ask(&audience));
    }
    let listed = Provider::new(NUMBER, "edge", "k3s", cloud.issuer.url());
    cloud.google.add_provider(listed.allowed_audiences(&["gar.contoso.example"]));
    let principal = cloud.principal();
    cloud.logs_in_as(&principal, cloud.plugin_for_pods(), &ask("gar.contoso.example"));
    // Then the default is one no more.
    let says = ["HTTP 400 invalid_grant", &format!("the token has `aud` `https:{own}`")];
    cloud.fails(cloud.plugin_for_pods(), &ask(&format!("https:{own}")), 3, &says);
}

fn a_token_of_somebody_elses_is_refused(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let audience = cloud.provider.token_audience();
    let token = || cloud.issuer.token(&audience);
    let expects = format!("the provider expects `aud` `{audience}`");
    let sets = "`tokenAttributes.serviceAccountTokenAudience` sets the token's `aud`";
    for (token, reason, says) in [
        (
            token().issued_by("https://other.example").build(),
            "issuer",
            vec![
                format!("has `aud` `{audience}` and `iss` `https://other.example`"),
                expects.clone(),
            ],
        ),
        (
            cloud.issuer.token("other.example").build(),
            "audience",
            vec![
                format!("has `aud` `other.example` and `iss` `{}`", cloud.issuer.url()),
                expects,
                sets.to_owned(),
            ],
        ),
        (token().forged().build(), "signature", vec!["Unable to verify".to_owned()]),
        (
            token().signed_by_stranger().build(),
            "",
            vec!["Google cannot fetch the keys of `https://oidc.cluster.example`".to_owned()],
        ),
    ] {
        let says: Vec<&str> = says.iter().map(String::as_str).collect();
        let run = cloud.run(cloud.plugin_for_pods(), &pod_request(IMAGE, &token, &[]));
        checks::fails(&run, 3, &says);
        let error = format!(
            "no credentials for `{IMAGE}`: Google's STS refused the pod `{SUBJECT}`: HTTP 400 \
             invalid_grant"
        );
        assert_eq!(run.error(), error);
        let call = cloud.google.calls().pop().unwrap();
        assert!(call.error.unwrap().contains(reason), "{reason}");
    }
    assert_eq!(cloud.count(Service::Sts), 8, "two runs each, one call each");
    assert_eq!(cloud.count(Service::Metadata), 0);
    assert!(cloud.google.tokens().is_empty());
}

fn a_token_that_is_none_is_refused_here(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let audience = cloud.provider.token_audience();
    for (token, code, says) in [
        (cloud.issuer.token(&audience).expired().build(), 4, "the service account token expired"),
        (
            cloud.issuer.token("https://kubernetes.default.svc").build(),
            4,
            "the Kubernetes API server may accept the service account token",
        ),
        (cloud.issuer.token(cloud.issuer.url()).build(), 4, "is not sent to another server"),
        ("DEADBEEF=".to_owned(), 6, "`serviceAccountToken` is not a signed JWT"),
        (String::new(), 6, "`serviceAccountToken`"),
    ] {
        cloud.fails(cloud.plugin_for_pods(), &pod_request(IMAGE, &token, &[]), code, &[says]);
    }
    // Annotations and no token: the kubelet does not send that, and it is not the node.
    let mut request = request(IMAGE);
    request["serviceAccountAnnotations"] = json!({OPT_IN: "true"});
    let run = cloud.run(cloud.plugin_for_pods(), &request);
    assert_ne!(run.code, Some(0));
    assert_eq!(world.attempts(), before);
}

fn a_pool_of_gkes(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let cluster = cloud.cluster();
    let principal = cluster.principal("demo", "web");
    assert!(
        principal.ends_with("/workloadIdentityPools/my-project.svc.id.goog/subject/ns/demo/sa/web")
    );
    cloud.logs_in_as(&principal, cloud.plugin_on_gke(), &cloud.gke_request(&[(OPT_IN, "true")]));
    let call = cloud.google.calls().pop().unwrap();
    assert_eq!(
        call.field("audience"),
        Some(
            "identitynamespace:my-project.svc.id.goog:https://container.googleapis.com/v1/\
             projects/my-project/locations/us-central1/clusters/c1"
        )
    );
    assert_eq!(call.subject.as_deref(), Some(SUBJECT));
    // The audience of an operator's own pool is not GKE's.
    let token = cloud.issuer.token(&cloud.provider.token_audience());
    let token = token.issued_by(crate::cloud::CLUSTER).build();
    let wrong = pod_request(IMAGE, &token, &[(OPT_IN, "true")]);
    let says = ["the pool expects `aud` `my-project.svc.id.goog` and `iss` `https://container"];
    cloud.fails(cloud.plugin_on_gke(), &wrong, 3, &says);
    // A fleet's member has an issuer of the hub's.
    let hub = "https://gkehub.googleapis.com/projects/fleet/locations/global/memberships/edge";
    let fleet = cloud.cluster_at(hub, "fleet");
    let plugin = cloud.plugin().arg("--project-id=fleet").arg("--identity-provider").arg(hub);
    let plugin = plugin.arg("--without-annotation=pod");
    let request = cloud.request_of(hub, "fleet", &[]);
    cloud.logs_in_as(&fleet.principal("demo", "web"), plugin, &request);
    assert_eq!(cloud.count(Service::Metadata), 0);
}

fn sts_under_another_name(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let router = cloud.google.sts("googleapis.com");
    cloud.keep(world.https("sts-edge.p.googleapis.com", router));
    let url = |url: &str| cloud.plugin_for_pods().arg(format!("--sts-url={url}"));
    let plugin = url("https://sts-edge.p.googleapis.com/v1/token");
    cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
    let before = world.attempts();
    for wrong in [
        "http://sts-edge.p.googleapis.com/v1/token",
        "sts-edge.p.googleapis.com",
        "https://user:the-password@sts-edge.p.googleapis.com/v1/token",
        "https://sts-edge.p.googleapis.com/v1/token?x=y",
        "https://sts-edge.p.googleapis.com/v1/token#x",
    ] {
        let plugin = url(wrong).secret("password", "the-password");
        let says = ["`--sts-url` is not an `https://` URL"];
        cloud.fails(plugin, &cloud.pod_request(&[]), 2, &says);
    }
    assert_eq!(world.attempts(), before);
}

fn calls_go_through_the_proxy_but_for_the_metadata_server(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let proxied = |plugin: PluginCommand| plugin.env("HTTPS_PROXY", NO_PROXY_AT_ALL);
    let run = cloud.run_once(&proxied(cloud.plugin_for_pods()), &cloud.pod_request(&[]));
    checks::fails(&run, 7, &["cannot get a token from Google's STS", "proxy"]);
    assert_eq!(cloud.count(Service::Sts), 0);
    let plugin = proxied(cloud.plugin_for_pods()).env("NO_PROXY", ".googleapis.com");
    cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
    let plugin = proxied(cloud.plugin_for_pods()).arg("--without-token=node");
    cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
}
