//! Pods without an opt-in, a pool or a token: who pulls is the operator's word, and never the node
//! by itself.

use pullpass_tests::fakes::google::Service;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::world::{Trial, World};
use serde_json::json;

use crate::cloud::{Cloud, IMAGE, NODE, OPT_IN, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_pod_that_has_not_opted_in),
        Trial::of(nobody_opts_in_to_a_pool_of_ones_own),
        Trial::of(without_a_pool),
        Trial::of(without_a_token),
    ]
}

fn a_pod_that_has_not_opted_in(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.cluster().principal("demo", "web");
    let with = |how: &str| cloud.plugin_on_gke().arg(format!("--without-annotation={how}"));
    for (annotations, says) in [
        (&[][..], "annotation `iam.gke.io/enable-wi-image-pull` is missing on `system:"),
        (&[(OPT_IN, "false")], "enable-wi-image-pull` on `system:serviceaccount:demo:web` is not"),
        (&[(OPT_IN, "True")], "is not `true`"),
        (&[(OPT_IN, "")], "is not `true`"),
        (&[(OPT_IN, " true")], "is not `true`"),
    ] {
        let request = cloud.gke_request(annotations);
        let before = world.attempts();
        for plugin in [cloud.plugin_on_gke(), with("refuse")] {
            cloud.fails(plugin, &request, 4, &[says, "`--without-annotation=node`"]);
        }
        assert_eq!(world.attempts(), before);
        cloud.logs_in_as(&member(NODE), with("node"), &request);
        cloud.logs_in_as(&pod, with("pod"), &request);
    }
    // It says nothing of those who did.
    for how in ["refuse", "node", "pod"] {
        cloud.logs_in_as(&pod, with(how), &cloud.gke_request(&[(OPT_IN, "true")]));
    }
    let says = ["`--without-annotation` must be one of `refuse`, `node`, `pod`"];
    cloud.fails(with("sometimes"), &cloud.gke_request(&[]), 2, &says);
}

fn nobody_opts_in_to_a_pool_of_ones_own(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for annotations in [&[][..], &[(OPT_IN, "false")]] {
        for how in ["refuse", "node", "pod"] {
            let plugin = cloud.plugin_for_pods().arg(format!("--without-annotation={how}"));
            let request = cloud.pod_request(annotations);
            cloud.logs_in_as(&cloud.principal(), plugin, &request);
        }
    }
    assert_eq!(cloud.count(Service::Metadata), 0);
}

fn without_a_pool(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    let says = [
        "the request has a token, but no workload identity pool is configured for it",
        "tokenAttributes",
    ];
    let with = |how: &str| cloud.plugin().arg(format!("--without-pool={how}"));
    for plugin in [cloud.plugin(), with("refuse"), cloud.plugin().arg("--without-token=node")] {
        cloud.fails(plugin, &cloud.pod_request(&[]), 4, &says);
    }
    let says = ["`--without-pool` must be one of `refuse`, `node`"];
    cloud.fails(with("anonymous"), &cloud.pod_request(&[]), 2, &says);
    assert_eq!(world.attempts(), before);
    cloud.logs_in_as(&member(NODE), with("node"), &cloud.pod_request(&[]));
    // It says nothing of those who have one.
    let plugin = cloud.plugin_for_pods().arg("--without-pool=node");
    cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
    assert_eq!(cloud.count(Service::Metadata), 2);
}

fn without_a_token(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.cluster();
    let external = cloud.file("external.json", cloud.provider.external_account().to_string());
    let external = || cloud.plugin().arg("--credentials").arg(&external);
    let allowed = || cloud.plugin().arg(format!("--allow-provider={}", cloud.provider.name()));
    // On Google's machines the node pulls; elsewhere it seldom has an identity.
    for plugin in [cloud.plugin(), cloud.plugin_on_gke()] {
        cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
    }
    let calls = cloud.google.calls().len();
    let before = world.attempts();
    let refused = [
        "the request has no service account token",
        "`serviceAccountTokenAudience: ",
        "`--without-token=anonymous`",
    ];
    for plugin in [cloud.plugin_for_pods(), allowed(), external()] {
        cloud.fails(plugin, &request(IMAGE), 4, &refused);
    }
    let with = |plugin: PluginCommand, how: &str| plugin.arg(format!("--without-token={how}"));
    // The audience is that of the pool, or its form if there is none yet.
    let form = "https://iam.googleapis.com/projects/NUMBER/locations/global/\
                workloadIdentityPools/POOL/providers/PROVIDER";
    for (plugin, audience) in [
        (cloud.plugin(), form),
        (cloud.plugin_on_gke(), "my-project.svc.id.goog"),
        (cloud.plugin_for_pods(), &cloud.provider.token_audience()),
    ] {
        let says = format!("`serviceAccountTokenAudience: {audience}`");
        cloud.fails(with(plugin, "refuse"), &request(IMAGE), 4, &[&says]);
    }
    for plugin in [cloud.plugin(), cloud.plugin_on_gke(), cloud.plugin_for_pods(), external()] {
        cloud.fails(with(plugin.clone(), "refuse"), &request(IMAGE), 4, &refused);
        let response = cloud.run(with(plugin.clone(), "anonymous"), &request(IMAGE)).response();
        assert_eq!(response["auth"], json!({}));
        assert_eq!(response["cacheDuration"], "0s");
        let says = ["`--without-token` has an unknown value"];
        cloud.fails(with(plugin, "sometimes"), &request(IMAGE), 2, &says);
    }
    assert_eq!(world.attempts(), before);
    assert_eq!(cloud.google.calls().len(), calls);
    for plugin in [cloud.plugin(), cloud.plugin_on_gke(), cloud.plugin_for_pods(), external()] {
        cloud.logs_in_as(&member(NODE), with(plugin, "node"), &request(IMAGE));
    }
    // It says nothing of requests that have one.
    for how in ["node", "anonymous", "refuse"] {
        let plugin = with(cloud.plugin_for_pods(), how);
        cloud.logs_in_as(&cloud.principal(), plugin, &cloud.pod_request(&[]));
    }
}
