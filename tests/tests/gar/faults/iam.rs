//! The IAM Service Account Credentials API.

use std::time::Duration;

use pullpass_tests::fakes::google::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::IamCredentials, answer);
    let error =
        |status, code, message| Canned::error(Service::IamCredentials, status, code, message);
    let token = |body| Canned::json(200, &body);
    let grant = "hint: grant roles/iam.workloadIdentityUser on `PULLER` to `PRINCIPAL`";
    vec![
        row("denied", error(403, "PERMISSION_DENIED", "Permission 'x' denied on resource.")).fails(
            3,
            "Google's IAM refused POD as `PULLER`: HTTP 403 PERMISSION_DENIED",
            &["`IAM` says: Permission 'x' denied on resource.", grant],
        ),
        row(
            "api_is_off",
            error(
                403,
                "PERMISSION_DENIED",
                "IAM Service Account Credentials API has not been used in project 12 before or it \
                 is disabled.",
            ),
        )
        .fails(
            3,
            "Google's IAM refused POD as `PULLER`: HTTP 403 PERMISSION_DENIED",
            &["hint: enable the IAM Service Account Credentials API in the service account's"],
        ),
        row(
            "not_found",
            Canned::json(
                404,
                &json!({"error": {
                    "code": 404, "message": "Unknown service account", "status": "NOT_FOUND",
                }}),
            ),
        )
        .fails(
            3,
            "Google's IAM refused POD as `PULLER`: HTTP 404 NOT_FOUND",
            &[
                "`IAM` says: Unknown service account",
                "hint: the service account `PULLER` does not exist",
            ],
        ),
        row("not_found_page", error(404, "", "Not Found")).fails(
            5,
            "Google's IAM refused POD as `PULLER`: HTTP 404",
            &["hint: unexpected answer: check for a proxy, a login page or a wrong URL"],
        ),
        row("unauthenticated", error(401, "UNAUTHENTICATED", "Request had invalid credentials."))
            .fails(
                3,
                "Google's IAM refused POD as `PULLER`: HTTP 401 UNAUTHENTICATED",
                &["Request had invalid credentials.", "hint: the federated token was rejected"],
            ),
        row("invalid", error(400, "INVALID_ARGUMENT", "Request contains an invalid argument."))
            .fails(
                2,
                "Google's IAM refused POD as `PULLER`: HTTP 400 INVALID_ARGUMENT",
                &["hint: check `token_lifetime_seconds`"],
            ),
        row("precondition", error(400, "FAILED_PRECONDITION", "Service account is disabled."))
            .fails(
                3,
                "Google's IAM refused POD as `PULLER`: HTTP 400 FAILED_PRECONDITION",
                &["Service account is disabled.", "hint: look the code up in the documentation"],
            ),
        row("throttled", Canned::throttled(Service::IamCredentials)).calls(4).fails(
            7,
            "Google's IAM could not serve POD as `PULLER`: HTTP 429 RESOURCE_EXHAUSTED",
            &["after 3 retries"],
        ),
        row("broken", Canned::broken(Service::IamCredentials)).calls(4).fails(
            7,
            "Google's IAM could not serve POD as `PULLER`: HTTP 500 INTERNAL",
            &["after 3 retries"],
        ),
        row("unavailable", Canned::unavailable()).calls(4).fails(
            7,
            "Google's IAM could not serve POD as `PULLER`: HTTP 503",
            &["after 3 retries"],
        ),
        row("login_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`IAM` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("blocked", Canned::answer(403, "text/html", "<html><title>Blocked by policy")).fails(
            5,
            "Google's IAM refused POD as `PULLER`: HTTP 403",
            &["hint: unexpected answer: check for a proxy, a login page or a wrong URL"],
        ),
        row("no_token", token(json!({"expireTime": "2099-01-01T00:00:00Z"}))).fails(
            5,
            "`IAM` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("a_token_in_sts_form", token(json!({"access_token": "ya29.c.x", "expires_in": 99})))
            .fails(
                5,
                "`IAM` answered 200 without an access token",
                &["hint: unexpected answer: check for a proxy,"],
            ),
        row("no_date", token(json!({"accessToken": "ya29.c.x", "expireTime": "tomorrow"}))).fails(
            5,
            "`IAM` answered 200 with an unreadable `expireTime`",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("empty_date", token(json!({"accessToken": "ya29.c.x", "expireTime": ""}))).fails(
            5,
            "`IAM` answered 200 with an unreadable `expireTime`",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("a_number", token(json!({"accessToken": "ya29.c.x", "expireTime": 1_795_514_400})))
            .fails(
                5,
                "`IAM` answered 200 with JSON of an unexpected shape",
                &["hint: unexpected answer: check for a proxy,"],
            ),
        row(
            "over",
            token(json!({"accessToken": "ya29.c.x", "expireTime": "2014-10-02T15:01:23Z"})),
        )
        .fails(
            5,
            "`IAM` returned a token that has already expired",
            &["hint: check this node's clock"],
        ),
        row("oversized", Canned::answer(200, "application/json", " ".repeat(2_000_000))).fails(
            5,
            "cannot get a token from Google's IAM for POD as `PULLER`",
            &["the answer of `IAM` is larger than 1048576 bytes"],
        ),
        row("redirect", Canned::redirect("https://evil.example/")).fails(
            5,
            "cannot get a token from Google's IAM for POD as `PULLER`",
            &["`IAM` answered 307 with a redirect", "hint: a redirect would send the credentials"],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from Google's IAM for POD as `PULLER`",
            &["no answer from `IAM`", "hint: check the network path from this node: DNS,"],
        ),
    ]
}
