//! A provider that the service account names, within what the operator allows.

use pullpass_tests::fakes::google::{Provider, Service};
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, NODE, NUMBER, PROVIDER, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_provider_by_annotation),
        Trial::of(a_provider_that_is_not_allowed),
        Trial::of(an_annotation_goes_before_the_operators_pool),
        Trial::of(patterns_that_no_provider_could_match),
    ]
}

/// The provider's name with one of its parts replaced.
fn changed(cloud: &Cloud<'_>, part: &str, by: &str) -> String {
    cloud.provider.name().replace(part, by)
}

fn a_provider_by_annotation(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let name = cloud.provider.name();
    for pattern in [
        name.clone(),
        changed(&cloud, "k3s", "*"),
        changed(&cloud, "edge", "*"),
        changed(&cloud, NUMBER, "*"),
        changed(&cloud, NUMBER, "*").replace("edge", "*").replace("k3s", "*"),
    ] {
        let plugin = || cloud.plugin().arg(format!("--allow-provider={pattern}"));
        for name in [name.clone(), format!("https://iam.googleapis.com/{name}")] {
            let request = cloud.pod_request(&[(PROVIDER, &name)]);
            cloud.logs_in_as(&cloud.principal(), plugin(), &request);
        }
    }
    // Any of several patterns.
    let plugin = cloud
        .plugin()
        .arg(format!("--allow-provider={}", changed(&cloud, NUMBER, "99")))
        .arg(format!("--allow-provider={name}"));
    let request = cloud.pod_request(&[(PROVIDER, &name)]);
    cloud.logs_in_as(&cloud.principal(), plugin, &request);
    assert_eq!(cloud.count(Service::Metadata), 0);
}

fn a_provider_that_is_not_allowed(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let name = cloud.provider.name();
    let before = world.attempts();
    let not_allowed = "names a provider that this node does not allow";
    for (pattern, annotation, says) in [
        (changed(&cloud, NUMBER, "99"), name.clone(), not_allowed),
        (changed(&cloud, "k3s", "k3"), name.clone(), not_allowed),
        (changed(&cloud, "edge", "EDGE"), name.clone(), not_allowed),
        (name.clone(), changed(&cloud, "k3s", "*"), "has no valid pool or provider ID"),
        (
            name.clone(),
            changed(&cloud, NUMBER, "contoso"),
            "has the project's ID where its number must be",
        ),
        (name.clone(), format!("{name}/x"), "is not the resource name of a provider"),
        (name.clone(), format!("//evil.example/{name}"), "is not the resource name of a provider"),
        (name.clone(), String::new(), "is not the resource name of a provider"),
    ] {
        let plugin = cloud.plugin().arg(format!("--allow-provider={pattern}"));
        // No word of the operator's turns it into the node.
        let plugin = plugin.arg("--without-pool=node").arg("--without-annotation=node");
        let request = cloud.pod_request(&[(PROVIDER, &annotation)]);
        let says = format!("annotation `{PROVIDER}` {says}");
        cloud.fails(plugin, &request, 4, &[&says]);
    }
    // Without a pattern none is allowed, and one that is not allowed is not ignored.
    let request = cloud.pod_request(&[(PROVIDER, &changed(&cloud, "k3s", "k3"))]);
    for plugin in [cloud.plugin(), cloud.plugin_for_pods(), cloud.plugin_on_gke()] {
        let says = [not_allowed, "the operator must allow it with `--allow-provider PATTERN`"];
        cloud.fails(plugin.arg("--without-pool=node"), &request, 4, &says);
    }
    // The annotation is missing where it alone would name a pool.
    let plugin = || cloud.plugin().arg(format!("--allow-provider={name}"));
    let says = [&*format!("annotation `{PROVIDER}` is missing"), "list the key in `tokenAttrib"];
    cloud.fails(plugin(), &cloud.pod_request(&[]), 4, &says);
    assert_eq!(world.attempts(), before);
    let plugin = plugin().arg("--without-pool=node");
    cloud.logs_in_as(&member(NODE), plugin, &cloud.pod_request(&[]));
}

fn an_annotation_goes_before_the_operators_pool(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.cluster();
    let provider = Provider::new(NUMBER, "tenant", "theirs", cloud.issuer.url());
    let provider = provider.allowed_audiences(&[&cloud.provider.token_audience()]);
    let tenant = cloud.google.add_provider(provider);
    let principal = tenant.principal("demo", "web");
    let request = cloud.pod_request(&[(PROVIDER, &tenant.name())]);
    // Who names a pool has opted in.
    for plugin in [cloud.plugin_for_pods(), cloud.plugin_on_gke()] {
        let plugin = plugin.arg(format!("--allow-provider={}", tenant.name()));
        cloud.logs_in_as(&principal, plugin, &request);
    }
    let plugin = cloud.plugin_for_pods().arg(format!("--allow-provider={}", tenant.name()));
    cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
}

fn patterns_that_no_provider_could_match(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    for (pattern, says) in [
        (String::new(), "is not the resource name of a provider"),
        ("*".to_owned(), "is not the resource name of a provider"),
        ("projects/*".to_owned(), "is not the resource name of a provider"),
        (changed(&cloud, "global", "*"), "is not the resource name of a provider"),
        (changed(&cloud, NUMBER, "contoso"), "has the project's ID where its number must be"),
        (changed(&cloud, "edge", "ed*"), "has no valid pool or provider ID"),
    ] {
        let plugin = cloud.plugin().arg(format!("--allow-provider={pattern}"));
        cloud.fails(plugin, &cloud.pod_request(&[]), 2, &["`--allow-provider` ", says]);
    }
    assert_eq!(world.attempts(), before);
}
