//! Vendors whose identity the service account names in an annotation: Quay, Cloudsmith,
//! Chainguard, Yandex. An annotation is checked before any server is asked; it cannot change what
//! the operator has set.

use pullpass_tests::fakes::vendors::{Chainguard, Cloudsmith, Dialect, Quay, Vendor, Yandex};
use pullpass_tests::world::{Trial, World};

use crate::check::Life;
use crate::fixture::{CONFIG, DENIED, Fixture, IDENTITY, Pull};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(quay_in_the_cloud_has_a_name_of_its_own),
        Trial::of(quays_other_refusals),
        Trial::of(cloudsmith_answers_201_too_and_for_less_than_an_hour),
        Trial::of(chainguard_wants_its_own_identity),
    ]
}

/// The preset with the annotation, and all that may be wrong with that.
struct Annotated<'g> {
    pull: Pull<'g>,
    key: &'static str,
    value: &'static str,
    /// The variable that fixes it.
    variable: &'static str,
    /// What the pattern does not let pass.
    odd: &'static [&'static str],
}

impl Annotated<'_> {
    fn with(&self, value: &str) -> Pull<'_> {
        self.pull.clone().annotated(self.key, value)
    }

    /// By annotation and by a fixed value, and never by what does not match.
    fn check(&self, vendor: &Vendor, logs_in: impl Fn(&Pull<'_>)) {
        logs_in(&self.with(self.value));
        let calls = vendor.count();
        let missing = format!("annotation `{}` is missing", self.key);
        self.pull.is_not_sent(IDENTITY, &[&missing, "tokenAttributes"]);
        let mismatch = format!(
            "annotation `{}` does not match the pattern of the variable `{}`",
            self.key, self.variable
        );
        for odd in self.odd {
            self.with(odd).is_not_sent(IDENTITY, &[&mismatch]);
        }
        self.with(&self.value.repeat(100)).is_not_sent(IDENTITY, &[&mismatch]);
        assert_eq!(vendor.count(), calls);

        let fixed = self.pull.clone().set(self.variable, self.value);
        logs_in(&fixed);
        // The pod cannot choose another one then.
        for odd in self.odd.iter().chain(&["somebody+else", "other"]) {
            logs_in(&fixed.clone().annotated(self.key, *odd));
        }
    }
}

pub(crate) fn quay(world: &World) {
    let place = "quay.corp.example:8443";
    let fixture = Fixture::new(world);
    let vendor = fixture.vendor(place, Dialect::Quay(Quay::new("corp+puller")), place);
    let case = Annotated {
        pull: fixture.pull("quay", "quay.corp.example:8443/corp/app", place).set("host", place),
        key: "quay.io/federated-robot-account",
        value: "corp+puller",
        variable: "robot",
        odd: &["corp+puller:x", "corp", "corp+puller\n", "../corp+puller", ""],
    };
    case.check(&vendor, |pull| pull.logs_in(&vendor, place, "corp+puller", Life::Until));
    let call = vendor.last_call();
    assert_eq!((&*call.method, &*call.path), ("GET", "/oauth2/federation/robot/token"));
    assert_eq!(call.user.as_deref(), Some("corp+puller"));
    assert!(call.field_names().is_empty());

    let stranger = case.with("corp+puller").by_a_stranger();
    stranger.is_refused(
        &vendor,
        DENIED,
        &[
            "refused the token exchange: HTTP 401",
            "says: Token does not match robot",
            "hint: check that the server trusts this cluster's issuer, audience and service account",
        ],
    );
}

/// With its own defaults, under its own name.
fn quay_in_the_cloud_has_a_name_of_its_own(world: &World) {
    let fixture = Fixture::new(world);
    let vendor = fixture.vendor("quay.io", Dialect::Quay(Quay::new("corp+puller")), "quay.io");
    let pull = fixture.pull("quay", "quay.io/corp/app", "quay.io").set("robot", "corp+puller");
    pull.logs_in(&vendor, "quay.io", "corp+puller", Life::Until);
    assert_eq!(vendor.last_call().host, "quay.io");
    pull.of("quay.io:8443/corp/app").is_not_sent(CONFIG, &["no profile covers the registry"]);
}

fn quays_other_refusals(world: &World) {
    let fixture = Fixture::new(world);
    let vendor = fixture.vendor("quay.io", Dialect::Quay(Quay::new("corp+puller")), "quay.io");
    let pull = fixture.pull("quay", "quay.io/corp/app", "quay.io").set("robot", "corp+other");
    let says = ["says: Could not find robot with username: corp+other"];
    pull.is_refused(&vendor, DENIED, &says);
    let vendor_of_others =
        fixture.vendor("q.example", Dialect::Quay(Quay::new("corp+puller")), "others");
    let pull = fixture.pull("quay", "q.example/corp/app", "q.example").set("host", "q.example");
    let pull = pull.set("robot", "corp+puller");
    let says = ["says: Token audience is not allowed for this robot"];
    pull.is_refused(&vendor_of_others, DENIED, &says);
}

