//! Clouds whose token services have one name for everybody: Docker Hub, IBM, Google.

use std::time::Duration;

use pullpass_tests::fakes::vendors::{Canned, Dialect, DockerHub, GoogleSts, Ibm, Vendor};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::check::Life;
use crate::fixture::{CONFIG, DENIED, Fixture, Pull};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(docker_hubs_token_lives_as_long_as_was_asked_for),
        Trial::of(docker_hubs_other_hosts_and_refusals),
        Trial::of(ibm_knows_a_profile_by_its_name_too),
        Trial::of(google_may_refuse_the_second_call),
        Trial::of(googles_second_host_is_connected_to_while_the_first_answers),
    ]
}

const HUB_AUDIENCE: &str = "https://identity.docker.com";
const PROVIDER: &str =
    "projects/123456789012/locations/global/workloadIdentityPools/edge/providers/k3s";

fn hub<'g>(fixture: &'g Fixture<'_>) -> (Vendor, Pull<'g>) {
    let dialect = Dialect::DockerHub(DockerHub::new("5f1c-connection"));
    let vendor = fixture.vendor("identity.docker.com", dialect, HUB_AUDIENCE);
    let pull = fixture.pull("docker-hub", "docker.io/corp/app", HUB_AUDIENCE);
    (vendor, pull.set("organization", "corp").set("connection", "5f1c-connection"))
}

pub(crate) fn docker_hub(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = hub(&fixture);
    // The answer does not say it: five minutes unless more was asked for, less a tenth.
    pull.logs_in(&vendor, "docker.io", "corp", Life::Seconds);
    assert_eq!(pull.cached_seconds(), 270);
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), ("identity.docker.com", "/oauth/token"));
    assert_eq!(call.field("expires_in"), Some("300"));
    assert_eq!(call.field("connection_id"), Some("5f1c-connection"));

    let says = [
        "HTTP 401 access_denied",
        "says: no rule matches the token",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn docker_hubs_token_lives_as_long_as_was_asked_for(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = hub(&fixture);
    let pull = pull.set("expiresIn", "3600");
    pull.logs_in(&vendor, "docker.io", "corp", Life::Seconds);
    assert_eq!(vendor.last_call().field("expires_in"), Some("3600"));
    assert_eq!(pull.cached_seconds(), 3300);
}

fn docker_hubs_other_hosts_and_refusals(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = hub(&fixture);
    for host in ["registry-1.docker.io", "dhi.io"] {
        let pull = pull.clone().of(&format!("{host}/corp/app"));
        pull.logs_in(&vendor, host, "corp", Life::Seconds);
    }
    pull.clone().of("docker.io.evil.example/a").is_not_sent(CONFIG, &["no profile covers"]);
    let says = ["invalid_request", "says: expires_in must be between 300 and 21600"];
    pull.set("expiresIn", "60").is_refused(&vendor, DENIED, &says);
    let other = fixture.pull("docker-hub", "docker.io/corp/app", HUB_AUDIENCE);
    let other = other.set("organization", "corp").set("connection", "another");
    other.is_refused(&vendor, DENIED, &["invalid_request", "says: unknown connection"]);
}

pub(crate) fn ibm(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Dialect::Ibm(Ibm::new("iam-Profile-1234"));
    let vendor = fixture.vendor("iam.cloud.ibm.com", dialect, "iam");
    let pull = fixture.pull("ibm", "us.icr.io/corp/app", "iam");
    let pull = pull.set("profileId", "iam-Profile-1234");
    pull.logs_in(&vendor, "us.icr.io", "iambearer", Life::Until);
    pull.clone().of("icr.io/corp/app").logs_in(&vendor, "icr.io", "iambearer", Life::Until);
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), ("iam.cloud.ibm.com", "/identity/token"));
    assert_eq!(call.field_names(), ["cr_token", "grant_type", "profile_id"]);

    let says = [
        "HTTP 400",
        "BXNIM0513E",
        "says: Provided cr_token is invalid",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn ibm_knows_a_profile_by_its_name_too(world: &World) {
    let fixture = Fixture::new(world);
    let place = "iam.test.cloud.ibm.com";
    let dialect = Dialect::Ibm(Ibm::named("puller"));
    let vendor = fixture.vendor_with(place, dialect, "iam", |settings| {
        settings.lifetime = Some(1199);
    });
    let pull = fixture.pull("ibm", "de.icr.io/corp/app", "iam").set("iam", place);
    let pull = pull.set("profileName", "puller");
    pull.logs_in(&vendor, "de.icr.io", "iambearer", Life::Until);
    assert_eq!(vendor.last_call().field_names(), ["cr_token", "grant_type", "profile_name"]);
}

fn google<'g>(
    fixture: &'g Fixture<'_>,
    preset: &'static str,
    account: Option<&str>,
) -> (Vendor, Pull<'g>) {
    let audience = format!("https://iam.googleapis.com/{PROVIDER}");
    let dialect = GoogleSts {
        service_account: account.map(str::to_owned),
        ..GoogleSts::new(&format!("//iam.googleapis.com/{PROVIDER}"))
    };
    let vendor = fixture.vendor("sts.googleapis.com", Dialect::GoogleSts(dialect), &audience);
    let pull = fixture.pull(preset, "europe-docker.pkg.dev/corp/main/app", &audience);
    (vendor, pull.set("provider", PROVIDER).set("audience", audience))
}

