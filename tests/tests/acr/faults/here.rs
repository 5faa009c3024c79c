//! What is wrong on the way, with the answer's token, or with the operator's own words.

use std::time::Duration;

use pullpass_tests::fakes::azure::Cloud as AzureCloud;
use pullpass_tests::fakes::azure::{Canned, Expires, Service, Tenant, TokenAnswer};
use pullpass_tests::fakes::faults::Fault;
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{CLIENT_ID, Cloud, IMAGE, IMDS, REGISTRY, TENANT_ID};

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_cache_follows_the_refresh_token),
        Trial::of(a_token_that_is_over_is_an_error),
        Trial::of(what_was_broken_may_be_whole_the_next_time),
        Trial::of(throttled_with_a_short_rest),
        Trial::of(off_azure_nobody_answers),
        Trial::of(a_black_hole_in_the_place_of_imds),
        Trial::of(a_registry_that_is_away),
        Trial::of(a_registry_of_an_unknown_ca),
        Trial::of(entra_of_an_unknown_ca),
        Trial::of(a_proxy_that_says_no),
        Trial::of(the_wrong_tenant),
        Trial::of(an_identity_without_a_role),
        Trial::of(odd_challenges_are_named_where_the_exchange_says_nothing),
        Trial::of(mistakes_in_the_options),
    ]
}

fn the_cache_follows_the_refresh_token(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for (expires, arg, durations) in [
        (Expires::In(10_800), "--max-cache=1h", &["1h0m0s"][..]),
        (Expires::In(10_800), "--max-cache=10m", &["10m0s"]),
        // Less five minutes, or a tenth.
        (Expires::In(2100), "--max-cache=1h", &["31m"]),
        (Expires::In(600), "--max-cache=1h", &["8m", "9m"]),
        (Expires::Missing, "--max-cache=1h", &["0s"]),
        (Expires::Raw(json!("tomorrow")), "--max-cache=1h", &["0s"]),
        (Expires::Raw(json!(4_102_444_800_i64)), "--max-cache=1h", &["1h0m0s"]),
    ] {
        let answer = TokenAnswer { expires: expires.clone(), padding: 5000 };
        cloud.azure.set_token_answer(Service::Exchange, answer);
        let response = cloud.run(cloud.plugin_as_node().arg(arg), &request(IMAGE)).response();
        let duration = response["cacheDuration"].as_str().unwrap();
        let fits = durations.iter().any(|start| duration.starts_with(start));
        assert!(fits, "{expires:?} {arg}: {duration}");
    }
}

fn a_token_that_is_over_is_an_error(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let answer = TokenAnswer { expires: Expires::In(-60), padding: 0 };
    cloud.azure.set_token_answer(Service::Exchange, answer);
    let run = cloud.run(cloud.plugin_as_node(), &request(IMAGE));
    checks::fails(&run, 5, &["hint: check this node's clock"]);
    assert!(run.error().ends_with("the registry returned a token that has already expired"));
}

fn what_was_broken_may_be_whole_the_next_time(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    for (service, canned) in [
        (Service::Entra, Canned::broken(Service::Entra)),
        (Service::Entra, Canned::unavailable()),
        (Service::Exchange, Canned::broken(Service::Exchange)),
        (Service::Exchange, Canned::unavailable()),
    ] {
        let before = cloud.count(service);
        cloud.azure.next(service, canned);
        let run = cloud.run_once(&cloud.plugin(), &cloud.request_of(&pod));
        assert_eq!(run.login().0, REGISTRY);
        assert_eq!(cloud.count(service) - before, 2);
    }
}

fn throttled_with_a_short_rest(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    for service in [Service::Entra, Service::Exchange] {
        cloud.azure.next(service, Canned::throttled(service, 2));
        let run = cloud.run_once(&cloud.plugin(), &cloud.request_of(&pod));
        assert_eq!(run.login().0, REGISTRY);
        assert!(run.duration >= Duration::from_secs(2), "{:?}", run.duration);
    }
}

