//! What lies between the plugin and AWS: names, connections, TLS, proxies, and addresses that the
//! operator gave. The API whose name is served here is one that the cloud itself does not serve.

use std::fs;
use std::net::SocketAddr;

use axum::Router;
use pullpass_tests::fakes::faults::{Fault, FaultServer};
use pullpass_tests::fixtures::requests::request;
use pullpass_tests::server::Server;
use pullpass_tests::tls::TestCa;
use pullpass_tests::world::{Trial, World};

use super::{CONFIG, PROTOCOL, UNAVAILABLE, fails};
use crate::cloud::{ANNOTATION, Cloud, REGISTRY, role};

const API: &str = "api.ecr.eu-west-1.amazonaws.com";
const IMAGE: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a";
const ERROR: &str = "the call to ECR in `eu-west-1` for the node failed";
const HINT: &str = "hint: check the network path from this node: DNS, firewall, proxy";

pub(super) fn trials() -> Vec<Trial> {
    vec![
        Trial::of(a_connection_that_breaks),
        Trial::of(an_answer_that_is_too_large),
        Trial::of(nobody_listens),
        Trial::of(a_certificate_that_is_not_trusted),
        Trial::of(a_server_without_tls),
        Trial::of(a_region_that_does_not_exist),
        Trial::of(a_region_without_fips),
        Trial::of(a_region_without_dual_stack),
        Trial::of(a_proxy_that_refuses),
        Trial::of(a_proxy_that_is_not_there),
        Trial::of(an_endpoint_that_is_none),
    ]
}

/// A fault under the API's name, with a good certificate.
fn behind_tls(world: &World, fault: Fault) -> (Server, FaultServer) {
    let fault = fault.start();
    (world.https_to(API, address(&fault)), fault)
}

fn address(server: &FaultServer) -> SocketAddr {
    server.url().rsplit_once('/').unwrap().1.parse().unwrap()
}

fn a_connection_that_breaks(world: &World) {
    let cloud = Cloud::new(world);
    for (fault, why) in [
        (Fault::CutBody, "end of file before message length reached"),
        (Fault::Hangup, "connection closed before message completed"),
    ] {
        let (_server, fault) = behind_tls(world, fault);
        let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "2");
        let run = cloud.run(plugin, &request(IMAGE));
        let broke = format!("lost the connection to `https://{API}/`");
        fails(&run, IMAGE, UNAVAILABLE, ERROR, &[&broke, why, HINT], why);
        assert_eq!(fault.requests().len(), 4, "two runs, two calls each");
    }
}

fn an_answer_that_is_too_large(world: &World) {
    let cloud = Cloud::new(world);
    for fault in [Fault::BigBody(2_000_000), Fault::EndlessBody] {
        let name = format!("{fault:?}");
        let (_server, fault) = behind_tls(world, fault);
        let run = cloud.run(cloud.plugin_as_user(), &request(IMAGE));
        let below = &[
            "the answer of `https://api.ecr.eu-west-1.amazonaws.com/` is larger than 1048576 bytes",
            "hint: no credential is that large",
        ];
        fails(&run, IMAGE, PROTOCOL, ERROR, below, &name);
        assert_eq!(fault.requests().len(), 2, "two runs, one call each");
    }
}

fn nobody_listens(world: &World) {
    let cloud = Cloud::new(world);
    world.address_of(API);
    let before = world.attempts().connections;
    let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "2");
    let run = cloud.run(plugin, &request(IMAGE));
    let below = &[
        "cannot connect to `https://api.ecr.eu-west-1.amazonaws.com/`",
        "caused by: Connection refused",
        HINT,
    ];
    fails(&run, IMAGE, UNAVAILABLE, ERROR, below, "refused");
    assert_eq!(world.attempts().connections - before, 4, "two runs, two attempts each");
}

