//! Google Artifact Registry: by the metadata server, by a service account's key, and by the pod
//! with and without impersonation.

use std::any::Any;

use pullpass_tests::fakes::google::{
    GOOGLE, Google, Machine, Provider, ServiceAccount, ServiceAccountKey,
};
use pullpass_tests::issuer::Issuer;
use pullpass_tests::server::Socket;
use pullpass_tests::tls::TestCa;

use crate::cases::{Cases, ROOTS, request};

const NODE: &str = "node@contoso.iam.gserviceaccount.com";
const PULL: &str = "pull@contoso.iam.gserviceaccount.com";
const IMAGE: &str = "us-docker.pkg.dev/contoso/team/app:1";

/// Starts the servers and writes the cases.
pub(crate) fn start(cases: &Cases, ca: &TestCa) -> Box<dyn Any> {
    let issuer = Issuer::start(Some(ca));
    let google = Google::new(ca.client());
    let provider = Provider::new("123456789012", "clusters", "one", issuer.url());
    let provider = google.add_provider(provider);
    let pull = ServiceAccount::new(PULL).impersonated_by(&provider.principal("demo", "web"));
    google.add_service_account(pull);

    let metadata = Socket::bind(None).serve(google.metadata(Machine::of(NODE)));
    let serve = |router| Socket::bind(Some(ca)).serve(router);
    let (sts, iam) = (serve(google.sts(GOOGLE)), serve(google.iam_credentials(GOOGLE)));
    let oauth = serve(google.oauth());
    let key = ServiceAccountKey::generate(NODE).token_uri(&format!("{}/token", oauth.url()));
    let key = google.add_key(key);

    let node = request(IMAGE);
    let mut pod = node.clone();
    pod["serviceAccountToken"] = issuer.token(&provider.token_audience()).build().into();
    let mut impersonating = pod.clone();
    impersonating["serviceAccountAnnotations"]["iam.gke.io/gcp-service-account"] = PULL.into();

    let host = metadata.url().trim_start_matches("http://").to_owned();
    let without_roots = (ROOTS, cases.folder().join("no-roots.pem").display().to_string());
    cases.add("node-http", &[], &[("GCE_METADATA_HOST", host), without_roots], &node);

    let file = cases.file("key.json", &key.json().to_string()).display().to_string();
    cases.add("key-tls", &[], &[("GOOGLE_APPLICATION_CREDENTIALS", file)], &node);

    let arguments = [
        format!("--workload-identity-provider={}", provider.name()),
        format!("--sts-url={}/v1/token", sts.url()),
        format!("--iam-credentials-url={}", iam.url()),
    ];
    cases.add("pod-tls", &arguments, &[], &pod);
    cases.add("pod-iam-tls", &arguments, &[], &impersonating);
    Box::new((issuer, metadata, sts, iam, oauth))
}
