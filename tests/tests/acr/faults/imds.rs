//! The metadata service.

use std::time::Duration;

use pullpass_tests::fakes::azure::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::Imds, answer);
    let error = |status, code, message| Canned::error(Service::Imds, status, code, message);
    vec![
        row("broken", Canned::broken(Service::Imds)).timeout(3).calls(2).fails(
            7,
            "IMDS could not serve NODE: HTTP 500 unknown",
            &["Failed to retrieve token from the Active directory.", "after 1 retry; the kubelet"],
        ),
        row("not_ready", Canned::status(404)).timeout(3).calls(2).fails(
            7,
            "IMDS could not serve NODE: HTTP 404",
            &["hint: the identity was assigned only a moment ago, or"],
        ),
        row("updating", Canned::status(410)).timeout(3).calls(2).fails(
            7,
            "IMDS could not serve NODE: HTTP 410",
            &["hint: the identity was assigned only a moment ago, or"],
        ),
        row("throttled", Canned::throttled(Service::Imds, 120)).fails(
            7,
            "IMDS could not serve NODE: HTTP 429 invalid_request",
            &[
                "Temporarily throttled, too many requests",
                "hint: not retried: the server sent `Retry-After: 120",
            ],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from IMDS for NODE",
            &[
                "no answer from `IMDS`",
                "hint: on an Azure virtual machine, let this node reach 169.254.169.254",
            ],
        ),
        row("bad_request", error(400, "invalid_request", "Identity not found")).fails(
            4,
            "IMDS refused NODE: HTTP 400 invalid_request",
            &["Identity not found", "hint: the identity is not assigned to this"],
        ),
        row("forbidden", error(403, "access_denied", "unreachable")).fails(
            3,
            "IMDS refused NODE: HTTP 403 access_denied",
            &["unreachable", "hint: something other than IMDS answered"],
        ),
        row("no_json", Canned::answer(200, "text/plain", "OK")).fails(
            5,
            "`IMDS` answered 200 with invalid JSON (line 1, column 1)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("web_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`IMDS` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_token", Canned::json(200, &json!({"expires_in": "3600"}))).fails(
            5,
            "`IMDS` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("empty_token", Canned::json(200, &json!({"access_token": ""}))).fails(
            5,
            "`IMDS` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("redirect", Canned::redirect("http://evil.example/")).fails(
            5,
            "cannot get a token from IMDS for NODE",
            &["`IMDS` answered 307", "hint: a redirect would send the credentials to"],
        ),
        row(
            "no_registries_in_the_tenant",
            error(400, "invalid_resource", "AADSTS500011: The resource principal was not found"),
        )
        .fails(
            3,
            "IMDS refused NODE: HTTP 400 AADSTS500011 invalid_resource",
            &[
                "AADSTS500011: The resource principal was not found",
                "hint: Entra does not know Azure Container Registry in this",
            ],
        ),
        row("control_characters", error(400, "invalid\u{1b}[31m", "a\nerror: b\u{202e}")).fails(
            4,
            "IMDS refused NODE: HTTP 400 invalid [31m",
            &["a", "hint: the identity is not assigned to this"],
        ),
    ]
}