fn a_certificate_that_is_not_trusted(world: &World) {
    let cloud = Cloud::new(world);
    let answer = || Fault::json(200, "{}");
    for (name, tls, why) in [
        ("another CA", TestCa::new().server_config(&[API]), "invalid peer certificate"),
        ("another name", world.ca().server_config(&["other.example"]), "not valid for name"),
    ] {
        let fault = answer().start_tls(tls);
        let _server = world.http_to(&format!("{API}:443"), address(&fault));
        let run = cloud.run(cloud.plugin_as_user(), &request(IMAGE));
        let below = &[
            "no trusted TLS connection to `https://api.ecr.eu-west-1.amazonaws.com/`",
            why,
            "hint: check the server's certificate and name; `SSL_CERT_FILE` sets the CA to trust",
        ];
        fails(&run, IMAGE, CONFIG, ERROR, below, name);
        assert!(fault.requests().is_empty(), "{name}: nothing was sent");
    }
}

fn a_server_without_tls(world: &World) {
    let cloud = Cloud::new(world);
    let _server = world.http(&format!("{API}:443"), Router::new());
    let run = cloud.run(cloud.plugin_as_user(), &request(IMAGE));
    let below = &[
        "no trusted TLS connection to `https://api.ecr.eu-west-1.amazonaws.com/`",
        "hint: the server does not speak TLS 1.2 or 1.3 on this port",
    ];
    fails(&run, IMAGE, CONFIG, ERROR, below, "plain");
}

const NO_NAME: &str = "failed to lookup address information";

fn a_region_that_does_not_exist(world: &World) {
    let cloud = Cloud::new(world);
    let image = "111122223333.dkr.ecr.lala-land-1.amazonaws.com/a";
    let run = cloud.run(cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "1"), &request(image));
    let error = "the call to ECR in `lala-land-1` for the node failed";
    let below = &["cannot connect to `https://api.ecr.lala-land-1.amazonaws.com/`", NO_NAME, HINT];
    fails(&run, image, UNAVAILABLE, error, below, "node");
    let pod = cloud.pod_request(image, &[(ANNOTATION, &role("pull"))]);
    let run = cloud.run(cloud.plugin().env("AWS_MAX_ATTEMPTS", "1"), &pod);
    let error =
        format!("the call to STS in `lala-land-1` for the pod as `{}` failed", role("pull"));
    let below = &["cannot connect to `https://sts.lala-land-1.amazonaws.com/`", NO_NAME, HINT];
    fails(&run, image, UNAVAILABLE, &error, below, "pod");
}

fn a_region_without_fips(world: &World) {
    let mut cloud = Cloud::new(world);
    cloud.serve_region("eu-central-1");
    let by_host = "hint: ECR has FIPS endpoints in us-east-1, us-east-2, us-west-1, us-west-2 and \
                   GovCloud; elsewhere name the registry without `-fips`";
    let by_switch = "hint: `AWS_USE_FIPS_ENDPOINT` or the profile asks for FIPS; ECR has it in";
    for (image, variable, hint) in [
        ("111122223333.dkr.ecr-fips.eu-central-1.amazonaws.com/a", None, by_host),
        (
            "111122223333.dkr.ecr.eu-central-1.amazonaws.com/a",
            Some("AWS_USE_FIPS_ENDPOINT"),
            by_switch,
        ),
    ] {
        let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "1");
        let plugin = variable.iter().fold(plugin, |plugin, name| plugin.env(name, "true"));
        let run = cloud.run(plugin, &request(image));
        let error = "the call to ECR in `eu-central-1` for the node failed";
        let name = "cannot connect to `https://api.ecr-fips.eu-central-1.amazonaws.com/`";
        fails(&run, image, UNAVAILABLE, error, &[name, NO_NAME, hint], image);
    }
}

fn a_region_without_dual_stack(world: &World) {
    let cloud = Cloud::new(world);
    let image = "111122223333.dkr-ecr.eu-west-1.on.aws/a";
    let run = cloud.run(cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "1"), &request(image));
    let below = &[
        "cannot connect to `https://ecr.eu-west-1.api.aws/`",
        NO_NAME,
        "PrivateLink endpoints are IPv4 only: to use them, set `--ipv4-api`",
    ];
    fails(&run, image, UNAVAILABLE, ERROR, below, "dual-stack");
}

