//! Pods that become a Google service account.

use pullpass_tests::fakes::google::{CLOUD_PLATFORM, Service, ServiceAccount};
use pullpass_tests::world::{Trial, World};

use crate::cloud::{
    CLUSTER, Cloud, IMAGE, NODE, OPT_IN, PROVIDER, PULLER, REGISTRY, SERVICE_ACCOUNT, SUBJECT,
    member,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_operator_names_the_account),
        Trial::of(the_annotation_names_the_account),
        Trial::of(an_annotation_that_is_none_is_not_passed_over),
        Trial::of(an_account_that_does_not_trust_the_pod),
        Trial::of(the_member_is_named_exactly_as_iam_wants_it),
        Trial::of(accounts_that_are_none),
        Trial::of(iam_under_another_name),
    ]
}

/// Two calls: the second with the token of the first and nothing else.
fn the_operator_names_the_account(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.puller();
    let plugin = cloud.plugin_for_pods().arg("--service-account").arg(PULLER);
    let run = cloud.run_once(&plugin, &cloud.pod_request(&[]));
    let (key, _, password) = run.login();
    let token = cloud.known(&password);
    assert_eq!((&*key, &*token.principal), (REGISTRY, &*member(PULLER)));
    assert_eq!(
        (token.minted_by, &*token.scopes),
        (Service::IamCredentials, &[CLOUD_PLATFORM.to_owned()][..])
    );
    assert_eq!(token.subject.as_deref(), Some(SUBJECT));
    let calls = cloud.google.calls();
    let services: Vec<Service> = calls.iter().map(|call| call.service).collect();
    assert_eq!(services, [Service::Sts, Service::IamCredentials]);
    assert_eq!(calls[0].principal, Some(cloud.principal()));
    let call = &calls[1];
    assert_eq!((&*call.method, &*call.host), ("POST", "iamcredentials.googleapis.com"));
    assert_eq!(
        call.path,
        "/v1/projects/-/serviceAccounts/puller@contoso.iam.gserviceaccount.com:generateAccessToken"
    );
    assert_eq!((&*call.content_type, call.authorization), ("application/json", true));
    let mut fields = call.fields.clone();
    fields.sort();
    let field = |name: &str, value: String| (name.to_owned(), value);
    let scope = field("scope", format!("[\"{CLOUD_PLATFORM}\"]"));
    assert_eq!(fields, [field("lifetime", "3600s".to_owned()), scope]);
    assert_eq!(cloud.count(Service::Metadata), 0);
}

/// It takes precedence over the option, and works with every way of naming a pool.
fn the_annotation_names_the_account(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.puller();
    let cluster = cloud.cluster();
    let name = cloud.provider.name();
    let by_option = || cloud.plugin_for_pods().arg(format!("--service-account={NODE}"));
    let by_annotation = cloud.plugin().arg(format!("--allow-provider={name}"));
    let account = (SERVICE_ACCOUNT, PULLER);
    for (plugin, annotations) in [
        (cloud.plugin_for_pods(), vec![account]),
        (by_option(), vec![account]),
        (by_annotation, vec![account, (PROVIDER, &*name)]),
    ] {
        cloud.logs_in_as(&member(PULLER), plugin, &cloud.pod_request(&annotations));
    }
    let principal = cluster.principal("demo", "web");
    cloud.google.add_service_account(ServiceAccount::new(PULLER).impersonated_by(&principal));
    let request = cloud.gke_request(&[account, (OPT_IN, "true")]);
    cloud.logs_in_as(&member(PULLER), cloud.plugin_on_gke(), &request);
    // It does not opt in by itself.
    let says = ["enable-wi-image-pull` is missing"];
    cloud.fails(cloud.plugin_on_gke(), &cloud.gke_request(&[account]), 4, &says);
}