pub(crate) fn cloudsmith(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Dialect::Cloudsmith(Cloudsmith::new("corp", "k8s-puller"));
    let vendor = fixture.vendor("api.cloudsmith.io", dialect, "api.cloudsmith.io");
    let image = "docker.cloudsmith.io/corp/main/app";
    let case = Annotated {
        pull: fixture.pull("cloudsmith", image, "api.cloudsmith.io").set("organization", "corp"),
        key: "cloudsmith.io/service-slug",
        value: "k8s-puller",
        variable: "service",
        odd: &["k8s/puller", "k8s puller", "a.b", ""],
    };
    let key = "docker.cloudsmith.io";
    case.check(&vendor, |pull| pull.logs_in(&vendor, key, "token", Life::Until));
    let call = vendor.last_call();
    assert_eq!((&*call.path, &*call.host), ("/openid/corp/", "api.cloudsmith.io"));
    assert_eq!(call.field("service_slug"), Some("k8s-puller"));

    let stranger = case.with("k8s-puller").by_a_stranger();
    let says = ["HTTP 401", "says: Invalid OIDC token.", "hint: check that the server"];
    stranger.is_refused(&vendor, DENIED, &says);
    // The place is wrong, or the service.
    case.with("other").is_refused(&vendor, CONFIG, &["HTTP 404", "says: Not found."]);
}

fn cloudsmith_answers_201_too_and_for_less_than_an_hour(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Cloudsmith { created: true, ..Cloudsmith::new("corp", "k8s") };
    let place = "api.cloudsmith.corp.example:8443";
    let vendor = fixture.vendor_with(place, Dialect::Cloudsmith(dialect), place, |settings| {
        settings.lifetime = Some(1200);
    });
    let registry = "docker.cloudsmith.corp.example:5443";
    let pull = fixture.pull("cloudsmith", "docker.cloudsmith.corp.example:5443/a/b", place);
    let pull = pull.set("organization", "corp").set("service", "k8s");
    let pull = pull.set("api", place).set("registry", registry);
    pull.logs_in(&vendor, registry, "token", Life::Until);
    let cached = pull.cached_seconds();
    assert!((1077..=1080).contains(&cached), "twenty minutes less a tenth, not {cached} s");
}

pub(crate) fn chainguard(world: &World) {
    const IDENTITY_ID: &str = "c350fb5b3af2ba1e1b8a4c6d9e0f1a2b3c4d5e6f/9a8b7c6d5e4f3a2b";
    let fixture = Fixture::new(world);
    let audience = "https://issuer.enforce.dev";
    let dialect = Dialect::Chainguard(Chainguard::new(IDENTITY_ID));
    let vendor = fixture.vendor("issuer.enforce.dev", dialect, audience);
    let case = Annotated {
        pull: fixture.pull("chainguard", "cgr.dev/corp/app", audience),
        key: "credentials.chainguard.dev/identity",
        value: IDENTITY_ID,
        variable: "identity",
        odd: &["../etc", "abc&aud=other", "c350fb5b3af2ba1e/", "UPPER", ""],
    };
    case.check(&vendor, |pull| pull.logs_in(&vendor, "cgr.dev", "_token", Life::Until));
    let call = vendor.last_call();
    assert_eq!(call.host, "issuer.enforce.dev");
    assert_eq!(call.field("aud"), Some("cgr.dev"));
    assert_eq!(call.field("identity"), Some(IDENTITY_ID));

    let stranger = case.with(IDENTITY_ID).by_a_stranger();
    let says = ["HTTP 401", "says: unable to verify identity token", "hint: "];
    stranger.is_refused(&vendor, DENIED, &says);
    let says = ["HTTP 403", "says: not allowed to assume identity"];
    case.with("abcdef").is_refused(&vendor, DENIED, &says);
}

/// Another STS, and an end that is nearer than the token's own.
fn chainguard_wants_its_own_identity(world: &World) {
    let fixture = Fixture::new(world);
    let place = "sts.corp.example:8443";
    let dialect = Dialect::Chainguard(Chainguard::new("abc123"));
    let vendor = fixture.vendor_with(place, dialect, "sts", |settings| {
        settings.lifetime = Some(600);
    });
    let pull = fixture.pull("chainguard", "cgr.dev/corp/app", "sts").set("audience", "sts");
    let pull = pull.set("sts", place).set("identity", "abc123");
    pull.logs_in(&vendor, "cgr.dev", "_token", Life::Until);
    pull.of("cgr.dev:8443/corp/app").is_not_sent(CONFIG, &["no profile covers the registry"]);
}

pub(crate) fn yandex(world: &World) {
    let fixture = Fixture::new(world);
    let vendor =
        fixture.vendor("auth.yandex.cloud", Dialect::Yandex(Yandex::new("aje0example1")), "k8s");
    let case = Annotated {
        pull: fixture.pull("yandex", "cr.yandex/crp1/app", "k8s").set("audience", "k8s"),
        key: "yandex.cloud/federated-yc-service-account-id",
        value: "aje0example1",
        variable: "serviceAccount",
        odd: &["aje0 example1", "AJE", "aje/../x", ""],
    };
    case.check(&vendor, |pull| pull.logs_in(&vendor, "cr.yandex", "iam", Life::Seconds));
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), ("auth.yandex.cloud", "/oauth/token"));
    assert_eq!(call.field("audience"), Some("aje0example1"));

    let stranger = case.with("aje0example1").by_a_stranger();
    let says = [
        "HTTP 400 invalid_grant",
        "says: the subject token is not accepted",
        "hint: check that the server trusts",
    ];
    stranger.is_refused(&vendor, DENIED, &says);
    let says = ["invalid_target", "says: no such service account", "hint: check `exchange`"];
    case.with("aje0other").is_refused(&vendor, CONFIG, &says);
}