fn a_proxy_that_refuses(world: &World) {
    let cloud = Cloud::new(world);
    for (status, why) in
        [(403, "tunnel error: unsuccessful"), (407, "proxy authorization required")]
    {
        let proxy = Fault::status(status).start();
        let url = proxy.url().replace("://", "://user:the-proxys-password@");
        let plugin = cloud
            .plugin_as_user()
            .env("HTTPS_PROXY", url)
            .env("AWS_MAX_ATTEMPTS", "1")
            .secret("the proxy's password", "the-proxys-password");
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = "the call to ECR in `us-west-2` for the node failed";
        let named = format!(
            "hint: the call goes through the proxy `{}`",
            proxy.url().trim_start_matches("http://")
        );
        fails(&run, REGISTRY, UNAVAILABLE, error, &[why, &named], why);
        let asked = proxy.requests();
        assert_eq!(asked.len(), 2, "two runs, one call each");
        assert!(asked[0].head.starts_with("CONNECT api.ecr.us-west-2.amazonaws.com:443 "));
    }
    // Where the host asks for an endpoint that may not be there, the proxy is the first suspect.
    for (image, api) in [
        ("111122223333.dkr-ecr.eu-west-1.on.aws/a", "ecr.eu-west-1.api.aws"),
        (
            "111122223333.dkr.ecr-fips.eu-west-1.amazonaws.com/a",
            "api.ecr-fips.eu-west-1.amazonaws.com",
        ),
    ] {
        let proxy = Fault::status(403).start();
        let plugin = cloud.plugin_as_user().env("AWS_MAX_ATTEMPTS", "1");
        let run = cloud.run(plugin.env("HTTPS_PROXY", proxy.url()), &request(image));
        let named = "hint: the call goes through the proxy `";
        fails(&run, image, UNAVAILABLE, ERROR, &["tunnel error", named], image);
        assert!(proxy.requests()[0].head.starts_with(&format!("CONNECT {api}:443 ")));
    }
    assert!(cloud.aws.calls().is_empty());
}

fn a_proxy_that_is_not_there(world: &World) {
    let cloud = Cloud::new(world);
    world.address_of("proxy.example");
    for (proxy, code, why) in [
        ("http://proxy.example:3128", UNAVAILABLE, "Connection refused"),
        ("http://192.0.2.1:3128", UNAVAILABLE, "Network "),
        ("http://nobody.example:3128", UNAVAILABLE, NO_NAME),
        ("socks5://proxy.example", CONFIG, "`HTTPS_PROXY` is not a proxy URL"),
    ] {
        let plugin = cloud.plugin_as_user().env("HTTPS_PROXY", proxy).env("AWS_MAX_ATTEMPTS", "1");
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = "the call to ECR in `us-west-2` for the node failed";
        fails(&run, REGISTRY, code, error, &[why], proxy);
    }
    assert!(cloud.aws.calls().is_empty());
}

fn an_endpoint_that_is_none(world: &World) {
    let cloud = Cloud::new(world);
    let before = world.attempts();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    for bad in [
        "api.ecr.us-west-2.amazonaws.com",
        "https://",
        "ftp://api.example",
        "no URL",
        "http://10.9.9.9",
        "https://me:hunter2@api.example",
    ] {
        let plugin = cloud.plugin_as_user().env("AWS_ENDPOINT_URL_ECR", bad);
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = "`AWS_ENDPOINT_URL_ECR` is not an `https://` URL, or holds a user or password";
        fails(&run, REGISTRY, CONFIG, error, &["hint: correct the `env`"], bad);

        fs::write(&file, format!("[default]\nendpoint_url = {bad}\n")).unwrap();
        let plugin = cloud.plugin_as_user().env("AWS_CONFIG_FILE", &file);
        let run = cloud.run(plugin, &request(REGISTRY));
        let error = "`endpoint_url` of profile `default` is not an `https://` URL, or holds a user or password";
        fails(&run, REGISTRY, CONFIG, error, &["hint: correct the profile"], bad);
    }
    assert_eq!(world.attempts(), before);
    // Set to nothing, it is not set.
    cloud.login(cloud.plugin_as_user().env("AWS_ENDPOINT_URL", ""), &request(REGISTRY));
}
