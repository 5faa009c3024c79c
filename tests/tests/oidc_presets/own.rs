//! An operator's own servers, on any port: Artifactory, artifact-keeper, the Harbor bridge.

use pullpass_tests::fakes::vendors::{
    ArtifactKeeper, Artifactory, Dialect, Expiry, HarborBridge, Vendor,
};
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::check::Life;
use crate::fixture::{CONFIG, DENIED, Fixture, IMAGE, Pull, REGISTRY};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(artifactory_says_the_user_in_the_token_alone),
        Trial::of(artifactory_knows_the_provider_by_its_project),
        Trial::of(artifactory_words_a_lifetime_as_it_likes),
        Trial::of(artifact_keepers_password_dies_with_the_pods_token),
        Trial::of(artifact_keeper_may_know_its_one_provider),
    ]
}

const ART: &str = "art.corp.example:8443";
const ART_IMAGE: &str = "art.corp.example:8443/docker/team/app";

fn jfrog<'g>(fixture: &'g Fixture<'_>, dialect: Artifactory) -> (Vendor, Pull<'g>) {
    let vendor = fixture.vendor(ART, Dialect::Artifactory(dialect), ART);
    let pull = fixture.pull("artifactory", ART_IMAGE, ART).set("host", ART);
    (vendor, pull.set("provider", "k8s-prod"))
}

pub(crate) fn artifactory(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = jfrog(&fixture, Artifactory::new("k8s-prod"));
    pull.logs_in(&vendor, ART, "puller", Life::Until);
    let call = vendor.last_call();
    assert_eq!((&*call.host, &*call.path), (ART, "/access/api/v1/oidc/token"));
    assert_eq!(call.content_type, "application/json");
    assert_eq!(call.field("provider_type"), Some("Generic OpenID Connect"));
    assert_eq!(call.field("audience"), None, "what is not set is left out");
    assert_eq!(call.field("project_key"), None);

    // Another host for images than for tokens.
    let apart = pull.clone().of(IMAGE).set("registry", REGISTRY);
    apart.logs_in(&vendor, REGISTRY, "puller", Life::Until);
    let says =
        ["HTTP 401", "says: Unable to exchange OIDC token", "hint: check that the server trusts"];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
}

fn artifactory_says_the_user_in_the_token_alone(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Artifactory { names_user: false, ..Artifactory::new("k8s-prod") };
    let (vendor, pull) = jfrog(&fixture, dialect);
    let pull = pull.set("oidcAudience", "jfrog");
    pull.logs_in(&vendor, ART, "puller", Life::Until);
    assert_eq!(vendor.last_call().field("audience"), Some("jfrog"));
}

fn artifactory_knows_the_provider_by_its_project(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = Artifactory { project: Some("web".to_owned()), ..Artifactory::new("k8s-prod") };
    let (vendor, pull) = jfrog(&fixture, dialect);
    let says = ["HTTP 404", "says: OIDC provider k8s-prod could not be found"];
    pull.clone().is_refused(&vendor, CONFIG, &says);
    pull.set("project", "web").logs_in(&vendor, ART, "puller", Life::Until);
}

/// A number, digits in a text, or nothing: the token's own `exp` is always there.
fn artifactory_words_a_lifetime_as_it_likes(world: &World) {
    for (number, expiry) in
        [Expiry::Seconds, Expiry::SecondsText, Expiry::JwtExp].into_iter().enumerate()
    {
        let fixture = Fixture::new(world);
        let place = format!("art{number}.corp.example:8443");
        let dialect = Dialect::Artifactory(Artifactory::new("k8s-prod"));
        let vendor = fixture.vendor_with(&place, dialect, &place, |settings| {
            (settings.expiry, settings.lifetime) = (expiry, Some(1800));
        });
        let pull = fixture.pull("artifactory", &format!("{place}/docker/app"), &place);
        let pull = pull.set("host", place.clone()).set("provider", "k8s-prod");
        pull.logs_in(&vendor, &place, "puller", Life::Until);
    }
}

