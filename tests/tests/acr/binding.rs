//! Identity bindings of AKS: the cluster's own API server gives out the pod's token.

use std::path::Path;

use pullpass_tests::fakes::azure::{Identity, IdentityBinding, Service};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::plugin::PluginCommand;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};
use serde_json::{Value, json};

use crate::cloud::{AUDIENCE, CLIENT_ID, Cloud, IMAGE, NO_PROXY_AT_ALL, REGISTRY, TENANT_ID};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(the_api_server_is_asked_by_its_other_name),
        Trial::of(the_api_server_may_be_named_by_its_host_name),
        Trial::of(the_default_identity_is_for_who_names_none),
        Trial::of(the_tenant_comes_from_the_nearest_word),
        Trial::of(only_the_clusters_ca_is_trusted),
        Trial::of(a_binding_that_is_not_there_is_refused),
        Trial::of(a_token_of_another_audience_is_refused),
        Trial::of(without_a_token_nobody_pulls_unless_said),
        Trial::of(a_mirrored_image_needs_no_binding),
        Trial::of(flags_that_do_not_fit_are_refused),
        Trial::of(an_api_server_that_is_away),
    ]
}

const SNI: &str = "0f0e0d0c.ests.aks";
/// Where the API server is; the name above does not lead there.
const API_SERVER: &str = "10.0.0.1";

/// A cluster of AKS whose service account `demo/web` may use an identity.
struct Cluster<'w> {
    cloud: Cloud<'w>,
    pod: Identity,
    ca: TestCa,
}

impl<'w> Cluster<'w> {
    fn new(world: &'w World) -> Self {
        let mut cloud = Cloud::new(world);
        cloud.node();
        let pod = cloud.allow(Identity::user_assigned(&cloud.tenant, "web"));
        let verifier = cloud.issuer.verifier(IdentityBinding::AUDIENCE);
        let binding = IdentityBinding::new(SNI, verifier).allow(&pod, "demo", "web");
        let ca = TestCa::new();
        let address = (world.address_of(API_SERVER), 443).into();
        let socket = pullpass_tests::server::Socket::bind_as(SNI, address, Some(&ca));
        let server = socket.serve(cloud.azure.identity_binding(binding));
        cloud.keep(server);
        Self { cloud, pod, ca }
    }

    fn plugin_trusting(&self, ca: &Path) -> PluginCommand {
        self.cloud.plugin_as_node().arg(format!("--ib-sni-name={SNI}")).arg("--ib-ca-file").arg(ca)
    }

    fn plugin_at(&self, api_server: &str) -> PluginCommand {
        self.plugin_trusting(&self.ca.pem_file()).arg(format!("--ib-apiserver-ip={api_server}"))
    }

    fn plugin(&self) -> PluginCommand {
        self.plugin_at(API_SERVER)
    }

    fn request(&self, annotations: &[(&str, &str)]) -> Value {
        let token = self.cloud.issuer.token(IdentityBinding::AUDIENCE).build();
        pod_request(IMAGE, &token, annotations)
    }

    fn annotated(&self) -> Value {
        self.request(&[(CLIENT_ID, &self.pod.client_id)])
    }

    /// Neither Entra nor IMDS was asked for anything.
    fn only_the_api_server_was_asked(&self) {
        assert_eq!(self.cloud.count(Service::Entra) + self.cloud.count(Service::Imds), 0);
    }
}

fn the_api_server_is_asked_by_its_other_name(world: &World) {
    let cluster = Cluster::new(world);
    let plugin = cluster.plugin().env("HTTPS_PROXY", NO_PROXY_AT_ALL).env("NO_PROXY", REGISTRY);
    cluster.cloud.logs_in_as(&cluster.pod, plugin, &cluster.annotated());
    let calls = cluster.cloud.azure.calls_to(Service::IdentityBinding);
    assert_eq!(calls.len(), 2, "two runs, one call each");
    for call in calls {
        assert_eq!((&*call.host, &*call.path, &*call.method), (SNI, "/", "POST"));
        assert_eq!(call.field("grant_type"), Some("client_credentials"));
        assert_eq!(call.field("client_id"), Some(&*cluster.pod.client_id));
        assert_eq!(call.field("scope"), Some("https://containerregistry.azure.net/.default"));
        assert_eq!(call.field("client_assertion"), Some("(secret)"));
    }
    cluster.only_the_api_server_was_asked();
    assert_eq!(world.unknown_names(), Vec::<String>::new());
}