pub(crate) fn google_sts(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = google(&fixture, "google-sts", None);
    let key = "europe-docker.pkg.dev";
    pull.logs_in(&vendor, key, "oauth2accesstoken", Life::Seconds);
    assert_eq!(pull.cached_seconds(), 3299);
    for host in ["gcr.io", "eu.gcr.io", "docker.me-central2.rep.pkg.dev"] {
        let pull = pull.clone().of(&format!("{host}/corp/app"));
        pull.logs_in(&vendor, host, "oauth2accesstoken", Life::Seconds);
    }
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), ("sts.googleapis.com", "/v1/token"));
    assert_eq!(call.authorization, None, "Google refuses a client that says who it is");

    let says = [
        "HTTP 400 invalid_grant",
        "says: The given credential is rejected",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

const PULLER: &str = "puller@corp.iam.gserviceaccount.com";

pub(crate) fn google_sts_impersonation(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = google(&fixture, "google-sts-impersonation", Some(PULLER));
    let _iam = vendor.also_at(world.https_socket("iamcredentials.googleapis.com"));
    let pull = pull.set("serviceAccount", PULLER);
    pull.logs_in(&vendor, "europe-docker.pkg.dev", "oauth2accesstoken", Life::Until);
    let calls = vendor.calls();
    let hosts: Vec<&str> = calls.iter().rev().take(2).map(|call| &*call.host).collect();
    assert_eq!(hosts, ["iamcredentials.googleapis.com", "sts.googleapis.com"]);
    assert_eq!(calls.len(), 2 * 4, "two calls for each of four runs");

    let says = ["invalid_grant", "says: The given credential", "sts.googleapis.com/v1/token"];
    pull.clone().by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn googles_second_host_is_connected_to_while_the_first_answers(world: &World) {
    let (sts, iam) = ("sts.googleapis.com", "iamcredentials.googleapis.com");
    let round_trip = Duration::from_millis(100);
    let latency = world.put_away(&[sts, iam], round_trip);
    let fixture = Fixture::new(world);
    let (vendor, pull) = google(&fixture, "google-sts-impersonation", Some(PULLER));
    let _iam = vendor.also_at(world.https_socket(iam));
    let pull = pull.set("serviceAccount", PULLER);
    pull.logs_in(&vendor, "europe-docker.pkg.dev", "oauth2accesstoken", Life::Until);
    let mut connections = latency.connections();
    assert_eq!(connections.len(), 2 * 4, "one to each host in each of four runs");
    for run in connections.chunks_mut(2) {
        run.sort_unstable_by_key(|it| it.host != sts);
        let [first, second] = run else { unreachable!() };
        assert_eq!((&*first.host, &*second.host), (sts, iam));
        let answered = first.requests[0] + round_trip;
        assert!(second.handshake.unwrap() < answered, "connected to after the answer");
        assert!(second.requests[0] >= answered, "sent before the answer");
    }
    pull.by_a_stranger().is_refused(&vendor, DENIED, &["invalid_grant"]);
    let refused = latency.connections().split_off(8);
    assert!(refused.iter().all(|it| it.host == sts || it.requests.is_empty()), "{refused:?}");
}

/// The first host knows the pod, and the second does not let it act for the account.
fn google_may_refuse_the_second_call(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = google(&fixture, "google-sts-impersonation", Some(PULLER));
    let _iam = vendor.also_at(world.https_socket("iamcredentials.googleapis.com"));
    let says = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource";
    let refusal = json!({"error": {"code": 403, "message": says, "status": "PERMISSION_DENIED"}});
    // The account's address comes percent-encoded.
    let path = vendor.second_path().unwrap();
    for path in [path.replace('@', "%40"), path] {
        vendor.always(&path, Some(Canned::json(403, &refusal)));
    }
    let before = vendor.passwords().len();
    let pull = pull.set("serviceAccount", PULLER);
    let cause = format!("says: {says}");
    pull.fails_after_a_call(&vendor, DENIED, &["iamcredentials.googleapis.com", &cause]);
    assert!(vendor.passwords().len() > before, "the first call was answered");
}
