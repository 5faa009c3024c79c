//! The token endpoint for keys.

use std::time::Duration;

use pullpass_tests::fakes::google::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::OAuth, answer);
    let error = |status, code, message| Canned::error(Service::OAuth, status, code, message);
    vec![
        row("wrong_key", error(400, "invalid_grant", "Invalid JWT Signature.")).fails(
            3,
            "Google refused KEY: HTTP 400 invalid_grant",
            &[
                "`OAUTH` says: Invalid JWT Signature.",
                "hint: the key does not belong to `NODE`, or was deleted: create a new one",
            ],
        ),
        row("no_account", error(400, "invalid_grant", "Invalid grant: account not found")).fails(
            3,
            "Google refused KEY: HTTP 400 invalid_grant",
            &["hint: the service account `NODE` does not exist in this universe"],
        ),
        row(
            "clock",
            error(
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                 timeframe. Check your iat and exp values in the JWT claim.",
            ),
        )
        .fails(
            2,
            "Google refused KEY: HTTP 400 invalid_grant",
            &["hint: check this node's clock"],
        ),
        row("disabled", error(401, "disabled_client", "The OAuth client was disabled.")).fails(
            3,
            "Google refused KEY: HTTP 401 disabled_client",
            &["hint: the service account `NODE` is disabled: enable it"],
        ),
        row("unknown", error(400, "invalid_scope", "Invalid OAuth scope.")).fails(
            3,
            "Google refused KEY: HTTP 400 invalid_scope",
            &["Invalid OAuth scope.", "hint: look the code up in the documentation of Google"],
        ),
        row("throttled", Canned::throttled(Service::OAuth)).calls(4).fails(
            7,
            "Google could not serve KEY: HTTP 429 rate_limit_exceeded",
            &["after 3 retries"],
        ),
        row("broken", Canned::broken(Service::OAuth)).calls(4).fails(
            7,
            "Google could not serve KEY: HTTP 500 internal_failure",
            &["after 3 retries"],
        ),
        row("blocked", Canned::answer(403, "text/html", "<html><title>Blocked by policy")).fails(
            5,
            "Google refused KEY: HTTP 403",
            &["hint: unexpected answer: check for a proxy, a login page or a wrong URL"],
        ),
        row("login_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`OAUTH` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("an_id_token", Canned::json(200, &json!({"id_token": "a.b.c"}))).fails(
            5,
            "`OAUTH` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("redirect", Canned::redirect("https://evil.example/token")).fails(
            5,
            "cannot get a token from Google for KEY",
            &[
                "`OAUTH` answered 307 with a redirect",
                "hint: a redirect would send the credentials",
            ],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from Google for KEY",
            &["no answer from `OAUTH`", "hint: check the network path from this node: DNS,"],
        ),
    ]
}
