//! Entra ID, and each of its numbers that has an explanation of its own.

use std::time::Duration;

use pullpass_tests::fakes::azure::{Canned, Service};
use serde_json::json;

use super::Row;

/// Number, calls, exit code, status, OAuth's error, and how the hint begins.
type Number = (u32, usize, i32, u16, &'static str, &'static str);

const NUMBERS: [Number; 21] = [
    (70021, 1, 3, 401, "invalid_client", "add a federated credential to the"),
    (70025, 1, 3, 401, "invalid_client", "add a federated credential to the"),
    (700_211, 1, 3, 401, "invalid_client", "add a federated credential to the"),
    (700_212, 1, 3, 401, "invalid_client", "add a federated credential to the"),
    (700_213, 1, 3, 401, "invalid_client", "add a federated credential to the"),
    (700_016, 1, 3, 400, "unauthorized_client", "the application is not in this tenant:"),
    (90002, 1, 3, 400, "invalid_request", "this tenant does not exist in this cloud:"),
    (900_023, 1, 3, 400, "invalid_request", "this tenant does not exist in this cloud:"),
    (7_000_215, 1, 3, 401, "invalid_client", "the client secret is wrong or has expired:"),
    (7_000_222, 1, 3, 401, "invalid_client", "the client secret is wrong or has expired:"),
    (7_000_112, 1, 3, 400, "invalid_request", "the application is disabled: enable it"),
    (700_024, 1, 4, 401, "invalid_client", "the token has expired or is not yet valid:"),
    (50013, 1, 3, 401, "invalid_client", "Entra cannot verify the signature: check the"),
    (700_027, 1, 3, 401, "invalid_client", "Entra cannot verify the signature: check the"),
    (
        5_002_730,
        1,
        2,
        400,
        "invalid_request",
        "Entra does not support this signature algorithm: use",
    ),
    (501_661, 1, 3, 400, "invalid_request", "Entra cannot fetch the issuer's keys: its"),
    (
        500_011,
        1,
        3,
        400,
        "invalid_resource",
        "Entra does not know Azure Container Registry in this",
    ),
    (90038, 1, 2, 400, "invalid_request", "the tenant is in another cloud: check"),
    (
        90033,
        4,
        7,
        503,
        "temporarily_unavailable",
        "Entra is limiting this tenant's requests, or is overloaded;",
    ),
    (
        50196,
        1,
        7,
        400,
        "invalid_request",
        "Entra is limiting this tenant's requests, or is overloaded;",
    ),
    (99999, 1, 3, 400, "invalid_request", "look the code up at"),
];

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::Entra, answer);
    let others = vec![
        row("broken", Canned::unavailable()).calls(4).fails(
            7,
            "ENTRA could not serve POD: HTTP 503",
            &["after 3 retries; the kubelet"],
        ),
        row("throttled", Canned::throttled(Service::Entra, 300)).fails(
            7,
            "ENTRA could not serve POD: HTTP 429",
            &["hint: not retried: the server sent `Retry-After: 300"],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from ENTRA for POD",
            &["oauth2/v2.0/token`", "hint: check the network path from this node: DNS,"],
        ),
        row(
            "empty_token",
            Canned::json(
                200,
                &json!({"access_token": "", "expires_in": 3599, "token_type": "Bearer"}),
            ),
        )
        .fails(
            5,
            "`TOKEN_URL` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_token", Canned::other_json(200)).fails(
            5,
            "`TOKEN_URL` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_json", Canned::answer(200, "text/plain", "OK")).fails(
            5,
            "`TOKEN_URL` answered 200 with invalid JSON (line 1, column 1)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("web_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`TOKEN_URL` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("blocked", Canned::answer(403, "text/html", "<!doctype html><title>Blocked by policy"))
            .fails(
                5,
                "ENTRA refused POD: HTTP 403",
                &["hint: unexpected answer: check for a proxy,"],
            ),
        row("not_found", Canned::answer(404, "text/html", "<!doctype html>")).fails(
            5,
            "ENTRA refused POD: HTTP 404",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("redirect", Canned::redirect("https://evil.example/")).fails(
            5,
            "cannot get a token from ENTRA for POD",
            &[
                "oauth2/v2.0/token` answered 307 with a redirect;",
                "hint: a redirect would send the credentials to",
            ],
        ),
        row("oversized", Canned::answer(200, "application/json", " ".repeat(2_000_000))).fails(
            5,
            "cannot get a token from ENTRA for POD",
            &[
                "oauth2/v2.0/token` is larger than 1048576 bytes",
                "hint: no credential is that large: check the",
            ],
        ),
    ];
    NUMBERS.iter().map(number).chain(others).collect()
}

fn number(&(number, calls, code, status, error, hint): &Number) -> Row {
    let answer = Canned::aadsts(number, "so it is.");
    let verb = if code == 7 { "could not serve" } else { "refused" };
    Row::new(&format!("aadsts{number}"), Service::Entra, answer).calls(calls).fails(
        code,
        &format!("ENTRA {verb} POD: HTTP {status} AADSTS{number} {error}"),
        &[&format!("AADSTS{number}: so it is. (correlation ID "), &format!("hint: {hint}")],
    )
}