const KEEPER: &str = "keeper.corp.example:8443";
const PROVIDER: &str = "7a0c1f6e-8f8e-4a53-9d52-0d6a7c3b1e11";

fn keeper<'g>(fixture: &'g Fixture<'_>, dialect: ArtifactKeeper) -> (Vendor, Pull<'g>) {
    let vendor = fixture.vendor(KEEPER, Dialect::ArtifactKeeper(dialect), KEEPER);
    let pull = fixture.pull("artifact-keeper", "keeper.corp.example:8443/docker/app", KEEPER);
    (vendor, pull.set("host", KEEPER))
}

pub(crate) fn artifact_keeper(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, bare) = keeper(&fixture, ArtifactKeeper::new(PROVIDER));
    let pull = bare.clone().set("providerId", PROVIDER);
    pull.logs_in(&vendor, KEEPER, "ci-abc123456789", Life::Until);
    let cached = pull.cached_seconds();
    assert!((808..=810).contains(&cached), "a quarter of an hour less a tenth, not {cached} s");
    let call = vendor.last_call();
    assert_eq!(call.authorization.as_deref(), Some("Bearer"));
    assert_eq!(call.field("provider_id"), Some(PROVIDER));

    let says = [
        "HTTP 401",
        "AUTH_ERROR",
        "says: Authentication failed: Invalid CI token",
        "hint: check that the server trusts",
    ];
    pull.by_a_stranger().is_refused(&vendor, DENIED, &says);
    let other = bare.set("providerId", "00000000-0000-0000-0000-000000000000");
    let says = ["NOT_FOUND", "says: Resource not found: CI OIDC provider not found"];
    other.is_refused(&vendor, CONFIG, &says);
}

fn artifact_keepers_password_dies_with_the_pods_token(world: &World) {
    let fixture = Fixture::new(world);
    let (vendor, pull) = keeper(&fixture, ArtifactKeeper::new(PROVIDER));
    let pull = pull.set("providerId", PROVIDER).with_lifetime(400);
    pull.logs_in(&vendor, KEEPER, "ci-abc123456789", Life::Until);
    let cached = pull.cached_seconds();
    assert!((356..=360).contains(&cached), "400 s less a tenth, not {cached} s");
}

fn artifact_keeper_may_know_its_one_provider(world: &World) {
    let fixture = Fixture::new(world);
    let dialect = ArtifactKeeper { provider_required: false, ..ArtifactKeeper::new(PROVIDER) };
    let (vendor, pull) = keeper(&fixture, dialect);
    pull.logs_in(&vendor, KEEPER, "ci-abc123456789", Life::Until);
    assert_eq!(vendor.last_call().field("provider_id"), None);
}

pub(crate) fn harbor_bridge(world: &World) {
    let fixture = Fixture::new(world);
    let bridge = "bridge.corp.example:9443";
    let dialect = Dialect::HarborBridge(HarborBridge::new("robot$demo+web"));
    let vendor = fixture.vendor(bridge, dialect, bridge);
    let pull = fixture.pull("harbor-bridge", IMAGE, bridge).set("host", bridge);
    let pull = pull.set("registry", REGISTRY);
    // It is told the image: what it gives for one may be nothing to another.
    pull.logs_in_by(&vendor, REGISTRY, "robot$demo+web", Life::Seconds, "Image");
    let call = vendor.last_call();
    assert_eq!((&*call.path, &*call.content_type), ("/v1/credentials", "application/json"));
    assert_eq!(call.authorization.as_deref(), Some("Bearer"));
    assert_eq!(call.field("image"), Some(IMAGE));

    // Its refusals are lines of plain text.
    let says = [
        "HTTP 403",
        "says: no matching HarborAccess for the requesting service account and audience",
        "hint: check that the server trusts",
    ];
    pull.clone().by_a_stranger().is_refused(&vendor, DENIED, &says);
    // As its own plugin does it, where the operator says so.
    let lenient = pull.by_a_stranger().over(json!({"onRefused": "empty"}));
    lenient.answers_with_nothing();
}
