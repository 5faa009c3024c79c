//! A token that the Kubernetes API server may accept is sent to no other server, unless the
//! operator names its audience.

use pullpass_tests::fixtures::checks::IDENTITY;
use serde_json::{Value, json};

use super::Rule;
use crate::ground::Ground;

pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::of(a_token_for_the_api_server_is_not_sent),
        Rule::of(a_token_for_the_clusters_issuer_is_not_sent),
        Rule::of(a_token_of_several_audiences_is_not_sent),
        Rule::of(a_token_without_an_audience_is_not_sent),
        Rule::of(an_audience_that_the_operator_names_is_let_through),
    ]
}

/// Audiences of API servers as distributions set them up, and other ways to write them.
const API_SERVERS: [&str; 17] = [
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
    "https://kubernetes.default.svc.corp.example:443/",
    "kubernetes.default.svc",
    "KUBERNETES.default.svc",
    "kubernetes.default.svc.",
    "kubernetes",
    "k3s",
    "K3S",
    "rke2",
    "api",
    "https://10.96.0.1",
    "10.43.0.1",
    "https://shop-dns-1a2b3c4d.hcp.westeurope.azmk8s.io",
    "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/",
    "https://0A9D8FA06B1F6CEB05E4210D0A7A089F.gr7.us-west-2.eks.amazonaws.com",
    "https://container.googleapis.com/v1/projects/p/locations/europe-west4/clusters/c",
];

fn a_token_for_the_api_server_is_not_sent(ground: &Ground<'_>) {
    for audience in API_SERVERS {
        is_not_sent(ground, json!([audience]), "the Kubernetes API server may accept");
        is_not_sent(ground, json!(audience), "the Kubernetes API server may accept");
    }
}

fn a_token_for_the_clusters_issuer_is_not_sent(ground: &Ground<'_>) {
    let issuer = ground.issuer.url();
    for audience in [issuer.to_owned(), format!("{issuer}/"), issuer.to_uppercase()] {
        is_not_sent(ground, json!([audience]), "the Kubernetes API server may accept");
    }
}

/// The kubelet asks for one.
fn a_token_of_several_audiences_is_not_sent(ground: &Ground<'_>) {
    let good = &ground.audience;
    for other in ["other.example", "", good] {
        is_not_sent(ground, json!([good, other]), "");
    }
    for other in ["k3s", "https://kubernetes.default.svc"] {
        is_not_sent(ground, json!([good, other]), "");
        is_not_sent(ground, json!([other, good]), "");
    }
}

fn a_token_without_an_audience_is_not_sent(ground: &Ground<'_>) {
    for audience in [json!(null), json!([])] {
        is_not_sent(ground, audience, "");
    }
}

fn an_audience_that_the_operator_names_is_let_through(ground: &Ground<'_>) {
    for (audience, named) in [
        (json!(["k3s"]), &["k3s"][..]),
        (json!(["https://kubernetes.default.svc"]), &["https://kubernetes.default.svc", "k3s"]),
        (json!([ground.audience, "k3s"]), &[&ground.audience, "k3s"]),
    ] {
        let request = ground.request_with(ground.token().audience(audience));
        let plugin = named.iter().fold(ground.plugin.clone(), |plugin, audience| {
            plugin.arg("--allow-audience").arg(*audience)
        });
        // What comes next is the backend's rule for audiences, or the server's.
        let run = ground.run(&plugin, &request);
        for refusal in ["the Kubernetes API server may accept", "has several audiences"] {
            assert!(!run.stderr.contains(refusal), "{}", run.stderr);
        }
    }
    // One that is named lets no other through.
    let request = ground.request_with(ground.token().audience(json!(["k3s"])));
    for named in ["K3S", "api", &ground.audience, "*", ""] {
        let plugin = ground.plugin.clone().arg(format!("--allow-audience={named}"));
        ground.without_a_connection(|| {
            ground.refuses(&plugin, &request, IDENTITY, "the Kubernetes API server may accept");
        });
    }
}

fn is_not_sent(ground: &Ground<'_>, audience: Value, says: &str) {
    let request = ground.request_with(ground.token().audience(audience));
    ground.without_a_connection(|| {
        ground.refuses(&ground.plugin, &request, IDENTITY, says);
    });
}
