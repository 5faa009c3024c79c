//! How long an answer may be kept, and for which other pulls.

use pullpass_tests::fakes::google::{Expires, Service, TokenAnswer};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{Cloud, IMAGE, PULLER, REGISTRY, SERVICE_ACCOUNT, keys, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(until_shortly_before_the_token_ends),
        Trial::of(the_pods_token_and_its_end),
        Trial::of(an_impersonated_accounts_token_and_its_end),
        Trial::of(a_token_that_is_over_is_an_error),
        Trial::of(no_longer_than_the_operator_says),
        Trial::of(keys_of_an_answer),
        Trial::of(values_that_are_none),
    ]
}

/// Real life less five minutes, or less a tenth where that is shorter; then hours, minutes and
/// seconds as Go writes them. One second may pass on the way.
fn kept(run: &pullpass_tests::plugin::PluginRun) -> i64 {
    let text = run.response()["cacheDuration"].as_str().unwrap().to_owned();
    let mut rest = text.as_str();
    let mut seconds = 0;
    for (unit, length) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            seconds += number.parse::<i64>().unwrap_or_else(|_| panic!("{text}")) * length;
            rest = after;
        }
    }
    assert_eq!(rest, "", "{text}");
    seconds
}

fn set(cloud: &Cloud<'_>, service: Service, expires: Expires) {
    cloud.google.set_token_answer(service, TokenAnswer { expires, padding: 0 });
}

fn is_about(found: i64, expected: i64, of: &str) {
    assert!((expected - 2..=expected).contains(&found), "{of}: {found}, not {expected}");
}

fn until_shortly_before_the_token_ends(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for (expires, expected) in [
        (Expires::In(3599), 3299),
        (Expires::In(43_200), 42_900),
        // Half a day is the longest that Google gives, whatever an answer says.
        (Expires::In(1_000_000), 43_200),
        (Expires::Raw(json!(1e15)), 43_200),
        (Expires::In(3001), 2701),
        // From here on the tenth is less.
        (Expires::In(3000), 2700),
        (Expires::In(1200), 1080),
        (Expires::In(300), 270),
        (Expires::In(120), 108),
        (Expires::In(70), 63),
        // Nearly dead: used once.
        (Expires::In(60), 0),
        (Expires::In(30), 0),
        (Expires::In(3), 0),
        // It does not say.
        (Expires::Missing, 0),
        (Expires::Raw(Value::Null), 0),
        (Expires::Raw(json!("1200")), 1080),
        (Expires::Raw(json!(1200.7)), 1080),
    ] {
        set(&cloud, Service::Metadata, expires.clone());
        let run = cloud.run_once(&cloud.plugin(), &request(IMAGE));
        if expected == 0 {
            assert_eq!(run.response()["cacheDuration"], "0s", "{expires:?}");
        }
        is_about(kept(&run), expected, &format!("{expires:?}"));
        assert_eq!(keys(&run), [REGISTRY], "{expires:?}");
    }
}

/// STS gives no longer a life than the pod's token has.
fn the_pods_token_and_its_end(world: &World) {
    let cloud = Cloud::new(world);
    let run = cloud.run_once(&cloud.plugin_for_pods(), &cloud.pod_request(&[]));
    is_about(kept(&run), 3299, "as usual");
    let token = cloud.issuer.token(&cloud.provider.token_audience()).lifetime(900).build();
    let short = pod_request(IMAGE, &token, &[]);
    let run = cloud.run_once(&cloud.plugin_for_pods(), &short);
    is_about(kept(&run), 810, "a token of 15 minutes");
    for (expires, expected) in
        [(Expires::In(45), 0), (Expires::Missing, 0), (Expires::In(600), 540)]
    {
        set(&cloud, Service::Sts, expires.clone());
        let run = cloud.run_once(&cloud.plugin_for_pods(), &cloud.pod_request(&[]));
        is_about(kept(&run), expected, &format!("{expires:?}"));
    }
}

/// Its own lifetime is used, not that of the federated token.
fn an_impersonated_accounts_token_and_its_end(world: &World) {
    let cloud = Cloud::new(world);
    cloud.puller();
    let plugin = || cloud.plugin_for_pods().arg(format!("--service-account={PULLER}"));
    set(&cloud, Service::Sts, Expires::In(200));
    for (expires, expected) in [
        (Expires::Usual, 3300),
        (Expires::In(1800), 1620),
        (Expires::In(59), 0),
        (Expires::Missing, 0),
    ] {
        set(&cloud, Service::IamCredentials, expires.clone());
        let run = cloud.run_once(&plugin(), &cloud.pod_request(&[]));
        is_about(kept(&run), expected, &format!("{expires:?}"));
    }
    // With an offset, and with a fraction; Google gives half a day at most, whatever it says.
    for text in ["2099-01-01T00:00:00+01:00", "2099-01-01T00:00:00.123456789Z"] {
        set(&cloud, Service::IamCredentials, Expires::Raw(json!(text)));
        let run = cloud.run_once(&plugin(), &cloud.pod_request(&[]));
        assert_eq!(run.response()["cacheDuration"], "12h0m0s", "{text}");
    }
    let annotated = cloud.pod_request(&[(SERVICE_ACCOUNT, PULLER)]);
    set(&cloud, Service::IamCredentials, Expires::Usual);
    let run = cloud.run_once(&cloud.plugin_for_pods(), &annotated);
    is_about(kept(&run), 3300, "by annotation");
    assert_eq!(cloud.known(&run.login().2).principal, member(PULLER));
}

