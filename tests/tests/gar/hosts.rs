//! Which hosts get a login, and under which key it goes back.

use pullpass_tests::fakes::google::{Machine, Service};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};

use crate::cloud::{Cloud, IMAGE, METADATA, NODE, keys, member};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::of(a_stranger_is_refused_and_nobody_is_asked),
        Trial::of(a_named_host_gets_the_login),
        Trial::of(a_named_host_is_that_host_and_no_other),
        Trial::of(another_port_of_a_registrys_is_somebody_elses),
        Trial::of(hosts_that_are_none),
        Trial::of(an_image_that_is_none),
    ];
    for (image, key) in IMAGES {
        trials.push(Trial::new(format!("hosts::key_of::{image}"), move |world| {
            the_key_is_the_host_as_it_was_sent(world, image, key);
        }));
    }
    trials
}

/// Images, and the one key that their login has.
const IMAGES: [(&str, &str); 16] = [
    ("us-docker.pkg.dev/contoso/team/app", "us-docker.pkg.dev"),
    ("europe-docker.pkg.dev/contoso/team/app:v1", "europe-docker.pkg.dev"),
    ("asia-docker.pkg.dev/contoso/team/app", "asia-docker.pkg.dev"),
    ("europe-west10-docker.pkg.dev/contoso/team/app", "europe-west10-docker.pkg.dev"),
    ("docker.us-east1.rep.pkg.dev/contoso/team/app", "docker.us-east1.rep.pkg.dev"),
    (
        "docker.me-central2.rep.pkg.dev/contoso/team/app@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "docker.me-central2.rep.pkg.dev",
    ),
    ("gcr.io/contoso/app", "gcr.io"),
    ("us.gcr.io/contoso/app", "us.gcr.io"),
    ("eu.gcr.io/contoso/app", "eu.gcr.io"),
    ("asia.gcr.io/contoso/app", "asia.gcr.io"),
    ("marketplace.gcr.io/google/app", "marketplace.gcr.io"),
    ("us-docker.pkg.dev", "us-docker.pkg.dev"),
    ("us-docker.pkg.dev:443/contoso/team/app", "us-docker.pkg.dev:443"),
    ("docker.us-east1.rep.pkg.dev:443/contoso/team/app:v1", "docker.us-east1.rep.pkg.dev:443"),
    ("gcr.io:443/contoso/app", "gcr.io:443"),
    ("US-Docker.PKG.dev/contoso/team/app", "US-Docker.PKG.dev"),
];

/// For the node and for the pod alike.
fn the_key_is_the_host_as_it_was_sent(world: &World, image: &str, key: &str) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let (found, token) = cloud.login(cloud.plugin(), &request(image));
    assert_eq!((&*found, &*token.principal), (key, &*member(NODE)));
    let pod = cloud.pod_request_for(image, &[]);
    let (found, token) = cloud.login(cloud.plugin_for_pods(), &pod);
    assert_eq!((&*found, &*token.principal), (key, &*cloud.principal()));
    assert_eq!(cloud.count(Service::Metadata), 2, "the node's two runs");
}

/// With every identity at hand, a host named that is another, and `matchImages` as broad as can be.
fn a_stranger_is_refused_and_nobody_is_asked(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let key = cloud.key_file();
    let before = world.attempts();
    for host in [
        "docker.io",
        "registry-1.docker.io",
        "registry.k8s.io",
        "quay.io",
        "pkg.dev",
        "docker.pkg.dev",
        "us-npm.pkg.dev",
        "x.us-docker.pkg.dev",
        "us-docker.pkg.dev.evil.example",
        "evil.example/us-docker.pkg.dev",
        "evil-us-docker-pkg.dev",
        "us-east1.rep.pkg.dev",
        "npm.us-east1.rep.pkg.dev",
        "docker.us-east1.rep.pkg.dev.evil.example",
        "evilgcr.io",
        "gcr.io.evil.example",
        "mirror.gcr.io",
        "k8s.gcr.io",
        "container.cloud.google.com",
        "metadata.google.internal",
        "docker.s3nsregistry.fr",
        "169.254.169.254",
        "127.0.0.1:5000",
        "localhost:5000",
    ] {
        let image = format!("{host}/team/app");
        let shown = host.split('/').next().unwrap();
        let says = match host {
            "docker.s3nsregistry.fr" => "is a registry of the universe `s3nsapis.fr`",
            _ => "is not a Google registry",
        };
        for (plugin, request) in [
            (cloud.plugin(), request(&image)),
            (cloud.plugin().arg("--cache-key=global"), request(&image)),
            (cloud.plugin().arg("--credentials").arg(&key), request(&image)),
            (cloud.plugin_for_pods(), cloud.pod_request_for(&image, &[])),
            (cloud.plugin().arg("--without-pool=node"), cloud.pod_request_for(&image, &[])),
        ] {
            let plugin = plugin.arg("--host=mirror.example");
            let run = cloud.run_once(&plugin.quiet(), &request);
            checks::fails(&run, 2, &[&format!("`{shown}` {says}")]);
        }
    }
    assert_eq!(world.attempts(), before);
    assert_eq!(world.unknown_names(), Vec::<String>::new());
    assert!(cloud.google.calls().is_empty());
}

