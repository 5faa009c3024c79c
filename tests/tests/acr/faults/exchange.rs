//! The registry: its exchange, its challenge where that says more, and its pull tokens.

use std::time::Duration;

use pullpass_tests::fakes::azure::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::Exchange, answer);
    let error = |status, code, message| Canned::error(Service::Exchange, status, code, message);
    let refresh_token = |token: &str| Canned::json(200, &json!({"refresh_token": token}));
    let pull = |name, answer| Row::new(name, Service::PullToken, answer);
    vec![
        row("empty_object", Canned::json(200, &json!({}))).fails(
            5,
            "`EXCHANGE` answered 200 without a refresh token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("empty_token", refresh_token("")).fails(
            5,
            "`EXCHANGE` answered 200 without a refresh token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("token_with_a_line_break", refresh_token("eyJh.eyJz.c2ln\nx")).fails(
            5,
            "`contoso.azurecr.io` returned a token that cannot be used as a password",
            &[
                "this login cannot be used: the user name or",
                "hint: unexpected answer: check for a proxy,",
            ],
        ),
        row("token_of_another_type", Canned::json(200, &json!({"refresh_token": 1}))).fails(
            5,
            "`EXCHANGE` answered 200 with JSON of an unexpected shape",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("unauthorized", error(401, "UNAUTHORIZED", "authentication required")).fails(
            3,
            "REGISTRY refused NODE: HTTP 401 UNAUTHORIZED",
            &["authentication required", "CorrelationId: ", "hint: assign the role AcrPull on"],
        ),
        row("firewall", Canned::denied("203.0.113.9")).fails(
            3,
            "REGISTRY refused NODE: HTTP 403 DENIED",
            &[
                "client with IP '203.0.113.9' is not allowed access.",
                "CorrelationId: ",
                "hint: assign the role AcrPull on",
            ],
        ),
        row("bad_request", error(400, "BAD_REQUEST", "the tenant is no GUID")).fails(
            3,
            "REGISTRY refused NODE: HTTP 400 BAD_REQUEST",
            &["the tenant is no GUID", "CorrelationId: ", "hint: assign the role AcrPull on"],
        ),
        row("not_found", error(404, "NOT_FOUND", "404 page not found")).fails(
            5,
            "REGISTRY refused NODE: HTTP 404 NOT_FOUND",
            &[
                "404 page not found",
                "CorrelationId: ",
                "hint: unexpected answer: check for a proxy,",
            ],
        ),
        row("not_found_without_a_word", Canned::status(404)).fails(
            5,
            "REGISTRY refused NODE: HTTP 404",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("broken", Canned::broken(Service::Exchange)).calls(4).fails(
            7,
            "REGISTRY could not serve NODE: HTTP 500 UNKNOWN",
            &["unknown error", "CorrelationId: ", "after 3 retries; the kubelet"],
        ),
        row("unavailable", Canned::unavailable()).calls(4).fails(
            7,
            "REGISTRY could not serve NODE: HTTP 503",
            &["after 3 retries; the kubelet"],
        ),
        row("throttled", Canned::throttled(Service::Exchange, 300)).fails(
            7,
            "REGISTRY could not serve NODE: HTTP 429 TOOMANYREQUESTS",
            &[
                "too many requests",
                "CorrelationId: ",
                "hint: not retried: the server sent `Retry-After: 300",
            ],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from REGISTRY for NODE",
            &["no answer from `EXCHANGE`", "hint: check the network path from this node: DNS,"],
        ),
        row("web_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`EXCHANGE` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("blocked", Canned::answer(403, "text/html", "<!doctype html><title>Blocked by policy"))
            .fails(
                5,
                "REGISTRY refused NODE: HTTP 403",
                &["hint: unexpected answer: check for a proxy,"],
            ),
        row("proxy_login", Canned::status(401)).fails(
            5,
            "REGISTRY refused NODE: HTTP 401",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_json", Canned::answer(200, "text/plain", "OK")).fails(
            5,
            "`EXCHANGE` answered 200 with invalid JSON (line 1, column 1)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("nothing", Canned::status(200)).fails(
            5,
            "`EXCHANGE` answered 200 with an empty body, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("redirect", Canned::redirect("https://evil.example/oauth2/exchange")).fails(
            5,
            "cannot get a token from REGISTRY for NODE",
            &["`EXCHANGE` answered 307 with a", "hint: a redirect would send the credentials to"],
        ),
        row("oversized", Canned::answer(200, "application/json", " ".repeat(2_000_000))).fails(
            5,
            "cannot get a token from REGISTRY for NODE",
            &["the answer of `EXCHANGE` is larger", "hint: no credential is that large: check the"],
        ),
        row("other_errors", Canned::json(403, &json!({"errors": []}))).fails(
            5,
            "REGISTRY refused NODE: HTTP 403",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        pull("no_pull_token", Canned::json(200, &json!({}))).fails(
            5,
            "`https://contoso.azurecr.io/oauth2/token` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        pull("pull_token_refused", Canned::error(Service::PullToken, 401, "UNAUTHORIZED", "no"))
            .fails(
                3,
                "REGISTRY refused NODE: HTTP 401 UNAUTHORIZED",
                &["no", "CorrelationId: ", "hint: assign the role AcrPull on"],
            ),
        pull("pull_token_broken", Canned::broken(Service::PullToken)).calls(4).fails(
            7,
            "REGISTRY could not serve NODE: HTTP 500 UNKNOWN",
            &["unknown error", "CorrelationId: ", "after 3 retries; the kubelet"],
        ),
        pull("pull_token_throttled", Canned::throttled(Service::PullToken, 300)).fails(
            7,
            "REGISTRY could not serve NODE: HTTP 429 TOOMANYREQUESTS",
            &[
                "too many requests",
                "CorrelationId: ",
                "hint: not retried: the server sent `Retry-After: 300",
            ],
        ),
    ]
}
