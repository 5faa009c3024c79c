//! GAR: STS for a pod's token, IAM for what STS gave, the token endpoint for a key's assertion.

use std::fs;

use pullpass_tests::fakes::echo::{self, Echo};
use pullpass_tests::fakes::google::{Google, Provider, ServiceAccountKey};
use pullpass_tests::fixtures::requests::{pod_request, request};
use pullpass_tests::world::World;
use serde_json::json;
use tempfile::TempDir;

use super::{Build, Place, issuer};

pub(super) const PLACES: &[(&str, Build)] = &[
    ("gar_sts", sts),
    ("gar_sts_status", sts_status),
    ("gar_iam", iam),
    ("gar_assertion", assertion),
];

const PLUGIN: &str = "gar-credential-provider";
const IMAGE: &str = "us-docker.pkg.dev/contoso/team/app";
const PULLER: &str = "puller@contoso.iam.gserviceaccount.com";

fn oauth(code: &str, description: &str) -> (u16, &'static str, String) {
    let body = json!({"error": code, "error_description": description});
    (400, "application/json; charset=UTF-8", body.to_string())
}

/// `google.rpc.Status`, with details.
fn status(code: &str, message: &str) -> (u16, &'static str, String) {
    let details = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": code,
        "domain": "iam.googleapis.com",
        "metadata": {"permission": message},
    }]);
    let body = json!({
        "error": {"code": 403, "message": message, "status": code, "details": details}
    });
    (403, "application/json; charset=UTF-8", body.to_string())
}

fn pod_at_sts(world: &World, refusal: echo::Refusal) -> Place {
    let issuer = issuer(world);
    let provider = Provider::new("123456789012", "edge", "k3s", issuer.url());
    let echo = Echo::new(echo::Place::Form("subject_token"), refusal);
    let server = world.https("sts.googleapis.com", echo.router());
    let token = issuer.token(&provider.token_audience()).build();
    Place {
        plugin: world.plugin(PLUGIN).arg("--workload-identity-provider").arg(provider.name()),
        request: pod_request(IMAGE, &token, &[]),
        echo,
        _held: vec![Box::new(server), Box::new(issuer)],
    }
}

fn sts(world: &World) -> Place {
    pod_at_sts(world, oauth)
}

fn sts_status(world: &World) -> Place {
    pod_at_sts(world, status)
}

fn iam(world: &World) -> Place {
    let issuer = issuer(world);
    let google = Google::new(world.client());
    let provider = google.add_provider(Provider::new("123456789012", "edge", "k3s", issuer.url()));
    let sts = world.https("sts.googleapis.com", google.services());
    let echo = Echo::new(echo::Place::Header("authorization"), status);
    let server = world.https("iamcredentials.googleapis.com", echo.router());
    let token = issuer.token(&provider.token_audience()).build();
    Place {
        plugin: world
            .plugin(PLUGIN)
            .arg("--workload-identity-provider")
            .arg(provider.name())
            .arg(format!("--service-account={PULLER}")),
        request: pod_request(IMAGE, &token, &[]),
        echo,
        _held: vec![Box::new(server), Box::new(sts), Box::new(issuer)],
    }
}

fn assertion(world: &World) -> Place {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("key.json");
    fs::write(&file, ServiceAccountKey::generate(PULLER).json().to_string()).unwrap();
    let echo = Echo::new(echo::Place::Form("assertion"), oauth);
    let server = world.https("oauth2.googleapis.com", echo.router());
    Place {
        plugin: world.plugin(PLUGIN).arg("--credentials").arg(file),
        request: request(IMAGE),
        echo,
        _held: vec![Box::new(server), Box::new(folder)],
    }
}
