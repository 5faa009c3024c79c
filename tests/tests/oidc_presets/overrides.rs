//! What an operator says over a preset, and what no preset takes.

use pullpass_tests::fakes::vendors::{
    Artifactory, Client, Dialect, Expiry, Grant, OAuth, Quay, Yandex,
};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::check::Life;
use crate::fixture::{CONFIG, Fixture, IMAGE, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(each_field_of_a_preset_gives_way_to_the_profiles),
        Trial::of(another_type_leaves_nothing_of_the_presets_exchange),
        Trial::of(another_end_than_the_presets),
        Trial::of(mirrors_get_the_same_login),
        Trial::of(a_parameter_that_a_preset_needs_or_does_not_have),
        Trial::of(a_host_is_a_host_and_nothing_else),
    ]
}

const ART: &str = "art.corp.example:8443";

fn each_field_of_a_preset_gives_way_to_the_profiles(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Artifactory { project: Some("web".to_owned()), ..Artifactory::new("k8s-prod") };
    let vendor = fixture.vendor(ART, Dialect::Artifactory(dialect), "art");
    let pull = fixture.pull("artifactory", IMAGE, "art").set("host", ART).set("provider", "wrong");
    let pull = pull.over(json!({
        "registries": [REGISTRY],
        "serviceAccountToken": {"audience": "art", "issuer": fixture.issuer.url()},
        // The rest of the preset's exchange stays: type, endpoint, encoding.
        "exchange": {"extra": {"provider_name": "k8s-prod", "project_key": "web"}},
        "response": {
            "username": {"value": "somebody"},
            "margin": "20m",
            "maxCacheDuration": "30m",
            "cacheKeyType": "Image",
        },
    }));
    pull.logs_in_for(&vendor, REGISTRY, "somebody", 1800);
    let run = pull.run_from_file();
    assert_eq!(run.response()["cacheKeyType"], "Image");
    let call = vendor.last_call();
    assert_eq!(call.field("provider_type"), Some("Generic OpenID Connect"), "of the preset");
    assert_eq!(call.content_type, "application/json", "of the preset");

    // Another address for the same exchange: the preset's own host is not asked.
    let mirror = "art-eu.corp.example:9443";
    let second = fixture.vendor(mirror, Dialect::Artifactory(Artifactory::new("k8s-prod")), ART);
    let calls = vendor.count();
    let pull = fixture.pull("artifactory", "art.corp.example:8443/docker/app", ART);
    let pull = pull.set("host", ART).set("provider", "k8s-prod");
    let endpoint = format!("https://{mirror}/access/api/v1/oidc/token");
    let pull = pull.over(json!({"exchange": {"endpoint": endpoint}}));
    pull.logs_in(&second, ART, "puller", Life::Until);
    assert_eq!(vendor.count(), calls);
}

fn another_type_leaves_nothing_of_the_presets_exchange(world: &World) {
    let fixture = Fixture::new(world);
    let preset = fixture.vendor(ART, Dialect::Artifactory(Artifactory::new("k8s-prod")), ART);
    let sts = "sts.corp.example:8443";
    let oauth = OAuth::new(Client::None { id: None }, Grant::JwtBearer);
    let vendor = fixture.vendor(sts, Dialect::OAuth(oauth), ART);
    let image = "art.corp.example:8443/docker/app";
    let pull = fixture.pull("artifactory", image, ART).set("host", ART).set("provider", "k8s-prod");
    let own = pull.clone().over(json!({
        "exchange": {"type": "jwtBearer", "endpoint": vendor.endpoint()},
        "response": {"username": {"value": "me"}},
    }));
    own.logs_in(&vendor, ART, "me", Life::Seconds);
    assert_eq!(vendor.last_call().field_names(), ["grant_type", "assertion"]);
    assert_eq!(preset.count(), 0);

    // And no endpoint is left over for a type that has none of its own.
    let own = pull.clone().over(json!({"exchange": {"type": "jwtBearer"}}));
    own.is_not_sent(CONFIG, &["`exchange` needs `endpoint`, or `discovery`"]);
    let own = pull.over(json!({
        "exchange": {"type": "passthrough"},
        "response": {"username": {"value": "jwt"}},
    }));
    own.passes_the_token(ART, "jwt", "Registry");
    assert_eq!(preset.count(), 0);
}

