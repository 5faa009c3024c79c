//! What is wrong on the way.

use std::time::Duration;

use pullpass_tests::fakes::faults::Fault;
use pullpass_tests::fakes::google::{Canned, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginRun;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, METADATA, PULLER, keys};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(outside_of_google_nobody_answers),
        Trial::of(nothing_listens_in_the_place_of_the_metadata_server),
        Trial::of(a_black_hole_in_the_place_of_the_metadata_server),
        Trial::of(a_metadata_server_that_hangs_up),
        Trial::of(a_metadata_answer_that_trickles),
        Trial::of(services_that_are_away),
        Trial::of(sts_of_an_unknown_ca),
        Trial::of(sts_under_the_wrong_name),
        Trial::of(a_proxy_that_says_no),
        Trial::of(what_was_broken_may_be_whole_the_next_time),
        Trial::of(a_slow_answer_is_one),
    ]
}

fn in_time(run: &PluginRun, seconds: u64) {
    assert!(run.duration < Duration::from_secs(seconds), "{:?}", run.duration);
}

const AWAY: &str = "cannot get a token from the metadata server for the node";
const LET_REACH: &str = "hint: on Google Cloud, let this node reach 169.254.169.254";

/// No route leads there.
fn outside_of_google_nobody_answers(world: &World) {
    let cloud = Cloud::new(world);
    let run = cloud.run(cloud.plugin().arg("--timeout=3s"), &request(IMAGE));
    checks::fails(&run, 7, &["cannot connect to `http://metadata.google.internal/", LET_REACH]);
    assert!(
        run.stderr.contains("outside Google Cloud there is no metadata server"),
        "{}",
        run.stderr
    );
    assert!(run.error().ends_with(AWAY), "{}", run.stderr);
    in_time(&run, 5);
}

fn nothing_listens_in_the_place_of_the_metadata_server(world: &World) {
    let cloud = Cloud::new(world);
    world.address_of(METADATA);
    let run = cloud.run(cloud.plugin().arg("--timeout=3s"), &request(IMAGE));
    checks::fails(&run, 7, &["cannot connect to `http://metadata.google.internal/", LET_REACH]);
    in_time(&run, 5);
    let plugin = cloud.plugin().env("GCE_METADATA_HOST", "127.0.0.1:9");
    let run = cloud.run(plugin.arg("--timeout=3s"), &request(IMAGE));
    checks::fails(&run, 7, &["cannot connect to `http://127.0.0.1:9/", LET_REACH]);
    let plugin = cloud.plugin().env("GCE_METADATA_HOST", "169.254.1.1");
    let run = cloud.run(plugin.arg("--timeout=3s"), &request(IMAGE));
    checks::fails(&run, 7, &["cannot connect to `http://169.254.1.1/", LET_REACH]);
    in_time(&run, 5);
}

fn a_black_hole_in_the_place_of_the_metadata_server(world: &World) {
    let cloud = Cloud::new(world);
    world.black_hole(METADATA);
    let run = cloud.run(cloud.plugin().arg("--timeout=3s"), &request(IMAGE));
    checks::fails(&run, 7, &[LET_REACH]);
    assert!(run.error().ends_with(AWAY), "{}", run.stderr);
    in_time(&run, 5);
    // Without a limit it gives up before the kubelet does.
    let run = cloud.run_once(&cloud.plugin().quiet(), &request(IMAGE));
    checks::fails(&run, 7, &[LET_REACH]);
    in_time(&run, 30);
}

fn a_metadata_server_that_hangs_up(world: &World) {
    let mut cloud = Cloud::new(world);
    let server = Fault::Hangup.start();
    let at = server.url().trim_start_matches("http://").parse().unwrap();
    cloud.keep(world.http_to(METADATA, at));
    let run = cloud.run_once(&cloud.plugin().quiet(), &request(IMAGE));
    checks::fails(&run, 7, &["the connection to `http://metadata.google.internal/", LET_REACH]);
    assert!(server.requests().len() >= 2, "it is tried again");
    in_time(&run, 10);
}

fn a_metadata_answer_that_trickles(world: &World) {
    let cloud = Cloud::new(world);
    for fault in [Fault::SlowBody, Fault::EndlessBody, Fault::CutBody] {
        let shown = format!("{fault:?}");
        let server = fault.start();
        let at = server.url().trim_start_matches("http://").parse().unwrap();
        let name = world.http_to(METADATA, at);
        let run = cloud.run(cloud.plugin().arg("--timeout=2s"), &request(IMAGE));
        assert!([Some(5), Some(7)].contains(&run.code), "{shown}: {}", run.stderr);
        assert!(run.error().ends_with(AWAY), "{shown}: {}", run.stderr);
        in_time(&run, 4);
        drop(name);
    }
}

