//! How every service ends a call: what is remembered of the answer, and its dress.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::Azure;
use super::call::{Service, correlation_id};
use super::error::Refusal;
use crate::fakes::canned::Answer;
use crate::jwt;

/// A service's own answer.
pub(super) type Served = Result<Answer, Refusal>;

/// Remembers how a call ended, and dresses the answer.
pub(super) fn finish(azure: &Azure, service: Service, id: usize, served: Served) -> Response {
    let answer = served.unwrap_or_else(|refusal| {
        azure.log().update(id, |call| call.error = Some(refusal.reason()));
        refusal.render(service)
    });
    azure.log().update(id, |call| {
        call.status = Some(answer.status);
        call.correlation_id = correlation_id(&answer);
    });
    answer.dressed(azure.now(), own_headers(service))
}

/// No server has that name: a real one would not even resolve.
pub(super) fn nobody(azure: &Azure, host: &str) -> Response {
    azure.log().stray(host);
    (StatusCode::MISDIRECTED_REQUEST, "nobody is here").into_response()
}

/// What a service sends with everything.
fn own_headers(service: Service) -> Vec<(&'static str, String)> {
    match service {
        Service::Entra | Service::IdentityBinding => vec![
            ("cache-control", "no-store, no-cache".to_owned()),
            ("pragma", "no-cache".to_owned()),
            ("x-ms-request-id", jwt::random_uuid()),
        ],
        Service::Imds => vec![("server", "IMDS/150.870.65.1854".to_owned())],
        Service::Arc | Service::AppService => Vec::new(),
        Service::Challenge | Service::Exchange | Service::PullToken => vec![
            ("server", "AzureContainerRegistry".to_owned()),
            ("docker-distribution-api-version", "registry/2.0".to_owned()),
        ],
    }
}
