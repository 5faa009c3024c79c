//! Clouds that partners run on Google's technology, under their own names.

use pullpass_tests::fakes::google::{
    Machine, Provider, Service, ServiceAccount, ServiceAccountKey,
};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, IMAGE, NODE, NUMBER, PULLER, SERVICE_ACCOUNT, keys, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(s3ns_has_its_own_sts),
        Trial::of(s3ns_has_its_own_iam),
        Trial::of(the_file_names_the_universe),
        Trial::of(nodes_of_another_universe),
        Trial::of(a_universe_that_nobody_knows_by_its_registry),
        Trial::of(registries_of_another_universe_are_refused),
        Trial::of(every_registry_of_the_universe),
        Trial::of(domains_that_are_none),
    ]
}

const S3NS: &str = "s3nsapis.fr";
const S3NS_IMAGE: &str = "docker.s3nsregistry.fr/contoso/team/app";

/// A provider in that universe which trusts the cluster, and everything served.
fn provider(cloud: &mut Cloud<'_>, domain: &str) -> Provider {
    let provider = Provider::new(NUMBER, "edge", "k3s", cloud.issuer.url()).universe(domain);
    let provider = cloud.google.add_provider(provider);
    cloud.serve();
    provider
}

fn plugin(cloud: &Cloud<'_>, domain: &str) -> PluginCommand {
    cloud.plugin_for_pods().arg(format!("--universe-domain={domain}"))
}

