//! The metadata server, and what else answers at its address.

use std::time::Duration;

use pullpass_tests::fakes::google::{Canned, Service};
use serde_json::json;

use super::Row;

pub(super) fn rows() -> Vec<Row> {
    let row = |name, answer| Row::new(name, Service::Metadata, answer);
    let error = |status, message| Canned::error(Service::Metadata, status, "", message);
    let token = |body| Canned::json(200, &body);
    vec![
        row("no_account", error(404, "Not Found")).fails(
            4,
            "the metadata server refused the node: HTTP 404",
            &["hint: this machine has no service account: attach one that has roles/artifactreg"],
        ),
        row("forbidden", error(403, "Forbidden")).fails(
            3,
            "the metadata server refused the node: HTTP 403",
            &["hint: something other than the metadata server answered"],
        ),
        row("bad_request", error(400, "Bad Request")).fails(
            5,
            "the metadata server refused the node: HTTP 400",
            &["hint: check for a proxy or firewall in front of the metadata server"],
        ),
        row("throttled", Canned::throttled(Service::Metadata)).calls(5).fails(
            7,
            "the metadata server could not serve the node: HTTP 429",
            &["after 4 retries; the kubelet"],
        ),
        row("resting", Canned::throttled(Service::Metadata).with_header("retry-after", "300"))
            .fails(
                7,
                "the metadata server could not serve the node: HTTP 429",
                &["hint: not retried: the server sent `Retry-After: 300"],
            ),
        row("broken", Canned::broken(Service::Metadata)).calls(5).fails(
            7,
            "the metadata server could not serve the node: HTTP 500",
            &["after 4 retries; the kubelet"],
        ),
        row("unavailable", Canned::unavailable()).calls(5).fails(
            7,
            "the metadata server could not serve the node: HTTP 503",
            &["after 4 retries; the kubelet"],
        ),
        row("silent", Canned::late(Duration::from_secs(30))).timeout(2).fails(
            7,
            "cannot get a token from the metadata server for the node",
            &["no answer from `METADATA`", "hint: on Google Cloud, let this node reach 169.254"],
        ),
        row("deadline", Canned::late(Duration::from_secs(30))).timeout(1).fails(
            7,
            "cannot get a token from the metadata server for the node",
            &["no answer from `METADATA`"],
        ),
        row("no_json", Canned::answer(200, "text/plain", "OK")).fails(
            5,
            "`METADATA` answered 200 with invalid JSON (line 1, column 1)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("cut_json", Canned::answer(200, "application/json", "{\"access_token\":\"ya")).fails(
            5,
            "`METADATA` answered 200 with invalid JSON (line 1, column 19)",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("web_page", Canned::answer(200, "text/html", "<!doctype html><title>Sign in")).fails(
            5,
            "`METADATA` answered 200 with HTML, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("nothing", Canned::status(200)).fails(
            5,
            "`METADATA` answered 200 with an empty body, not JSON",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("no_token", token(json!({"expires_in": 3599, "token_type": "Bearer"}))).fails(
            5,
            "`METADATA` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("empty_token", token(json!({"access_token": "", "expires_in": 3599}))).fails(
            5,
            "`METADATA` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("token_of_another_shape", token(json!({"access_token": 1, "expires_in": 3599}))).fails(
            5,
            "`METADATA` answered 200 without an access token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row(
            "token_with_a_line_break",
            token(json!({"access_token": "ya29.a\nb", "expires_in": 99})),
        )
        .fails(
            5,
            "`METADATA` returned a token that cannot be used as a password",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row(
            "no_bearer",
            token(json!({"access_token": "ya29.a", "expires_in": 3599, "token_type": "mac"})),
        )
        .fails(
            5,
            "`METADATA` answered 200 with a token that is not a bearer token",
            &["hint: unexpected answer: check for a proxy,"],
        ),
        row("over", token(json!({"access_token": "ya29.a", "expires_in": 0}))).fails(
            5,
            "`METADATA` returned a token that has already expired",
            &["hint: check this node's clock"],
        ),
        row("an_end_that_is_none", token(json!({"access_token": "ya29.a", "expires_in": "soon"})))
            .fails(
                5,
                "`METADATA` answered 200 with an unreadable `expires_in`",
                &["hint: unexpected answer: check for a proxy,"],
            ),
        row("oversized", Canned::answer(200, "application/json", " ".repeat(2_000_000))).fails(
            5,
            "cannot get a token from the metadata server for the node",
            &["the answer of `METADATA` is larger than 1048576 bytes", "no credential is that"],
        ),
        row("redirect", Canned::redirect("http://evil.example/")).fails(
            5,
            "cannot get a token from the metadata server for the node",
            &["`METADATA` answered 307 with a redirect", "a redirect would send the credentials"],
        ),
        row("not_googles", Canned::json(200, &json!({"access_token": "ya29.a", "expires_in": 99})))
            .without_flavor()
            .fails(
                5,
                "`metadata.google.internal` is not Google's metadata server: it answers without `Metadata-Flavor: Google`",
                &["hint: other clouds have theirs at the same address"],
            ),
        row("not_googles_404", Canned::answer(404, "text/html", "<html>Not Found"))
            .without_flavor()
            .fails(
                4,
                "the metadata server refused the node: HTTP 404",
                &[
                    "`METADATA` answers without `Metadata-Flavor: Google`",
                    "if not, another cloud's metadata service answered: outside Google Cloud there",
                ],
            ),
        row("not_googles_401", Canned::status(401)).without_flavor().fails(
            5,
            "the metadata server refused the node: HTTP 401",
            &["`METADATA` answers without `Metadata-Flavor: Google`"],
        ),
        row("not_googles_503", Canned::status(503)).without_flavor().calls(5).fails(
            7,
            "the metadata server could not serve the node: HTTP 503",
            &["`METADATA` answers without `Metadata-Flavor: Google`", "after 4 retries"],
        ),
        row("another_flavor", Canned::other_json(200).with_header("metadata-flavor", "Goggle"))
            .without_flavor()
            .fails(
                5,
                "`metadata.google.internal` is not Google's metadata server: it answers without `Metadata-Flavor: Google`",
                &["hint: other clouds have theirs at the same address"],
            ),
    ]
}
