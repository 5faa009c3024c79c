//! The test cases of cloud-provider-gcp's `auth-provider-gcp`, row by row, and what differs on
//! purpose. Rows that are elsewhere, or left out:
//!
//! | the Go tree's rows | here |
//! |---|---|
//! | flow to provider: `gcr` | `node`, and below |
//! | flows `dockercfg`, `dockercfg-url`: provider, entries, the `auth` field | no such flow: [`flags`] |
//! | the caching wrapper, which its plugin does not use | the kubelet keeps answers: `cache` |
//! | a scope that is too narrow | `node::a_narrow_scope_is_the_registrys_to_judge` |

use std::os::unix::fs::symlink;

use pullpass_tests::fakes::google::{CLOUD_PLATFORM, Expires, Service, TOKEN_PATH, TokenAnswer};
use pullpass_tests::fixtures::checks;
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::{self, PluginCommand};
use pullpass_tests::world::{Trial, World};
use serde_json::Value;

use crate::PLUGIN;
use crate::cloud::{CLUSTER, Cloud, IMAGE, NODE, OPT_IN, PROJECT, REGISTRY, SUBJECT, keys, member};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(flags),
        Trial::of(klogs_flags_mean_nothing),
        Trial::of(installed_under_the_go_plugins_name),
        Trial::of(node_identity),
        Trial::of(pod_identity),
        Trial::of(workload_identity),
        Trial::of(a_custom_identity_provider),
        Trial::of(a_project_that_is_not_the_urls),
        Trial::of(variables_of_the_cache),
        Trial::of(an_image_of_docker_hub),
        Trial::of(requests_are_read_strictly),
        Trial::of(every_failure_is_one),
    ]
}