fn services_that_are_away(world: &World) {
    let cloud = Cloud::unserved(world);
    world.black_hole("sts.hole.example");
    world.address_of("sts.refuses.example");
    let asked = "cannot get a token from Google's STS for the pod";
    for (host, says) in [
        ("sts.googleapis.com", "cannot connect to `https://sts.googleapis.com/v1/token`"),
        ("sts.refuses.example", "cannot connect to `https://sts.refuses.example/v1/token`"),
        ("sts.hole.example", "`https://sts.hole.example/v1/token`"),
    ] {
        let url = format!("--sts-url=https://{host}/v1/token");
        let plugin = cloud.plugin_for_pods().arg(url).arg("--timeout=3s");
        let run = cloud.run(plugin, &cloud.pod_request(&[]));
        checks::fails(&run, 7, &[says, "DNS, firewall, proxy"]);
        assert!(run.error().contains(asked), "{}", run.stderr);
        in_time(&run, 5);
    }
}

fn sts_of_an_unknown_ca(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let stranger = TestCa::new().server_config(&["sts.googleapis.com"]);
    let server = Fault::status(200).start_tls(stranger);
    let at = server.url().trim_start_matches("https://").parse().unwrap();
    cloud.keep(world.http_to("sts.googleapis.com:443", at));
    let run = cloud.run(cloud.plugin_for_pods(), &cloud.pod_request(&[]));
    let says =
        ["no trusted TLS connection to `https://sts.googleapis.com/v1/token`", "`SSL_CERT_FILE`"];
    checks::fails(&run, 2, &says);
    assert!(server.requests().is_empty(), "nothing was sent");
}

fn sts_under_the_wrong_name(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let other = world.ca().server_config(&["sts.example"]);
    let server = Fault::status(200).start_tls(other);
    let at = server.url().trim_start_matches("https://").parse().unwrap();
    cloud.keep(world.http_to("sts.googleapis.com:443", at));
    let run = cloud.run(cloud.plugin_for_pods(), &cloud.pod_request(&[]));
    checks::fails(
        &run,
        2,
        &["no trusted TLS connection to", "check the server's certificate and name"],
    );
    assert!(server.requests().is_empty(), "nothing was sent");
}

fn a_proxy_that_says_no(world: &World) {
    let cloud = Cloud::new(world);
    for status in [403, 407, 502] {
        let proxy = Fault::status(status).start();
        let plugin = cloud.plugin_for_pods().env("HTTPS_PROXY", proxy.url()).arg("--timeout=3s");
        let run = cloud.run(plugin, &cloud.pod_request(&[]));
        checks::fails(&run, 7, &["cannot get a token from Google's STS for the pod", "proxy"]);
        let seen = proxy.requests();
        assert!(seen.iter().all(|seen| seen.head.starts_with("CONNECT sts.googleapis.com:443 ")));
        assert!(!seen.is_empty());
    }
    assert_eq!(cloud.count(Service::Sts), 0);
}

fn what_was_broken_may_be_whole_the_next_time(world: &World) {
    let cloud = Cloud::new(world);
    cloud.puller();
    let plugin = cloud.plugin_for_pods().arg(format!("--service-account={PULLER}"));
    let with_key = cloud.plugin().arg("--credentials").arg(cloud.key_file());
    for (service, plugin, request) in [
        (Service::Sts, &plugin, cloud.pod_request(&[])),
        (Service::IamCredentials, &plugin, cloud.pod_request(&[])),
        (Service::OAuth, &with_key, request(IMAGE)),
    ] {
        for canned in [Canned::broken(service), Canned::unavailable(), Canned::throttled(service)] {
            let before = cloud.count(service);
            cloud.google.next(service, canned);
            let run = cloud.run_once(plugin, &request);
            assert_eq!(keys(&run), ["us-docker.pkg.dev"]);
            assert_eq!(cloud.count(service) - before, 2);
        }
        // As long as it says.
        cloud.google.next(service, Canned::throttled(service).with_header("retry-after", "2"));
        let run = cloud.run_once(plugin, &request);
        assert_eq!(keys(&run), ["us-docker.pkg.dev"]);
        assert!(run.duration >= Duration::from_secs(2), "{:?}", run.duration);
    }
}

fn a_slow_answer_is_one(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for service in [Service::Metadata, Service::Sts] {
        cloud.google.next(service, Canned::late(Duration::from_millis(1500)));
        let run = match service {
            Service::Metadata => cloud.run_once(&cloud.plugin(), &request(IMAGE)),
            _ => cloud.run_once(&cloud.plugin_for_pods(), &cloud.pod_request(&[])),
        };
        assert_eq!(keys(&run), ["us-docker.pkg.dev"]);
        assert_eq!(cloud.count(service), 1);
    }
}