/// As AKS passes it.
fn the_api_server_may_be_named_by_its_host_name(world: &World) {
    let mut cluster = Cluster::new(world);
    let fqdn = "cluster-0f0e.hcp.westeurope.azmk8s.io";
    let address = (world.address_of(fqdn), 443).into();
    let verifier = cluster.cloud.issuer.verifier(IdentityBinding::AUDIENCE);
    let binding = IdentityBinding::new(SNI, verifier).allow(&cluster.pod, "demo", "web");
    let socket = pullpass_tests::server::Socket::bind_as(SNI, address, Some(&cluster.ca));
    let server = socket.serve(cluster.cloud.azure.identity_binding(binding));
    cluster.cloud.keep(server);
    let plugin = cluster.plugin_at(fqdn);
    cluster.cloud.logs_in_as(&cluster.pod, plugin, &cluster.annotated());
    let says = ["`gone.example` does not resolve", "`--ib-apiserver-ip` names the API server"];
    cluster.cloud.fails(cluster.plugin_at("gone.example"), &cluster.annotated(), 7, &says);
}

fn the_default_identity_is_for_who_names_none(world: &World) {
    let cluster = Cluster::new(world);
    let plugin =
        || cluster.plugin().arg(format!("--ib-default-client-id={}", cluster.pod.client_id));
    cluster.cloud.logs_in_as(&cluster.pod, plugin(), &cluster.request(&[]));
    // An empty one is not the same as none, and no pod becomes the node.
    let empty = cluster.request(&[(CLIENT_ID, "")]);
    cluster.cloud.fails(plugin(), &empty, 4, &["acr-client-id` is empty"]);
    let says = ["acr-client-id` is missing", "`--ib-default-client-id`"];
    cluster.cloud.fails(cluster.plugin(), &cluster.request(&[]), 4, &says);
    cluster.only_the_api_server_was_asked();
}

fn the_tenant_comes_from_the_nearest_word(world: &World) {
    let cluster = Cluster::new(world);
    let (cloud, tenant) = (&cluster.cloud, &*cluster.cloud.tenant.id);
    let file = cloud.azure_json(&json!({"tenantId": tenant}));
    let annotated = cluster.request(&[(CLIENT_ID, &cluster.pod.client_id), (TENANT_ID, tenant)]);
    for (plugin, request, said) in [
        (cluster.plugin(), cluster.annotated(), None),
        (cluster.plugin(), annotated, Some(tenant)),
        (
            cluster.plugin().arg(format!("--ib-default-tenant-id={tenant}")),
            cluster.annotated(),
            Some(tenant),
        ),
        (cluster.plugin().arg(file), cluster.annotated(), Some(tenant)),
    ] {
        cloud.logs_in_as(&cluster.pod, plugin, &request);
        let calls = cloud.azure.calls_to(Service::Exchange);
        assert_eq!(calls.last().unwrap().field("tenant"), said);
    }
}

/// The system's CA, which is the world's here, says nothing about the API server.
fn only_the_clusters_ca_is_trusted(world: &World) {
    let cluster = Cluster::new(world);
    let at = format!("--ib-apiserver-ip={API_SERVER}");
    for (ca, says) in [
        (&*world.ca().pem_file(), "no trusted TLS connection to `https://0f0e0d0c.ests.aks/`"),
        (Path::new("/nowhere/ca.crt"), "/nowhere/ca.crt"),
    ] {
        let plugin = cluster.plugin_trusting(ca).arg(&at);
        cluster.cloud.fails(plugin, &cluster.annotated(), 2, &[says, "`--ib-ca-file`"]);
    }
    assert_eq!(cluster.cloud.count(Service::IdentityBinding), 0);
    cluster.only_the_api_server_was_asked();
}

fn a_binding_that_is_not_there_is_refused(world: &World) {
    let cluster = Cluster::new(world);
    let issuer = &cluster.cloud.issuer;
    let other = issuer.token(IdentityBinding::AUDIENCE).service_account("demo", "other").build();
    let stranger = cluster.cloud.allow(Identity::user_assigned(&cluster.cloud.tenant, "other"));
    for request in [
        pod_request(IMAGE, &other, &[(CLIENT_ID, &cluster.pod.client_id)]),
        cluster.request(&[(CLIENT_ID, &stranger.client_id)]),
    ] {
        let says = ["the API server refused the pod as identity", SNI, "HTTP 403 access_denied"];
        cluster.cloud.fails(cluster.plugin(), &request, 3, &says);
    }
    cluster.only_the_api_server_was_asked();
    assert_eq!(cluster.cloud.count(Service::Exchange), 0);
}