/// No route leads there: a machine that is not in Azure.
fn off_azure_nobody_answers(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud.plugin_as_node().arg("--timeout=3s");
    let run = cloud.run_once(&plugin, &request(IMAGE));
    let says = [
        "cannot connect to `http://169.254.169.254/",
        "hint: on an Azure virtual machine, let this node reach",
    ];
    checks::fails(&run, 7, &says);
    assert!(
        run.error()
            .ends_with("cannot get a token from IMDS for the node as its system-assigned identity")
    );
    assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
}

fn a_black_hole_in_the_place_of_imds(world: &World) {
    let cloud = Cloud::new(world);
    world.black_hole(IMDS);
    let plugin = cloud.plugin_as_node().arg("--timeout=3s");
    let run = cloud.run_once(&plugin, &request(IMAGE));
    checks::fails(
        &run,
        7,
        &["cannot get a token from IMDS", "hint: on an Azure virtual machine, let this node reach"],
    );
    assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
}

fn a_registry_that_is_away(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    world.black_hole("hole.azurecr.io");
    for (host, says) in [
        ("gone.azurecr.io", "cannot connect to `https://gone.azurecr.io/oauth2/exchange`"),
        ("hole.azurecr.io", "`https://hole.azurecr.io/oauth2/exchange`"),
    ] {
        let plugin = cloud.plugin_as_node().arg("--timeout=3s");
        let run = cloud.run_once(&plugin, &request(&format!("{host}/team/app")));
        checks::fails(&run, 7, &[says, "DNS, firewall, proxy"]);
        assert!(run.error().contains(&format!("a token from the registry `{host}` for the node")));
        assert!(run.duration < Duration::from_secs(5), "{:?}", run.duration);
    }
}

fn a_registry_of_an_unknown_ca(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let stranger = TestCa::new().server_config(&["other.azurecr.io"]);
    let server = Fault::status(200).start_tls(stranger);
    let at = server.url().trim_start_matches("https://").parse().unwrap();
    cloud.keep(world.http_to("other.azurecr.io:443", at));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request("other.azurecr.io/team/app"));
    let says = [
        "no trusted TLS connection to `https://other.azurecr.io/oauth2/exchange`",
        "`SSL_CERT_FILE`",
    ];
    checks::fails(&run, 2, &says);
    assert!(server.requests().is_empty(), "nothing was sent");
}

fn entra_of_an_unknown_ca(world: &World) {
    let mut cloud = Cloud::new(world);
    let pod = cloud.pod();
    let stranger = TestCa::new().server_config(&["login.other.cloud"]);
    let server = Fault::status(200).start_tls(stranger);
    let at = server.url().trim_start_matches("https://").parse().unwrap();
    cloud.keep(world.http_to("login.other.cloud:443", at));
    let plugin = cloud
        .plugin()
        .arg("--authority-host=https://login.other.cloud")
        .arg("--registry-suffix=azurecr.io");
    let run = cloud.run_once(&plugin, &cloud.request_of(&pod));
    checks::fails(
        &run,
        2,
        &["no trusted TLS connection to `https://login.other.cloud/", "`SSL_CERT_FILE`"],
    );
    assert!(server.requests().is_empty(), "nothing was sent");
}

fn a_proxy_that_says_no(world: &World) {
    let cloud = Cloud::new(world);
    let pod = cloud.pod();
    for status in [403, 407, 502] {
        let proxy = Fault::status(status).start();
        let plugin = cloud.plugin().env("HTTPS_PROXY", proxy.url()).arg("--timeout=3s");
        let run = cloud.run_once(&plugin, &cloud.request_of(&pod));
        checks::fails(
            &run,
            7,
            &["cannot get a token from Entra at `login.microsoftonline.com`", "proxy"],
        );
        assert!(!proxy.requests().is_empty());
    }
    assert_eq!(cloud.count(Service::Entra), 0);
}

