//! The Security Token Service: each of its codes, and failures on the way to it.

use std::time::Duration;

use pullpass_tests::fakes::google::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::Sts, answer);
    let error = |code, message| Canned::error(Service::Sts, 400, code, message);
    let codes = CODES.iter().map(|(name, code, message, exit, hint)| {
        let error_line = format!("Google's STS refused POD: HTTP 400 {code}");
        let says = format!("`STS` says: {message}");
        row(*name, error(code, message)).fails(*exit, &error_line, &[&says, hint])
    });
    let token = |body| Canned::json(200, &body);
    let others = vec![
        row("throttled", Canned::throttled(Service::Sts)).calls(4).fails(
            7,
            "Google's STS could not serve POD: HTTP 429 quota_exceeded",
            &["throttled due to rate limit", "after 3 retries; the kubelet"],
        ),
        row("resting", Canned::throttled(Service::Sts).with_header("retry-after", "300")).fails(
            7,
            "Google's STS could not serve POD: HTTP 429 quota_exceeded",
            &["hint: not retried: the server sent `Retry-After: 300"],
        ),
        row("broken", Canned::broken(Service::Sts)).calls(4).fails(
            7,
            "Google's STS could not serve POD: HTTP 500 INTERNAL",
            &["Internal error encountered.", "after 3 retries"],
        ),
        row("unavailable", Canned::unavailable()).calls(4).fails(
            7,
            "Google's STS could not serve POD: HTTP 503",
            &["after 3 retries"],
        ),
        // Its status says that it may pass, whatever its code.
        row("overloaded", Canned::json(503, &json!({"error": "invalid_target"}))).calls(4).fails(
            7,
            "Google's STS could not serve POD: HTTP 503 invalid_target",
            &["after 3 retries"],
        ),
        row("timed_out", Canned::status(408)).calls(4).fails(
            7,
            "Google's STS could not serve POD: HTTP 408",
            &["after 3 retries"],
        ),
        row(
            "api_is_off",
            Canned::error(
                Service::Sts,
                403,
                "ignored",
                "Security Token Service API has not been used in project 12 before or it is disabled.",
            ),
        )
        .fails(3, "Google's STS refused POD: HTTP 403 ignored", &["has not been used in project"]),
        row(
            "api_is_off_in_googles_other_form",
            Canned::json(
                403,
                &json!({"error": {
                    "code": 403,
                    "status": "PERMISSION_DENIED",
                    "message": "Security Token Service API has not been used in project 12.",
                }}),
            ),
        )
        .fails(
            3,
            "Google's STS refused POD: HTTP 403 PERMISSION_DENIED",
            &["hint: enable the Security Token Service API in the pool's project"],
        ),
        row("not_found", Canned::error(Service::Sts, 404, "NOT_FOUND", "Not Found")).fails(
            5,
            "Google's STS refused POD: HTTP 404",
            &["hint: unexpected answer: check for a proxy, a login page or a wrong URL"],
        ),
        row("login_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`STS` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("blocked", Canned::answer(403, "text/html", "<html><title>Blocked by policy")).fails(
            5,
            "Google's STS refused POD: HTTP 403",
            &["hint: unexpected answer: check for a proxy, a login page or a wrong URL"],
        ),
        row("bad_gateway", Canned::answer(502, "text/html", "<html><h1>502 Bad Gateway")).calls(4)
            .fails(
                7,
                "Google's STS could not serve POD: HTTP 502",
                &["after 3 retries"],
            ),
        row("proxy_login", Canned::status(407)).fails(
            5,
            "Google's STS refused POD: HTTP 407",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("unauthorized", Canned::status(401)).fails(
            5,
            "Google's STS refused POD: HTTP 401",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("other_json", Canned::other_json(200)).fails(
            5,
            "`STS` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("other_json_400", Canned::other_json(400)).fails(
            5,
            "Google's STS refused POD: HTTP 400",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("a_list", Canned::json(200, &json!([1]))).fails(
            5,
            "`STS` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_json", Canned::answer(200, "text/plain", "OK")).fails(
            5,
            "`STS` answered 200 with invalid JSON (line 1, column 1)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("empty_token", token(json!({"access_token": "", "token_type": "Bearer"}))).fails(
            5,
            "`STS` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_bearer", token(json!({"access_token": "x.y", "token_type": "N_A"}))).fails(
            5,
            "`STS` answered 200 with a token that is not a bearer token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("over", token(json!({"access_token": "x.y", "expires_in": 0}))).fails(
            5,
            "`STS` returned a token that has already expired",
            &["hint: check this node's clock"],
        ),
        row("oversized", Canned::answer(200, "application/json", " ".repeat(2_000_000))).fails(
            5,
            "cannot get a token from Google's STS for POD",
            &["the answer of `STS` is larger than 1048576 bytes", "hint: no credential is that"],
        ),
        row("redirect", Canned::redirect("https://evil.example/v1/token")).fails(
            5,
            "cannot get a token from Google's STS for POD",
            &["`STS` answered 307 with a redirect", "hint: a redirect would send the credentials"],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from Google's STS for POD",
            &["no answer from `STS`", "hint: check the network path from this node: DNS,"],
        ),
        row("deadline", Canned::late(Duration::from_secs(30))).timeout(1).fails(
            7,
            "cannot get a token from Google's STS for POD",
            &["no answer from `STS`", "hint: check the network path from this node: DNS,"],
        ),
        row("control_characters", error("invalid\u{1b}[31m", "a\nerror: b\u{202e}")).fails(
            3,
            "Google's STS refused POD: HTTP 400 invalid [31m",
            &["`STS` says: a error: b", "hint: look the code up"],
        ),
    ];
    codes.chain(others).collect()
}

/// Name, code, Google's words, exit code, and the hint.
type Code = (&'static str, &'static str, &'static str, i32, &'static str);

const CODES: [Code; 15] = [
    (
        "invalid_request",
        "invalid_request",
        "Invalid value for \"audience\".",
        2,
        "hint: check the provider's name, with the project's number: PROVIDER; the token has `aud`",
    ),
    (
        "invalid_target",
        "invalid_target",
        "The target service indicated by the \"audience\" parameters is invalid.",
        3,
        "hint: check that pool and provider exist and are enabled: PROVIDER",
    ),
    (
        "audience",
        "invalid_grant",
        "The audience in ID Token [x] does not match the expected audience.",
        3,
        "hint: the token has `aud` `AUDIENCE` and `iss` `ISSUER`; the provider expects `aud` \
         `AUDIENCE`",
    ),
    (
        "issuer",
        "invalid_grant",
        "The issuer in ID Token x does not match the expected one in config: y.",
        3,
        "hint: the token has `aud` `AUDIENCE` and `iss` `ISSUER`; the provider expects",
    ),
    (
        "malformed",
        "invalid_grant",
        "Unable to parse the ID Token.",
        3,
        "hint: the token has `aud` `AUDIENCE` and `iss` `ISSUER`",
    ),
    (
        "stale",
        "invalid_grant",
        "ID Token issued at 1795514400 is stale to sign-in.",
        4,
        "hint: the token has expired or is not yet valid: check this node's clock; the token has",
    ),
    (
        "expired",
        "invalid_grant",
        "The token is expired.",
        4,
        "hint: the token has expired or is not yet valid: check this node's clock",
    ),
    (
        "from_the_future",
        "invalid_grant",
        "The token was issued in the future.",
        4,
        "hint: the token has expired or is not yet valid: check this node's clock",
    ),
    (
        "issuer_not_reached",
        "invalid_grant",
        "Error connecting to the given credential's issuer.",
        3,
        "hint: Google cannot fetch the keys of `ISSUER`: if it cannot reach this issuer, upload the keys to the provider (`--jwk-json-path`)",
    ),
    (
        "condition",
        "unauthorized_client",
        "The given credential is rejected by the attribute condition.",
        3,
        "hint: the provider's attribute condition rejects `system:serviceaccount:demo:web`: PROVIDER",
    ),
    ("invalid_client", "invalid_client", "No.", 3, "hint: look the code up in the documentation"),
    ("invalid_scope", "invalid_scope", "Invalid value for \"scope\".", 3, "hint: look the code up"),
    (
        "unsupported_grant_type",
        "unsupported_grant_type",
        "Invalid value for \"grant_type\".",
        3,
        "hint: look the code up",
    ),
    ("access_denied", "access_denied", "No.", 3, "hint: look the code up"),
    ("unknown", "something_new", "Something new.", 3, "hint: look the code up"),
];