fn flags(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pool = [format!("--identity-provider={CLUSTER}"), format!("--project-id={PROJECT}")];
    let (provider, project) = (&*pool[0], &*pool[1]);
    // The node pulls, whatever is said of pods.
    for args in [
        &[][..],
        &["--authFlow=gcr"],
        &["--authFlow", "gcr"],
        &["-a", "gcr"],
        &["-a=gcr"],
        &["get-credentials"],
        &["get-credentials", "--authFlow=gcr"],
        &["--authFlow=gcr", "get-credentials"],
        &["--authFlow=gcr", provider, project],
        &[project],
        &["--identity-provider=", project],
        &["--identity-provider=", "--project-id="],
    ] {
        let plugin = args.iter().fold(cloud.plugin(), |plugin, arg| plugin.arg(*arg));
        cloud.logs_in_as(&member(NODE), plugin, &request(IMAGE));
    }
    let needs = "`--identity-provider` needs `--project-id`";
    let not_gcr = "`--authFlow` is not `gcr`";
    let before = world.attempts();
    for (args, says) in [
        // Differs: what an instance's metadata holds is never returned.
        (&["--authFlow=dockercfg"][..], "`--authFlow=dockercfg` is not supported"),
        (&["--authFlow=dockercfg-url"], "`--authFlow=dockercfg-url` is not supported"),
        (&["-a", "dockercfg"], "grant roles/artifactregistry.reader to the node's service account"),
        (&["--authFlow=dockercfg", provider, project], "`--authFlow=dockercfg` is not supported"),
        (&["--authFlow=dockercfg", provider], "`--authFlow=dockercfg` is not supported"),
        (&["--authFlow=dockercfg-url", provider, project], "dockercfg-url` is not supported"),
        (&["--authFlow=dockercfg-url", provider], "dockercfg-url` is not supported"),
        // Differs: the value is not repeated, as no value is.
        (&["--authFlow=bad-flow"], not_gcr),
        (&["--authFlow="], not_gcr),
        (&["--authFlow=Gcrauthflow"], not_gcr),
        (&["--authFlow=GCR"], not_gcr),
        (&["--authFlow=gcr", provider], needs),
        (&[provider], needs),
        (&[provider, "--project-id="], needs),
        // Differs: what could never be an audience is said to be none.
        (&["--identity-provider=test", project], "`--identity-provider` is not an `https://` URL"),
        (&[provider, "--project-id=a b"], "`--project-id` is not a project ID"),
        (&["put-credentials"], "the only command is `get-credentials`"),
        (&["get-credentials", "get-credentials"], "COMMAND is given twice"),
        (&["--no-such-flag"], "unknown option `--no-such-flag`"),
    ] {
        let plugin = args.iter().fold(cloud.plugin(), |plugin, arg| plugin.arg(*arg));
        let run = cloud.fails(plugin, &request(IMAGE), 2, &[says]);
        // Differs: no usage follows.
        assert!(!run.stderr.contains("Usage"), "{}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}

fn klogs_flags_mean_nothing(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    for args in [
        &["-v", "4"][..],
        &["-v=4"],
        &["--v=4"],
        &["--v", "4"],
        &["--vmodule=a=1,b=2"],
        &["--log-flush-frequency=5s"],
    ] {
        let plugin = args.iter().fold(cloud.plugin().quiet(), |plugin, arg| plugin.arg(*arg));
        let run = cloud.run_once(&plugin, &request(IMAGE));
        assert_eq!(keys(&run), [REGISTRY], "{args:?}: {}", run.stderr);
        assert_eq!(run.stderr, "", "{args:?}");
    }
}

/// With the arguments of a GKE node.
fn installed_under_the_go_plugins_name(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.cluster().principal("demo", "web");
    let file = cloud.file("unused", "").with_file_name("auth-provider-gcp");
    symlink(plugin::binary(PLUGIN), &file).unwrap();
    let plugin = || {
        ["get-credentials", "--authFlow=gcr", "-v", "4"]
            .into_iter()
            .fold(PluginCommand::at(&file), PluginCommand::arg)
    };
    cloud.logs_in_as(&member(NODE), plugin(), &request(IMAGE));
    let on_gke = plugin()
        .arg(format!("--project-id={PROJECT}"))
        .arg(format!("--identity-provider={CLUSTER}"));
    cloud.logs_in_as(&pod, on_gke.clone(), &cloud.gke_request(&[(OPT_IN, "true")]));
    cloud.logs_in_as(&member(NODE), on_gke, &request(IMAGE));
}

/// The image of the peer's row, of a registry that is not Google's to log in to.
fn node_identity(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let image = request("registry.k8s.io/pause");
    // Differs: the host must be named.
    cloud.fails(cloud.plugin(), &image, 2, &["`--host registry.k8s.io`"]);
    let plugin = || cloud.plugin().arg("--host=registry.k8s.io");
    // Differs: one key, of one host.
    let run = cloud.run(plugin(), &image);
    assert_eq!(keys(&run), ["registry.k8s.io"]);
    // As the Go plugin: its user, its cache, its keys but `container.cloud.google.com`.
    let as_before = || plugin().arg("--token-username").arg("--max-cache=0s");
    let run = cloud.run(as_before().arg("--cache-key=image"), &image);
    let response = run.response();
    assert_eq!(
        (&response["cacheKeyType"], &response["cacheDuration"]),
        (&"Image".into(), &"0s".into())
    );
    let (_, user, password) = run.login();
    assert_eq!((&*user, cloud.known(&password).principal), ("_token", member(NODE)));
    let run = cloud.run(as_before().arg("--cache-key=global"), &image);
    let keys = keys(&run);
    for key in ["registry.k8s.io", "gcr.io", "*.pkg.dev"] {
        assert!(keys.iter().any(|known| known == key), "{key}: {keys:?}");
    }
    let response = run.response();
    for login in response["auth"].as_object().unwrap().values() {
        assert_eq!(login["username"], "_token");
        let password = login["password"].as_str().unwrap();
        assert_eq!(cloud.known(password).principal, member(NODE));
    }
    // Differs: the e-mail is not asked for.
    assert!(cloud.google.paths(Service::Metadata).iter().all(|path| path == TOKEN_PATH));
}

fn pod_identity(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.cluster().principal("demo", "web");
    let request = cloud.gke_request(&[(OPT_IN, "true")]);
    let run = cloud.run_once(&cloud.plugin_on_gke().arg("--cache-key=image"), &request);
    assert_eq!(run.response()["cacheKeyType"], "Image");
    let (key, user, password) = run.login();
    // Differs: key and user, as for the node.
    assert_eq!((&*key, &*user), (REGISTRY, "oauth2accesstoken"));
    let token = cloud.known(&password);
    assert_eq!((&token.principal, token.minted_by), (&pod, Service::Sts));
    let calls = cloud.google.calls();
    assert_eq!(calls.len(), 1, "no impersonation: {calls:?}");
    let audience = "identitynamespace:my-project.svc.id.goog:https://container.googleapis.com/v1/\
                    projects/my-project/locations/us-central1/clusters/c1";
    assert_eq!(calls[0].field("audience"), Some(audience));
    assert_eq!(calls[0].field("scope"), Some(CLOUD_PLATFORM));
    // Passed through: the fake verified the issuer's signature.
    assert_eq!(calls[0].subject.as_deref(), Some(SUBJECT));
}

/// The result of a row.
enum Ends {
    Federated,
    Node,
    Refused(i32, &'static str),
}

fn workload_identity(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let pod = cloud.cluster().principal("demo", "web");
    let annotated = cloud.gke_request(&[(OPT_IN, "true")]);
    let plain = cloud.gke_request(&[]);
    let strange = cloud.issuer.token("other.svc.id.goog").issued_by(CLUSTER).build();
    let strange = pod_request(IMAGE, &strange, &[(OPT_IN, "true")]);
    let empty = pod_request(IMAGE, "", &[(OPT_IN, "true")]);
    let mut missing = annotated.clone();
    missing.as_object_mut().unwrap().remove("serviceAccountToken");
    let on_gke = || cloud.plugin_on_gke();
    let as_node = "--without-pool=node";
    let no_project = || cloud.plugin().arg(format!("--identity-provider={CLUSTER}"));
    let no_pool = "the request has a token, but no workload identity pool is configured for it";
    let rows: Vec<(&str, PluginCommand, &Value, Ends)> = vec![
        ("annotated, pool", on_gke(), &annotated, Ends::Federated),
        // Differs: the node only where the operator says so. Then as the Go plugin.
        ("annotated, no pool", cloud.plugin(), &annotated, Ends::Refused(4, no_pool)),
        ("annotated, no pool, as before", cloud.plugin().arg(as_node), &annotated, Ends::Node),
        ("plain, no pool", cloud.plugin(), &plain, Ends::Refused(4, no_pool)),
        ("plain, no pool, as before", cloud.plugin().arg(as_node), &plain, Ends::Node),
        ("plain, pool", on_gke(), &plain, Ends::Refused(4, "enable-wi-image-pull` is missing")),
        ("plain, pool, as before", on_gke().arg("--without-annotation=node"), &plain, Ends::Node),
        // Differs: an error, not a success without a login. Never the node.
        ("STS refuses", on_gke(), &strange, Ends::Refused(3, "HTTP 400 invalid_grant")),
        (
            "STS refuses, node allowed",
            on_gke().arg("--without-annotation=node").arg("--without-token=node").arg(as_node),
            &strange,
            Ends::Refused(3, "HTTP 400 invalid_grant"),
        ),
        ("empty token", on_gke(), &empty, Ends::Refused(6, "`serviceAccountToken`")),
        ("empty token, no pool", cloud.plugin().arg(as_node), &empty, Ends::Refused(6, "")),
        ("no token, annotated", on_gke(), &missing, Ends::Refused(6, "serviceAccountAnnotations")),
        ("not a project ID", no_project(), &annotated, Ends::Refused(2, "needs `--project-id`")),
        (
            "empty project",
            no_project().arg("--project-id="),
            &annotated,
            Ends::Refused(2, "needs `--project-id`"),
        ),
    ];
    for (name, plugin, request, ends) in rows {
        let [sts, node] = [Service::Sts, Service::Metadata].map(|service| cloud.count(service));
        let (new_sts, new_node) = match ends {
            Ends::Federated => {
                cloud.logs_in_as(&pod, plugin, request);
                (2, 0)
            }
            Ends::Node => {
                cloud.logs_in_as(&member(NODE), plugin, request);
                (0, 2)
            }
            Ends::Refused(code, says) => {
                cloud.fails(plugin, request, code, &[says]);
                (if code == 3 { 2 } else { 0 }, 0)
            }
        };
        assert_eq!(cloud.count(Service::Sts) - sts, new_sts, "{name}: STS");
        assert_eq!(cloud.count(Service::Metadata) - node, new_node, "{name}: the node");
    }
}

fn a_custom_identity_provider(world: &World) {
    let mut cloud = Cloud::new(world);
    // Exactly as it is: it is not normalized.
    let url = "https://issuer.contoso.example/Clusters/C1/";
    let pod = cloud.cluster_at(url, PROJECT).principal("demo", "web");
    let plugin =
        cloud.plugin().arg(format!("--project-id={PROJECT}")).arg("--identity-provider").arg(url);
    let request = cloud.request_of(url, PROJECT, &[(OPT_IN, "true")]);
    cloud.logs_in_as(&pod, plugin, &request);
    let call = cloud.google.calls().pop().unwrap();
    let audience = format!("identitynamespace:my-project.svc.id.goog:{url}");
    assert_eq!(call.field("audience"), Some(&*audience));
}

fn a_project_that_is_not_the_urls(world: &World) {
    let mut cloud = Cloud::new(world);
    let pod = cloud.cluster_at(CLUSTER, "other-project").principal("demo", "web");
    let plugin = cloud
        .plugin()
        .arg("--project-id=other-project")
        .arg(format!("--identity-provider={CLUSTER}"));
    let request = cloud.request_of(CLUSTER, "other-project", &[(OPT_IN, "true")]);
    cloud.logs_in_as(&pod, plugin, &request);
    let call = cloud.google.calls().pop().unwrap();
    let audience = format!("identitynamespace:other-project.svc.id.goog:{CLUSTER}");
    assert_eq!(call.field("audience"), Some(&*audience));
}

/// Differs: unset they mean until the token dies, and per registry. A duration is an upper bound.
fn variables_of_the_cache(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let answer = TokenAnswer { expires: Expires::In(1000), padding: 0 };
    cloud.google.set_token_answer(Service::Metadata, answer);
    for (duration, key, expected) in [
        ("", "", ("Registry", &["15m0s", "14m59s", "14m58s"][..])),
        ("0s", "image", ("Image", &["0s"])),
        ("5m", "registry", ("Registry", &["5m0s"])),
        ("90s", "global", ("Global", &["1m30s"])),
        ("1h", "image", ("Image", &["15m0s", "14m59s", "14m58s"])),
    ] {
        let plugin = cloud
            .plugin()
            .env("KUBE_SIDECAR_CACHE_DURATION", duration)
            .env("KUBE_SIDECAR_CACHE_TYPE", key);
        let response = cloud.run_once(&plugin, &request(IMAGE)).response();
        assert_eq!(response["cacheKeyType"], expected.0, "{duration} {key}");
        let found = response["cacheDuration"].as_str().unwrap();
        assert!(expected.1.contains(&found), "{duration} {key}: {found}");
    }
    for (name, value) in [
        ("KUBE_SIDECAR_CACHE_DURATION", "invalid"),
        ("KUBE_SIDECAR_CACHE_TYPE", "Registry"),
        ("KUBE_SIDECAR_CACHE_TYPE", "invalid"),
    ] {
        let plugin = cloud.plugin().env(name, value);
        cloud.fails(plugin, &request(IMAGE), 2, &[name]);
    }
}

/// Differs: the Go plugin hands it the node's token. Here no call leaves the process, and no
/// question to a name service.
fn an_image_of_docker_hub(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    cloud.cluster();
    let image = "docker.io/library/nginx";
    let token = cloud.issuer.token(&format!("{PROJECT}.svc.id.goog")).issued_by(CLUSTER).build();
    let pod = pod_request(image, &token, &[(OPT_IN, "true")]);
    let before = world.attempts();
    let go_like = cloud.plugin().arg("get-credentials").arg("--authFlow=gcr").arg("-v=4");
    for (plugin, request) in [
        (cloud.plugin(), &request(image)),
        (go_like.clone(), &request(image)),
        (go_like.arg("--token-username").arg("--cache-key=global"), &request(image)),
        (cloud.plugin_on_gke(), &request(image)),
        (cloud.plugin_on_gke(), &pod),
        (cloud.plugin_on_gke().arg("--without-annotation=node"), &pod),
        (cloud.plugin().arg("--without-pool=node"), &pod),
    ] {
        let run = cloud.run(plugin, request);
        checks::fails(
            &run,
            2,
            &["remove it from this provider's `matchImages`", "`--host docker.io`"],
        );
        let error = format!("no credentials for `{image}`: `docker.io` is not a Google registry");
        assert_eq!(run.error(), error);
    }
    assert_eq!(world.attempts(), before);
    assert_eq!(world.unknown_names(), Vec::<String>::new());
    assert!(cloud.google.calls().is_empty());
}

/// Differs: the Go plugin looks at neither kind nor version, and answers in `v1` always.
fn requests_are_read_strictly(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.node();
    let before = world.attempts();
    for (field, value) in
        [("kind", "CredentialProviderFoo"), ("apiVersion", "foo.k8s.io/v1"), ("image", "")]
    {
        let mut request = request(IMAGE);
        request[field] = value.into();
        let run = cloud.run(cloud.plugin(), &request);
        assert_eq!(run.code, Some(6), "{field}: {}", run.stderr);
    }
    let run = cloud.plugin().run(b"");
    assert_eq!(run.code, Some(6), "{}", run.stderr);
    assert_eq!(world.attempts(), before);
}

/// Differs: the Go plugin exits with 0 and without a login.
fn every_failure_is_one(world: &World) {
    let cloud = Cloud::new(world);
    let plugin = cloud.plugin().arg("--timeout=2s");
    let run = cloud.run_once(&plugin, &request(IMAGE));
    checks::fails(&run, 7, &["cannot get a token from the metadata server for the node"]);
    assert!(run.stdout.is_empty());
}
