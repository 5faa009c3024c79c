//! The operator's own mistakes: reported before any server is asked.

use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{CLUSTER, Cloud, IMAGE, PROJECT, PULLER};

pub(super) fn trials() -> Vec<Trial> {
    vec![Trial::of(options_that_exclude_each_other), Trial::of(values_that_are_none)]
}

fn options_that_exclude_each_other(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let external = cloud.provider.external_account().to_string();
    let external = cloud.file("external.json", external).to_str().unwrap().to_owned();
    let provider = format!("--workload-identity-provider={}", cloud.provider.name());
    let (issuer, project) =
        (format!("--identity-provider={CLUSTER}"), format!("--project-id={PROJECT}"));
    let file = format!("--credentials={external}");
    let (gke, own) = ("`--identity-provider`", "`--workload-identity-provider`");
    let a_file = "the `external_account` file of `--credentials`";
    let before = world.attempts();
    for (args, one, other) in [
        (&[&provider, &issuer, &project][..], gke, own),
        (&[&issuer, &project, &file], gke, a_file),
        (&[&provider, &file], own, a_file),
    ] {
        let plugin = args.iter().fold(cloud.plugin(), |plugin, arg| plugin.arg(*arg));
        for request in [request(IMAGE), cloud.pod_request(&[])] {
            let run = cloud.run(plugin.clone(), &request);
            checks::fails(&run, 2, &["hint: pods have one default pool"]);
            let error =
                format!("no credentials for `{IMAGE}`: {one} and {other} cannot be combined");
            assert_eq!(run.error(), error);
        }
    }
    // Two different values contradict each other.
    for args in [["--project-id=a", "--project-id=b"], ["--credentials=/a", "--credentials=/b"]] {
        let plugin = args.iter().fold(cloud.plugin(), |plugin, arg| plugin.arg(*arg));
        cloud.fails(plugin, &request(IMAGE), 2, &["is given twice"]);
    }
    assert_eq!(world.attempts(), before);
}

fn values_that_are_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for (args, says) in [
        (&["--nonsense"][..], "unknown option `--nonsense`"),
        (&["--timeout=0s"], "`--timeout`"),
        (&["--timeout=2m"], "`--timeout`"),
        (&["--credentials"], "`--credentials` is given without a value"),
        (&["--token-username=yes"], "a switch was given a value"),
        (&["--without-token="], "`--without-token` has an unknown value"),
        (&["--without-pool=NODE"], "`--without-pool` must be one of"),
        (
            &["--service-account=x"],
            "`--service-account` is not the email address of a service account",
        ),
        (&[&format!("--service-account={PULLER}")], "but they have no workload identity pool"),
        (&["--workload-identity-provider=edge/k3s"], "is not the resource name of a provider"),
    ] {
        let plugin = args.iter().fold(cloud.plugin(), |plugin, arg| plugin.arg(*arg));
        cloud.fails(plugin, &request(IMAGE), 2, &[says]);
    }
    assert_eq!(world.attempts(), before);
}