fn a_token_that_is_over_is_an_error(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.puller();
    let impersonating = cloud.plugin_for_pods().arg(format!("--service-account={PULLER}"));
    for (service, expires, plugin, request) in [
        (Service::Metadata, 0, cloud.plugin(), request(IMAGE)),
        (Service::Metadata, -60, cloud.plugin(), request(IMAGE)),
        (Service::Sts, 0, cloud.plugin_for_pods(), cloud.pod_request(&[])),
        (Service::IamCredentials, -60, impersonating, cloud.pod_request(&[])),
    ] {
        set(&cloud, service, Expires::In(expires));
        let run = cloud.run(plugin, &request);
        checks::fails(&run, 5, &["hint: check this node's clock"]);
        assert!(
            run.error().ends_with("returned a token that has already expired"),
            "{}",
            run.stderr
        );
        set(&cloud, service, Expires::Usual);
    }
}

/// By option or the Go plugin's variable, and never longer than the token lives.
fn no_longer_than_the_operator_says(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let by_option = |value: &str| cloud.plugin().arg(format!("--max-cache={value}"));
    let by_variable = |value: &str| cloud.plugin().env("KUBE_SIDECAR_CACHE_DURATION", value);
    for (expires, limit, expected) in [
        (Expires::In(3599), "10m", 600),
        (Expires::In(3599), "1m30s", 90),
        (Expires::In(3599), "0s", 0),
        (Expires::In(3599), "0", 0),
        (Expires::In(3599), "2h", 3299),
        (Expires::In(600), "10m", 540),
        (Expires::In(45), "1h", 0),
        (Expires::In(1_000_000), "99h", 43_200),
        (Expires::Missing, "1h", 0),
    ] {
        set(&cloud, Service::Metadata, expires.clone());
        for plugin in [by_option(limit), by_variable(limit)] {
            let run = cloud.run_once(&plugin, &request(IMAGE));
            is_about(kept(&run), expected, &format!("{expires:?} and {limit}"));
        }
    }
    // An empty variable is unset, and the option takes precedence.
    set(&cloud, Service::Metadata, Expires::In(3599));
    let both = by_option("5m").env("KUBE_SIDECAR_CACHE_DURATION", "1m");
    for (plugin, expected) in [(by_variable(""), 3299), (both, 300)] {
        let run = cloud.run_once(&plugin, &request(IMAGE));
        is_about(kept(&run), expected, "empty, or both");
    }
}

fn keys_of_an_answer(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let by_option = |value: &str| cloud.plugin().arg(format!("--cache-key={value}"));
    let by_variable = |value: &str| cloud.plugin().env("KUBE_SIDECAR_CACHE_TYPE", value);
    for way in [&by_option as &dyn Fn(&str) -> PluginCommand, &by_variable] {
        for (value, name) in [("image", "Image"), ("registry", "Registry"), ("", "Registry")] {
            let run = cloud.run(way(value), &request(IMAGE));
            assert_eq!(run.response()["cacheKeyType"], name, "{value}");
            assert_eq!(keys(&run), [REGISTRY], "{value}");
        }
        // Kept for every image, so it must be good for every host that is asked about.
        let plugin = way("global").arg("--host=mirror.example:5000");
        let run = cloud.run(plugin, &request("docker.us-east1.rep.pkg.dev/contoso/team/app"));
        assert_eq!(run.response()["cacheKeyType"], "Global");
        let keys = keys(&run);
        for key in [
            "docker.us-east1.rep.pkg.dev",
            "gcr.io",
            "*.pkg.dev",
            "docker.*.rep.pkg.dev",
            "mirror.example:5000",
        ] {
            assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
        }
        for host in ["us.gcr.io", "eu.gcr.io", "asia.gcr.io", "marketplace.gcr.io"] {
            let found = keys.iter().any(|key| key == host || key == "*.gcr.io");
            assert!(found, "{host}: {keys:?}");
        }
        assert!(!keys.iter().any(|key| key.contains("cloud.google.com")), "{keys:?}");
        let auth = run.response()["auth"].as_object().unwrap().clone();
        assert!(auth.values().all(|login| *login == auth["gcr.io"]), "one login under all");
    }
}

fn values_that_are_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for (plugin, says) in [
        (cloud.plugin().arg("--max-cache=soon"), "`--max-cache`"),
        (cloud.plugin().arg("--max-cache=-1s"), "`--max-cache`"),
        (cloud.plugin().arg("--max-cache=10"), "`--max-cache`"),
        (cloud.plugin().env("KUBE_SIDECAR_CACHE_DURATION", "soon"), "KUBE_SIDECAR_CACHE_DURATION"),
        (cloud.plugin().arg("--cache-key=Registry"), "`image`, `registry`, `global`"),
        (cloud.plugin().env("KUBE_SIDECAR_CACHE_TYPE", "Registry"), "KUBE_SIDECAR_CACHE_TYPE"),
        (cloud.plugin().env("KUBE_SIDECAR_CACHE_TYPE", "none"), "in lower case"),
    ] {
        cloud.fails(plugin, &request(IMAGE), 2, &[says]);
    }
    assert_eq!(world.attempts(), before);
}
