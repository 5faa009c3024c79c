//! A service account's key: the node's identity where there is no metadata server.

use pullpass_tests::fakes::google::{CLOUD_PLATFORM, Service, ServiceAccountKey, TOKEN_URI};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{Cloud, IMAGE, NODE, REGISTRY, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_key_is_the_node),
        Trial::of(the_key_is_not_the_pod),
        Trial::of(another_token_endpoint),
        Trial::of(files_as_people_have_them),
        Trial::of(one_call_and_the_key_goes_nowhere),
    ]
}

/// The fake has verified the assertion: RS256 by this key, named by `kid`, `iss`, `aud`, times.
fn the_key_is_the_node(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let file = cloud.key_file();
    for plugin in [
        cloud.plugin().arg("--credentials").arg(&file),
        cloud.plugin().env("GOOGLE_APPLICATION_CREDENTIALS", &file),
    ] {
        let (key, token) = cloud.login(plugin, &request(IMAGE));
        assert_eq!((&*key, &*token.principal), (REGISTRY, &*member(NODE)));
        assert_eq!(
            (token.minted_by, &*token.scopes),
            (Service::OAuth, &[CLOUD_PLATFORM.to_owned()][..])
        );
    }
    let calls = cloud.google.calls();
    assert_eq!(calls.len(), 4, "{calls:?}");
    for call in calls {
        assert_eq!(call.service, Service::OAuth, "and not the metadata server");
        assert_eq!((&*call.host, &*call.path), ("oauth2.googleapis.com", "/token"));
        assert!(!call.authorization);
        let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
        assert_eq!(call.field("grant_type"), Some(grant));
        assert_eq!(call.fields.len(), 2, "{call:?}");
    }
}

fn the_key_is_not_the_pod(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.cluster();
    let file = cloud.key_file();
    let with_key =
        |plugin: pullpass_tests::plugin::PluginCommand| plugin.arg("--credentials").arg(&file);
    let before = world.attempts();
    cloud.fails(
        with_key(cloud.plugin()),
        &cloud.pod_request(&[]),
        4,
        &["no workload identity pool"],
    );
    cloud.fails(with_key(cloud.plugin_for_pods()), &request(IMAGE), 4, &["no service account to"]);
    assert_eq!(world.attempts(), before);
    cloud.logs_in_as(
        &cloud.principal(),
        with_key(cloud.plugin_for_pods()),
        &cloud.pod_request(&[]),
    );
    assert_eq!(cloud.count(Service::OAuth), 0);
    // Only where the operator says so.
    let plugin = with_key(cloud.plugin_for_pods()).arg("--without-token=node");
    cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
    let plugin = with_key(cloud.plugin()).arg("--without-pool=node");
    cloud.logs_in_as(&member(NODE), plugin, &cloud.pod_request(&[]));
    let plugin = with_key(cloud.plugin_on_gke()).arg("--without-annotation=node");
    cloud.logs_in_as(&member(NODE), plugin, &cloud.gke_request(&[]));
}

/// The assertion's audience is the endpoint that the file names.
fn another_token_endpoint(world: &World) {
    let mut cloud = Cloud::unserved(world);
    let router = cloud.google.oauth();
    cloud.keep(world.https("oauth2-edge.p.googleapis.com", router));
    let key = ServiceAccountKey::generate(NODE);
    let key = cloud.google.add_key(key.token_uri("https://oauth2-edge.p.googleapis.com/token"));
    let file = cloud.file("key.json", key.json().to_string());
    let plugin = cloud.plugin().arg("--credentials").arg(file);
    cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

fn files_as_people_have_them(world: &World) {
    let cloud = Cloud::new(world);
    let key = cloud.google.add_key(ServiceAccountKey::generate(NODE));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut content = key.json();
        change(&mut content);
        content.to_string()
    };
    let trimmed = key.pem().trim_end().to_owned();
    for text in [
        with(&|_| {}),
        serde_json::to_string_pretty(&key.json()).unwrap() + "\n",
        with(&|it| it["private_key"] = json!(trimmed)),
        with(&|it| it["private_key"] = json!(key.pem().replace('\n', "\r\n"))),
        // The public endpoint is where keys go that do not say.
        with(&|it| {
            it.as_object_mut().unwrap().remove("token_uri");
        }),
        with(&|it| {
            it.as_object_mut().unwrap().remove("universe_domain");
        }),
        with(&|it| it["something_new"] = json!({"a": [1]})),
    ] {
        let plugin = cloud.plugin().arg("--credentials").arg(cloud.file("key.json", &text));
        cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
    }
    assert_eq!(key.json()["token_uri"], TOKEN_URI);
}

fn one_call_and_the_key_goes_nowhere(world: &World) {
    let cloud = Cloud::new(world);
    let file = cloud.key_file();
    let before = world.attempts();
    let plugin = cloud.plugin().arg("--credentials").arg(&file);
    let run = cloud.run_once(&plugin, &request(IMAGE));
    assert_eq!(world.attempts().connections - before.connections, 1);
    assert_eq!(world.attempts().datagrams, before.datagrams);
    assert!(run.response()["cacheDuration"].as_str().unwrap().starts_with("54m"), "{}", run.stderr);
}