fn a_token_of_another_audience_is_refused(world: &World) {
    let cluster = Cluster::new(world);
    let token = cluster.cloud.issuer.token(AUDIENCE).build();
    let request = pod_request(IMAGE, &token, &[(CLIENT_ID, &cluster.pod.client_id)]);
    let says = ["the API server refused the pod as identity", "HTTP 401"];
    cluster.cloud.fails(cluster.plugin(), &request, 3, &says);
    cluster.only_the_api_server_was_asked();
}

fn without_a_token_nobody_pulls_unless_said(world: &World) {
    let cluster = Cluster::new(world);
    let cloud = &cluster.cloud;
    let before = world.attempts();
    let says = ["identity bindings need a service account token", "`--without-token=node`"];
    cloud.fails(cluster.plugin(), &request(IMAGE), 4, &says);
    let run = cloud.run(cluster.plugin().arg("--without-token=anonymous"), &request(IMAGE));
    assert_eq!(run.response()["auth"], json!({}));
    assert_eq!(world.attempts(), before);
    let run = cloud.run(cluster.plugin().arg("--without-token=node"), &request(IMAGE));
    assert_eq!(run.login().0, REGISTRY);
    assert_eq!(cloud.count(Service::Imds), 2);
}

fn a_mirrored_image_needs_no_binding(world: &World) {
    let cluster = Cluster::new(world);
    let image = "mcr.microsoft.com/oss/kubernetes/pause";
    let plugin = || cluster.plugin().arg(format!("--registry-mirror=mcr.microsoft.com:{REGISTRY}"));
    for request in [request(image), cluster.cloud.pod_request(image, &[])] {
        let response = cluster.cloud.run(plugin(), &request).response();
        let keys: Vec<_> = response["auth"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, [REGISTRY, "mcr.microsoft.com"]);
    }
    assert_eq!(cluster.cloud.count(Service::IdentityBinding), 0);
}

fn flags_that_do_not_fit_are_refused(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    // What a generator leaves empty is not set.
    let plugin = cloud.plugin().arg("--ib-sni-name=").arg("--ib-apiserver-ip=");
    let says = ["acr-client-id` is missing"];
    cloud.fails(plugin, &cloud.pod_request(IMAGE, &[]), 4, &says);
    for (flags, says) in [
        (&["--ib-sni-name=https://api.example.com"][..], "must not contain a protocol prefix"),
        (&["--ib-sni-name=http://api.example.com"], "must not contain a protocol prefix"),
        (&["--ib-sni-name=a b"], "`--ib-sni-name` is not a host name"),
        (&["--ib-sni-name=api.example.com"], "`--ib-apiserver-ip` must be set"),
        (&["--ib-apiserver-ip=10.0.0.1"], "`--ib-sni-name` must be set"),
        (&["--ib-default-client-id=client-123"], "`--ib-sni-name` must be set"),
        (&["--ib-default-tenant-id=tenant-456"], "`--ib-sni-name` must be set"),
        (
            &["--ib-sni-name=a.example", "--ib-apiserver-ip=https://x"],
            "is neither an IP address nor",
        ),
    ] {
        let plugin = flags.iter().fold(cloud.plugin(), |plugin, flag| plugin.arg(*flag));
        let run = cloud.run(plugin, &cloud.pod_request(IMAGE, &[]));
        assert_eq!(run.code, Some(2), "{flags:?}: {}", run.stderr);
        assert!(run.error().contains(says), "{flags:?}: {}", run.stderr);
        assert!(!run.stderr.contains('{'), "{flags:?}: {}", run.stderr);
    }
    assert_eq!(world.attempts(), before);
}

fn an_api_server_that_is_away(world: &World) {
    let cluster = Cluster::new(world);
    world.black_hole("10.0.0.2");
    for address in ["10.0.0.2", "10.0.0.3"] {
        let plugin = cluster.plugin_at(address).arg("--timeout=2s");
        let says = ["cannot get a token from the API server for the pod as identity", SNI];
        let run = cluster.cloud.fails(plugin, &cluster.annotated(), 7, &says);
        assert!(run.duration.as_secs() < 4, "{:?}", run.duration);
    }
    cluster.only_the_api_server_was_asked();
}