/// The tenant of the annotation has no such application; that of the node is not the registry's.
fn the_wrong_tenant(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.pod();
    let other = cloud.azure.add_tenant(Tenant::new(AzureCloud::public()));
    for (tenant, code) in [(&*other.id, "AADSTS700016"), ("nowhere.example", "AADSTS90002")] {
        let ids = [(CLIENT_ID, &*pod.client_id), (TENANT_ID, tenant)];
        let run = cloud.run_once(&cloud.plugin(), &cloud.pod_request(IMAGE, &ids));
        checks::fails(&run, 3, &[code, tenant, "(correlation ID "]);
    }
    let plugin = cloud.plugin_as_node().arg(format!("--tenant-id={}", other.id));
    let run = cloud.run_once(&plugin, &request(IMAGE));
    checks::fails(&run, 3, &["HTTP 401 UNAUTHORIZED", "AcrPull"]);
}

fn an_identity_without_a_role(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.azure.add_registry(pullpass_tests::fakes::azure::Registry::new(REGISTRY, &cloud.tenant));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    let says =
        ["HTTP 401 UNAUTHORIZED", "CorrelationId: ", "the role AcrPull on `contoso.azurecr.io`"];
    checks::fails(&run, 3, &says);
    assert_eq!(cloud.count(Service::Exchange), 1, "a refusal is not tried again");
}

/// The challenge is asked for only then, and once.
fn odd_challenges_are_named_where_the_exchange_says_nothing(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.azure.always(Service::Exchange, Some(Canned::status(404)));
    let challenge = Canned::challenge;
    for (canned, says) in [
        (challenge("Basic"), "the challenge is not of the scheme Bearer"),
        (challenge(r#"Basic realm="x""#), "the challenge is not of the scheme Bearer"),
        (challenge("Auth realm=x,service=y"), "the challenge is not of the scheme Bearer"),
        (challenge("Bearer service=foo"), "the challenge has no realm"),
        (challenge(r#"Bearer realm="",service="x""#), "the challenge has no realm"),
        (challenge("Bearer realm=https://evil.example/x,service=foo"), "points to `evil.example`"),
        (
            challenge("Bearer realm=https://contoso.azurecr.io:444/x,service=foo"),
            "the challenge points to",
        ),
        (Canned::status(401), "`/v2/` answers 401 without a challenge"),
        (Canned::status(200), "`/v2/` answers 200, not 401 with a challenge"),
        (Canned::status(503), "`/v2/` answers 503, not 401 with a challenge"),
        (Canned::redirect("https://evil.example/v2/"), "a redirect; redirects are never followed"),
    ] {
        cloud.azure.always(Service::Challenge, Some(canned));
        let before = cloud.count(Service::Challenge);
        let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
        checks::fails(&run, 5, &["HTTP 404", says, "does not answer like an ACR registry"]);
        assert_eq!(cloud.count(Service::Challenge) - before, 1);
    }
    // In order, and without quotes.
    let fine = challenge("Bearer realm=https://contoso.azurecr.io/oauth2/token,service=foo");
    cloud.azure.always(Service::Challenge, Some(fine));
    let run = cloud.run_once(&cloud.plugin_as_node(), &request(IMAGE));
    checks::fails(&run, 5, &["HTTP 404", "unexpected answer: check for a proxy"]);
}

fn mistakes_in_the_options(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for (args, says) in [
        (&["--max-cache=soon"][..], "--max-cache"),
        (&["--nonsense"], "--nonsense"),
        (&["--registry-mirror=mcr.microsoft.com"], "has no target"),
        (&["--registry-mirror=mcr.microsoft.com:evil.example"], "not a registry of this cloud"),
        (&["-r=mcr.microsoft.com/x:contoso.azurecr.io"], "a login is for a whole host"),
        (&["/etc/a.json", "/etc/b.json"], "AZURE_JSON is given twice"),
    ] {
        let plugin = args.iter().fold(cloud.plugin_as_node(), |plugin, arg| plugin.arg(*arg));
        let run = cloud.run(plugin, &request(IMAGE));
        assert_eq!(run.code, Some(2), "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(says), "{args:?}: {}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
    // klog's flags of the Go plugin do no harm.
    let plugin = cloud.plugin_as_node().arg("-v=9").arg("--log-flush-frequency=5s");
    assert_eq!(cloud.run(plugin, &request(IMAGE)).code, Some(0));
}