/// The vendor's next version says it in another form.
fn another_end_than_the_presets(world: &World) {
    for (number, (expiry, section, life)) in [
        (
            Expiry::EpochMillis,
            json!({"pointer": "/expires_in", "format": "epochMillis"}),
            Life::Until,
        ),
        (Expiry::Epoch, json!({"pointer": "/expires_in", "format": "epoch"}), Life::Until),
        (Expiry::Rfc3339, json!({"pointer": "/expires_in", "format": "rfc3339"}), Life::Until),
        (Expiry::SecondsText, json!({"format": "seconds"}), Life::Seconds),
        (Expiry::Absent, json!({"format": "jwtExp"}), Life::Unsaid),
        (Expiry::JwtExp, json!({"format": "jwtExp"}), Life::Until),
    ]
    .into_iter()
    .enumerate()
    {
        let fixture = Fixture::new(world);
        let host = format!("auth{number}.yandex.example");
        let dialect = Dialect::Yandex(Yandex::new("aje1"));
        let vendor = fixture.vendor_with(&host, dialect, "k8s", |settings| {
            (settings.expiry, settings.lifetime) = (expiry, Some(1234));
        });
        let pull = fixture.pull("yandex", "cr.yandex/crp1/app", "k8s").set("audience", "k8s");
        let pull = pull.set("serviceAccount", "aje1").over(json!({
            "exchange": {"endpoint": vendor.endpoint()},
            "response": {"expiry": section},
        }));
        eprintln!("{expiry:?}");
        pull.logs_in(&vendor, "cr.yandex", "iam", life);
    }
}

fn mirrors_get_the_same_login(world: &World) {
    let fixture = Fixture::new(world);
    let vendor = fixture.vendor("quay.io", Dialect::Quay(Quay::new("corp+puller")), "quay.io");
    let pull = fixture.pull("quay", "quay.io/corp/app", "quay.io").set("robot", "corp+puller");
    let pull = pull.over(json!({
        "registries": ["quay.io", "mirror.corp.example:5443"],
        "response": {"authKeys": ["${image.registry}", "mirror.corp.example:5443"]},
    }));
    let run = pull.run_from_file();
    let password = vendor.last_password().value;
    let login = json!({"username": "corp+puller", "password": password});
    assert!(
        run.response()["auth"] == json!({"quay.io": login, "mirror.corp.example:5443": login}),
        "both keys, each with the port it has"
    );
    let pull = pull.over(json!({"response": {"authKeys": ["mirror.corp.example"]}}));
    pull.is_not_sent(CONFIG, &["`mirror.corp.example` is not covered by `registries`"]);
}

fn a_parameter_that_a_preset_needs_or_does_not_have(world: &World) {
    let fixture = Fixture::new(world);
    let image = "art.corp.example:8443/docker/app";
    let bare = fixture.pull("artifactory", image, ART);
    bare.is_not_sent(CONFIG, &["preset `artifactory` needs the variable `host`"]);
    let pull = bare.set("host", ART);
    pull.is_not_sent(CONFIG, &["needs the variable `provider`", "OIDC integration"]);
    let none = fixture.pull("artifactori", image, ART);
    none.is_not_sent(CONFIG, &["no preset has this name", "artifactory"]);
    for (args, says) in [
        (
            &["--preset", "quay", "--set", "endpoint=x"][..],
            "preset `quay` has no variable `endpoint`",
        ),
        (&["--preset", "quay", "--set", "host"], "`--set`"),
        (&["--set", "host=x"], "`--config` is missing"),
        (
            &["--preset", "quay", "--config", "/x"],
            "`--config` (or PULLPASS_OIDC_CONFIG) and `--preset` cannot be combined",
        ),
        (&["--config", "/x", "--set", "a=b"], "`--set` needs `--preset`"),
    ] {
        fixture.pull("quay", image, ART).fails_with_arguments(args, CONFIG, says);
    }
}

/// What an operator sets is trusted, and yet a typing error must not name another host than it seems to.
fn a_host_is_a_host_and_nothing_else(world: &World) {
    let fixture = Fixture::new(world);
    let image = "art.corp.example:8443/docker/app";
    for host in [
        "art.corp.example:8443@evil.example",
        "evil.example/art.corp.example",
        "evil.example#",
        "evil.example?x=",
        "https://art.corp.example:8443",
        "*.corp.example",
        "art.corp.example:",
        "",
    ] {
        let pull = fixture.pull("artifactory", image, ART).set("provider", "k8s-prod");
        let pull = pull.set("registry", ART).set("audience", ART).set("host", host);
        eprintln!("host `{host}`");
        pull.is_not_sent(CONFIG, &["preset `artifactory`: `host` must be HOST[:PORT] only"]);
    }
}