fn a_named_host_gets_the_login(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let plugin = |plugin: pullpass_tests::plugin::PluginCommand| {
        plugin.arg("--host=mirror.example:5000").arg("--host").arg("docker.s3nsregistry.fr")
    };
    for (image, key) in [
        ("mirror.example:5000/team/app", "mirror.example:5000"),
        ("docker.s3nsregistry.fr/contoso/team/app", "docker.s3nsregistry.fr"),
        (IMAGE, "us-docker.pkg.dev"),
    ] {
        let (found, token) = cloud.login(plugin(cloud.plugin()), &request(image));
        assert_eq!((&*found, &*token.principal), (key, &*member(NODE)));
        let pod = cloud.pod_request_for(image, &[]);
        let (found, token) = cloud.login(plugin(cloud.plugin_for_pods()), &pod);
        assert_eq!((&*found, &*token.principal), (key, &*cloud.principal()));
    }
}

fn a_named_host_is_that_host_and_no_other(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for image in [
        "mirror.example/team/app",
        "mirror.example:5001/team/app",
        "x.mirror.example:5000/team/app",
        "mirror.example.evil.example:5000/team/app",
        "evil.example/mirror.example:5000/app",
    ] {
        let plugin = cloud.plugin().arg("--host=mirror.example:5000");
        let host = image.split('/').next().unwrap();
        let hint = format!("add `--host {host}`");
        cloud.fails(plugin, &request(image), 2, &["is not a Google registry", &hint]);
    }
    assert_eq!(world.attempts(), before);
}

/// A service of some other kind may be there, and a tunnel to it on this node.
fn another_port_of_a_registrys_is_somebody_elses(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for host in ["gcr.io:8443", "us-docker.pkg.dev:80", "docker.us-east1.rep.pkg.dev:5000"] {
        let image = format!("{host}/contoso/app");
        let says = [
            &*format!("`{host}` is not the HTTPS port of a Google registry"),
            &*format!("`--host {host}`"),
        ];
        cloud.fails(cloud.plugin(), &request(&image), 2, &says);
        cloud.fails(cloud.plugin_for_pods(), &cloud.pod_request_for(&image, &[]), 2, &says);
    }
    assert_eq!(world.attempts(), before);
    // Unless the operator says so by name.
    let plugin = cloud.plugin().arg("--host=gcr.io:8443");
    let run = cloud.run(plugin, &request("gcr.io:8443/contoso/app"));
    assert_eq!(keys(&run), ["gcr.io:8443"]);
}

fn hosts_that_are_none(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for host in ["", "https://mirror.example", "mirror.example/team", "a b", "*"] {
        let plugin = cloud.plugin().arg(format!("--host={host}"));
        cloud.fails(plugin, &request(IMAGE), 2, &["`--host`", "write HOST or HOST:PORT"]);
    }
    let plugin = cloud.plugin().arg("--host=user:the-password@mirror.example");
    let plugin = plugin.secret("password", "the-password");
    assert_eq!(cloud.run(plugin, &request(IMAGE)).code, Some(2));
    assert_eq!(world.attempts(), before);
}

fn an_image_that_is_none(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let server = world.http(METADATA, cloud.google.metadata(Machine::of(NODE)));
    cloud.keep(server);
    for image in [
        "",
        "us-docker.pkg.dev@evil.example/x",
        "https://us-docker.pkg.dev/x",
        "a b",
        "/x",
        "us-docker.pkg.dev./x",
    ] {
        let run = cloud.run(cloud.plugin(), &request(image));
        assert_eq!(run.code, Some(6), "{image}: {}", run.stderr);
    }
    assert_eq!(keys(&cloud.run(cloud.plugin(), &request(IMAGE))).len(), 1);
}