fn an_annotation_that_is_none_is_not_passed_over(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.puller();
    let before = world.attempts();
    for email in [
        "",
        "puller",
        "puller@evil.example",
        "puller@evilgserviceaccount.com",
        "a/b@contoso.iam.gserviceaccount.com",
        "../x@contoso.iam.gserviceaccount.com",
        "a%2Fb@contoso.iam.gserviceaccount.com",
        "puller@contoso.iam.gserviceaccount.com:signJwt?",
        " puller@contoso.iam.gserviceaccount.com",
    ] {
        let request = cloud.pod_request(&[(SERVICE_ACCOUNT, email)]);
        for plugin in [
            cloud.plugin_for_pods(),
            cloud.plugin_for_pods().arg(format!("--service-account={PULLER}")),
        ] {
            let says = ["annotation `iam.gke.io/gcp-service-account` is not the email address"];
            cloud.fails(plugin, &request, 4, &says);
        }
    }
    assert_eq!(world.attempts(), before);
}

/// Neither the federated identity nor the node is used instead.
fn an_account_that_does_not_trust_the_pod(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.google.add_service_account(ServiceAccount::new(PULLER));
    let request = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    let run = cloud.fails(cloud.plugin_for_pods(), &request, 3, &[
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
    ]);
    let error = format!(
        "no credentials for `{IMAGE}`: Google's IAM refused the pod `{SUBJECT}` as `{PULLER}`: \
         HTTP 403 PERMISSION_DENIED"
    );
    assert_eq!(run.error(), error);
    let calls =
        [Service::Sts, Service::IamCredentials, Service::Metadata].map(|it| cloud.count(it));
    assert_eq!(calls, [2, 2, 0], "two runs, one call each");
}

/// Exactly: a person who copies it grants the right thing.
fn the_member_is_named_exactly_as_iam_wants_it(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.google.add_service_account(ServiceAccount::new(PULLER));
    cloud.cluster();
    let grant = format!("hint: grant roles/iam.workloadIdentityUser on `{PULLER}` to `");
    let own = format!("{grant}{}`", cloud.principal());
    let request = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    cloud.fails(cloud.plugin_for_pods(), &request, 3, &[&own]);
    // A GKE pool is named by its project's number, which is not known here.
    let gke = format!(
        "{grant}principal://iam.googleapis.com/projects/NUMBER/locations/global/\
         workloadIdentityPools/my-project.svc.id.goog/subject/ns/demo/sa/web`"
    );
    let request =
        cloud.request_of(CLUSTER, "my-project", &[(SERVICE_ACCOUNT, PULLER), (OPT_IN, "true")]);
    cloud.fails(cloud.plugin_on_gke(), &request, 3, &[&gke]);
}

fn accounts_that_are_none(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for email in ["puller", "puller@evil.example", "a/b@contoso.iam.gserviceaccount.com"] {
        let plugin = cloud.plugin_for_pods().arg(format!("--service-account={email}"));
        let says = ["`--service-account` is not the email address of a service account"];
        cloud.fails(plugin, &cloud.pod_request(&[]), 2, &says);
    }
    // Pods would never be it.
    let plugin = cloud.plugin().arg(format!("--service-account={PULLER}"));
    let says = ["`--service-account` is for pods, but they have no workload identity pool"];
    cloud.fails(plugin, &cloud.pod_request(&[]), 2, &says);
    assert_eq!(world.attempts(), before);
    // What an installer leaves empty is not set.
    let plugin = cloud.plugin_for_pods().arg("--service-account=");
    cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
}

fn iam_under_another_name(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.puller();
    let router = cloud.google.iam_credentials("googleapis.com");
    cloud.keep(world.https("iamcredentials-edge.p.googleapis.com", router));
    let request = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    for url in [
        "https://iamcredentials-edge.p.googleapis.com",
        "https://iamcredentials-edge.p.googleapis.com/",
    ] {
        let plugin = cloud.plugin_for_pods().arg(format!("--iam-credentials-url={url}"));
        cloud.logs_in_as(&member(PULLER), plugin, &request);
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!(call.host, "iamcredentials-edge.p.googleapis.com");
    }
    let plugin = cloud.plugin_for_pods().arg("--iam-credentials-url=http://iam.example");
    cloud.fails(plugin, &request, 2, &["`--iam-credentials-url` is not an `https://` URL"]);
}