/// STS changes its host, and the audience does not.
fn s3ns_has_its_own_sts(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let provider = provider(&mut cloud, S3NS);
    assert!(provider.audience().starts_with("//iam.googleapis.com/projects/"));
    let by_variable = cloud.plugin_for_pods().env("GOOGLE_CLOUD_UNIVERSE_DOMAIN", S3NS);
    for plugin in [plugin(&cloud, S3NS), plugin(&cloud, "S3nsApis.fr"), by_variable] {
        let (key, token) = cloud.login(plugin, &cloud.pod_request_for(S3NS_IMAGE, &[]));
        assert_eq!((&*key, &*token.universe), ("docker.s3nsregistry.fr", S3NS));
        assert_eq!(token.principal, cloud.principal());
        let call = cloud.google.calls().pop().unwrap();
        assert_eq!(call.host, "sts.s3nsapis.fr");
        assert_eq!(call.field("audience"), Some(&*provider.audience()));
    }
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn s3ns_has_its_own_iam(world: &World) {
    let mut cloud = Cloud::unserved(world);
    provider(&mut cloud, S3NS);
    // Accounts end alike in every universe but for the system's part.
    let email = "puller@contoso.s3ns.iam.gserviceaccount.com";
    let account = ServiceAccount::new(email).impersonated_by(&cloud.principal());
    cloud.google.add_service_account(account);
    let request = cloud.pod_request_for(S3NS_IMAGE, &[(SERVICE_ACCOUNT, email)]);
    let (_, token) = cloud.login(plugin(&cloud, S3NS), &request);
    assert_eq!((&*token.principal, &*token.universe), (&*member(email), S3NS));
    assert_eq!(cloud.google.calls().pop().unwrap().host, "iamcredentials.s3nsapis.fr");
}

fn the_file_names_the_universe(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let provider = provider(&mut cloud, S3NS);
    cloud.puller();
    for (content, principal) in [
        (provider.external_account(), cloud.principal()),
        (provider.external_account_as(PULLER), member(PULLER)),
    ] {
        assert_eq!(content["universe_domain"], S3NS);
        let file = cloud.file("external.json", content.to_string());
        let plugin = || cloud.plugin().arg("--credentials").arg(&file);
        let (_, token) = cloud.login(plugin(), &cloud.pod_request_for(S3NS_IMAGE, &[]));
        assert_eq!((&*token.principal, &*token.universe), (&*principal, S3NS));
        // A public registry is not of that universe.
        let says = ["is a registry of `googleapis.com`, but the universe is `s3nsapis.fr`"];
        cloud.fails(plugin(), &cloud.pod_request(&[]), 2, &says);
    }
}

fn nodes_of_another_universe(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_metadata(Machine::of(NODE).universe(S3NS));
    let plugin = || cloud.plugin().arg(format!("--universe-domain={S3NS}"));
    let (key, token) = cloud.login(plugin(), &request(S3NS_IMAGE));
    assert_eq!((&*key, &*token.universe), ("docker.s3nsregistry.fr", S3NS));
    assert_eq!(cloud.count(Service::Metadata), 2, "two runs, one call each");
    // A key's file says where it belongs.
    let key = ServiceAccountKey::generate(NODE).token_uri("https://oauth2.s3nsapis.fr/token");
    let key = cloud.google.add_key(key);
    let mut content = key.json();
    content["universe_domain"] = json!(S3NS);
    let router = cloud.google.oauth();
    cloud.keep(world.https("oauth2.s3nsapis.fr", router));
    let file = cloud.file("key.json", content.to_string());
    let plugin = || cloud.plugin().arg("--credentials").arg(&file);
    let (key, token) = cloud.login(plugin(), &request(S3NS_IMAGE));
    assert_eq!((&*key, token.minted_by), ("docker.s3nsregistry.fr", Service::OAuth));
    cloud.fails(plugin(), &request(IMAGE), 2, &["the universe is `s3nsapis.fr`"]);
}

/// Its registry is the operator's to name.
fn a_universe_that_nobody_knows_by_its_registry(world: &World) {
    let mut cloud = Cloud::unserved(world);
    provider(&mut cloud, "apis.sovereign.example");
    let image = "docker.sovereign.example/contoso/team/app";
    let plugin = || plugin(&cloud, "apis.sovereign.example");
    let says = ["is not a Google registry", "`--host docker.sovereign.example`"];
    cloud.fails(plugin(), &cloud.pod_request_for(image, &[]), 2, &says);
    let named = plugin().arg("--host=docker.sovereign.example");
    let (key, token) = cloud.login(named, &cloud.pod_request_for(image, &[]));
    assert_eq!((&*key, &*token.universe), ("docker.sovereign.example", "apis.sovereign.example"));
    assert_eq!(cloud.google.calls().pop().unwrap().host, "sts.apis.sovereign.example");
}

/// An identity is of one universe, and what it shows stays there.
fn registries_of_another_universe_are_refused(world: &World) {
    let mut cloud = Cloud::unserved(world);
    provider(&mut cloud, S3NS);
    cloud.node();
    let before = world.attempts();
    let nodes = |domain: &str| cloud.plugin().arg(format!("--universe-domain={domain}"));
    for (domain, image, says) in [
        (S3NS, IMAGE, "is a registry of `googleapis.com`, but the universe is `s3nsapis.fr`"),
        (S3NS, "gcr.io/contoso/app", "is a registry of `googleapis.com`"),
        (S3NS, "docker.us-east1.rep.pkg.dev/a/b/c", "is a registry of `googleapis.com`"),
        ("googleapis.com", S3NS_IMAGE, "is a registry of the universe `s3nsapis.fr`"),
        ("apis.sovereign.example", S3NS_IMAGE, "is a registry of the universe `s3nsapis.fr`"),
        ("apis.sovereign.example", IMAGE, "is a registry of `googleapis.com`"),
    ] {
        let says = [says, "--universe-domain"];
        cloud.fails(nodes(domain), &request(image), 2, &says);
        cloud.fails(plugin(&cloud, domain), &cloud.pod_request_for(image, &[]), 2, &says);
    }
    assert_eq!(world.attempts(), before);
    // Unless the operator says so by name.
    let plugin = nodes(S3NS).arg("--host=us-docker.pkg.dev");
    assert_eq!(keys(&cloud.run(plugin, &request(IMAGE))), ["us-docker.pkg.dev"]);
}

fn every_registry_of_the_universe(world: &World) {
    let mut cloud = Cloud::unserved(world);
    cloud.serve_metadata(Machine::of(NODE).universe(S3NS));
    let plugin = cloud.plugin().arg(format!("--universe-domain={S3NS}")).arg("--cache-key=global");
    let run = cloud.run(plugin.arg("--host=mirror.example"), &request(S3NS_IMAGE));
    assert_eq!(run.response()["cacheKeyType"], "Global");
    assert_eq!(keys(&run), ["docker.s3nsregistry.fr", "mirror.example"], "and not Google's own");
}

fn domains_that_are_none(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for domain in
        ["com", "https://s3nsapis.fr", "s3nsapis.fr/x", "a..b", "a@b.c", "a.b:443", "a b.c"]
    {
        let token = cloud.issuer.token(&cloud.provider.token_audience()).build();
        let request = pod_request(S3NS_IMAGE, &token, &[]);
        let says = ["the universe domain is not a domain name", "`--universe-domain`"];
        cloud.fails(plugin(&cloud, domain), &request, 2, &says);
    }
    assert_eq!(world.attempts(), before);
    // What an installer leaves empty is not set.
    cloud.logs_in_as(&cloud.principal(), plugin(&cloud, ""), &cloud.pod_request(&[]));
}
