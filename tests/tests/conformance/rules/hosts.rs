//! A login goes to a host that is proven to be of the registry's service, and no identity is used
//! for another.

use pullpass_tests::fixtures::checks::CONFIG;
use serde_json::json;

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_host_of_others_gets_no_login_and_no_server_is_asked),
        Rule::of(another_port_of_the_registrys_host_gets_no_login),
    ]
}

fn a_host_of_others_gets_no_login_and_no_server_is_asked(ground: &Ground<'_>) {
    let own = ground.registry;
    let similar = [
        format!("{own}.evil.example"),
        format!("x.{own}"),
        format!("{own}x"),
        own.replace('.', "-"),
        format!("evil.example/{own}"),
        format!("{own}@evil.example"),
        format!("{own}%2eevil.example"),
        format!("{own}.."),
    ];
    let others = [
        "docker.io",
        "registry.k8s.io",
        "quay.io",
        "ghcr.io",
        "169.254.169.254",
        "127.0.0.1:5000",
        "localhost:5000",
        "[::1]:5000",
        "other.registry.example",
        "999988887777.dkr.ecr.us-west-2.amazonaws.com.evil.example",
        "contoso.azurecr.io.evil.example",
        "us-docker.pkg.dev.evil.example",
    ];
    for host in similar.iter().map(String::as_str).chain(others) {
        gets_no_login(ground, host);
    }
}

fn another_port_of_the_registrys_host_gets_no_login(ground: &Ground<'_>) {
    for port in ["80", "5000", "8443", "4430", "0", "65536", "https"] {
        gets_no_login(ground, &format!("{}:{port}", ground.registry));
    }
}

/// It fails as something that the operator must correct or as a wrong request, or it answers with
/// no credentials on purpose.
fn gets_no_login(ground: &Ground<'_>, host: &str) {
    let request = ground.request_for(&format!("{host}/team/app"));
    ground.without_a_connection(|| {
        let run = ground.run(&ground.plugin, &request);
        match run.code {
            Some(0) => assert_eq!(run.response()["auth"], json!({}), "a login for `{host}`"),
            // A text that is not an image is the request's fault.
            Some(code) => assert!(matches!(code, CONFIG | 6), "`{host}`: {}", run.stderr),
            None => panic!("`{host}`: killed"),
        }
    });
}
